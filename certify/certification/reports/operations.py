"""Writes of the draft report: its findings, which follow the answers, and the texts that people write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.reports.drafting import Visit, draft_requirements, fingerprint
from certify.certification.reports.models import (
    Finding,
    Report,
    ReportNote,
)
from certify.certification.reports.queries import (
    DRAFT,
    amended_of,
    draft_of,
    findings_of,
    newest_report,
    risk_of,
    survey_of,
)
from certify.certification.reports.severity import read_risk
from certify.certification.reports.visits import newest_survey, visit_of
from certify.certification.surveys.ops import Op
from certify.certification.surveys.queries import survey_for
from certify.certification.surveys.sync import say
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotFound, NotOpen, Stale
from certify.core.foundation.ids import new_uuid
from certify.core.rulebook.current import current

MAX_TEXT = 5000
REMARKS = ("strength", "recommendation")


def begin_draft(session: Session, case: Case, *, actor: Actor, at: datetime) -> Report:
    """Make the draft report of the survey that was just finished; a second call gives the one there is."""
    survey = newest_survey(session, case.id)
    if survey is None:
        raise NotOpen("A report is drafted when the survey is finished.")
    report = newest_report(session, case.id)
    if report is not None and report.survey_id == survey.id:
        return report
    report = Report(case_id=case.id, survey_id=survey.id, number=1, state=DRAFT, created_at=at)
    session.add(report)
    session.flush()
    follow_answers(session, report, visit_of(session, survey), at=at)
    return report


def follow_answers(session: Session, report: Report, visit: Visit, *, at: datetime) -> None:
    """Bring the stored findings in line with the answers: texts that a person wrote are kept, all else follows."""
    findings = findings_of(session, report.survey_id)
    _follow_requirements(session, report, visit, [f for f in findings if f.kind == "requirement"], at=at)
    _follow_remarks(session, report, visit, [f for f in findings if f.kind != "requirement" and f.source], at=at)
    session.flush()


def write_summary(session: Session, case: Case, text: str, *, actor: Actor, at: datetime) -> Report:
    """Save the surveyor's own words for page 1. Raises: NotOpen, Invalid."""
    report = open_draft(session, case)
    before, report.summary = report.summary, checked_text("summary", text, needed=False)
    if report.summary != before:
        record_on(session, case, "report.summary", "wrote the summary of the report", actor=actor, at=at, internal=True)
    session.flush()
    return report


def write_requirement(
    session: Session, case: Case, element: str, text: str, *, actor: Actor, at: datetime, version: int | None = None
) -> Finding:
    """Save a requirement's text; an empty one lets it follow the answers again.

    Raises: NotOpen, NotFound when the element is met, Stale when someone saved after `version`, Invalid.
    """
    report = open_draft(session, case)
    draft = draft_of(session, report)
    item = next((i for i in draft.items if i.kind == "requirement" and i.element == element), None)
    if item is None:
        raise NotFound(f"{element} is met, so there is no requirement for it.")
    follow_answers(session, report, draft.visit, at=at)
    row = next(f for f in findings_of(session, report.survey_id) if f.kind == "requirement" and f.element == element)
    _write_text(
        session,
        case,
        row,
        checked_text(f"e{element}", text, needed=False),
        item.fresh_text,
        version,
        actor=actor,
        at=at,
    )
    return row


def add_remark(
    session: Session,
    case: Case,
    kind: str,
    standard: str,
    site_ids: Sequence[int],
    text: str,
    *,
    actor: Actor,
    at: datetime,
) -> Finding:
    """Add a strength or a recommendation to the draft. Raises: NotOpen, Invalid."""
    report = open_draft(session, case)
    visit = visit_of(session, survey_of(session, report))
    errors = []
    if kind not in REMARKS:
        errors.append(FieldError("kind", "Choose strength or recommendation."))
    if standard not in {s.code for s in visit.standards}:
        errors.append(FieldError("standard", "Choose a standard of this survey."))
    unknown = [s for s in site_ids if s not in visit.sites]
    if unknown:
        errors.append(FieldError("sites", "Choose among the sites visited."))
    if not text.strip():
        errors.append(FieldError("text", "Write what you want to say."))
    if errors:
        raise Invalid(errors)
    finding = Finding(
        case_id=case.id, survey_id=report.survey_id, kind=kind, standard=standard, site_ids=list(site_ids) or list(visit.sites),
        text=checked_text("text", text), edited=True, status="draft", created_at=at, updated_at=at,
    )  # fmt: skip
    session.add(finding)
    session.flush()
    record_on(
        session, case, "report.remark_added", f"added a {kind} on {standard} to the draft report", actor=actor, at=at,
        subject=f"/cases/{case.ref}/report#f{finding.id}", data={"after": finding.text}, internal=True,
    )  # fmt: skip
    return finding


