"""Percentiles and pictures of the front pages, and the queue on a real database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.outlets.home.ageing import _ageing, _columns, _percentile

COUNTS = st.dictionaries(st.integers(0, 400), st.integers(1, 50), min_size=1, max_size=40)


@given(COUNTS)
def test_the_median_is_a_day_that_half_of_the_cases_do_not_exceed(counts: dict[int, int]) -> None:
    total = sum(counts.values())
    median = _percentile(counts, total, 0.5)

    assert sum(n for day, n in counts.items() if day <= median) >= total / 2
    assert sum(n for day, n in counts.items() if day < median) < total / 2


@given(COUNTS)
def test_the_columns_hold_every_case_once(counts: dict[int, int]) -> None:
    columns = _columns(counts)

    assert len(columns) == 7
    assert sum(height for _label, height in columns) == sum(counts.values())


@given(COUNTS)
def test_the_90th_percentile_is_never_below_the_median(counts: dict[int, int]) -> None:
    age = _ageing("3", counts)

    assert age.median_days <= age.p90_days
    assert age.cases == sum(counts.values())


def test_no_cases_make_no_picture() -> None:
    assert _ageing("3", {}).columns == ()


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 2), (0.9, 9), (1.0, 9)])
def test_percentiles_are_by_nearest_rank(fraction: float, expected: int) -> None:
    assert _percentile({1: 2, 2: 4, 9: 2}, 8, fraction) == expected
