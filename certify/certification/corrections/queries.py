"""Reads of corrections: each requirement with its plan, its evidence and how both were judged; facts for the guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import zone_of
from certify.certification.corrections.models import (
    Correction,
    CorrectionEvidence,
    CorrectionJudgement,
    CorrectiveActionPlan,
    PlanItem,
    RepeatVisit,
)
from certify.certification.corrections.rules import CorrectionFacts, RequirementState
from certify.certification.evidence.models import Evidence, EvidenceVersion
from certify.certification.reports.models import Finding
from certify.certification.reports.queries import (
    due_after_issue,
    label_of,
    number_of,
    open_sites,
    requirements_of,
    risk_of,
)
from certify.certification.reports.severity import grid, placed
from certify.core.access.roles import Actor
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site


@dataclass(frozen=True)
class Proof:
    """A document given as evidence of a correction, in the version that was sent, before that in its newest."""

    id: int
    version_id: int
    uuid: str
    title: str
    number: int
    file_name: str
    sha256: str
    pages: str
    sent: bool
    newer: bool  # a newer version was added since it was sent
    quarantined: bool
    retired: bool

    @property
    def readable(self) -> bool:
        """Whether the program can take it as evidence: not held back, not removed from the library."""
        return not (self.quarantined or self.retired)

    @property
    def path(self) -> str:
        """Return where it is opened, below the case's evidence: the file that was sent, before that the document."""
        return f"{self.uuid}/versions/{self.number}/file" if self.sent else self.uuid

    @property
    def remark(self) -> str:
        """Return what is the matter with it, empty when nothing is."""
        if self.quarantined:
            return "held back: may hold patient data"
        if self.retired:
            return "removed from the library" + (" since it was sent" if self.sent else "")
        return "a newer version was added since it was sent" if self.newer else ""


@dataclass(frozen=True)
class Requirement:
    """One requirement as the corrections page shows it."""

    finding: Finding
    number: str
    label: str
    title: str
    question: str
    critical: bool
    site_names: tuple[str, ...]
    risk: dict[str, Any] | None  # its place in the matrix in words, with what it demands of the plan
    plan: PlanItem | None
    correction: Correction | None
    proofs: tuple[Proof, ...]
    judgements: tuple[CorrectionJudgement, ...]
    due_on: date | None  # of what is open, with the time given since the report; else as the report says
    plan_unsent: bool  # how the plan is judged is a draft of the program, which the practice must not read yet
    verdict_unsent: bool  # the same of the evidence

    @property
    def open(self) -> bool:
        """Whether it still stands in the way of a decision."""
        return self.finding.status == "open"


def current_plan(session: Session, case_id: int) -> CorrectiveActionPlan | None:
    """Return the plan the practice works on: the newest of the case."""
    return remembered(session, ("plan", case_id), lambda: _current_plan(session, case_id))


def _current_plan(session: Session, case_id: int) -> CorrectiveActionPlan | None:
    return session.scalar(
        select(CorrectiveActionPlan)
        .where(CorrectiveActionPlan.case_id == case_id)
        .order_by(CorrectiveActionPlan.id.desc())
        .limit(1)
    )


def items_of(session: Session, plan: CorrectiveActionPlan | None) -> dict[int, PlanItem]:
    """Return a plan's items by requirement."""
    if plan is None:
        return {}
    return {item.finding_id: item for item in session.scalars(select(PlanItem).where(PlanItem.plan_id == plan.id))}


def judged_in_this_round(plan: CorrectiveActionPlan, item: PlanItem) -> bool:
    """Whether an item was accepted or returned after the plan was last sent."""
    at, sent_at = item.judged_at, plan.submitted_at
    return item.state in ("accepted", "returned") and at is not None and sent_at is not None and at >= sent_at


def unsent_in_plans(session: Session, case_ids: Sequence[int]) -> set[int]:
    """Return the plan items of these cases whose judgement is still a draft of the program."""
    return set(
        session.scalars(
            select(PlanItem.id)
            .join(CorrectiveActionPlan, CorrectiveActionPlan.id == PlanItem.plan_id)
            .join(Case, Case.id == CorrectiveActionPlan.case_id)
            .where(
                Case.id.in_(case_ids),
                Case.state == "plan_review",
                PlanItem.state.in_(("accepted", "returned")),
                PlanItem.judged_at >= CorrectiveActionPlan.submitted_at,
            )
        )
    )


