"""The one clock of the program; tests and demonstrations set it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can say which instant it is."""

    def now(self) -> datetime:
        """Return an aware instant in UTC."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands where it is put; `move` turns it on."""

    def __init__(self, at: datetime) -> None:
        self.at = _utc(at)

    def now(self) -> datetime:
        return self.at

    def move(self, *, to: datetime | None = None, by: timedelta | None = None) -> datetime:
        """Set the clock to an instant, or turn it on by a span; returns the new instant."""
        if to is not None:
            self.at = _utc(to)
        if by is not None:
            self.at += by
        return self.at


_clock: Clock = SystemClock()


def now() -> datetime:
    """Return the instant by the program's clock, aware, in UTC."""
    return _clock.now()


def use_clock(clock: Clock) -> None:
    """Make `clock` the clock of this process."""
    global _clock
    _clock = clock


@contextmanager
def standing_at(at: datetime) -> Iterator[FixedClock]:
    """Let the clock stand at an instant for the length of a block."""
    global _clock
    before, fixed = _clock, FixedClock(at)
    _clock = fixed
    try:
        yield fixed
    finally:
        _clock = before


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with an offset or Z, as aware UTC.

    Raises: ValueError when it is not an instant or names no offset.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as wrong:
        raise ValueError(f"{text!r} is not an instant; write for example 2026-03-05T14:00:00Z") from wrong
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; write for example 2026-03-05T14:00:00Z")
    return _utc(at)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)
