"""What passes by time alone: clock transitions, through the same door as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import take
from certify.certification.cases.rules import PERIODS
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import Clock
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Transition
from certify.db import write_intent

BATCH = 200


def run_clock(session: Session, clock: Clock) -> int:
    """Take the clock transitions that are due, at most a batch of them, and return how many were taken.

    Safe to repeat and to run beside another: each case is locked, and its state says whether the step is still open.
    Commits after each case, so that what is done stays done whatever comes after. While nothing is due it only looks,
    and no writer waits for it; cases that turn out not to be ready never hide those behind them.
    """
    at, taken, last = clock.now(), 0, 0
    while taken < BATCH:
        due = _look(session, at, last)
        for case_id in due:
            taken += _take_if_ready(session, case_id, at)
        if len(due) < BATCH:
            break
        last = due[-1]
    return taken


def _look(session: Session, at: datetime, after: int) -> Sequence[int]:
    """Return cases that stand where a clock transition leads on, and of which its period is over."""
    ways = [
        and_(Case.kind == machine.key, Case.state.in_(t.sources), *_of_period(t))
        for machine in current().machines.values()
        for t in machine.transitions
        if t.clock
    ]
    query = (
        select(Case.id)
        .join(CaseDeadline, CaseDeadline.case_id == Case.id)
        .where(CaseDeadline.ended_at.is_(None), CaseDeadline.due_at < at, Case.id > after, or_(false(), *ways))
        .distinct()
        .order_by(Case.id)
        .limit(BATCH)
    )
    intent = write_intent.set(False)
    try:
        found = session.scalars(query).all()
        session.commit()
    finally:
        write_intent.reset(intent)
    return found


def _of_period(transition: Transition) -> list[ColumnElement[bool]]:
    keys = {PERIODS[guard] for guard in transition.guards if guard in PERIODS}
    return [CaseDeadline.key.in_(sorted(keys))] if keys else []


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
