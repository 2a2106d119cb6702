"""Drawing what is scored a second time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from certify.certification.calibration.rules import Drawable, draw

POOL = [
    Drawable(domain, site, f"{domain}.{n}.a") for domain in (1, 2, 7) for site in (1, 2) for n in range(10 * domain)
]


def test_every_domain_gives_its_share_and_at_least_one() -> None:
    chosen = draw(POOL, 10, "seed")
    assert [sum(one.domain == domain for one in chosen) for domain in (1, 2, 7)] == [2, 4, 14]
    assert {one.domain for one in draw(POOL, 1, "seed")} == {1, 2, 7}


def test_all_are_drawn_when_all_are_asked_for() -> None:
    assert draw(POOL, 100, "seed") == sorted(POOL)
    assert draw([], 10, "seed") == []


@given(st.permutations(POOL), st.integers(1, 100))
def test_the_same_seed_draws_the_same_in_whatever_order(pool: list[Drawable], share: int) -> None:
    assert draw(pool, share, "lot") == draw(POOL, share, "lot")


def test_another_seed_draws_others() -> None:
    assert draw(POOL, 10, "one") != draw(POOL, 10, "two")
