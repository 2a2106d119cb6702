"""What passes by time alone: clock transitions, through the same door as everything else."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, literal, select, true, tuple_
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import take
from certify.certification.cases.rules import PERIODS
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import Clock
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Transition
from certify.db import UtcDateTime, plain, write_intent

BATCH = 200
LOOKED_AT = 1000  # dates that are over, at once


class _Late(NamedTuple):
    """A running deadline whose day is over."""

    due_at: datetime
    id: int
    case_id: int
    key: str


def run_clock(session: Session, clock: Clock) -> int:
    """Take the clock transitions that are due, at most a batch of them, and return how many were taken.

    Safe to repeat and to run beside another: each case is locked, and its state says whether the step is still open.
    Commits after each case, so that what is done stays done whatever comes after. While nothing is due it only looks,
    and no writer waits for it; cases that turn out not to be ready never hide those behind them.
    """
    at, taken, asked = clock.now(), 0, set[int]()
    last: _Late | None = None
    while taken < BATCH:
        late, due = _look(session, at, last)
        for case_id in due:
            if case_id not in asked and taken < BATCH:
                asked.add(case_id)
                taken += _take_if_ready(session, case_id, at)
        if len(late) < LOOKED_AT:
            break
        last = late[-1]
    return taken


def _look(session: Session, at: datetime, after: _Late | None) -> tuple[list[_Late], list[int]]:
    """Return the next running deadlines that are over, and of their cases those that stand where the clock leads on.

    Asked one after the other: in one question a database may go through all cases of a state, and all dates of each.
    """
    here = tuple_(CaseDeadline.due_at, CaseDeadline.id)
    beyond = true() if after is None else here > tuple_(literal(after.due_at, UtcDateTime()), literal(after.id))
    over = (
        select(CaseDeadline.due_at, CaseDeadline.id, CaseDeadline.case_id, CaseDeadline.key)
        .where(CaseDeadline.ended_at.is_(None), CaseDeadline.due_at < at, beyond, _of_the_clock())
        .order_by(CaseDeadline.due_at, CaseDeadline.id)
        .limit(LOOKED_AT)
    )
    intent = write_intent.set(False)
    try:
        late = [_Late(*row) for row in plain(session, over)]
        cases = select(Case.id, Case.kind, Case.state).where(Case.id.in_({one.case_id for one in late}))
        places = {row.id: (row.kind, row.state) for row in plain(session, cases)} if late else {}
        session.commit()
    finally:
        write_intent.reset(intent)
    return late, [one.case_id for one in late if one.case_id in places and _leads_on(*places[one.case_id], one.key)]


def _leads_on(kind: str, state: str, key: str) -> bool:
    """Whether a transition of the clock leads on from the state once this deadline is over."""
    machine = current().machines.get(kind)
    if machine is None or state not in machine.states:
        return False  # a rule that was taken away; nothing leads on from there
    ways = (t for t in machine.leaving(state) if t.clock)
    return any(not (periods := _periods(t)) or key in periods for t in ways)


def _of_the_clock() -> ColumnElement[bool]:
    """The deadlines that clock transitions wait for; any, as soon as one of them names none."""
    named = [_periods(t) for machine in current().machines.values() for t in machine.transitions if t.clock]
    return CaseDeadline.key.in_(sorted(set().union(*named))) if all(named) else true()


def _periods(transition: Transition) -> set[str]:
    return {PERIODS[guard] for guard in transition.guards if guard in PERIODS}


def _take_if_ready(session: Session, case_id: int, at: datetime) -> int:
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    machine = current().machine(case.kind)
    facts = registry.CaseFacts(session, case, SYSTEM, at)
    ready = next(
        (t for t in machine.leaving(case.state) if t.clock and not any(facts.check(g) for g in t.guards)), None
    )
    if ready is not None:
        take(session, case, ready.trigger, {}, actor=SYSTEM, at=at)
    session.commit()
    return int(ready is not None)