def unsent_in_corrections(session: Session, case_ids: Sequence[int]) -> set[int]:
    """Return the corrections of these cases whose verdict is still a draft of the program."""
    return set(
        session.scalars(
            select(Correction.id)
            .join(Finding, Finding.id == Correction.finding_id)
            .join(Case, Case.id == Finding.case_id)
            .where(
                Case.id.in_(case_ids),
                Case.state == "correction_review",
                Finding.status == "open",
                Correction.state.in_(("closed", "not_enough")),
            )
        )
    )


def requirements_for(session: Session, case: Case) -> list[Requirement]:
    """Return every requirement of the case with all that belongs to it; the number of queries does not grow with them."""
    return remembered(session, ("requirements with plans", case.id), lambda: _requirements_for(session, case))


def _requirements_for(session: Session, case: Case) -> list[Requirement]:
    findings = requirements_of(session, case.id)
    ids = [f.id for f in findings]
    if not ids:
        return []
    plan = current_plan(session, case.id)
    plans = items_of(session, plan)
    corrections = {c.finding_id: c for c in session.scalars(select(Correction).where(Correction.finding_id.in_(ids)))}
    writing = {f.id for f in findings if case.state == "correction_open" and f.status == "open"}
    proofs = proofs_of(session, {c.id: c.finding_id not in writing for c in corrections.values()})
    judgements: dict[int, list[CorrectionJudgement]] = {}
    for judged in session.scalars(
        select(CorrectionJudgement).where(CorrectionJudgement.finding_id.in_(ids)).order_by(CorrectionJudgement.id)
    ):
        judgements.setdefault(judged.finding_id, []).append(judged)
    names = {
        row.id: row.name
        for row in session.execute(select(Site.id, Site.name).where(Site.practice_id == case.practice_id))
    }
    edition = current().editions[case.edition]
    due_on = correction_due_on(session, case, local_date(now(), zone_of(session, case)))
    found = []
    for finding in findings:
        standard, element = edition.standards.get(finding.standard), edition.elements.get(finding.element)
        item, correction = plans.get(finding.id), corrections.get(finding.id)
        found.append(
            Requirement(
                finding=finding,
                number=number_of(finding),
                label=label_of(finding),
                title=standard.title if standard else finding.standard,
                question=element.question if element else "",
                critical=bool(standard and standard.critical),
                site_names=tuple(
                    names[s]
                    for s in (open_sites(finding) if finding.status == "open" else finding.site_ids)
                    if s in names
                ),
                risk=placed(current().survey, risk_of(finding)),
                plan=item,
                correction=correction,
                proofs=tuple(proofs.get(correction.id, ())) if correction else (),
                judgements=tuple(judgements.get(finding.id, ())),
                due_on=due_on if finding.status == "open" else finding.due_on,
                plan_unsent=case.state == "plan_review" and bool(plan and item and judged_in_this_round(plan, item)),
                verdict_unsent=case.state == "correction_review"
                and finding.status == "open"
                and bool(correction and correction.state in ("closed", "not_enough")),
            )
        )
    return found


def proofs_of(session: Session, corrections: Mapping[int, bool]) -> dict[int, list[Proof]]:
    """Return the documents of corrections.

    Args:
        corrections: by id, whether the versions that were sent are wanted; else the newest, which would be sent now.
    """
    if not corrections:
        return {}
    newest = (
        select(EvidenceVersion.evidence_id, func.max(EvidenceVersion.number).label("number"))
        .group_by(EvidenceVersion.evidence_id)
        .subquery()
    )
    last, sent = aliased(EvidenceVersion), aliased(EvidenceVersion)
    rows = session.execute(
        select(CorrectionEvidence, Evidence, last, sent)
        .join(Evidence, Evidence.id == CorrectionEvidence.evidence_id)
        .join(newest, newest.c.evidence_id == Evidence.id)
        .join(last, and_(last.evidence_id == Evidence.id, last.number == newest.c.number))
        .outerjoin(sent, sent.id == CorrectionEvidence.evidence_version_id)
        .where(CorrectionEvidence.correction_id.in_(corrections))
        .order_by(CorrectionEvidence.id)
    ).all()
    found: dict[int, list[Proof]] = {}
    for link, evidence, newest_version, sent_version in rows:
        as_sent = corrections[link.correction_id] and sent_version is not None
        version = sent_version if as_sent else newest_version
        found.setdefault(link.correction_id, []).append(
            Proof(
                id=evidence.id,
                version_id=version.id,
                uuid=evidence.uuid,
                title=evidence.title,
                number=version.number,
                file_name=version.file_name,
                sha256=version.file_key,
                pages=link.pages,
                sent=as_sent,
                newer=newest_version.number > version.number,
                quarantined=version.state == "quarantined",
                retired=evidence.retired_at is not None,
            )
        )
    return found


