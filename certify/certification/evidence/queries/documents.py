"""The documents of a practice as a case uses them: lists, one document, its versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from certify.certification.cases.models import Case
from certify.certification.evidence.models import (
    Evidence,
    EvidenceLock,
    EvidenceUse,
    EvidenceVersion,
    EvidenceView,
)
from certify.certification.evidence.queries.sight import (
    CLEAR,
    QUARANTINED,
    before_lock,
    came_after,
    held_by_lock,
    last_seen,
    lock_of,
    may_open_quarantined,
    newest,
    sees_quarantine,
)
from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotFound
from certify.platform.identity.models import Person
from certify.platform.practices.models import Site


@dataclass(frozen=True)
class VersionRow:
    """One version with the names of those who touched it and of the surveyors who opened it."""

    version: EvidenceVersion
    uploaded_by: str
    cleared_by: str
    after_lock: bool
    views: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True)
class Document:
    """One document of the library with its present version and what it is used for in a case."""

    evidence: Evidence
    version: EvidenceVersion
    uses: tuple[EvidenceUse, ...]
    after_lock: bool
    seen_at: datetime | None


def documents_of(
    session: Session,
    case: Case,
    actor: Actor,
    *,
    standard: str = "",
    site_id: int | None = None,
    text: str = "",
    state: str = "",
) -> list[Document]:
    """Return the documents used in the case as this person may see them, by title; filters narrow."""
    clear_only = not sees_quarantine(session, case, actor)
    at_lock = held_by_lock(session, case, actor)
    query = (
        select(Evidence, EvidenceVersion, last_seen(case.id), EvidenceLock)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == case.id)
        .where(
            Evidence.practice_id == case.practice_id,
            Evidence.retired_at.is_(None),
            EvidenceVersion.number == newest(clear_only=clear_only, at_lock=at_lock),
            Evidence.id.in_(select(EvidenceUse.evidence_id).where(*_use_filter(case, standard, site_id))),
        )
        .order_by(Evidence.title, Evidence.id)
    )
    if text.strip():
        query = query.where(
            or_(
                Evidence.title.icontains(text.strip(), autoescape=True),
                EvidenceVersion.file_name.icontains(text.strip(), autoescape=True),
            )
        )
    if state == QUARANTINED:
        query = query.where(EvidenceVersion.state == QUARANTINED)
    rows = session.execute(query).all()
    uses = _uses_by_evidence(session, case, at_lock=at_lock)
    return [
        Document(e, v, tuple(uses[e.id]), came_after(v.uploaded_at, lock), seen)
        for e, v, seen, lock in rows
        if uses[e.id]
    ]


def unused_documents_of(session: Session, case: Case, actor: Actor) -> list[Document]:
    """Return what lies in the practice's library but is not used in this case; for the practice only."""
    if not sees_quarantine(session, case, actor):
        return []
    used = select(EvidenceUse.evidence_id).where(EvidenceUse.case_id == case.id, EvidenceUse.removed_at.is_(None))
    query = (
        select(Evidence, EvidenceVersion)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .where(
            Evidence.practice_id == case.practice_id,
            Evidence.retired_at.is_(None),
            Evidence.id.not_in(used),
            EvidenceVersion.number == newest(clear_only=False, at_lock=False),
        )
        .order_by(Evidence.title, Evidence.id)
        .limit(200)
    )
    return [Document(e, v, (), False, None) for e, v in session.execute(query).all()]


def quarantined_in(session: Session, case: Case) -> list[tuple[Evidence, EvidenceVersion]]:
    """Return the versions of the case's documents that wait in quarantine, oldest first."""
    query = (
        select(Evidence, EvidenceVersion)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .where(
            EvidenceVersion.state == QUARANTINED,
            Evidence.practice_id == case.practice_id,
            Evidence.retired_at.is_(None),
            Evidence.id.in_(
                select(EvidenceUse.evidence_id).where(EvidenceUse.case_id == case.id, EvidenceUse.removed_at.is_(None))
            ),
        )
        .order_by(EvidenceVersion.id)
    )
    return [(e, v) for e, v in session.execute(query).all()]


