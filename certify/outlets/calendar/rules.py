"""How dates become entries of a calendar: what they are called, when they changed, and when they no longer hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import icalendar

PRODUCT = "-//certify//calendar//EN"


@dataclass(frozen=True)
class Entry:
    """One entry, all day.

    `uid` stays the same whatever happens to the date; `sequence` and `changed_at` grow when it changes (RFC 5545, 3.8.7);
    `held` is false when the date was dropped, which other programs are told by STATUS:CANCELLED.
    """

    uid: str
    title: str
    text: str
    first: date
    last: date
    url: str
    sequence: int
    changed_at: datetime
    held: bool = True
    busy: bool = False


@dataclass(frozen=True)
class Span:
    """One time that a date was set: when, when it last got another day, and when it ended."""

    set_at: datetime
    moved_at: datetime | None
    ended_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        return max(at for at in (self.set_at, self.moved_at, self.ended_at) if at is not None)


def version_of(spans: Iterable[Span]) -> tuple[int, datetime]:
    """Return sequence and time of the last change of a date that was set, moved and ended so.

    The sequence is the seconds from the first setting to the last change: it needs no counter, is nought at first, and grows
    with every change.

    >>> from datetime import UTC
    >>> first, later = datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 9, 1, tzinfo=UTC)
    >>> version_of([Span(first, None, None)])[0], version_of([Span(first, later, None)])[0]
    (0, 60)
    """
    known = list(spans)
    first, last = min(s.set_at for s in known), max(s.changed_at for s in known)
    return int((last - first).total_seconds()), last


def write(entries: Iterable[Entry], name: str) -> bytes:
    """Return the calendar as a file (RFC 5545); its days are whole days, so that it needs no time zones."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: Entry) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    event.add("sequence", entry.sequence)
    event.add("status", "CONFIRMED" if entry.held else "CANCELLED")
    event.add("summary", entry.title)
    event.add("description", f"{entry.text}\n{entry.url}".strip())
    event.add("dtstart", entry.first)
    event.add("dtend", entry.last + timedelta(days=1))
    event.add("url", entry.url)
    event.add("transp", "OPAQUE" if entry.busy else "TRANSPARENT")
    return event
