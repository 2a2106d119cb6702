"""Pages of the survey report: writing, reviewing, reading, objecting."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.memory import remember_reads
from certify.certification.cases.queries import actor_may, case_for, header_for, zone_of
from certify.certification.reports.history import audit_page
from certify.certification.reports.models import Report
from certify.certification.reports.objections import answer_objection, object_to, objection_items
from certify.certification.reports.operations import (
    add_remark,
    drop_remark,
    place_finding,
    tell_note,
    write_remark,
    write_requirement,
    write_summary,
)
from certify.certification.reports.queries import list_issued, newest_report, objection_for, survey_of
from certify.certification.reports.reviewing import comment, record_reading, settle_comment, state_conflict
from certify.certification.reports.views import draft_page, issued_page, report_shown, review_page
from certify.certification.surveys.blindfold import blindfolded, closed_until_scored
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.db import db
from certify.platform.web.access import wants_problem
from certify.platform.web.edges import commits, current_actor, records_reading, requires
from certify.platform.web.formats import day

bp = Blueprint("reports", __name__)


@bp.app_template_filter("iso_day")
def iso_day(text: str) -> str:
    """Write a date that stands as ISO text in a frozen report the way all pages write dates."""
    return day(date.fromisoformat(text[:10]))


@bp.get("/cases/<ref>/report")
@requires(Permission.VIEW_REPORT)
@records_reading
def show(ref: str) -> ResponseReturnValue:
    """The report as the person may see it now: to write, to review, or as issued; each reading of an issued one is logged."""
    remember_reads(db.session)
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_REPORT)
    header = header_for(db.session, case, actor, at, "report")
    sees_draft = actor_may(db.session, case, actor, Permission.VIEW_DRAFT_REPORT)
    report = report_shown(db.session, case, request.args.get("version", type=int), sees_draft)
    if report is None:
        return render_template("certification/reports/waiting.html", header=header)
    if report.issued_at is None and blindfolded(db.session, report.survey_id, actor):
        return redirect(url_for("calibration.sheet", survey_id=report.survey_id))
    if report.issued_at is not None:
        record_reading(db.session, case, report, actor=actor, at=at)
        return _read_page(ref, report, header)
    if report.state == "draft" and actor_may(db.session, case, actor, Permission.WRITE_REPORT):
        draft = draft_page(db.session, case, report, _domain(), request.args.get("standard", ""))
        return render_template("certification/reports/write.html", header=header, page=draft)
    page = review_page(db.session, case, report, actor)
    may_comment = actor_may(db.session, case, actor, Permission.REVIEW_REPORT) and report.state != "draft"
    may_decide = actor_may(db.session, case, actor, Permission.DECIDE)
    return render_template(
        "certification/reports/review.html", header=header, page=page, may_comment=may_comment, may_decide=may_decide
    )


@bp.get("/cases/<ref>/report/audit")
@requires(Permission.VIEW_DRAFT_REPORT)
def audit(ref: str) -> ResponseReturnValue:
    """How the newest report came about: signatures, differences of surveyors, hands, seals."""
    remember_reads(db.session)
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_DRAFT_REPORT)
    header = header_for(db.session, case, actor, at, "report")
    report = newest_report(db.session, case.id)
    if report is None:
        return render_template("certification/reports/waiting.html", header=header)
    if blindfolded(db.session, report.survey_id, actor):
        raise closed_until_scored(report.survey_id)
    page = audit_page(db.session, report, survey_of(db.session, report), list_issued(db.session, case.id))
    return render_template("certification/reports/audit.html", header=header, page=page)


@bp.post("/cases/<ref>/report/summary")
@requires(Permission.WRITE_REPORT)
@commits
def summary(ref: str) -> ResponseReturnValue:
    """Save the summary of page 1."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    report = write_summary(db.session, case, request.form.get("summary", ""), actor=current_actor(), at=now())
    return _saved(ref, report.version, "summary")


@bp.post("/cases/<ref>/report/requirements/<element>")
@requires(Permission.WRITE_REPORT)
@commits
def requirement(ref: str, element: str) -> ResponseReturnValue:
    """Save the text of the requirement of one element."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    text = request.form.get("text", "")
    row = write_requirement(db.session, case, element, text, actor=current_actor(), at=now(), version=_version())
    return _saved(ref, row.version, f"e{element}", row.standard)


@bp.post("/cases/<ref>/report/requirements/<element>/place")
@requires(Permission.WRITE_REPORT)
@commits
def place(ref: str, element: str) -> ResponseReturnValue:
    """Place a requirement in the matrix of severity and scope."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    place_finding(db.session, case, element, request.form.get("place", ""), actor=current_actor(), at=now())
    flash("Placed.")
    standard = element.rpartition(".")[0]
    return redirect(url_for("reports.show", ref=ref, standard=standard or None, _anchor=f"e{element}"))


@bp.post("/cases/<ref>/report/remarks")
@requires(Permission.WRITE_REPORT)
@commits
def remark_add(ref: str) -> ResponseReturnValue:
    """Add a strength or a recommendation."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    form = request.form
    sites = [int(s) for s in form.getlist("sites") if s.isascii() and s.isdigit() and len(s) < 10]
    row = add_remark(
        db.session,
        case,
        form.get("kind", ""),
        form.get("standard", ""),
        sites,
        form.get("text", ""),
        actor=current_actor(),
        at=now(),
    )
    return _saved(ref, row.version, f"f{row.id}", row.standard)


@bp.post("/cases/<ref>/report/remarks/<int(max=2147483647):finding_id>")
@requires(Permission.WRITE_REPORT)
@commits
def remark_write(ref: str, finding_id: int) -> ResponseReturnValue:
    """Save the text of a strength or a recommendation."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    row = write_remark(
        db.session, case, finding_id, request.form.get("text", ""), actor=current_actor(), at=now(), version=_version()
    )
    return _saved(ref, row.version, f"f{row.id}", row.standard)


