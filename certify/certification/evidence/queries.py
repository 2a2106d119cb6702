"""Reads of evidence: the library of a practice, what a case uses, what the survey sees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVarTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may, zone_of
from certify.certification.evidence.models import (
    Evidence,
    EvidenceGap,
    EvidenceLock,
    EvidenceUse,
    EvidenceVersion,
    EvidenceView,
    NotApplicableStatement,
)
from certify.certification.evidence.rules import StandardCoverage, Standing, standings
from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, Actor, Role
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.practices.models import Site

Columns = TypeVarTuple("Columns")
CLEAR = "clear"
QUARANTINED = "quarantined"


@dataclass(frozen=True)
class ElementEvidence:
    """One document as it stands to one element or standard, in the version the reader may see."""

    use_id: int
    uuid: str
    title: str
    standard: str
    element: str | None
    site_id: int | None
    pages: str
    version_id: int
    number: int
    file_name: str
    media_type: str
    size: int
    effective_from: date | None
    effective_to: date | None
    uploaded_at: datetime
    state: str
    after_lock: bool
    seen_at: datetime | None
    seen_on: date | None
    url: str
    standing: Standing | None = None

    @property
    def item(self) -> str:
        return self.element or self.standard


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


def evidence_for_elements(
    session: Session, case: Case, site_id: int | None = None, *, standard: str = "", surveyor: bool = True
) -> list[ElementEvidence]:
    """Return everything a survey of the case may look at, in one query, ordered by standard and element.

    Args:
        site_id: with a site, what is mapped to it or to all sites, each marked own, inherited or overridden.
        surveyor: leave out what came after the lock and what is in quarantine.
    """
    query = _uses(surveyor, bool(standard), site_id is not None)
    zone = zone_of(session, case)
    given = {"case_id": case.id, "standard": standard, "site_id": site_id}
    rows = [_element_row(case, zone, *row) for row in session.execute(query, given)]
    if site_id is None:
        return rows
    standing = standings([(r.item, r.site_id) for r in rows], site_id)
    return [_with_standing(r, standing[r.item, r.site_id]) for r in rows]


def evidence_of_case(session: Session, case: Case) -> list[ElementEvidence]:
    """Return everything the survey team may look at in the case, for all sites, in one query."""
    return evidence_for_elements(session, case)


def evidence_for_standard(session: Session, case: Case, standard: str, site_id: int) -> list[ElementEvidence]:
    """Return what the survey team may look at for one standard at one site."""
    return evidence_for_elements(session, case, site_id, standard=standard)


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
        select(Evidence, EvidenceVersion, _seen(case.id), EvidenceLock)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == case.id)
        .where(
            Evidence.practice_id == case.practice_id,
            Evidence.retired_at.is_(None),
            EvidenceVersion.number == _newest(clear_only=clear_only, at_lock=at_lock),
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
        Document(e, v, tuple(uses[e.id]), _after(v.uploaded_at, lock), seen) for e, v, seen, lock in rows if uses[e.id]
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
            EvidenceVersion.number == _newest(clear_only=False, at_lock=False),
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
        used = used.where(_before_lock(EvidenceUse.added_at))
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
        VersionRow(v, up or "The program's clock", cleared or "", _after(v.uploaded_at, lock), tuple(views[v.id]))
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


def coverage_of(session: Session, case: Case, *, at_lock: bool = False) -> dict[int, list[StandardCoverage]]:
    """Return, by domain number, how far each standard of the case's edition is covered by documents out of quarantine.

    `at_lock` leaves out what came after the lock, for readers from whom it is kept.
    """
    query = select(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.evidence_id).join(
        Evidence, Evidence.id == EvidenceUse.evidence_id
    )
    rows = session.execute(_shown(query.where(*_standing_use(case.id)), clear_only=True, at_lock=at_lock)).all()
    documents: dict[str, set[int]] = defaultdict(set)
    covered: dict[str, set[str]] = defaultdict(set)
    for standard, element, evidence_id in rows:
        documents[standard].add(evidence_id)
        covered[standard].add(element or "*")
    stated: dict[str, str] = {}
    gaps: dict[str, list[str]] = defaultdict(list)
    for kind, standard, text in session.execute(_remarks(case)).all():
        if kind == "stated":
            stated[standard] = text
        else:
            gaps[standard].append(text)
    found: dict[int, list[StandardCoverage]] = {}
    for domain in current().editions[case.edition].domains:
        found[domain.number] = [
            StandardCoverage(
                code=s.code,
                title=s.title,
                critical=s.critical,
                elements=len(s.elements),
                covered=len(s.elements) if "*" in covered[s.code] else len(covered[s.code]),
                documents=len(documents[s.code]),
                not_applicable=stated.get(s.code, ""),
                gaps=tuple(gaps[s.code]),
            )
            for s in domain.standards
        ]
    return found


def _remarks(case: Case) -> CompoundSelect[str, str, str]:
    """What was said about standards beside documents: stated not applicable, or named as missing."""
    stated = select(literal("stated"), NotApplicableStatement.standard, NotApplicableStatement.reason).where(
        NotApplicableStatement.case_id == case.id, NotApplicableStatement.withdrawn_at.is_(None)
    )
    missing = select(literal("missing"), EvidenceGap.standard, EvidenceGap.text).where(
        EvidenceGap.case_id == case.id, EvidenceGap.closed_at.is_(None)
    )
    return union_all(stated, missing)


def counts_for(session: Session, case: Case, actor: Actor) -> dict[str, ColumnElement[int]]:
    """Return the number on the Evidence tab: documents used in the case."""
    query = (
        select(func.count(func.distinct(EvidenceUse.evidence_id)))
        .join(Evidence, Evidence.id == EvidenceUse.evidence_id)
        .where(*_standing_use(case.id))
    )
    clear_only, at_lock = not sees_quarantine(session, case, actor), held_by_lock(session, case, actor)
    return {"evidence": _shown(query, clear_only=clear_only, at_lock=at_lock).scalar_subquery()}


def _shown(query: Select[*Columns], *, clear_only: bool, at_lock: bool) -> Select[*Columns]:
    """Narrow a statement about uses to those of which the reader may see a version."""
    versions = select(EvidenceVersion.evidence_id)
    if clear_only:
        versions = versions.where(EvidenceVersion.state == CLEAR)
    if at_lock:
        versions = versions.where(_before_lock(EvidenceVersion.uploaded_at)).correlate(EvidenceLock)
        query = query.outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        query = query.where(_before_lock(EvidenceUse.added_at))
    return query.where(EvidenceUse.evidence_id.in_(versions)) if clear_only or at_lock else query


def _standing_use(case_id: int | BindParameter[int]) -> list[ColumnElement[bool]]:
    return [EvidenceUse.case_id == case_id, EvidenceUse.removed_at.is_(None), Evidence.retired_at.is_(None)]


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
        query = query.where(_before_lock(EvidenceUse.added_at))
    found: dict[int, list[EvidenceUse]] = defaultdict(list)
    for use in session.scalars(query):
        found[use.evidence_id].append(use)
    return found


# Putting a statement together costs more than running it, and there are only these few.
@lru_cache(maxsize=8)
def _uses(
    surveyor: bool, one_standard: bool, one_site: bool
) -> Select[EvidenceUse, Evidence, EvidenceVersion, datetime | None, EvidenceLock]:
    case_id: BindParameter[int] = bindparam("case_id")
    query = (
        select(EvidenceUse, Evidence, EvidenceVersion, _seen(case_id), EvidenceLock)
        .join(Evidence, Evidence.id == EvidenceUse.evidence_id)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        .where(*_standing_use(case_id), EvidenceVersion.number == _newest(clear_only=surveyor, at_lock=surveyor))
        .order_by(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.id)
    )
    if one_standard:
        query = query.where(EvidenceUse.standard == bindparam("standard"))
    if one_site:
        query = query.where(or_(EvidenceUse.site_id == bindparam("site_id"), EvidenceUse.site_id.is_(None)))
    return query.where(_before_lock(EvidenceUse.added_at)) if surveyor else query


def _newest(*, clear_only: bool, at_lock: bool) -> ColumnElement[int | None]:
    """The number of the newest version that may be shown, correlated to `evidence` (and `evidence_lock` for the lock)."""
    other = aliased(EvidenceVersion)
    query = select(func.max(other.number)).where(other.evidence_id == Evidence.id)
    if clear_only:
        query = query.where(other.state == CLEAR)
    if at_lock:
        query = query.where(_before_lock(other.uploaded_at))
    return query.correlate(Evidence, EvidenceLock).scalar_subquery()


def _before_lock(instant: ColumnElement[datetime] | object) -> ColumnElement[bool]:
    return or_(
        EvidenceLock.locked_at.is_(None), EvidenceLock.released_at.is_not(None), instant <= EvidenceLock.locked_at
    )


def _seen(case_id: int | BindParameter[int]) -> ScalarSelect[datetime]:
    """When a surveyor last opened the version, correlated to `evidence_version`."""
    return (
        select(func.max(EvidenceView.last_at))
        .where(and_(EvidenceView.version_id == EvidenceVersion.id, EvidenceView.case_id == case_id))
        .correlate(EvidenceVersion)
        .scalar_subquery()
    )


def _after(at: datetime, lock: EvidenceLock | None) -> bool:
    return lock is not None and lock.released_at is None and at > lock.locked_at


def _element_row(
    case: Case,
    zone: str,
    use: EvidenceUse,
    evidence: Evidence,
    version: EvidenceVersion,
    seen: datetime | None,
    lock: EvidenceLock | None,
) -> ElementEvidence:
    return ElementEvidence(
        use_id=use.id, uuid=evidence.uuid, title=evidence.title, standard=use.standard, element=use.element, site_id=use.site_id,
        pages=use.pages, version_id=version.id, number=version.number, file_name=version.file_name, media_type=version.media_type,
        size=version.size, effective_from=version.effective_from, effective_to=version.effective_to, uploaded_at=version.uploaded_at,
        state=version.state, after_lock=_after(max(version.uploaded_at, use.added_at), lock), seen_at=seen,
        seen_on=local_date(seen, zone) if seen else None,
        url=f"/cases/{case.ref}/evidence/{evidence.uuid}",
    )  # fmt: skip


def _with_standing(row: ElementEvidence, standing: Standing) -> ElementEvidence:
    return replace(row, standing=standing)


def sites_of(session: Session, case: Case) -> Sequence[Site]:
    """Return the open sites of the case's practice."""
    return session.scalars(
        select(Site).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None)).order_by(Site.id)
    ).all()