def write_remark(
    session: Session, case: Case, finding_id: int, text: str, *, actor: Actor, at: datetime, version: int | None = None
) -> Finding:
    """Save the text of a strength or recommendation. Raises: NotOpen, NotFound, Stale, Invalid."""
    row = _remark_for(session, case, finding_id)
    _write_text(session, case, row, checked_text(f"f{finding_id}", text), "", version, actor=actor, at=at)
    return row


def drop_remark(session: Session, case: Case, finding_id: int, *, actor: Actor, at: datetime) -> None:
    """Take a strength or recommendation out of the draft; one that came from the checklist stays out."""
    row = _remark_for(session, case, finding_id)
    record_on(
        session, case, "report.remark_dropped", f"took a {row.kind} on {row.standard} out of the draft report", actor=actor, at=at,
        data={"before": row.text}, internal=True,
    )  # fmt: skip
    if row.source:
        row.status, row.updated_at = "dropped", at
    else:
        session.delete(row)
    session.flush()


def place_finding(session: Session, case: Case, element: str, place: str, *, actor: Actor, at: datetime) -> None:
    """Place a requirement of the draft in the matrix, at every site where it is not met.

    The place is an answer of the survey like any other, so it goes into the survey's journal.
    Args:
        place: `high/pattern`, or empty to take the place back.
    Raises: NotOpen, NotFound when the element is met, Invalid for what is no place of the matrix.
    """
    report = open_draft(session, case)
    item = next((i for i in draft_of(session, report).items if i.kind == "requirement" and i.element == element), None)
    if item is None:
        raise NotFound(f"{element} is met, so there is no requirement for it.")
    harm, _, scope = place.partition("/")
    risk = read_risk(current().survey, {"harm": harm, "scope": scope})
    if place and risk is None:
        raise Invalid("Choose a place of the matrix.", f"place-{element}")
    if risk == item.risk:
        return
    opened = survey_for(session, actor, report.survey_id, Permission.CONDUCT_SURVEY, lock=True)
    value = {"harm": risk.harm, "scope": risk.scope} if risk else None
    device = new_uuid()
    for site in item.site_ids:
        op = Op(new_uuid(), site, element, "risk", value, opened.survey.seq, at)
        say(session, opened, op, device, by=actor.name, by_id=actor.user_id, actor=actor, at=at)
    session.flush()
    record_on(
        session, case, "report.placed", f"placed the requirement on {element} by harm and scope", actor=actor, at=at,
        subject=f"/cases/{case.ref}/report?standard={item.standard}", internal=True,
        data={"before": item.risk._asdict() if item.risk else None, "after": value},
    )  # fmt: skip


def tell_note(
    session: Session, case: Case, note: str, standard: str, *, told: bool, actor: Actor, at: datetime
) -> None:
    """Tell a note of the survey under a standard it is about, or no longer. Raises: NotOpen, NotFound."""
    report = open_draft(session, case)
    visit = visit_of(session, survey_of(session, report))
    found = next((n for n in visit.notes if n.uuid == note), None)
    known = next((s for s in visit.standards if s.code == standard), None)
    if found is None or known is None or not found.concerns(known):
        raise NotFound("There is no such note on this standard.")
    row = session.scalar(
        select(ReportNote).where(
            ReportNote.survey_id == report.survey_id, ReportNote.note == note, ReportNote.standard == standard
        )
    )
    if told == (row is not None):
        return
    if row is None:
        session.add(ReportNote(survey_id=report.survey_id, note=note, standard=standard, by_id=actor.user_id, at=at))
    else:
        session.delete(row)
    session.flush()
    record_on(
        session, case, "report.note_told" if told else "report.note_left_out",
        f"{'put a note of the survey into' if told else 'took a note of the survey out of'} the draft report on {standard}",
        actor=actor, at=at, subject=f"/cases/{case.ref}/report?standard={standard}", data={"note": note}, internal=True,
    )  # fmt: skip


