"""How a certificate stands on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.certificates.rules import Standing, certificate_number, standing, term_end

END = date(2029, 3, 5)


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(1, 5))
def test_a_term_ends_on_the_same_day_so_many_years_on(awarded_on: date, years: int) -> None:
    end = term_end(awarded_on, years)
    assert (end.year, end.month) == (awarded_on.year + years, awarded_on.month)
    assert end.day in (awarded_on.day, 28)


@pytest.mark.parametrize(
    ("today", "more", "expected"),
    [
        (END, {}, Standing.VALID),
        (END + timedelta(days=1), {}, Standing.EXPIRED),
        (END, {"suspended_on": END}, Standing.SUSPENDED),
        (END, {"suspended_on": END + timedelta(days=1)}, Standing.VALID),
        (END, {"withdrawn_on": END, "suspended_on": END}, Standing.WITHDRAWN),
        (END, {"replaced": True, "withdrawn_on": END}, Standing.REPLACED),
    ],
)
def test_what_the_public_may_know(today: date, more: dict[str, object], expected: Standing) -> None:
    assert standing(today=today, ends_on=END, **more) is expected  # type: ignore[arg-type]


def test_numbers_are_read_aloud_easily() -> None:
    assert certificate_number(2026, 42) == "OMH-2026-0042"
    assert certificate_number(2026, 12345) == "OMH-2026-12345"
