"""When a reminder falls due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.catalogue.model import Reminder
from certify.outlets.reminders.rules import due_dates, offset_due, offsets, reminder_day

DOCUMENTS = Reminder(
    "documents_window_days", (14, 7, 2, 0), (1, 7), "calendar", ("practice_admin",), ("program_staff",)
)
PLAN = Reminder("cap_business_days", (5, 2, 0), (), "business", ("practice_admin",), ())
FRIDAY = date(2026, 12, 4)
LONG_AGO = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("today", "offset"),
    [
        (FRIDAY - timedelta(days=15), None), (FRIDAY - timedelta(days=14), 14), (FRIDAY - timedelta(days=10), None), (FRIDAY - timedelta(days=7), 7),
        (FRIDAY - timedelta(days=2), 2), (FRIDAY, 0), (FRIDAY + timedelta(days=1), -1), (FRIDAY + timedelta(days=7), -7),
        (FRIDAY + timedelta(days=30), None),
    ],
)  # fmt: skip
def test_each_offset_has_its_day_and_the_last_one_ends_it(today: date, offset: int | None) -> None:
    assert offset_due(DOCUMENTS, FRIDAY, today=today, set_on=LONG_AGO) == offset


def test_business_days_skip_weekends_and_holidays() -> None:
    # The fifth business day before Friday 4 December skips a weekend; Thanksgiving of the week before does not count.
    assert reminder_day(FRIDAY, 5, "business") == date(2026, 11, 27)
    assert offset_due(PLAN, FRIDAY, today=date(2026, 12, 2), set_on=LONG_AGO) == 2


def test_after_an_outage_only_the_latest_reminder_of_the_last_days_goes_out() -> None:
    assert offset_due(DOCUMENTS, FRIDAY, today=FRIDAY - timedelta(days=5), set_on=LONG_AGO) == 7
    assert offset_due(DOCUMENTS, FRIDAY, today=FRIDAY + timedelta(days=2), set_on=LONG_AGO) == -1
    assert offset_due(DOCUMENTS, FRIDAY, today=FRIDAY - timedelta(days=4), set_on=LONG_AGO) is None


def test_a_date_set_just_now_is_not_reminded_of() -> None:
    assert offset_due(DOCUMENTS, FRIDAY, today=FRIDAY - timedelta(days=7), set_on=FRIDAY - timedelta(days=7)) is None
    assert offset_due(DOCUMENTS, FRIDAY, today=FRIDAY - timedelta(days=6), set_on=FRIDAY - timedelta(days=7)) is None


@given(st.integers(0, 2000), st.sampled_from([DOCUMENTS, PLAN]))
def test_the_search_by_date_finds_every_reminder(days: int, rule: Reminder) -> None:
    due_on = date(2026, 1, 1) + timedelta(days=days)
    for offset in offsets(rule):
        assert due_on in due_dates(rule, [reminder_day(due_on, offset, rule.kind)])
