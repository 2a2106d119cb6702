"""The lock that keeps what a survey judges as it was: set ahead of a visit, released with the report."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.evidence.models import (
    EvidenceLock,
)
from certify.core.access.roles import Actor
from certify.core.foundation.days import end_of_day
from certify.core.rulebook.current import current


def lock(session: Session, case: Case, *, actor: Actor, at: datetime) -> EvidenceLock:
    """Lock what the survey judges at this instant, unless it is locked already; a repeat survey locks anew."""
    row = session.get(EvidenceLock, case.id)
    if row is None or row.released_at is not None or row.locked_at > at:
        row = _set_lock(session, case, at)
        record_on(
            session,
            case,
            "evidence.locked",
            "locked the evidence for the survey",
            actor=actor,
            at=at,
            subject=f"/cases/{case.ref}/evidence",
        )
    return row


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Close the evidence ahead of an agreed visit, open it again when the date falls, release it with the report."""
    if event.trigger == "approve_report":
        release_lock(session, event.case_id, event.at)
    elif event.trigger in ("agree_date", "reschedule"):
        case = case_by_id(session, event.case_id)
        visit = case.anchors.get("survey_starts_on") if event.trigger == "agree_date" else None
        closes_at = _closes_at(date.fromisoformat(visit), zone_of(session, case)) if visit else None
        if closes_at is not None and closes_at > event.at:
            _set_lock(session, case, closes_at)
        else:
            _lift_lock(session, case)


def release_lock(session: Session, case_id: int, at: datetime) -> None:
    """Let what came after the lock be seen again, once the report is issued."""
    row = session.get(EvidenceLock, case_id)
    if row is not None and row.released_at is None:
        row.released_at = at
        session.flush()


def _set_lock(session: Session, case: Case, at: datetime) -> EvidenceLock:
    row = session.get(EvidenceLock, case.id)
    if row is None:
        row = EvidenceLock(case_id=case.id, locked_at=at)
        session.add(row)
    else:
        row.locked_at, row.released_at = at, None
    session.flush()
    return row


def _lift_lock(session: Session, case: Case) -> None:
    row = session.get(EvidenceLock, case.id)
    if row is not None and row.released_at is None:
        session.delete(row)
        session.flush()


def _closes_at(visit: date, zone: str) -> datetime:
    """The last second before the evidence of a visit is closed."""
    days = int(current().settings["evidence_lock_before_survey_days"])
    return end_of_day(visit - timedelta(days=days), zone)
