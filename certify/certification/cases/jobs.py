"""What passes by time alone: clock transitions, through the same door as everything else."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import take
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import Clock
from certify.core.rulebook.current import current

BATCH = 200


def run_clock(session: Session, clock: Clock) -> int:
    """Take the clock transitions that are due, at most a batch of them, and return how many were taken.

    Safe to repeat and to run beside another: each case is locked, and its state says whether the step is still open.
    Commits after each case, so that what is done stays done whatever comes after.
    """
    at, taken = clock.now(), 0
    states = {
        (machine.key, state)
        for machine in current().machines.values()
        for t in machine.transitions
        if t.clock
        for state in t.sources
    }
    due = session.scalars(
        select(Case.id)
        .join(CaseDeadline, CaseDeadline.case_id == Case.id)
        .where(
            CaseDeadline.ended_at.is_(None),
            CaseDeadline.due_at < at,
            or_(*(((Case.kind == kind) & (Case.state == state)) for kind, state in sorted(states))),
        )
        .distinct()
        .order_by(Case.id)
        .limit(BATCH)
    ).all()
    session.commit()
    for case_id in due:
        case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
        machine = current().machine(case.kind)
        facts = registry.CaseFacts(session, case, SYSTEM, at)
        ready = next(
            (t for t in machine.leaving(case.state) if t.clock and not any(facts.check(g) for g in t.guards)), None
        )
        if ready is not None:
            take(session, case, ready.trigger, {}, actor=SYSTEM, at=at)
            taken += 1
        session.commit()
    return taken
