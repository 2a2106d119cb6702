"""What has to hold before evidence may change, asked by every write."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.evidence.models import Evidence, EvidenceLock
from certify.certification.evidence.queries import locked_case_of
from certify.core.foundation.errors import Invalid, NotOpen

MIN_REASON = 10
LOCKED = "{} now: the evidence of {} is locked for the survey, and stays so until the report is issued."


def need_open(case: Case) -> None:
    """Raise NotOpen when the case has ended."""
    if not case.open:
        raise NotOpen("The case has ended; its evidence stays as it is.")


def need_standing(evidence: Evidence) -> None:
    """Raise NotOpen when the document was removed."""
    if evidence.retired_at is not None:
        raise NotOpen("This document was removed. Add it again as a new document.")


def need_unlocked(session: Session, case: Case, what: str, at: datetime) -> None:
    """Raise NotOpen while the case's survey holds its evidence locked."""
    row = session.get(EvidenceLock, case.id)
    if row is not None and row.released_at is None and row.locked_at < at:
        raise NotOpen(LOCKED.format(what, case.ref))


def need_free(session: Session, evidence: Evidence, what: str, at: datetime) -> None:
    """Raise NotOpen while the survey of any case that uses the document holds its evidence locked."""
    if ref := locked_case_of(session, evidence, at):
        raise NotOpen(LOCKED.format(what, ref))


def reason_of(text: str, what: str, field: str = "reason") -> str:
    """Return a reason as it is kept. Raises: Invalid, saying `what` is asked for, when it is too short or too long."""
    text = text.strip()
    if len(text) < MIN_REASON:
        raise Invalid(what, field)
    if len(text) > 2_000:
        raise Invalid("At most 2,000 characters fit here.", field)
    return text
