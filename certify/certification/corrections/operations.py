"""Writes of corrections: the evidence and its judgement, repeat visits, and what each step of the case does to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.corrections.models import (
    Correction,
    CorrectionEvidence,
    CorrectionJudgement,
    RepeatVisit,
)
from certify.certification.corrections.planning import (
    PLAN_FIELDS,
    begin_plan,
    judge_item,
    judged_meanwhile,
    link_to,
    plan_approved,
    plan_opened,
    plan_returned,
    plan_sent,
    plan_unanswered,
    prepare_judge_plan,
    prepare_submit_plan,
    requirement_id,
    write_item,
    written,
)
from certify.certification.corrections.queries import newest_visit, proofs_of
from certify.certification.evidence.models import Evidence
from certify.certification.evidence.operations import change_uses
from certify.certification.evidence.queries import uses_of
from certify.certification.evidence.rules import Use
from certify.certification.reports.models import Finding
from certify.certification.reports.queries import label_of, requirement_for, requirements_of
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound, NotOpen, Stale
from certify.platform.practices.models import Site

__all__ = [
    "PLAN_FIELDS",
    "begin_plan",
    "corrections_answered",
    "judge_correction",
    "judge_item",
    "link_evidence",
    "on_case_advanced",
    "prepare_judge_corrections",
    "prepare_judge_plan",
    "prepare_require_visit",
    "prepare_submit_corrections",
    "prepare_submit_plan",
    "unlink_evidence",
    "write_correction",
    "write_item",
]


def write_correction(
    session: Session, case: Case, finding_id: int, note: str, *, actor: Actor, at: datetime, version: int | None = None
) -> Correction:
    """Save what the practice says of one correction. Raises: NotFound, NotOpen, Stale, Invalid."""
    finding, correction = _open_correction(session, case, finding_id, at=at)
    note = written(f"r{finding_id}-note", note)
    if correction.note != note:
        if version is not None and version != correction.version:
            raise Stale(
                "Someone else saved this correction after you opened it. Open the page again to see what they wrote."
            )
        before, correction.note = correction.note, note
        _saved(correction, actor, at)
        session.flush()
        record_on(
            session, case, "correction.written", f"wrote how {label_of(finding)} was corrected", actor=actor, at=at,
            subject=link_to(case, finding), data={"before": before, "after": note},
        )  # fmt: skip
    return correction


def link_evidence(
    session: Session, case: Case, finding_id: int, uuid: str, pages: str, *, actor: Actor, at: datetime
) -> Correction:
    """Give a document of the practice's library as proof of a correction; given again, it only takes other pages.

    Raises: NotFound, NotOpen, Invalid.
    """
    finding, correction = _open_correction(session, case, finding_id, at=at)
    evidence = session.scalar(select(Evidence).where(Evidence.uuid == uuid, Evidence.practice_id == case.practice_id))
    if evidence is None or evidence.retired_at is not None:
        raise NotFound("There is no such document in the practice's library.")
    if len(pages) > 120:
        raise Invalid("Pages: at most 120 characters fit.", f"r{finding_id}-pages")
    known = session.scalar(
        select(CorrectionEvidence).where(
            CorrectionEvidence.correction_id == correction.id, CorrectionEvidence.evidence_id == evidence.id
        )
    )
    pages = pages.strip()
    data: dict[str, Any] = {"evidence": evidence.uuid, "pages": pages}
    if known is None:
        known = CorrectionEvidence(
            correction_id=correction.id, evidence_id=evidence.id, pages=pages, added_by_name=actor.name, added_at=at
        )
        session.add(known)
        kind, said = "correction.evidence_added", f"gave “{evidence.title}” as evidence for {label_of(finding)}"
        if not uses_of(session, case, evidence):
            # Who judges may open only what the case uses.
            use = Use(finding.standard, finding.element or None, pages=pages)
            change_uses(session, case, evidence, [use], actor=actor, at=at)
    elif pages and known.pages != pages:
        data["before"], known.pages = known.pages, pages
        kind = "correction.evidence_changed"
        said = f"changed where to look in “{evidence.title}” for {label_of(finding)}"
    else:
        return correction
    _saved(correction, actor, at)
    session.flush()
    record_on(session, case, kind, said, actor=actor, at=at, subject=link_to(case, finding), data=data)
    return correction


def unlink_evidence(session: Session, case: Case, finding_id: int, uuid: str, *, actor: Actor, at: datetime) -> None:
    """Take a document out of a correction; it stays in the library. Raises: NotFound, NotOpen."""
    finding, correction = _open_correction(session, case, finding_id, at=at)
    row = session.execute(
        select(CorrectionEvidence, Evidence)
        .join(Evidence, Evidence.id == CorrectionEvidence.evidence_id)
        .where(CorrectionEvidence.correction_id == correction.id, Evidence.uuid == uuid)
    ).first()
    if row is None:
        raise NotFound("This document is not given for the correction.")
    session.delete(row[0])
    _saved(correction, actor, at)
    session.flush()
    record_on(
        session, case, "correction.evidence_removed", f"took “{row[1].title}” out of the evidence for {label_of(finding)}", actor=actor, at=at,
        subject=link_to(case, finding), data={"evidence": uuid},
    )  # fmt: skip


def judge_correction(
    session: Session,
    case: Case,
    finding_id: int,
    verdict: str,
    note: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> Correction:
    """Judge the evidence of one requirement: enough to close it, or not; may be changed until the case goes on.

    The verdict is a draft of the program. The requirement is closed, and the practice reads the verdict, when the review
    as a whole is answered (`corrections_answered`). The same verdict again changes nothing, whatever `version` was seen.
    Raises: NotFound, NotOpen, Stale when it was judged otherwise after `version`, Invalid.
    """
    finding = requirement_for(session, case, finding_id)
    correction = session.scalar(select(Correction).where(Correction.finding_id == finding.id))
    if correction is None or case.state != "correction_review" or correction.state == "draft":
        raise NotOpen("The evidence is not with the program for review.")
    if finding.status != "open":
        raise NotOpen(f"{label_of(finding)} is settled already.")
    if verdict not in ("closed", "not_enough"):
        raise Invalid("Choose whether the evidence is enough.", f"r{finding_id}-verdict")
    note = written(f"r{finding_id}-note", note)
    if not note:
        what = "what the evidence shows" if verdict == "closed" else "what is missing"
        raise Invalid(f"{label_of(finding)}: say {what}.", f"r{finding_id}-note")
    if (correction.state, correction.judgement) == (verdict, note):
        return correction
    if version is not None and version != correction.version:
        raise judged_meanwhile(finding, correction.judged_by_name)
    correction.state, correction.judgement = verdict, note
    correction.judged_at, correction.judged_by_id, correction.judged_by_name = at, actor.user_id, actor.name
    session.flush()
    said = (
        f"found the evidence for {label_of(finding)} enough"
        if verdict == "closed"
        else f"found the evidence for {label_of(finding)} not enough"
    )
    # The practice reads the verdicts together, when the review is answered.
    record_on(
        session, case, "correction.judged", said, actor=actor, at=at, reason=note,
        subject=link_to(case, finding), internal=True,
    )  # fmt: skip
    return correction


def prepare_submit_corrections(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Before `submit_corrections`: write the notes and documents that came with it."""
    for row in inputs.get("items") or ():
        finding_id = requirement_id(row)
        if "note" in row:
            write_correction(session, case, finding_id, row["note"], actor=actor, at=at)
        for uuid in row.get("evidence", "").replace(",", " ").split():
            link_evidence(session, case, finding_id, uuid, row.get("pages", ""), actor=actor, at=at)