def open_draft(session: Session, case: Case) -> Report:
    """Return the report while its surveyor may write it. Raises: NotOpen."""
    report = newest_report(session, case.id)
    if report is None or report.state != DRAFT:
        raise NotOpen("The report is not open for writing: it is with the reviewers, or issued.")
    return report


def prepare_submit(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `submit_report`: store every finding as the answers and the surveyor's texts make it."""
    report = open_draft(session, case)
    draft = draft_of(session, report)
    follow_answers(session, report, draft.visit, at=at)
    report.answers_sha256, report.submitted_at = fingerprint(draft.visit), at


def _follow_requirements(
    session: Session, report: Report, visit: Visit, rows: Sequence[Finding], *, at: datetime
) -> None:
    known = {row.element: row for row in rows}
    for drafted in draft_requirements(visit):
        row = known.pop(drafted.element, None)
        if row is None:
            row = Finding(
                case_id=report.case_id, survey_id=report.survey_id, kind="requirement", standard=drafted.standard, element=drafted.element,
                status="draft", edited=False, text="", site_ids=[], created_at=at, updated_at=at,
            )  # fmt: skip
            session.add(row)
        text = row.text if row.edited else drafted.text
        if (row.text, tuple(row.site_ids), risk_of(row)) != (text, drafted.site_ids, drafted.risk):
            row.text, row.site_ids, row.updated_at = text, list(drafted.site_ids), at
            row.harm = drafted.risk.harm if drafted.risk else ""
            row.scope = drafted.risk.scope if drafted.risk else ""
    for row in known.values():
        session.delete(row)


def _follow_remarks(session: Session, report: Report, visit: Visit, rows: Sequence[Finding], *, at: datetime) -> None:
    known = {row.source: row for row in rows}
    for remark in visit.remarks:
        row = known.pop(remark.source, None)
        if row is None:
            row = Finding(
                case_id=report.case_id, survey_id=report.survey_id, kind=remark.kind, standard=remark.standard, element="", source=remark.source,
                status="draft", edited=False, text="", site_ids=[], created_at=at, updated_at=at,
            )  # fmt: skip
            session.add(row)
        text = row.text if row.edited else remark.text
        if (row.text, tuple(row.site_ids)) != (text, remark.site_ids):
            row.text, row.site_ids, row.updated_at = text, list(remark.site_ids), at
    for row in known.values():
        session.delete(row)


def _remark_for(session: Session, case: Case, finding_id: int) -> Finding:
    report = open_draft(session, case)
    survey = survey_of(session, report)
    follow_answers(
        session, report, visit_of(session, survey, amended_of(findings_of(session, survey.id))), at=report.created_at
    )
    row = session.get(Finding, finding_id)
    if row is None or row.survey_id != report.survey_id or row.kind not in REMARKS or row.status == "dropped":
        raise NotFound("There is no such entry in this report.")
    return row


def _write_text(
    session: Session,
    case: Case,
    row: Finding,
    text: str,
    fresh: str,
    version: int | None,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    if version is not None and version != row.version and text != row.text:
        raise Stale("Someone else saved this text after you opened it. Open the page again to see both.")
    before = row.text
    edited = bool(text) and text != fresh
    new = text if edited else fresh
    if (new, edited) == (before, row.edited):
        return
    row.text, row.edited, row.updated_at = new, edited, at
    session.flush()
    if new != before:
        about = row.element or row.standard
        record_on(
            session, case, "report.text_written", f"changed the text of a {row.kind} on {about} in the draft report", actor=actor, at=at,
            subject=f"/cases/{case.ref}/report#f{row.id}", data={"before": before, "after": new}, internal=True,
        )  # fmt: skip


def checked_text(field: str, raw: str, *, needed: bool = True) -> str:
    text = raw.replace("\r\n", "\n").strip()
    if needed and not text:
        raise Invalid("Write what you want to say.", field)
    if len(text) > MAX_TEXT:
        raise Invalid(f"This is {len(text):,} characters; at most {MAX_TEXT:,} fit.", field)
    if any(ord(c) < 32 and c not in "\n\t" for c in text):
        raise Invalid("The text holds control characters; type it again as plain text.", field)
    return text
