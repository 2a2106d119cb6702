"""Keeping a case's deadlines in step with its state and its anchors; each can be recomputed from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseDeadline
from certify.core.catalogue.deadlines import Deadline, due_on, extended
from certify.core.foundation.days import end_of_day
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Machine, State

_OF_CASE = select(CaseDeadline).where(CaseDeadline.case_id == bindparam("case_id")).order_by(CaseDeadline.id)


def rows_of(session: Session, case: Case) -> Sequence[CaseDeadline]:
    """Return every deadline the case has had, oldest first; those that run have no end."""
    return remembered(session, ("deadlines", case.id), lambda: session.scalars(_OF_CASE, {"case_id": case.id}).all())


def refresh_deadlines(
    session: Session, case: Case, machine: Machine, *, zone: str, at: datetime, entered: bool
) -> None:
    """End the deadlines that no longer run, start or move those that do, and copy the present state's due date to the case.

    Does not flush: what it changes goes to the database together with what the caller changes.

    Args:
        entered: the state was entered just now, so what is counted from that day starts afresh.
    """
    state, anchors = machine.states[case.state], anchors_of(case)
    wanted = _wanted(case, machine, anchors)
    last = {row.key: row for row in rows_of(session, case)}
    kept: dict[str, CaseDeadline] = {}
    for row in (row for row in last.values() if row.ended_at is None):
        if row.key not in wanted or (entered and row.rule.get("anchor") == "entered"):
            row.ended_at = at
        else:
            kept[row.key] = row
    for key, deadline in wanted.items():
        if key not in kept:
            kept[key] = _begin(case, deadline, last.get(key), anchors, at)
            session.add(kept[key])
    given = {key: row.extended_days for key, row in (last | kept).items()}
    for key, row in kept.items():
        _place(row, wanted[key], anchors, given, zone, at)
    due = kept.get(state.due) if state.due else None
    case.due_key, case.due_on, case.due_at = (due.key, due.due_on, due.due_at) if due else (None, None, None)


def extend(session: Session, case: Case, row: CaseDeadline, days: int, *, zone: str, at: datetime) -> None:
    """Move a running deadline on by so many days of its own kind, and with it those that move with it."""
    book, anchors, rows = current(), anchors_of(case), rows_of(session, case)
    row.extensions += 1
    row.extended_days += days
    given = {each.key: each.extended_days for each in rows}
    for each in rows:
        deadline = book.deadlines.get(each.key)
        if each.ended_at is None and deadline and row.key in (each.key, deadline.moves_with):
            _place(each, deadline, anchors, given, zone, at)
            if case.due_key == each.key:
                case.due_on, case.due_at = each.due_on, each.due_at
    session.flush()


def expected_due(session: Session, case: Case, key: str, anchors: Mapping[str, date]) -> date | None:
    """Return when a deadline ends, or would if it began now, with all the time that was given on top of it."""
    deadline = current().deadlines[key]
    on = due_on(deadline, anchors)
    if on is None:
        return None
    last = {row.key: row for row in rows_of(session, case)}
    moved = last.get(deadline.moves_with)
    days = _given_before(deadline, last.get(key), anchors)[1] + (moved.extended_days if moved else 0)
    return extended(deadline, on, days)


def anchors_of(case: Case) -> dict[str, date]:
    """Return the days that the case's deadlines are counted from."""
    return {key: date.fromisoformat(value) for key, value in case.anchors.items()}


def _wanted(case: Case, machine: Machine, anchors: Mapping[str, date]) -> dict[str, Deadline]:
    state, deadlines = machine.states[case.state], current().deadlines
    return {key: d for key, d in deadlines.items() if d.anchor in anchors and _runs(d, state)}


def _runs(deadline: Deadline, state: State) -> bool:
    if state.key in deadline.runs_in:
        return True
    if state.ends:
        return False
    return deadline.key == state.due or (deadline.runs == "case" and state.key not in deadline.ends_in)


def _begin(
    case: Case, deadline: Deadline, before: CaseDeadline | None, anchors: Mapping[str, date], at: datetime
) -> CaseDeadline:
    extensions, days = _given_before(deadline, before, anchors)
    return CaseDeadline(case_id=case.id, key=deadline.key, set_at=at, extensions=extensions, extended_days=days)


def _given_before(deadline: Deadline, before: CaseDeadline | None, anchors: Mapping[str, date]) -> tuple[int, int]:
    """Return how often and by how many days it was extended already: it runs on when it is counted from the same day.

    What is counted from the day a state is entered begins anew with it, unless the rule says that the extension is kept.
    """
    if before is None:
        return 0, 0
    same = before.rule.get("anchor_on") == anchors[deadline.anchor].isoformat()
    if deadline.keeps_extension or (same and deadline.anchor != "entered"):
        return before.extensions, before.extended_days
    return 0, 0


def _place(
    row: CaseDeadline,
    deadline: Deadline,
    anchors: Mapping[str, date],
    given: Mapping[str, int],
    zone: str,
    at: datetime,
) -> None:
    """Set day, instant and rule of a deadline from its anchor and the days given on top (process.md, invariant 4)."""
    on, moved = due_on(deadline, anchors), given.get(deadline.moves_with, 0)
    if on is None:
        raise RuntimeError(f"the running deadline {row.key} has lost its anchor")
    before, row.due_on = row.due_on, extended(deadline, on, row.extended_days + moved)
    if before is not None and before != row.due_on:
        row.moved_at = at
    row.due_at = end_of_day(row.due_on, zone)
    row.rule = {
        "kind": deadline.kind, "days": deadline.days, "minus_days": deadline.minus_days, "anchor": deadline.anchor,
        "anchor_on": anchors[deadline.anchor].isoformat(), "runs": deadline.runs, "zone": zone, "moved_days": moved,
    }  # fmt: skip