def document_for(session: Session, case: Case, actor: Actor, uuid: str) -> Evidence:
    """Return a document of the case by its uuid.

    Raises: NotFound when it is not the practice's, not used in the case, or this person may see no version of it.
    """
    evidence = session.scalar(select(Evidence).where(Evidence.uuid == uuid, Evidence.practice_id == case.practice_id))
    if evidence is None:
        raise NotFound("There is no such document.")
    if sees_quarantine(session, case, actor):
        return evidence
    used = (
        select(EvidenceUse.id)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        .where(EvidenceUse.evidence_id == evidence.id, EvidenceUse.case_id == case.id)
        .limit(1)
    )
    if held_by_lock(session, case, actor):
        used = used.where(before_lock(EvidenceUse.added_at))
    if session.scalar(used) is None or not versions_of(session, case, actor, evidence):
        raise NotFound("There is no such document.")
    return evidence


def versions_of(session: Session, case: Case, actor: Actor, evidence: Evidence) -> list[VersionRow]:
    """Return the versions this person may see, newest first."""
    uploader, clearer = aliased(Person), aliased(Person)
    query = (
        select(EvidenceVersion, uploader.name, clearer.name)
        .outerjoin(uploader, uploader.id == EvidenceVersion.uploaded_by_id)
        .outerjoin(clearer, clearer.id == EvidenceVersion.cleared_by_id)
        .where(EvidenceVersion.evidence_id == evidence.id)
        .order_by(EvidenceVersion.number.desc())
    )
    if not may_open_quarantined(session, case, actor):
        query = query.where(EvidenceVersion.state == CLEAR)
    lock, at_lock = lock_of(session, case), held_by_lock(session, case, actor)
    views: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    seen = (
        select(EvidenceView.version_id, Person.name, EvidenceView.last_at)
        .join(Person, Person.id == EvidenceView.person_id)
        .join(EvidenceVersion, EvidenceVersion.id == EvidenceView.version_id)
        .where(EvidenceVersion.evidence_id == evidence.id, EvidenceView.case_id == case.id)
    )
    for version_id, name, last_at in session.execute(seen):
        views[version_id].append((name, last_at))
    rows = [
        VersionRow(v, up or "The program's clock", cleared or "", came_after(v.uploaded_at, lock), tuple(views[v.id]))
        for v, up, cleared in session.execute(query)
    ]
    return [row for row in rows if not (at_lock and row.after_lock)]


def version_for(session: Session, case: Case, actor: Actor, evidence: Evidence, number: int) -> EvidenceVersion:
    """Return one version this person may open. Raises: NotFound."""
    for row in versions_of(session, case, actor, evidence):
        if row.version.number == number:
            return row.version
    raise NotFound("There is no such version.")


def uses_of(session: Session, case: Case, evidence: Evidence) -> Sequence[EvidenceUse]:
    """Return what a document is mapped to in the case."""
    return session.scalars(
        select(EvidenceUse)
        .where(EvidenceUse.case_id == case.id, EvidenceUse.evidence_id == evidence.id, EvidenceUse.removed_at.is_(None))
        .order_by(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.id)
    ).all()


def _use_filter(case: Case, standard: str, site_id: int | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [EvidenceUse.case_id == case.id, EvidenceUse.removed_at.is_(None)]
    if standard:
        found.append(EvidenceUse.standard == standard)
    if site_id is not None:
        found.append(or_(EvidenceUse.site_id == site_id, EvidenceUse.site_id.is_(None)))
    return found


def _uses_by_evidence(session: Session, case: Case, *, at_lock: bool) -> dict[int, list[EvidenceUse]]:
    query = (
        select(EvidenceUse)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        .where(EvidenceUse.case_id == case.id, EvidenceUse.removed_at.is_(None))
        .order_by(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.id)
    )
    if at_lock:
        query = query.where(before_lock(EvidenceUse.added_at))
    found: dict[int, list[EvidenceUse]] = defaultdict(list)
    for use in session.scalars(query):
        found[use.evidence_id].append(use)
    return found


def sites_of(session: Session, case: Case) -> Sequence[Site]:
    """Return the open sites of the case's practice."""
    return session.scalars(
        select(Site).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None)).order_by(Site.id)
    ).all()