def matrix_of(requirements: Sequence[Requirement]) -> dict[str, Any] | None:
    """Return the matrix of severity and scope with the requirements that are placed in it; None when none is."""
    return grid(current().survey, [(r.number, risk_of(r.finding)) for r in requirements])


def documents_to_give(session: Session, case: Case) -> list[tuple[str, str]]:
    """Return the documents of the practice's library that may be given as evidence: uuid and title, newest first."""
    rows = session.execute(
        select(Evidence.uuid, Evidence.title)
        .where(Evidence.practice_id == case.practice_id, Evidence.retired_at.is_(None))
        .order_by(Evidence.id.desc())
        .limit(500)
    )
    return [(row.uuid, row.title) for row in rows]


def newest_visit(session: Session, case_id: int) -> RepeatVisit | None:
    """Return the last repeat visit asked for in a case."""
    return session.scalar(
        select(RepeatVisit).where(RepeatVisit.case_id == case_id).order_by(RepeatVisit.id.desc()).limit(1)
    )


def rounds_allowed() -> int:
    """Return how often a plan may be returned, by the rules in force."""
    return int(current().settings["plan_rounds"])


def correction_due_on(session: Session, case: Case, today: date) -> date | None:
    """Return the last day for evidence of correction, with the time the program has given (process.md, section 5)."""
    return due_after_issue(session, case, "correction_open", today)


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> CorrectionFacts:
    """Return what the guards of plan and corrections judge."""
    plan = current_plan(session, case.id)
    today = local_date(at, zone_of(session, case))
    return CorrectionFacts(
        ref=case.ref,
        today=today,
        open=tuple(_state(requirement) for requirement in requirements_for(session, case) if requirement.open),
        rounds=plan.rounds if plan else 0,
        rounds_allowed=rounds_allowed(),
        correction_due_on=correction_due_on(session, case, today),
    )


def _demanded(requirement: Requirement) -> tuple[tuple[str, str], ...]:
    risk = risk_of(requirement.finding)
    if requirement.risk is None or risk is None:
        return ()
    return tuple((statement.key, statement.label) for statement in current().survey.demanded(*risk))


def _state(requirement: Requirement) -> RequirementState:
    plan, correction = requirement.plan, requirement.correction
    return RequirementState(
        id=requirement.finding.id,
        label=requirement.label,
        standard=requirement.finding.standard,
        action=plan.action if plan else "",
        owner=plan.owner if plan else "",
        due_on=plan.due_on if plan else None,
        evidence=plan.evidence if plan else "",
        demands=_demanded(requirement),
        level=requirement.risk["level_words"] if requirement.risk else "",
        leadership=plan.leadership if plan else "",
        prevention=plan.prevention if plan else "",
        plan_state=plan.state if plan else "draft",
        plan_changed=not (
            plan
            and plan.state == "returned"
            and plan.judged_at
            and (plan.saved_at is None or plan.saved_at <= plan.judged_at)
        ),
        correction_state=correction.state if correction else "draft",
        correction_note=correction.note if correction else "",
        documents=len(requirement.proofs),
        unreadable=sum(not proof.readable for proof in requirement.proofs),
        correction_changed=not (
            correction
            and correction.state == "not_enough"
            and correction.judged_at
            and (correction.saved_at is None or correction.saved_at <= correction.judged_at)
        ),
    )
