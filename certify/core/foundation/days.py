"""Calendar days and business days in the practice's time zone (process.md, section 5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONDAY, THURSDAY = 0, 3


@cache
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name.

    Raises: ValueError when there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"{name!r} is not a time zone; write for example America/Chicago") from unknown


def local_date(at: datetime, tz: str) -> date:
    """Return the calendar day of an instant in a time zone."""
    return at.astimezone(zone(tz)).date()


def written(on: date) -> str:
    """Write a date as sentences do.

    >>> written(date(2026, 12, 4))
    '4 December 2026'
    """
    return f"{on.day} {on:%B %Y}"


def long_day(on: date) -> str:
    """Write a date with its weekday.

    >>> long_day(date(2026, 12, 4))
    'Friday 4 December 2026'
    """
    return f"{on:%A} {written(on)}"


def end_of_day(on: date, tz: str) -> datetime:
    """Return the last second of a local day (23:59:59) as an instant in UTC."""
    return datetime.combine(on, time(23, 59, 59), tzinfo=zone(tz)).astimezone(UTC)


def add_months(on: date, months: int) -> date:
    """Return the same day so many months on, or that month's last day where it has no such day."""
    index = on.year * 12 + on.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(on.day, 27, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    return date(year, month + 1, on.day)


def is_business_day(on: date) -> bool:
    """Monday to Friday, and no US federal holiday (5 U.S.C. 6103) nor the weekday it is observed on."""
    return on.weekday() < 5 and on not in federal_holidays(on.year)


def add_business_days(on: date, days: int) -> date:
    """Return the day that many business days after `on` (before it, when negative); `on` itself does not count."""
    step = 1 if days >= 0 else -1
    left = abs(days)
    while left:
        on += timedelta(days=step)
        if is_business_day(on):
            left -= 1
    return on


def business_days_between(start: date, end: date) -> int:
    """Count the business days after `start` up to and with `end`; negative when `end` lies before."""
    if end < start:
        return -business_days_between(end, start)
    weeks, rest = divmod((end - start).days, 7)
    count = weeks * 5
    for offset in range(1, rest + 1):
        if (start + timedelta(days=weeks * 7 + offset)).weekday() < 5:
            count += 1
    holidays = {h for year in range(start.year, end.year + 1) for h in federal_holidays(year)}
    return count - sum(1 for h in holidays if start < h <= end and h.weekday() < 5)


@cache
def federal_holidays(year: int) -> frozenset[date]:
    """Return the days on which US federal holidays are observed in a year (Saturday: Friday before, Sunday: Monday after)."""
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    if year < 2021:
        fixed.remove(date(year, 6, 19))
    moving = [
        _nth_weekday(year, 1, MONDAY, 3),
        _nth_weekday(year, 2, MONDAY, 3),
        _last_monday(year, 5),
        _nth_weekday(year, 9, MONDAY, 1),
        _nth_weekday(year, 10, MONDAY, 2),
        _nth_weekday(year, 11, THURSDAY, 4),
    ]
    days = {_observed(day) for day in fixed} | set(moving)
    next_new_year = _observed(date(year + 1, 1, 1))
    if next_new_year.year == year:
        days.add(next_new_year)
    return frozenset(day for day in days if day.year == year)


def _observed(on: date) -> date:
    return on + timedelta(days={5: -1, 6: 1}.get(on.weekday(), 0))


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday(year: int, month: int) -> date:
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=last.weekday())
