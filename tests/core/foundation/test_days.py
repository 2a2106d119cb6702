"""Calendar days and business days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.foundation.days import (
    add_business_days,
    add_months,
    business_days_between,
    end_of_day,
    federal_holidays,
    is_business_day,
    local_date,
    zone,
)

DAYS = st.dates(date(2021, 1, 1), date(2035, 12, 31))


def test_the_holidays_of_2026_are_those_of_the_law() -> None:
    assert sorted(federal_holidays(2026)) == [
        date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3),
        date(2026, 9, 7), date(2026, 10, 12), date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25),
    ]  # fmt: skip


def test_new_year_on_a_saturday_is_kept_in_the_old_year() -> None:
    assert date(2027, 12, 31) in federal_holidays(2027)
    assert date(2028, 1, 1) not in federal_holidays(2028)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2026, 11, 20), 10, date(2026, 12, 7)),  # over Thanksgiving
        (date(2026, 7, 2), 1, date(2026, 7, 6)),  # the fourth falls on a Saturday and is kept on Friday
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # over the night the clocks change
        (date(2026, 3, 9), -1, date(2026, 3, 6)),
        (date(2026, 3, 9), 0, date(2026, 3, 9)),
    ],
)
def test_business_days_leave_out_weekends_and_holidays(start: date, days: int, end: date) -> None:
    assert add_business_days(start, days) == end


@given(start=DAYS, days=st.integers(1, 300))
def test_adding_and_counting_business_days_agree(start: date, days: int) -> None:
    end = add_business_days(start, days)
    assert is_business_day(end)
    assert business_days_between(start, end) == days
    assert business_days_between(end, start) == -days


@given(start=DAYS, span=st.integers(0, 500))
def test_counting_business_days_equals_looking_at_each_day(start: date, span: int) -> None:
    end = start + timedelta(days=span)
    assert business_days_between(start, end) == sum(
        is_business_day(start + timedelta(days=n)) for n in range(1, span + 1)
    )


def test_a_deadline_ends_with_its_day_in_the_practice_s_zone() -> None:
    assert end_of_day(date(2026, 3, 8), "America/Chicago") == datetime(2026, 3, 9, 4, 59, 59, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 7), "America/Chicago") == datetime(2026, 3, 8, 5, 59, 59, tzinfo=UTC)


@given(on=DAYS, name=st.sampled_from(["America/New_York", "America/Phoenix", "Pacific/Honolulu", "Pacific/Guam"]))
def test_the_end_of_a_day_lies_on_that_day(on: date, name: str) -> None:
    end = end_of_day(on, name)
    assert local_date(end, name) == on
    assert local_date(end + timedelta(seconds=1), name) == on + timedelta(days=1)


def test_months_end_where_they_end() -> None:
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2026, 11, 15), 36) == date(2029, 11, 15)


def test_an_unknown_zone_says_what_would_be_right() -> None:
    with pytest.raises(ValueError, match="America/Chicago"):
        zone("Central")
