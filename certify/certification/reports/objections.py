"""Factual objections of the practice to an issued report, and the program's answer to each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import follow_at_once, record_on
from certify.certification.cases.queries import zone_of
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade
from certify.certification.reports.issuing import amend, close_carried, newest_version
from certify.certification.reports.models import Finding, Objection, Report
from certify.certification.reports.operations import MAX_TEXT
from certify.certification.reports.queries import findings_of, issued_report, number_of
from certify.certification.reports.rules import objection_open
from certify.core.access.roles import Actor
from certify.core.foundation import events
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound, NotOpen


def object_to(session: Session, case: Case, item: str, text: str, *, actor: Actor, at: datetime) -> Objection:
    """Store a factual objection of the practice to one item of its report.

    Args:
        item: a finding's number (`R2`), a standard's code, or one of OTHER_ITEMS.
    Raises: NotOpen when there is no report or the time is over, Invalid.
    """
    report = issued_report(session, case.id)
    if report is None:
        raise NotOpen("There is no issued report to object to.")
    if not objection_open(local_date(at, zone_of(session, case)), report.objection_until):
        raise NotOpen("The time for factual objections to this report is over.")
    choices = dict(objection_items(session, report))
    errors = []
    if item not in choices:
        errors.append(FieldError("item", "Choose what is wrong."))
    text = text.replace("\r\n", "\n").strip()
    if not text:
        errors.append(FieldError("text", "Say what the report states, and what is true."))
    elif len(text) > MAX_TEXT:
        errors.append(FieldError("text", f"This is {len(text):,} characters; at most {MAX_TEXT:,} fit."))
    if errors:
        raise Invalid(errors)
    finding = next((f for f in findings_of(session, report.survey_id) if f.number and number_of(f) == item), None)
    objection = Objection(
        case_id=case.id, report_id=report.id, finding_id=finding.id if finding else None, item=choices[item], text=text,
        made_by_id=actor.user_id, made_by_name=actor.name, made_at=at,
    )  # fmt: skip
    session.add(objection)
    session.flush()
    record_on(
        session, case, "report.objected", f"objected to the report: {choices[item]}", actor=actor, at=at, reason=text,
        subject=f"/cases/{case.ref}/report#o{objection.id}",
    )  # fmt: skip
    events.publish(
        session, ObjectionMade(case.id, case.ref, case.practice_id, objection.id, objection.item, actor.user_id, at)
    )
    return objection


OTHER_ITEMS = (("sites", "Sites, dates or people named"), ("other", "Something else in the report"))


def objection_items(session: Session, report: Report) -> list[tuple[str, str]]:
    """Return what can be objected to: each requirement and recommendation, each standard, the rest."""
    content = report.content or {}
    standards = [s for d in content.get("domains", ()) for s in d["standards"]]
    findings = [f for s in standards for f in s["findings"] if f["kind"] != "strength"]
    return [
        *((f["number"], f"{f['number']} ({f['element'] or f['standard']})") for f in findings),
        *((s["code"], f"{s['code']} {s['title']}") for s in standards),
        *OTHER_ITEMS,
    ]


def answer_objection(
    session: Session,
    case: Case,
    objection: Objection,
    outcome: str,
    answer: str,
    *,
    actor: Actor,
    at: datetime,
    new_text: str = "",
) -> Objection:
    """Answer an objection; what is accepted makes a new version of the report with the answer as its reason.

    Args:
        outcome: `withdrawn` (the requirement falls: the element is met after all), `reworded` (the finding gets `new_text`),
            `noted` (the correction is printed in the report), `declined`.
    Raises: NotOpen when it was answered before or its requirement is closed, Invalid.
    """
    if objection.state != "open":
        raise NotOpen("This objection has been answered.")
    finding = session.get(Finding, objection.finding_id) if objection.finding_id else None
    _check_answer(outcome, answer, new_text, finding)
    answer, new_text = answer.replace("\r\n", "\n").strip(), new_text.replace("\r\n", "\n").strip()
    objection.state = "declined" if outcome == "declined" else "accepted"
    objection.outcome, objection.answer = outcome, answer
    objection.answered_by_id, objection.answered_by_name, objection.answered_at = actor.user_id, actor.name, at
    session.flush()
    said = f"{objection.state} the objection to {objection.item}"
    record_on(session, case, f"report.objection_{objection.state}", said, actor=actor, at=at, reason=answer)
    if objection.state == "accepted":
        if finding is not None:
            _change_finding(session, case, finding, outcome, answer, new_text, actor=actor, at=at)
        objection.new_report_id = _new_version(session, case, objection, actor=actor, at=at).id
    session.flush()
    answered = ObjectionAnswered(
        case.id, case.ref, case.practice_id, objection.id, objection.state == "accepted", answer, actor.user_id, at
    )
    events.publish(session, answered)
    if outcome == "withdrawn":
        follow_at_once(session, case, at=at)  # it may have been the last one open
    return objection


def _change_finding(
    session: Session,
    case: Case,
    finding: Finding,
    outcome: str,
    answer: str,
    new_text: str,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    if outcome == "withdrawn":
        finding.status, finding.closed_how, finding.closed_by_id = "withdrawn", "objection", actor.user_id
        finding.closed_at, finding.closed_on = at, local_date(at, zone_of(session, case))
        finding.closing_note, finding.updated_at = answer, at
        session.flush()
        close_carried(session, case, finding, actor=actor, at=at)
    elif outcome == "reworded":
        finding.text, finding.edited, finding.updated_at = new_text, True, at


def _new_version(session: Session, case: Case, objection: Objection, *, actor: Actor, at: datetime) -> Report:
    report = session.get(Report, objection.report_id)
    newest = newest_version(session, report.survey_id) if report else None
    if newest is None:
        raise NotFound("The report of this objection is gone.")
    return amend(session, case, newest, f"{objection.item}: {objection.answer}", actor=actor, at=at)


def _check_answer(outcome: str, answer: str, new_text: str, finding: Finding | None) -> None:
    errors = []
    if outcome not in ("withdrawn", "reworded", "noted", "declined"):
        errors.append(FieldError("outcome", "Choose how to answer."))
    if outcome in ("withdrawn", "reworded") and finding is None:
        errors.append(
            FieldError("outcome", "This objection is not about a finding; choose to note the correction or to decline.")
        )
    if outcome == "withdrawn" and finding is not None and finding.kind != "requirement":
        errors.append(FieldError("outcome", "Only a requirement can be withdrawn; change the text instead."))
    if outcome in ("withdrawn", "reworded") and finding is not None and finding.status not in ("open", "issued"):
        errors.append(FieldError("outcome", "The finding is closed already; note the correction instead."))
    if outcome == "reworded" and not new_text.strip():
        errors.append(FieldError("new_text", "Write the new text."))
    if not answer.strip():
        errors.append(FieldError("answer", "Give the reason; the practice reads it."))
    for field, text in (("answer", answer), ("new_text", new_text)):
        if len(text) > MAX_TEXT:
            errors.append(FieldError(field, f"This is {len(text):,} characters; at most {MAX_TEXT:,} fit."))
    if errors:
        raise Invalid(errors)
