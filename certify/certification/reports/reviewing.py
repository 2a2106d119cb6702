"""Writes of the report's way through its readers: comments, conflict statements, readings, the hands it goes through."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.reports.models import Approval, ConflictStatement, Finding, Report, ReportComment
from certify.certification.reports.operations import checked_text
from certify.certification.reports.queries import (
    DRAFT,
    IN_REVIEW,
    WITH_COUNCIL,
    newest_report,
    statement_of,
    survey_of,
)
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Invalid, NotFound, NotOpen

ANSWERS = {"none": "stated to have no conflict of interest", "conflict": "declared a conflict of interest"}


def comment(
    session: Session,
    case: Case,
    text: str,
    *,
    actor: Actor,
    at: datetime,
    finding_id: int | None = None,
    standard: str = "",
) -> ReportComment:
    """Leave a reviewer's comment on the report, a standard or a finding. Raises: NotOpen, NotFound, Invalid."""
    report = newest_report(session, case.id)
    if report is None or report.state not in (IN_REVIEW, WITH_COUNCIL):
        raise NotOpen("Comments are made while the report is under review.")
    if finding_id is not None:
        finding = session.get(Finding, finding_id)
        if finding is None or finding.survey_id != report.survey_id:
            raise NotFound("There is no such finding in this report.")
        standard = finding.standard
    written = ReportComment(
        report_id=report.id, finding_id=finding_id, standard=standard[:10], person_id=actor.user_id, person_name=actor.name,
        text=checked_text("text", text), at=at,
    )  # fmt: skip
    session.add(written)
    session.flush()
    about = f" on {standard}" if standard else ""
    record_on(
        session,
        case,
        "report.commented",
        f"commented{about} in the report",
        actor=actor,
        at=at,
        reason=written.text,
        internal=True,
    )
    return written


def settle_comment(session: Session, case: Case, comment_id: int, *, actor: Actor, at: datetime) -> None:
    """Mark a reviewer's comment as dealt with. Raises: NotFound."""
    report, row = newest_report(session, case.id), session.get(ReportComment, comment_id)
    if row is None or report is None or row.report_id != report.id:
        raise NotFound("There is no such comment.")
    if row.settled_at is None:
        row.settled_at, row.settled_by_name = at, actor.name
        record_on(
            session,
            case,
            "report.comment_settled",
            "dealt with a comment on the report",
            actor=actor,
            at=at,
            internal=True,
        )
    session.flush()


def state_conflict(
    session: Session, case: Case, answer: str, detail: str, *, actor: Actor, at: datetime
) -> ConflictStatement:
    """Store a council member's answer to the conflict question; the same answer again changes nothing. Raises: Invalid."""
    from_person = actor.user_id
    if from_person is None or answer not in ANSWERS:
        raise Invalid("Say whether you have a conflict of interest with this practice.", "conflict")
    detail = checked_text("conflict_detail", detail, needed=False)
    if answer == "conflict" and not detail:
        raise Invalid("Say what the conflict is; it is kept with the case.", "conflict_detail")
    said = statement_of(session, case.id, from_person)
    if said is not None and (said.answer, said.detail) == (answer, detail):
        return said
    statement = ConflictStatement(case_id=case.id, person_id=from_person, answer=answer, detail=detail, at=at)
    session.add(statement)
    session.flush()
    record_on(
        session, case, "report.conflict_stated", ANSWERS[answer], actor=actor, at=at, reason=detail, internal=True
    )
    return statement


def record_reading(
    session: Session, case: Case, report: Report, *, actor: Actor, at: datetime, how: str = "read"
) -> None:
    """Leave in the chain that a person read an issued report (process.md, section 8)."""
    survey_round = survey_of(session, report).round
    which = (
        f"version {report.number} of the survey report"
        if survey_round == 1
        else f"version {report.number} of the repeat survey's report"
    )
    data = {"report": report.id, "version": report.number}
    record_on(session, case, "report.read", f"{how} {which}", actor=actor, at=at, data=data, internal=True)


def prepare_conflict(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `approve_report`, `award` and `deny`: keep the answer to the conflict question that came with it."""
    if inputs.get("conflict"):
        state_conflict(
            session, case, str(inputs["conflict"]), str(inputs.get("conflict_detail", "")), actor=actor, at=at
        )


def move_on(session: Session, case: Case, trigger: str, comment_text: str, *, actor: Actor, at: datetime) -> Report:
    """Carry a step of the case over to its report: the state it is in now, and whose hand it went through."""
    role, action, state = STEPS[trigger]
    report = newest_report(session, case.id)
    if report is None:
        raise NotOpen("There is no report yet.")
    report.state = state
    session.add(
        Approval(
            report_id=report.id,
            role=role,
            action=action,
            person_id=actor.user_id,
            person_name=actor.name,
            comment=comment_text,
            at=at,
        )
    )
    session.flush()
    return report


STEPS = {
    "submit_report": ("surveyor", "submitted", IN_REVIEW),
    "send_back_report": ("program_staff", "sent_back", DRAFT),
    "pass_report": ("program_staff", "passed", WITH_COUNCIL),
    "return_report": ("council", "returned", IN_REVIEW),
}
