"""What a reader of evidence may see: quarantine, the lock, and which version stands for a document."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may
from certify.certification.evidence.models import (
    Evidence,
    EvidenceLock,
    EvidenceUse,
    EvidenceVersion,
    EvidenceView,
)
from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, Actor, Role

Columns = TypeVarTuple("Columns")
CLEAR = "clear"
QUARANTINED = "quarantined"


def sees_quarantine(session: Session, case: Case, actor: Actor) -> bool:
    """Whether versions that look like they hold patient identifiers are shown to this person: the practice only."""
    return bool(actor.roles_at(case.practice_id) & PRACTICE_ROLES)


def may_open_quarantined(session: Session, case: Case, actor: Actor) -> bool:
    """Whether the person may open such a version: the practice, and staff who review it."""
    return sees_quarantine(session, case, actor) or actor_may(session, case, actor, Permission.REVIEW_QUARANTINE)


def lock_of(session: Session, case: Case) -> EvidenceLock | None:
    """Return the case's evidence lock, None before the first check-in."""
    return session.get(EvidenceLock, case.id)


def locked_case_of(session: Session, evidence: Evidence, at: datetime) -> str | None:
    """Return the ref of an open case that uses the document and whose survey holds its evidence locked, if there is one."""
    return session.scalar(
        select(Case.ref)
        .join(EvidenceUse, EvidenceUse.case_id == Case.id)
        .join(EvidenceLock, EvidenceLock.case_id == Case.id)
        .where(
            EvidenceUse.evidence_id == evidence.id,
            EvidenceUse.removed_at.is_(None),
            Case.open.is_(True),
            EvidenceLock.released_at.is_(None),
            EvidenceLock.locked_at < at,
        )
        .limit(1)
    )


def held_by_lock(session: Session, case: Case, actor: Actor) -> bool:
    """Whether what came after the lock is kept from this reader: the survey team, until the report is issued."""
    return Role.SURVEYOR in actor.roles and not actor.roles_at(case.practice_id) & (
        PRACTICE_ROLES | {Role.PROGRAM_STAFF}
    )


def shown(query: Select[*Columns], *, clear_only: bool, at_lock: bool) -> Select[*Columns]:
    """Narrow a statement about uses to those of which the reader may see a version."""
    versions = select(EvidenceVersion.evidence_id)
    if clear_only:
        versions = versions.where(EvidenceVersion.state == CLEAR)
    if at_lock:
        versions = versions.where(before_lock(EvidenceVersion.uploaded_at)).correlate(EvidenceLock)
        query = query.outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        query = query.where(before_lock(EvidenceUse.added_at))
    return query.where(EvidenceUse.evidence_id.in_(versions)) if clear_only or at_lock else query


def standing_use(case_id: int | BindParameter[int]) -> list[ColumnElement[bool]]:
    """The predicates of what a case uses now, of `evidence_use` joined to `evidence`."""
    return [EvidenceUse.case_id == case_id, EvidenceUse.removed_at.is_(None), Evidence.retired_at.is_(None)]


def newest(*, clear_only: bool, at_lock: bool) -> ColumnElement[int | None]:
    """The number of the newest version that may be shown, correlated to `evidence` (and `evidence_lock` for the lock)."""
    other = aliased(EvidenceVersion)
    query = select(func.max(other.number)).where(other.evidence_id == Evidence.id)
    if clear_only:
        query = query.where(other.state == CLEAR)
    if at_lock:
        query = query.where(before_lock(other.uploaded_at))
    return query.correlate(Evidence, EvidenceLock).scalar_subquery()


def before_lock(instant: ColumnElement[datetime] | object) -> ColumnElement[bool]:
    """Whether an instant counts for the survey, beside an outer join to `evidence_lock`."""
    return or_(
        EvidenceLock.locked_at.is_(None), EvidenceLock.released_at.is_not(None), instant <= EvidenceLock.locked_at
    )


def last_seen(case_id: int | BindParameter[int]) -> ScalarSelect[datetime]:
    """When a surveyor last opened the version, correlated to `evidence_version`."""
    return (
        select(func.max(EvidenceView.last_at))
        .where(and_(EvidenceView.version_id == EvidenceVersion.id, EvidenceView.case_id == case_id))
        .correlate(EvidenceVersion)
        .scalar_subquery()
    )


def came_after(at: datetime, lock: EvidenceLock | None) -> bool:
    """Whether an instant lies after a lock that is in force."""
    return lock is not None and lock.released_at is None and at > lock.locked_at
