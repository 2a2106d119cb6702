"""Keeping a case's deadlines in step with its state and its anchors; each can be recomputed from what is stored."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseDeadline
from certify.core.catalogue.deadlines import Deadline, due_on
from certify.core.foundation.days import add_business_days, end_of_day
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Machine

_RUNNING = select(CaseDeadline).where(CaseDeadline.case_id == bindparam("case_id"), CaseDeadline.ended_at.is_(None))


def refresh_deadlines(
    session: Session, case: Case, machine: Machine, *, zone: str, at: datetime, entered: bool
) -> None:
    """End the deadlines that no longer run, start or move those that do, and copy the present state's due date to the case.

    Does not flush: what it changes goes to the database together with what the caller changes.

    Args:
        entered: the state was entered just now, so its own deadline starts afresh.
    """
    book, state = current(), machine.states[case.state]
    anchors = {key: date.fromisoformat(value) for key, value in case.anchors.items()}
    wanted: dict[str, Deadline] = {}
    if not state.ends:
        if state.due:
            wanted[state.due] = book.deadlines[state.due]
        for deadline in book.deadlines.values():
            if deadline.runs == "case" and deadline.anchor in anchors and case.state not in deadline.ends_in:
                wanted[deadline.key] = deadline
    running = session.scalars(_RUNNING, {"case_id": case.id}).all()
    kept: dict[str, CaseDeadline] = {}
    for row in running:
        own = row.key == state.due and row.rule.get("runs") != "case"
        if row.key not in wanted or (own and entered):
            row.ended_at, row.ended_how = at, "met" if row.due_at >= at else "late"
        else:
            kept[row.key] = row
    for key, deadline in wanted.items():
        on = due_on(deadline, anchors)
        if on is None:
            continue
        row_kept = kept.get(key)
        if row_kept is None:
            row_kept = CaseDeadline(case_id=case.id, key=key, set_at=at, extensions=0, extended_days=0)
            session.add(row_kept)
        row_kept.due_on = _extended(deadline, on, row_kept.extended_days)
        row_kept.due_at = end_of_day(row_kept.due_on, zone)
        row_kept.rule = {
            "kind": deadline.kind, "days": deadline.days, "minus_days": deadline.minus_days, "anchor": deadline.anchor,
            "anchor_on": anchors[deadline.anchor].isoformat(), "runs": deadline.runs, "zone": zone,
        }  # fmt: skip
        kept[key] = row_kept
    due = kept.get(state.due) if state.due else None
    case.due_key, case.due_on, case.due_at = (due.key, due.due_on, due.due_at) if due else (None, None, None)


def drop_deadlines(session: Session, case: Case, *, at: datetime) -> None:
    """End every running deadline of a case that has come to its end."""
    for row in session.scalars(_RUNNING, {"case_id": case.id}):
        row.ended_at, row.ended_how = at, "dropped"
    case.due_key = case.due_on = case.due_at = None


def extend(session: Session, case: Case, row: CaseDeadline, days: int, *, zone: str) -> None:
    """Move a running deadline on by so many days of its own kind."""
    deadline = current().deadlines[row.key]
    row.extensions += 1
    row.extended_days += days
    base = due_on(deadline, {k: date.fromisoformat(v) for k, v in case.anchors.items()})
    if base is None:
        raise RuntimeError(f"{case.ref}: the running deadline {row.key} has lost its anchor")
    row.due_on = _extended(deadline, base, row.extended_days)
    row.due_at = end_of_day(row.due_on, zone)
    if case.due_key == row.key:
        case.due_on, case.due_at = row.due_on, row.due_at
    session.flush()


def _extended(deadline: Deadline, on: date, days: int) -> date:
    if not days:
        return on
    return add_business_days(on, days) if deadline.kind == "business" else date.fromordinal(on.toordinal() + days)
