"""Deadlines: how many days, counted from what, and what happens after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from certify.core.declarations.reading import Map, Mistake, Reader, nearest
from certify.core.foundation.days import add_business_days

ANCHORS = (
    "entered", "opened_on", "submitted_on", "payment_confirmed_on", "pending_on", "survey_starts_on", "survey_ended_on",
    "report_issued_on", "decided_on", "awarded_on", "ends_on",
)  # fmt: skip


@dataclass(frozen=True)
class Deadline:
    """One deadline (process.md, section 5). It ends at 23:59:59 of its day in the practice's time zone."""

    key: str
    label: str
    kind: str  # calendar | business
    days: int
    anchor: str
    minus_days: int = 0  # calendar days before that day
    runs: str = "state"  # state: while the case stands in a state that names it | case: from its anchor on
    ends_in: tuple[str, ...] = ()
    runs_in: tuple[str, ...] = ()  # states it runs in beside their own deadline, also states that end a case
    after: str = ""
    extend_days: int = 0
    extend_times: int = 0
    keeps_extension: bool = False  # entered again, the time given before stays given and is not given once more
    moves_with: str = ""  # the deadline whose extensions move this one as well
    lapses: bool = False  # a right, no duty: after its day it is over, never late
    source: str = ""
    file: str = ""
    line: int = 0


def due_on(deadline: Deadline, anchors: Mapping[str, date]) -> date | None:
    """Return the day it falls on, or None while its anchor has no date."""
    start = anchors.get(deadline.anchor)
    if start is None:
        return None
    end = (
        add_business_days(start, deadline.days)
        if deadline.kind == "business"
        else start + timedelta(days=deadline.days)
    )
    return end - timedelta(days=deadline.minus_days)


def extended(deadline: Deadline, on: date, days: int) -> date:
    """Return the day moved on by so many days of the deadline's own kind."""
    if not days:
        return on
    return add_business_days(on, days) if deadline.kind == "business" else on + timedelta(days=days)


def read_deadlines(source: Map, mistakes: list[Mistake]) -> dict[str, Deadline]:
    """Read deadlines.yaml."""
    top = Reader(source, mistakes)
    top.text("version", "")
    entries = top.map("deadlines", required=True)
    top.done()
    found = {}
    for key, body in entries.items():
        if not isinstance(body, Map):
            mistakes.append(Mistake(source.file, entries.lines[key], f"deadline {key!r} must hold keys and values"))
            continue
        r = Reader(body, mistakes, f"deadline {key!r}: ")
        found[key] = Deadline(
            key=key,
            label=r.text("label"),
            kind=r.choice("kind", ("calendar", "business")),
            days=r.integer("days", least=0, most=4000),
            anchor=r.choice("anchor", ANCHORS, "entered"),
            minus_days=r.integer("minus_days", 0, least=0, most=4000),
            runs=r.choice("runs", ("state", "case"), "state"),
            ends_in=r.texts("ends_in"),
            runs_in=r.texts("runs_in"),
            after=r.text("after"),
            extend_days=r.integer("extend_days", 0, least=0, most=400),
            extend_times=r.integer("extend_times", 0, least=0, most=20),
            keeps_extension=r.flag("keeps_extension"),
            moves_with=r.text("moves_with", ""),
            lapses=r.flag("lapses"),
            source=r.text("source", ""),
            file=source.file,
            line=entries.lines[key],
        )
        r.done()
    for deadline in found.values():
        if deadline.moves_with and (deadline.moves_with == deadline.key or deadline.moves_with not in found):
            reason = f"deadline {deadline.key!r}: 'moves_with' names {deadline.moves_with!r}; {nearest(deadline.moves_with, set(found) - {deadline.key})}"
            mistakes.append(Mistake(deadline.file, deadline.line, reason))
    return found
