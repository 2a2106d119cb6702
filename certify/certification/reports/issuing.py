"""Issuing a report: freezing its content, opening its requirements, and making new versions when a fact was wrong."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import follow_at_once, record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.reports.composition import compose, in_order, sealed
from certify.certification.reports.drafting import Rating, Visit
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.certification.reports.models import Approval, Finding, Objection, Report
from certify.certification.reports.operations import MAX_TEXT, STEPS, begin_draft, move_on
from certify.certification.reports.queries import (
    ISSUED,
    REPLACED,
    Draft,
    amended_of,
    draft_of,
    due_after_issue,
    findings_of,
    frame_of,
    issued_report,
    label_of,
    newest_report,
    numbered,
    objection_until,
    stored_items,
    survey_of,
)
from certify.certification.reports.rules import objection_open
from certify.certification.reports.visits import edition_of, visit_of
from certify.core.access.roles import Actor, Grant, Role
from certify.core.foundation import events
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound, NotOpen


def issue(session: Session, case: Case, *, actor: Actor, at: datetime, comment: str = "") -> Report:
    """Freeze and issue the report the council approved: numbers, due dates, content, seal; earlier requirements are judged anew."""
    report = newest_report(session, case.id)
    if report is None:
        raise NotOpen("There is no report to issue.")
    today = local_date(at, zone_of(session, case))
    session.add(
        Approval(
            report_id=report.id,
            role="council",
            action="approved",
            person_id=actor.user_id,
            person_name=actor.name,
            comment=comment,
            at=at,
        )
    )
    draft = draft_of(session, report)
    rows = {f.id: f for f in draft.findings}
    due_on = due_after_issue(case, "correction_open", today)
    for item in draft.items:
        row = rows[item.id or 0]
        row.number = int(item.number[1:])
        row.status = "open" if row.kind == "requirement" else "issued"
        row.due_on = due_on if row.kind == "requirement" else None
        row.updated_at = at
    session.flush()
    if draft.survey.round > 1:
        judge_earlier(session, case, draft.visit, draft.survey.id, actor=actor, at=at)
    _freeze(session, case, report, actor=actor, at=at, by=actor.name, reason="")
    return report


def judge_earlier(session: Session, case: Case, visit: Visit, survey_id: int, *, actor: Actor, at: datetime) -> None:
    """Re-rate the requirements of earlier surveys by what a repeat survey saw: met is closed, not met is carried on."""
    today = local_date(at, zone_of(session, case))
    earlier = session.scalars(
        select(Finding).where(
            Finding.case_id == case.id,
            Finding.kind == "requirement",
            Finding.status == "open",
            Finding.survey_id != survey_id,
        )
    ).all()
    again = {f.element: f for f in findings_of(session, survey_id) if f.kind == "requirement" and f.status == "open"}
    for finding in earlier:
        ratings = {visit.rating(site, finding.element) for site in finding.site_ids if site in visit.sites}
        covered = all(site in visit.sites for site in finding.site_ids)
        if finding.element in again:
            finding.status, finding.carried_to_id, finding.updated_at = "carried", again[finding.element].id, at
            # A site the repeat visit did not reach keeps what was found there.
            missed = [site for site in finding.site_ids if site not in visit.sites]
            if missed:
                again[finding.element].site_ids = [*again[finding.element].site_ids, *missed]
        elif covered and ratings and ratings <= {Rating.MET, Rating.NOT_APPLICABLE}:
            finding.status, finding.closed_at, finding.closed_on, finding.updated_at = "closed", at, today, at
            finding.closed_how, finding.closed_by_id = "repeat_survey", actor.user_id
            finding.closing_note = "Seen to be corrected at the repeat survey."
            record_on(
                session,
                case,
                "correction.closed",
                f"closed {label_of(finding)} by the repeat survey",
                actor=actor,
                at=at,
            )
    session.flush()


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
    finding = next((f for f in findings_of(session, report.survey_id) if f.number and _number(f) == item), None)
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
    if outcome == "declined":
        record_on(
            session,
            case,
            "report.objection_declined",
            f"declined the objection to {objection.item}",
            actor=actor,
            at=at,
            reason=answer,
        )
    else:
        report = session.get(Report, objection.report_id)
        newest = newest_version(session, report.survey_id) if report else None
        if newest is None:
            raise NotFound("The report of this objection is gone.")
        if finding is not None and outcome == "withdrawn":
            finding.status, finding.closed_how, finding.closed_by_id = "withdrawn", "objection", actor.user_id
            finding.closed_at, finding.closed_on, finding.closing_note = (
                at,
                local_date(at, zone_of(session, case)),
                answer,
            )
            finding.updated_at = at
        elif finding is not None and outcome == "reworded":
            finding.text, finding.edited, finding.updated_at = new_text, True, at
        record_on(
            session,
            case,
            "report.objection_accepted",
            f"accepted the objection to {objection.item}",
            actor=actor,
            at=at,
            reason=answer,
        )
        objection.new_report_id = amend(session, case, newest, f"{objection.item}: {answer}", actor=actor, at=at).id
    session.flush()
    events.publish(
        session,
        ObjectionAnswered(
            case.id, case.ref, case.practice_id, objection.id, objection.state == "accepted", answer, actor.user_id, at
        ),
    )
    if outcome == "withdrawn":
        follow_at_once(session, case, at=at)  # it may have been the last one open
    return objection


def amend(session: Session, case: Case, report: Report, reason: str, *, actor: Actor, at: datetime) -> Report:
    """Issue a new version of an issued report, with a reason; the old one stays as it was."""
    if report.state != ISSUED:
        raise NotOpen("Only the newest issued version can be followed by another.")
    if not reason.strip():
        raise Invalid("Say why a new version is made.", "reason")
    report.state, report.replaced_at = REPLACED, at
    new = Report(
        case_id=case.id, survey_id=report.survey_id, number=report.number + 1, state=ISSUED, summary=report.summary, reason=reason.strip(),
        answers_sha256=report.answers_sha256, submitted_at=report.submitted_at, created_at=at,
    )  # fmt: skip
    session.add(new)
    session.flush()
    session.add(
        Approval(
            report_id=new.id,
            role="program_staff",
            action="amended",
            person_id=actor.user_id,
            person_name=actor.name,
            comment=reason,
            at=at,
        )
    )
    _freeze(session, case, new, actor=actor, at=at, by=actor.name, reason=reason.strip(), earlier=report)
    return new


def newest_version(session: Session, survey_id: int) -> Report | None:
    """Return the version of a survey's report that is in force."""
    return session.scalar(select(Report).where(Report.survey_id == survey_id, Report.state == ISSUED))


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Keep the report in step with its case."""
    actor = Actor(event.actor_id, _roles_of(event.trigger), name=event.actor_name)
    if event.trigger == "finish_survey":
        begin_draft(session, case_by_id(session, event.case_id), actor=actor, at=event.at)
    elif event.trigger in STEPS:
        comment = str(event.data.get("comments") or event.reason or "")
        move_on(session, case_by_id(session, event.case_id), event.trigger, comment, actor=actor, at=event.at)
    elif event.trigger == "approve_report":
        comment = str(event.data.get("comments") or "")
        issue(session, case_by_id(session, event.case_id), actor=actor, at=event.at, comment=comment)


def _freeze(
    session: Session,
    case: Case,
    report: Report,
    *,
    actor: Actor,
    at: datetime,
    by: str,
    reason: str,
    earlier: Report | None = None,
) -> None:
    survey = survey_of(session, report)
    findings = tuple(findings_of(session, survey.id))
    visit = visit_of(session, survey, amended_of(findings))
    items = numbered(session, case.id, in_order(stored_items(findings), edition_of(survey)))
    draft = Draft(report, survey, visit, tuple(items), findings)
    today = local_date(at, zone_of(session, case))
    report.issued_at, report.issued_on, report.state = at, today, ISSUED
    report.objection_until = earlier.objection_until if earlier else objection_until(case, today)
    session.flush()
    frame = frame_of(session, case, draft, issued_at=at, by=by, reason=reason)
    content = compose(frame, visit, items)
    if earlier is not None and earlier.content is not None:
        # The dates of the first issue hold: a correction of fact gives neither side more time.
        content |= {key: earlier.content.get(key) for key in ("plan_due_on", "objection_until")}
    report.content, report.content_sha256 = content, sealed(content)
    session.flush()
    data = {"report": report.id, "version": report.number, "sha256": report.content_sha256}
    summary = (
        "issued the survey report" if report.number == 1 else f"issued version {report.number} of the survey report"
    )
    record_on(
        session,
        case,
        "report.issued",
        summary,
        actor=actor,
        at=at,
        reason=reason,
        subject=f"/cases/{case.ref}/report",
        data=data,
    )
    events.publish(
        session, ReportIssued(case.id, case.ref, case.practice_id, report.id, report.number, reason, actor.user_id, at)
    )


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


def _number(finding: Finding) -> str:
    return label_of(finding).split(" ")[0]


def _roles_of(trigger: str) -> frozenset[Grant]:
    role = (
        Role(STEPS[trigger][0]) if trigger in STEPS else Role.COUNCIL if trigger == "approve_report" else Role.SURVEYOR
    )
    return frozenset({Grant(role)})