@bp.post("/cases/<ref>/report/remarks/<int(max=2147483647):finding_id>/drop")
@requires(Permission.WRITE_REPORT)
@commits
def remark_drop(ref: str, finding_id: int) -> ResponseReturnValue:
    """Take a strength or a recommendation out."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    drop_remark(db.session, case, finding_id, actor=current_actor(), at=now())
    flash("Taken out of the report.")
    return redirect(url_for("reports.show", ref=ref, domain=_domain()))


@bp.post("/cases/<ref>/report/notes/<note>")
@requires(Permission.WRITE_REPORT)
@commits
def note_tell(ref: str, note: str) -> ResponseReturnValue:
    """Tell a note of the survey under a standard, or leave it out."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    standard = request.form.get("standard", "")
    told = request.form.get("told") == "yes"
    tell_note(db.session, case, note, standard, told=told, actor=current_actor(), at=now())
    flash("The report tells it." if told else "Left out of the report. The note stays with the survey.")
    return redirect(url_for("reports.show", ref=ref, standard=standard or None, _anchor=f"s{standard}"))


@bp.post("/cases/<ref>/report/comments")
@requires(Permission.REVIEW_REPORT)
@commits
def comment_add(ref: str) -> ResponseReturnValue:
    """Leave a comment for the surveyor."""
    case = case_for(db.session, current_actor(), ref, Permission.REVIEW_REPORT, lock=True)
    form = request.form
    left = comment(
        db.session, case, form.get("text", ""), actor=current_actor(), at=now(),
        finding_id=form.get("finding", type=int), standard=form.get("standard", ""),
    )  # fmt: skip
    flash("Your comment is kept. The surveyor and the reviewers read it; the practice does not.")
    return redirect(url_for("reports.show", ref=ref, _anchor=f"c{left.id}"))


@bp.post("/cases/<ref>/report/comments/<int(max=2147483647):comment_id>/settle")
@requires(Permission.WRITE_REPORT)
@commits
def comment_settle(ref: str, comment_id: int) -> ResponseReturnValue:
    """Mark a comment as dealt with."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_REPORT, lock=True)
    settle_comment(db.session, case, comment_id, actor=current_actor(), at=now())
    return redirect(url_for("reports.show", ref=ref, domain=_domain()))


@bp.post("/cases/<ref>/report/conflict")
@requires(Permission.DECIDE)
@commits
def conflict(ref: str) -> ResponseReturnValue:
    """A council member answers the conflict question."""
    case = case_for(db.session, current_actor(), ref, Permission.DECIDE, lock=True)
    form = request.form
    state_conflict(
        db.session, case, form.get("conflict", ""), form.get("conflict_detail", ""), actor=current_actor(), at=now()
    )
    flash("Your answer is kept with the case.")
    return redirect(url_for("reports.show", ref=ref))


@bp.post("/cases/<ref>/report/objections")
@requires(Permission.OBJECT_TO_REPORT)
@commits
def objection_add(ref: str) -> ResponseReturnValue:
    """The practice says which fact is wrong."""
    case = case_for(db.session, current_actor(), ref, Permission.OBJECT_TO_REPORT, lock=True)
    made = object_to(
        db.session, case, request.form.get("item", ""), request.form.get("text", ""), actor=current_actor(), at=now()
    )
    flash("Your objection is with the program. You will be told how it is answered.")
    return redirect(url_for("reports.show", ref=ref, _anchor=f"o{made.id}"))


@bp.post("/cases/<ref>/report/objections/<int(max=2147483647):objection_id>/answer")
@requires(Permission.ANSWER_OBJECTION)
@commits
def objection_answer(ref: str, objection_id: int) -> ResponseReturnValue:
    """The program accepts or declines an objection."""
    case = case_for(db.session, current_actor(), ref, Permission.ANSWER_OBJECTION, lock=True)
    objection = objection_for(db.session, case, objection_id)
    form = request.form
    answer_objection(
        db.session, case, objection, form.get("outcome", ""), form.get("answer", ""), actor=current_actor(), at=now(),
        new_text=form.get("new_text", ""),
    )  # fmt: skip
    flash(
        "Answered. The practice is told."
        if objection.state == "declined"
        else "Accepted. A new version of the report is issued."
    )
    return redirect(url_for("reports.show", ref=ref, _anchor=f"o{objection.id}"))


def _read_page(ref: str, report: Report, header: Any) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_REPORT)
    page = issued_page(db.session, case, report, local_date(at, zone_of(db.session, case)))
    may_object = page.objection_open and actor_may(db.session, case, actor, Permission.OBJECT_TO_REPORT)
    may_answer = actor_may(db.session, case, actor, Permission.ANSWER_OBJECTION)
    return render_template(
        "certification/reports/read.html", header=header, page=page, may_object=may_object, may_answer=may_answer,
        sees_draft=actor_may(db.session, case, actor, Permission.VIEW_DRAFT_REPORT),
        items=objection_items(db.session, report) if may_object else [],
    )  # fmt: skip


def _domain() -> int | None:
    return request.args.get("domain", type=int)


def _version() -> int | None:
    return request.form.get("version", type=int)


def _saved(ref: str, version: int, anchor: str, standard: str = "") -> ResponseReturnValue:
    """Answer a save: a page that saves by itself gets the new version, a form leads back to where it stood."""
    if wants_problem():
        return jsonify({"version": version, "saved_at": now().isoformat()})
    flash("Saved.")
    return redirect(url_for("reports.show", ref=ref, standard=standard or None, _anchor=anchor))
