"""Issuing a report: freezing its content, opening its requirements, judging earlier ones anew, making new versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.reports.composition import compose, in_order, sealed
from certify.certification.reports.drafting import Visit
from certify.certification.reports.earlier import open_before, sites_left
from certify.certification.reports.events import ReportIssued
from certify.certification.reports.models import Approval, Finding, Report
from certify.certification.reports.operations import begin_draft
from certify.certification.reports.queries import (
    ISSUED,
    REPLACED,
    Draft,
    amended_of,
    draft_of,
    due_after_issue,
    findings_of,
    frame_of,
    label_of,
    newest_report,
    numbered,
    objection_until,
    open_sites,
    requirements_of,
    stored_items,
    survey_of,
)
from certify.certification.reports.reviewing import STEPS, move_on
from certify.certification.reports.visits import edition_of, visit_of
from certify.core.access.roles import Actor, Grant, Role
from certify.core.foundation import events
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Invalid, NotOpen


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
    due_on = due_after_issue(session, case, "correction_open", today)
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
    """Re-rate the requirements of earlier surveys by what a repeat survey saw.

    Met is closed, not met is carried on by the new survey's requirement; at a site the visit did not reach it stays open.
    """
    again = {f.element: f for f in findings_of(session, survey_id) if f.kind == "requirement" and f.status == "open"}
    for finding in open_before(session, case.id, survey_id):
        left = sites_left(finding, visit, again)
        if left == open_sites(finding):
            continue
        finding.seen_again, finding.updated_at = [site for site in finding.site_ids if site not in left], at
        successor = again.get(finding.element)
        if successor is not None:
            finding.carried_to_id = successor.id
            # At the sites it did not reach, the earlier requirement goes on beside its successor.
            finding.status = "open" if left else "carried"
            said = f"carried {label_of(finding)} on as {label_of(successor)}"
            record_on(session, case, "correction.carried", said, actor=actor, at=at, data={"still_open_at": left})
        elif left:
            said = f"found {label_of(finding)} met at the sites visited again; it stays open at the others"
            record_on(session, case, "correction.narrowed", said, actor=actor, at=at, data={"still_open_at": left})
        else:
            _close_as_seen(session, case, finding, actor=actor, at=at)
    session.flush()


def close_carried(session: Session, case: Case, successor: Finding, *, actor: Actor, at: datetime) -> None:
    """Close what was carried on as a requirement that an objection brought down: its sites were seen to be met after all."""
    for finding in requirements_of(session, case.id):
        if finding.carried_to_id == successor.id and finding.status == "carried":
            finding.updated_at = at
            _close_as_seen(session, case, finding, actor=actor, at=at)
    session.flush()


def _close_as_seen(session: Session, case: Case, finding: Finding, *, actor: Actor, at: datetime) -> None:
    finding.status, finding.closed_at = "closed", at
    finding.closed_on = local_date(at, zone_of(session, case))
    finding.closed_how, finding.closed_by_id = "repeat_survey", actor.user_id
    finding.closing_note = "Seen to be corrected at the repeat survey."
    said = f"closed {label_of(finding)} by the repeat survey"
    record_on(session, case, "correction.closed", said, actor=actor, at=at)


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


def _roles_of(trigger: str) -> frozenset[Grant]:
    role = (
        Role(STEPS[trigger][0]) if trigger in STEPS else Role.COUNCIL if trigger == "approve_report" else Role.SURVEYOR
    )
    return frozenset({Grant(role)})
