"""When a reminder falls due, and how a notice is worded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from certify.core.catalogue.model import Reminder
from certify.core.foundation.days import add_business_days, zone

# After an outage of the program reminders of the last days still go out; older ones would only confuse.
CATCH_UP_DAYS = 3
MORNING = time(8, 0)

# What a person wrote on these steps is meant for those who get the notice. Other reasons (a declared conflict of
# interest, comments between staff) stay inside.
QUOTED = frozenset(
    {
        "ask_for_information", "reject", "mark_incomplete", "send_back_report", "return_report", "return_plan", "return_corrections",
        "require_visit", "withdraw", "reschedule",
    }
)  # fmt: skip


def reminder_day(due_on: date, offset: int, kind: str) -> date:
    """Return the day on which to remind, `offset` days before the due date (after it, when negative).

    >>> reminder_day(date(2026, 12, 4), 5, "business").isoformat(), reminder_day(date(2026, 12, 4), -7, "calendar").isoformat()
    ('2026-11-27', '2026-12-11')
    """
    if kind == "business" and offset:
        return add_business_days(due_on, -offset)
    return due_on - timedelta(days=offset)


def offsets(reminder: Reminder) -> tuple[int, ...]:
    """Return all offsets of a rule: positive before the date, 0 on it, negative after it."""
    return tuple(sorted({*reminder.before, *(-days for days in reminder.after)}, reverse=True))


def due_dates(reminder: Reminder, days: Iterable[date]) -> set[date]:
    """Return the due dates that are reminded of on one of these days."""
    wanted = set(days)
    found = set()
    for offset in offsets(reminder):
        for day in wanted:
            # A count of business days may come from several dates, at most a long week-end further on.
            reach = (abs(offset) * 2 + 10) if reminder.kind == "business" else abs(offset)
            for away in range(reach + 1):
                due_on = day + timedelta(days=away if offset >= 0 else -away)
                if reminder_day(due_on, offset, reminder.kind) == day:
                    found.add(due_on)
    return found


def offset_due(reminder: Reminder, due_on: date, *, today: date, set_on: date) -> int | None:
    """Return the offset to remind of today: the latest whose day has come, not long ago and after the date was set."""
    for offset in reversed(offsets(reminder)):
        day = reminder_day(due_on, offset, reminder.kind)
        if day <= today and day > today - timedelta(days=CATCH_UP_DAYS) and day > set_on:
            return offset
    return None


def morning_of(day: date, tz: str) -> datetime:
    """Return eight in the morning of a local day: reminders are read at the desk, not at midnight."""
    return datetime.combine(day, MORNING, tzinfo=zone(tz))


def days_words(due_on: date, today: date) -> str:
    """Say how far away a date is.

    >>> days_words(date(2026, 12, 4), date(2026, 12, 2)), days_words(date(2026, 12, 4), date(2026, 12, 5))
    ('in 2 days', '1 day ago')
    """
    left = (due_on - today).days
    if left == 0:
        return "today"
    if left == 1:
        return "tomorrow"
    return f"in {left} days" if left > 0 else "1 day ago" if left == -1 else f"{-left} days ago"
