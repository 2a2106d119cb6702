"""How far the standards are covered by documents, and the number on the tab."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.evidence.models import (
    Evidence,
    EvidenceGap,
    EvidenceUse,
    NotApplicableStatement,
)
from certify.certification.evidence.queries.sight import held_by_lock, sees_quarantine, shown, standing_use
from certify.certification.evidence.rules import StandardCoverage
from certify.core.access.roles import Actor
from certify.core.rulebook.current import current


def coverage_of(session: Session, case: Case, *, at_lock: bool = False) -> dict[int, list[StandardCoverage]]:
    """Return, by domain number, how far each standard of the case's edition is covered by documents out of quarantine.

    `at_lock` leaves out what came after the lock, for readers from whom it is kept.
    """
    query = select(EvidenceUse.standard, EvidenceUse.element, EvidenceUse.evidence_id).join(
        Evidence, Evidence.id == EvidenceUse.evidence_id
    )
    rows = session.execute(shown(query.where(*standing_use(case.id)), clear_only=True, at_lock=at_lock)).all()
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
        .where(*standing_use(case.id))
    )
    clear_only, at_lock = not sees_quarantine(session, case, actor), held_by_lock(session, case, actor)
    return {"evidence": shown(query, clear_only=clear_only, at_lock=at_lock).scalar_subquery()}