def prepare_judge_corrections(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Before `return_corrections` and `close_requirements`: write the judgements that came with it."""
    for row in inputs.get("items") or ():
        judge_correction(
            session, case, requirement_id(row), row.get("verdict", ""), row.get("note", ""), actor=actor, at=at
        )


def prepare_require_visit(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `require_visit`: keep why another visit is needed and what it is limited to."""
    codes = {f.standard for f in requirements_of(session, case.id)}
    own = {str(site): site for site in session.scalars(select(Site.id).where(Site.practice_id == case.practice_id))}
    sites = [own[str(s)] for s in inputs.get("sites", ()) if str(s) in own]
    standards = [str(s) for s in inputs.get("standards", ())]
    unknown = [s for s in standards if s not in codes]
    errors = []
    if unknown:
        errors.append(
            FieldError(
                "standards",
                f"A repeat visit is limited to standards with a requirement; {', '.join(unknown)} has none.",
            )
        )
    if not sites or len(sites) != len(inputs.get("sites", ())):
        errors.append(FieldError("sites", "Name sites of this practice."))
    if errors:
        raise Invalid(errors)
    session.add(
        RepeatVisit(
            case_id=case.id,
            reason=str(inputs.get("reason", "")),
            standards=standards,
            site_ids=sites,
            asked_by_id=actor.user_id,
            asked_by_name=actor.name,
            asked_at=at,
        )
    )


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Keep plan and corrections in step with their case; a review that ends unanswered leaves nothing for the practice."""
    handler = REACTIONS.get(event.trigger)
    if handler is None and event.source == "plan_review":
        handler = plan_unanswered
    elif handler is None and event.source == "correction_review":
        handler = _corrections_unanswered
    if handler is not None:
        handler(session, case_by_id(session, event.case_id), event)


def _corrections_sent(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Mark what is sent, and hold each document in the version it has now: that one is judged."""
    findings = {f.id: f for f in requirements_of(session, case.id, open_only=True)}
    corrections = {
        c.id: c for c in session.scalars(select(Correction).where(Correction.finding_id.in_(list(findings))))
    }
    links = {
        (link.correction_id, link.evidence_id): link
        for link in session.scalars(
            select(CorrectionEvidence).where(CorrectionEvidence.correction_id.in_(list(corrections)))
        )
    }
    sent: dict[str, list[dict[str, Any]]] = {}
    for correction_id, proofs in proofs_of(session, dict.fromkeys(corrections, False)).items():
        for proof in proofs:
            links[correction_id, proof.id].evidence_version_id = proof.version_id
            sent.setdefault(label_of(findings[corrections[correction_id].finding_id]), []).append(
                {"evidence": proof.uuid, "version": proof.number, "sha256": proof.sha256, "pages": proof.pages}
            )
    for correction in corrections.values():
        correction.state, correction.sent_at = "sent", event.at
    session.flush()
    actor = Actor(event.actor_id, name=event.actor_name)
    record_on(
        session, case, "correction.evidence_sent", "sent these versions of the documents as evidence", actor=actor, at=event.at,
        subject=f"/cases/{case.ref}/corrections", data=sent,
    )  # fmt: skip


def corrections_answered(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Give the practice the verdicts of a review: what is enough is closed, what is not counts one more round."""
    actor = Actor(event.actor_id, name=event.actor_name)
    today = local_date(event.at, zone_of(session, case))
    judged = _judged_now(session, case)
    for finding, correction in judged:
        if correction.state == "closed":
            finding.status, finding.closed_how, finding.closing_note = "closed", "evidence", correction.judgement
            finding.closed_at, finding.closed_on, finding.updated_at = event.at, today, event.at
            finding.closed_by_id = correction.judged_by_id
            record_on(
                session, case, "correction.closed", f"closed {label_of(finding)}", actor=actor, at=event.at,
                reason=correction.judgement, subject=link_to(case, finding),
            )  # fmt: skip
        else:
            correction.rounds += 1
        session.add(
            CorrectionJudgement(
                finding_id=finding.id, about="evidence", verdict=correction.state, text=correction.judgement,
                person_id=correction.judged_by_id, person_name=correction.judged_by_name, at=correction.judged_at,
            )
        )  # fmt: skip
    session.flush()


def _corrections_unanswered(session: Session, case: Case, event: CaseAdvanced) -> None:
    for _finding, correction in _judged_now(session, case):
        correction.state, correction.judgement, correction.judged_at = "sent", "", None
        correction.judged_by_id, correction.judged_by_name = None, ""
    session.flush()


def _judged_now(session: Session, case: Case) -> list[tuple[Finding, Correction]]:
    found = {f.id: f for f in requirements_of(session, case.id, open_only=True)}
    rows = session.scalars(
        select(Correction)
        .where(Correction.finding_id.in_(list(found)), Correction.state.in_(("closed", "not_enough")))
        .order_by(Correction.id)
    )
    return [(found[row.finding_id], row) for row in rows]


def _visit_started(session: Session, case: Case, event: CaseAdvanced) -> None:
    visit = newest_visit(session, case.id)
    if visit is not None:
        visit.started_at = event.at
        session.flush()


REACTIONS = {
    "open_plan": plan_opened,
    "submit_plan": plan_sent,
    "return_plan": plan_returned,
    "approve_plan": plan_approved,
    "submit_corrections": _corrections_sent,
    "return_corrections": corrections_answered,
    "require_visit": corrections_answered,
    "close_requirements": corrections_answered,
    "start_repeat_survey": _visit_started,
}


def _open_correction(session: Session, case: Case, finding_id: int, *, at: datetime) -> tuple[Finding, Correction]:
    finding = requirement_for(session, case, finding_id)
    if case.state != "correction_open" or finding.status != "open":
        raise NotOpen(f"Evidence for {label_of(finding)} cannot be added or changed now.")
    correction = session.scalar(select(Correction).where(Correction.finding_id == finding.id))
    if correction is None:
        correction = Correction(finding_id=finding.id, saved_at=None)
        session.add(correction)
        session.flush()
    if correction.state == "sent":
        # Judged neither way when others were returned: the practice may still add to it.
        correction.state = "draft"
    return finding, correction


def _saved(correction: Correction, actor: Actor, at: datetime) -> None:
    correction.saved_at, correction.saved_by_name = at, actor.name
