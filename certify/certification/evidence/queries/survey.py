"""What a survey may look at, standard by standard and site by site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import (
    BindParameter,
    Select,
    bindparam,
    or_,
    select,
)
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.queries import zone_of
from certify.certification.evidence.models import (
    Evidence,
    EvidenceLock,
    EvidenceUse,
    EvidenceVersion,
)
from certify.certification.evidence.queries.sight import before_lock, came_after, last_seen, newest, standing_use
from certify.certification.evidence.rules import Standing, standings
from certify.core.foundation.days import local_date


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


# Putting a statement together costs more than running it, and there are only these few.
@lru_cache(maxsize=8)
def _uses(
    surveyor: bool, one_standard: bool, one_site: bool
) -> Select[EvidenceUse, Evidence, EvidenceVersion, datetime | None, EvidenceLock]:
    case_id: BindParameter[int] = bindparam("case_id")
    query = (
        select(EvidenceUse, Evidence, EvidenceVersion, last_seen(case_id), EvidenceLock)
        .join(Evidence, Evidence.id == EvidenceUse.evidence_id)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .outerjoin(EvidenceLock, EvidenceLock.case_id == EvidenceUse.case_id)
        .where(*standing_use(case_id), EvidenceVersion.number == newest(clear_only=surveyor, at_lock=surveyor))
        .order_by(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.id)
    )
    if one_standard:
        query = query.where(EvidenceUse.standard == bindparam("standard"))
    if one_site:
        query = query.where(or_(EvidenceUse.site_id == bindparam("site_id"), EvidenceUse.site_id.is_(None)))
    return query.where(before_lock(EvidenceUse.added_at)) if surveyor else query


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
        state=version.state, after_lock=came_after(max(version.uploaded_at, use.added_at), lock), seen_at=seen,
        seen_on=local_date(seen, zone) if seen else None,
        url=f"/cases/{case.ref}/evidence/{evidence.uuid}",
    )  # fmt: skip


def _with_standing(row: ElementEvidence, standing: Standing) -> ElementEvidence:
    return replace(row, standing=standing)
