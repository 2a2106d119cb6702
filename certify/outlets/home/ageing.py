"""How long cases stand in a step or state: counts of days, drawn beside what needs somebody today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case


@dataclass(frozen=True)
class Ageing:
    """How long cases have been in a step or state: how many, median and 90th percentile in days, and counts for a picture."""

    key: str
    cases: int
    median_days: int
    p90_days: int
    columns: tuple[tuple[str, int], ...]


def ageing_by_step(session: Session, at: datetime) -> list[Ageing]:
    """Return how long the open cases of each step have stood in their present state; reads every open case once."""
    day = sa.func.date(Case.state_since)
    query = sa.select(Case.step, day, sa.func.count()).where(Case.open).group_by(Case.step, day).order_by(Case.step)
    by_step: dict[int, dict[int, int]] = {}
    for step, since, cases in session.execute(query):
        days = _days_since(since, at)
        counts = by_step.setdefault(step, {})
        counts[days] = counts.get(days, 0) + cases
    return [_ageing(str(step), counts) for step, counts in by_step.items()]


def ageing_of_state(session: Session, state: str, at: datetime) -> Ageing:
    """Return how long the cases in one state have stood there; an index walk."""
    day = sa.func.date(Case.state_since)
    query = sa.select(day, sa.func.count()).where(Case.state == state).group_by(day)
    counts: dict[int, int] = {}
    for since, cases in session.execute(query):
        days = _days_since(since, at)
        counts[days] = counts.get(days, 0) + cases
    return _ageing(state, counts)


def _days_since(since: date | str, at: datetime) -> int:
    """SQLite gives a day as text."""
    since_on = since if isinstance(since, date) else date.fromisoformat(since)
    return max((at.astimezone(UTC).date() - since_on).days, 0)


def _ageing(key: str, counts: dict[int, int]) -> Ageing:
    total = sum(counts.values())
    return Ageing(key, total, _percentile(counts, total, 0.5), _percentile(counts, total, 0.9), _columns(counts))


def _percentile(counts: dict[int, int], total: int, fraction: float) -> int:
    """Nearest rank: the smallest number of days that at least this fraction of the cases does not exceed."""
    passed = 0
    for days in sorted(counts):
        passed += counts[days]
        if passed >= fraction * total:
            return days
    return 0


def _columns(counts: dict[int, int], parts: int = 7) -> tuple[tuple[str, int], ...]:
    """Cut the days into equal columns, the last one open at its end."""
    if not counts:
        return ()
    total = sum(counts.values())
    width = max(_percentile(counts, total, 0.9) // (parts - 1), 1)
    heights = [0] * parts
    for days, cases in counts.items():
        heights[min(days // width, parts - 1)] += cases
    labels = [f"{i * width}–{(i + 1) * width - 1} days" if width > 1 else f"{i} days" for i in range(parts - 1)]
    return tuple(zip([*labels, f"{(parts - 1) * width} days or more"], heights, strict=True))
