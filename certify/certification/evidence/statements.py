"""What is said about a standard beside documents: that it does not apply, or what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.evidence.conditions import need_open, reason_of
from certify.certification.evidence.models import (
    EvidenceGap,
    NotApplicableStatement,
)
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.rulebook.current import current


def state_not_applicable(
    session: Session, case: Case, standard: str, reason: str, *, actor: Actor, at: datetime
) -> None:
    """State, with a reason, that a standard does not apply to the practice; a new reason replaces the one before.

    Raises: Invalid for an unknown or critical standard or without a reason.
    """
    need_open(case)
    if standard not in current().editions[case.edition].standards:
        raise Invalid(f"{standard[:20]} is not a standard of this edition.", "standard")
    reason = reason_of(
        reason,
        f"Say why standard {standard} does not apply, for example “No intrathecal therapy is given.”",
        f"na-{standard}",
    )
    _withdraw(session, case, standard, at=at)
    session.add(
        NotApplicableStatement(
            case_id=case.id, standard=standard, reason=reason, stated_by_id=actor.user_id, stated_at=at
        )
    )
    session.flush()
    summary = f"stated that standard {standard} does not apply"
    record_on(
        session,
        case,
        "evidence.not_applicable",
        summary,
        actor=actor,
        at=at,
        reason=reason,
        subject=f"/cases/{case.ref}/evidence#s{standard}",
    )


def withdraw_not_applicable(session: Session, case: Case, standard: str, *, actor: Actor, at: datetime) -> None:
    """Take such a statement back. Raises: NotOpen when there is none."""
    need_open(case)
    if not _withdraw(session, case, standard, at=at):
        raise NotOpen(f"Standard {standard[:20]} is not stated as not applicable.")
    summary = f"took back that standard {standard} does not apply"
    record_on(
        session,
        case,
        "evidence.applicable",
        summary,
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/evidence#s{standard}",
    )


def name_gaps(session: Session, case: Case, gaps: Iterable[tuple[str, str]], *, actor: Actor, at: datetime) -> None:
    """Name what is missing, per standard; gaps named before are closed.

    Raises: Invalid when a standard is unknown, a text is missing, or nothing is named.
    """
    gaps, known = list(gaps), current().editions[case.edition].standards
    errors = [
        FieldError(f"gaps-{i}-standard", f"{code[:20] or 'Nothing'} is not a standard of this edition.")
        for i, (code, _) in enumerate(gaps)
        if code not in known
    ]
    errors += [
        FieldError(f"gaps-{i}-gap", f"Say what is missing for standard {code[:20]}.")
        for i, (code, text) in enumerate(gaps)
        if not text.strip()
    ]
    if not gaps:
        errors.append(FieldError("gaps", "Name at least one standard and what is missing for it."))
    if errors:
        raise Invalid(errors)
    close_gaps(session, case, at=at)
    session.add_all(
        EvidenceGap(case_id=case.id, standard=code, text=text.strip(), named_by_id=actor.user_id, named_at=at)
        for code, text in gaps
    )
    session.flush()


def close_gaps(session: Session, case: Case, *, at: datetime) -> None:
    """Close every gap that stands open."""
    for gap in session.scalars(
        select(EvidenceGap).where(EvidenceGap.case_id == case.id, EvidenceGap.closed_at.is_(None))
    ):
        gap.closed_at = at
    session.flush()


def _withdraw(session: Session, case: Case, standard: str, *, at: datetime) -> bool:
    row = session.scalar(
        select(NotApplicableStatement).where(
            NotApplicableStatement.case_id == case.id,
            NotApplicableStatement.standard == standard,
            NotApplicableStatement.withdrawn_at.is_(None),
        )
    )
    if row is not None:
        row.withdrawn_at = at
    return row is not None
