"""How documents write days, counts, money and ratings: one wording for Word, PDF and the pictures."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Any

# Control characters that XML forbids, lone surrogates, and the two code points that are no characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Rating(StrEnum):
    """Level of compliance with one standard or element."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASSESSED = "not_assessed"


RATING_WORDS: dict[Rating, str] = {
    Rating.MET: "Met",
    Rating.NOT_MET: "Not met",
    Rating.NOT_APPLICABLE: "Not applicable",
    Rating.NOT_ASSESSED: "Not yet assessed",
}

# A sign beside each word, so that a grey print still tells them apart.
RATING_SIGNS: dict[Rating, str] = {
    Rating.MET: "\u25cf",
    Rating.NOT_MET: "\u25b2",
    Rating.NOT_APPLICABLE: "\u2013",
    Rating.NOT_ASSESSED: "\u25cb",
}

MODE_WORDS: dict[str, str] = {
    "documentation": "Documentation",
    "observation": "Observation",
    "data": "Data",
    "interview": "Interview",
    "record_review": "Record review",
    "tracer": "Tracer",
}


def clean(text: str) -> str:
    """Return `text` without the characters that no XML or PDF may hold; line ends become newlines."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n"))


def day(value: date) -> str:
    """Return a date the way a letter writes it.

    >>> day(date(2026, 12, 4))
    'December 4, 2026'
    """
    return f"{value:%B} {value.day}, {value.year}"


def weekday(value: date) -> str:
    """Return a date with its weekday, as deadlines are written.

    >>> weekday(date(2026, 12, 4))
    'Friday, December 4, 2026'
    """
    return f"{value:%A}, {day(value)}"


def short_day(value: date) -> str:
    """Return a date for a table cell.

    >>> short_day(date(2026, 12, 4))
    'Dec 4, 2026'
    """
    return f"{value:%b} {value.day}, {value.year}"


def span(first: date, last: date) -> str:
    """Return a range of days without saying anything twice.

    >>> span(date(2026, 10, 14), date(2026, 10, 16)), span(date(2026, 9, 30), date(2026, 10, 1))
    ('October 14\u201316, 2026', 'September 30 \u2013 October 1, 2026')
    """
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%B} {first.day}\u2013{last.day}, {last.year}"
    if first.year == last.year:
        return f"{first:%B} {first.day} \u2013 {day(last)}"
    return f"{day(first)} \u2013 {day(last)}"


def moment(value: datetime) -> str:
    """Return an instant in the zone it carries.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 19, 14, 2, tzinfo=UTC))
    'November 19, 2026, 14:02 UTC'
    """
    return f"{day(value)}, {value:%H:%M} {value:%Z}".rstrip()


def money(cents: int, currency: str = "USD") -> str:
    """Return an amount with its sign and thousands.

    >>> money(1350000), money(-250000)
    ('$13,500.00', '\u2212$2,500.00')
    """
    sign = "\u2212" if cents < 0 else ""
    amount = f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return f"{sign}${amount}" if currency == "USD" else f"{sign}{amount} {currency}"


def number_word(count: int) -> str:
    """Return small numbers in letters, others in figures.

    >>> number_word(2), number_word(41)
    ('two', '41')
    """
    return _SMALL[count] if 0 <= count < len(_SMALL) else str(count)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> counted(1, "requirement"), counted(3, "site")
    ('one requirement', 'three sites')
    """
    return f"{number_word(count)} {one if count == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """Return `text` beginning with a capital."""
    return text[:1].upper() + text[1:]


def listed(items: Sequence[str]) -> str:
    """Return items as running text.

    >>> listed(["7.3"]), listed(["2.1", "7.3", "7.9"])
    ('7.3', '2.1, 7.3 and 7.9')
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def plain_data(value: Any) -> Any:
    """Return any content object as JSON types: ISO dates and instants, enum values, cleaned text."""
    if isinstance(value, str):
        return clean(str(value.value) if isinstance(value, Enum) else value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {field.name: plain_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    return [plain_data(item) for item in value]
