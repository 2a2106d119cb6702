"""How days, instants, money, sizes and counts are written on every page, as template filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import Flask, g, has_app_context

from certify.core.foundation.days import long_day, zone

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Irregular words that pages count; every other word takes an s.
_PLURALS = {
    "person": "people",
    "practice": "practices",
    "study": "studies",
    "is": "are",
    "has": "have",
    "this": "these",
}


def day(on: date | None) -> str:
    """Write a day with its short weekday and year.

    >>> day(date(2026, 12, 4))
    'Fri 4 Dec 2026'
    """
    return "" if on is None else f"{_WEEKDAYS[on.weekday()][:3]} {on.day} {_MONTHS[on.month - 1][:3]} {on.year}"


def day_brief(on: date | None) -> str:
    """Write a day of the near future or past, where the year is plain.

    >>> day_brief(date(2026, 12, 4))
    'Fri 4 Dec'
    """
    return "" if on is None else f"{_WEEKDAYS[on.weekday()][:3]} {on.day} {_MONTHS[on.month - 1][:3]}"


def day_long(on: date | None) -> str:
    """Write a day in full words.

    >>> day_long(date(2026, 12, 4))
    'Friday 4 December 2026'
    """
    return "" if on is None else long_day(on)


def moment(at: datetime | None, tz: str | None = None) -> str:
    """Write an instant as the local day and time of a zone; without a zone in UTC, and saying so.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 19, 19, 2, tzinfo=UTC), "America/Chicago")
    'Thu 19 Nov 2026, 13:02'
    """
    if at is None:
        return ""
    name = tz or (g.get("time_zone") if has_app_context() else None)
    local = at.astimezone(zone(name or "UTC"))
    return f"{day(local.date())}, {local:%H:%M}{'' if name else ' UTC'}"


def money(cents: int | None) -> str:
    """Write an amount in dollars.

    >>> money(450000)
    '$4,500.00'
    """
    if cents is None:
        return ""
    return f"{'−' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun, in the plural where it is not one.

    >>> count(1, "site"), count(3, "site"), count(2, "person"), count(1200, "case")
    ('1 site', '3 sites', '2 people', '1,200 cases')
    """
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Return the plural of a word that pages count.

    >>> plural("day"), plural("city")
    ('days', 'cities')
    """
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def days_left(days: int) -> str:
    """Say how soon or how late something is.

    >>> [days_left(n) for n in (9, 1, 0, -1, -2)]
    ['9 days left', 'tomorrow', 'today', '1 day late', '2 days late']
    """
    if days < 0:
        return f"{count(-days, 'day')} late"
    return {0: "today", 1: "tomorrow"}.get(days, f"{count(days, 'day')} left")


def filesize(size: int) -> str:
    """Write a number of bytes as people read it.

    >>> filesize(512), filesize(1_400), filesize(2_500_000)
    ('512 bytes', '1 KB', '2.5 MB')
    """
    if size < 1_000:
        return count(size, "byte")
    return f"{size / 1_000:.0f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def browser(user_agent: str) -> str:
    """Name a browser and its system as its owner would.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
    'Chrome on Linux'
    """
    # In this order: each says it is also those after it.
    names = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("iPad", "iPad"),
        ("iPhone", "iPhone"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    )
    name = next((shown for sign, shown in names if sign in user_agent), "")
    system = next((shown for sign, shown in systems if sign in user_agent), "")
    return f"{name or 'A browser'} on {system}" if system else name or "An unknown browser"


FILTERS: dict[str, Callable[..., Any]] = {
    "day": day,
    "day_brief": day_brief,
    "day_long": day_long,
    "moment": moment,
    "money": money,
    "count_of": count,
    "plural": plural,
    "days_left": days_left,
    "filesize": filesize,
    "browser": browser,
}


def register_formats(app: Flask) -> None:
    """Give all templates these filters."""
    for name, function in FILTERS.items():
        app.add_template_filter(function, name)
