"""Cohen's kappa against values that others have published or computed."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.stats.agreement import cohens_kappa


def pairs(table: list[list[int]]) -> list[tuple[int, int]]:
    """Return the pairs of a table of counts: rows are the first rater's categories."""
    return [(i, j) for (i, row) in enumerate(table) for (j, count) in enumerate(row) for _ in range(count)]


# (table, kappa, low, high): the first is Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions,
# table 18.1 (kappa 0.68, standard error 0.087); all four agree with statsmodels 0.15, inter_rater.cohens_kappa.
KNOWN = [
    ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.676471, 0.504576, 0.848365),
    ([[20, 5], [10, 15]], 0.4, 0.151092, 0.648908),
    ([[50, 3, 2], [6, 20, 4], [1, 2, 12]], 0.692044, 0.566785, 0.817304),
    ([[3, 7], [8, 2]], -0.5, -0.877643, -0.122357),
]


@pytest.mark.parametrize(("table", "kappa", "low", "high"), KNOWN)
def test_kappa_and_its_interval_are_those_others_find(
    table: list[list[int]], kappa: float, low: float, high: float
) -> None:
    found = cohens_kappa(pairs(table))
    assert found.kappa == pytest.approx(kappa, abs=1e-6)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(low, abs=1e-5)
    assert found.interval.high == pytest.approx(high, abs=1e-5)


def test_two_who_agree_on_everything_have_kappa_one_without_doubt() -> None:
    found = cohens_kappa(pairs([[7, 0], [0, 3]]))
    assert found.kappa == 1
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (1, 1)


def test_agreement_that_may_all_be_chance_has_no_kappa() -> None:
    found = cohens_kappa([("yes", "yes")] * 40)
    assert (found.pairs, found.alike, found.share) == (40, 40, 1)
    assert found.kappa is None
    assert found.interval is None


def test_one_who_rates_everything_the_same_leaves_no_interval() -> None:
    found = cohens_kappa([("yes", "yes")] * 54 + [("yes", "no")] * 6)
    assert (found.kappa, found.interval, found.share) == (0, None, 0.9)


def test_nothing_rated_is_no_agreement() -> None:
    found = cohens_kappa([])
    assert (found.pairs, found.alike, found.share, found.kappa) == (0, 0, 0, None)


def test_a_confidence_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        cohens_kappa([("yes", "no")], confidence=1.0)


@given(st.lists(st.sampled_from(list(product("ynx", "ynx"))), min_size=1, max_size=60))
def test_kappa_lies_within_its_interval_and_does_not_ask_who_is_first(ratings: list[tuple[str, str]]) -> None:
    found, turned = cohens_kappa(ratings), cohens_kappa([(b, a) for a, b in ratings])
    assert (turned.kappa is None, turned.interval is None) == (found.kappa is None, found.interval is None)
    if found.kappa is None or found.interval is None:
        return
    assert -1 <= found.interval.low <= found.kappa <= found.interval.high <= 1
    assert turned.kappa == pytest.approx(found.kappa)
    assert turned.interval is not None
    assert turned.interval.low == pytest.approx(found.interval.low)
