"""Pages of step 1 for the practice: overview, sections with autosave, agreement, webinar."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.applications.fields import read_posted, written
from certify.certification.applications.operations import (
    Clash,
    Posted,
    record_webinar,
    remove_webinar,
    save_answer,
    save_section,
    sign_agreement,
)
from certify.certification.applications.queries import (
    agreement_of,
    change_requests_of,
    editable,
    field_for,
    history_of,
    integration_of,
    next_section,
    open_questions,
    practice_record,
    proposal_of,
    question_for,
    questionnaire_of,
    section_for,
    sections_of,
    signature_of,
    signatures_of,
    webinar_for,
    webinar_valid_days,
    webinars_of,
)
from certify.certification.applications.review import ELIGIBILITY_RULES, INTEGRATION_BASES, reply_to_question
from certify.certification.applications.rules import webinar_counts
from certify.certification.cases.queries import actor_may, case_for, header_for, zone_of
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.web.edges import client_network, commits, current_actor, current_person, requires
from certify.platform.web.texts import unstorable

bp = Blueprint("applications", __name__)

MOST_REV = 2**31


@bp.get("/cases/<ref>/application")
@requires(Permission.VIEW_APPLICATION)
def overview(ref: str) -> ResponseReturnValue:
    """What the application consists of, how far each part is, and what the program checks."""
    return overview_page(ref, {}, (), 200)


@bp.get("/cases/<ref>/application/<section>")
@requires(Permission.VIEW_APPLICATION)
def show(ref: str, section: str) -> ResponseReturnValue:
    """One section of the questionnaire, to answer or to read."""
    return _section_page(ref, section, {}, (), [], 200)


@bp.post("/cases/<ref>/application/<section>")
@requires(Permission.EDIT_APPLICATION)
@commits
def save(ref: str, section: str) -> ResponseReturnValue:
    """Save the whole section, all or nothing, and go on; works without scripts."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    found, _states = section_for(db.session, case, section)
    posted = [
        Posted(field, read_posted(field, request.form.getlist), _rev(request.form.get(f"rev-{field.key}")))
        for field in found.fields
        if field.kind != "practice_record"
    ]
    raw = {one.field.key: one.raw for one in posted}
    try:
        clashes = save_section(db.session, case, posted, actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return _section_page(ref, section, raw, invalid.errors, [], 422)
    if clashes:
        db.session.rollback()
        errors = tuple(
            FieldError(c.field.key, f"{c.field.label}: {c.by_name} changed this meanwhile. Choose below.")
            for c in clashes
        )
        return _section_page(ref, section, raw, errors, clashes, 409)
    following = next_section(case, section)
    if request.form.get("add"):
        return redirect(
            url_for("applications.show", ref=ref, section=section, more=request.form["add"]) + f"#{request.form['add']}"
        )
    if following is None or request.form.get("then") == "overview":
        flash("The section is saved.")
        return redirect(url_for("applications.overview", ref=ref))
    return redirect(url_for("applications.show", ref=ref, section=following.key))


@bp.post("/cases/<ref>/application/answers")
@requires(Permission.EDIT_APPLICATION)
@commits
def autosave(ref: str) -> ResponseReturnValue:
    """Save one field as it is given; answers 409 with the other value when someone else changed it meanwhile."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("field"), str):
        raise Invalid("Send an object with field, value and rev.", "field")
    wrong = tuple(unstorable(body.get("value"), "value"))
    if wrong:
        raise Invalid(wrong)
    saved = save_answer(
        db.session, case, body["field"], body.get("value"), _rev(body.get("rev")), actor=actor, at=now()
    )
    if saved.clash is not None:
        return jsonify(_clash_json(saved.clash)), 409
    at = saved.at.isoformat() if saved.at else None
    return jsonify({"field": body["field"], "rev": saved.rev, "value": saved.value, "at": at, "by": saved.by_name})


@bp.get("/cases/<ref>/application/history/<field>")
@requires(Permission.VIEW_APPLICATION)
def field_history(ref: str, field: str) -> ResponseReturnValue:
    """Every value one field had."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    section, found = field_for(case, field)
    rows = [(change, written(found, change.value)) for change in history_of(db.session, case, field)]
    return render_template(
        "certification/applications/field_history.html", header=header_for(db.session, case, actor, now(), "application"), field=found,
        section=section, rows=rows,
    )  # fmt: skip


@bp.post("/cases/<ref>/application/questions/<int:question_id>")
@requires(Permission.EDIT_APPLICATION)
@commits
def reply(ref: str, question_id: int) -> ResponseReturnValue:
    """Answer a question of the program in words."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    question = question_for(db.session, case, question_id)
    section, _found = field_for(case, question.field)
    try:
        reply_to_question(db.session, case, question, request.form.get("reply", ""), actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return _section_page(ref, section.key, {}, invalid.errors, [], 422)
    flash("Your reply is noted at the field.")
    return redirect(url_for("applications.show", ref=ref, section=section.key) + f"#{question.field}")


@bp.get("/cases/<ref>/agreement")
@requires(Permission.VIEW_APPLICATION)
def agreement(ref: str) -> ResponseReturnValue:
    """The participation agreement: to read, to sign, and who signed it."""
    return _agreement_page(ref, {}, (), 200)


@bp.post("/cases/<ref>/agreement")
@requires(Permission.SIGN_AGREEMENT)
@commits
def sign(ref: str) -> ResponseReturnValue:
    """Sign the agreement in the page."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.SIGN_AGREEMENT, lock=True)
    given = {key: request.form.get(key, "").strip() for key in ("signer_name", "signer_title", "agreed", "sha256")}
    try:
        sign_agreement(
            db.session, case, name=given["signer_name"], title=given["signer_title"], agreed=given["agreed"] == "yes",
            shown_sha256=given["sha256"], address=client_network(), user_agent=request.user_agent.string, actor=actor, at=now(),
        )  # fmt: skip
    except Invalid as invalid:
        db.session.rollback()
        return _agreement_page(ref, given, invalid.errors, 422)
    flash("The agreement is signed. Your practice and the program can read it here at any time.")
    return redirect(url_for("applications.agreement", ref=ref))


@bp.get("/cases/<ref>/webinar")
@requires(Permission.VIEW_APPLICATION)
def webinar(ref: str) -> ResponseReturnValue:
    """Who of the practice attended the standards webinar, and whether that counts today."""
    return _webinar_page(ref, {}, (), 200)


@bp.post("/cases/<ref>/webinar")
@requires(Permission.RECORD_WEBINAR)
@commits
def add_webinar(ref: str) -> ResponseReturnValue:
    """Record one attendance."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.RECORD_WEBINAR, lock=True)
    given = {key: request.form.get(key, "").strip() for key in ("person_name", "attended_on")}
    try:
        record_webinar(
            db.session,
            case,
            person_name=given["person_name"],
            attended_on=read_day(given["attended_on"]),
            actor=actor,
            at=now(),
        )
    except Invalid as invalid:
        db.session.rollback()
        return _webinar_page(ref, given, invalid.errors, 422)
    flash(f"It is recorded that {given['person_name']} attended.")
    return redirect(url_for("applications.webinar", ref=ref))


@bp.post("/cases/<ref>/webinar/<int:attendance_id>/remove")
@requires(Permission.RECORD_WEBINAR)
@commits
def drop_webinar(ref: str, attendance_id: int) -> ResponseReturnValue:
    """Take one record back."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.RECORD_WEBINAR, lock=True)
    remove_webinar(db.session, case, webinar_for(db.session, case, attendance_id), actor=actor, at=now())
    flash("The record is removed; it stays in the history.")
    return redirect(url_for("applications.webinar", ref=ref))


def overview_page(ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    """Render the overview; the program's forms on it come back here when refused."""
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    record = practice_record(db.session, case)
    today = local_date(at, record.practice.time_zone)
    questionnaire, asked = questionnaire_of(case), open_questions(db.session, case)
    places = {field.key: (section, field) for section in questionnaire.sections for field in section.fields}
    reviews = actor_may(db.session, case, actor, Permission.REVIEW_APPLICATION)
    may_edit = actor_may(db.session, case, actor, Permission.EDIT_APPLICATION)
    webinars = webinars_of(db.session, case.practice_id)
    page = render_template(
        "certification/applications/overview.html",
        header=header_for(db.session, case, actor, at, "application"),
        case=case,
        given=given,
        errors=errors,
        messages={e.field: e.message for e in errors},
        questionnaire=questionnaire,
        sections=sections_of(db.session, case, asked),
        editable=editable(case) and may_edit,
        open_to_practice=editable(case),
        record=record,
        signature=signature_of(db.session, case),
        webinars=webinars,
        webinar_counts=any(webinar_counts(row.attended_on, today, webinar_valid_days()) for row in webinars),
        questions=[(q, *places[q.field]) for q in asked if q.field in places],
        requests=change_requests_of(db.session, case) if not editable(case) else (),
        places=places,
        reviews=reviews,
        proposal=proposal_of(db.session, case) if reviews else None,
        finding=integration_of(db.session, case) if reviews else None,
        rules=ELIGIBILITY_RULES,
        bases=INTEGRATION_BASES,
        me=actor.user_id,
        may_reject=any(t.trigger == "reject" for t in current().machine(case.kind).leaving(case.state)),
        editions=current().editions_open_on(today),
        edition=current().editions[case.edition],
        may_edit=may_edit,
    )
    return page, status


def _section_page(
    ref: str, section: str, raw: dict[str, Any], errors: tuple[FieldError, ...], clashes: list[Clash], status: int
) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    found, states = section_for(db.session, case, section)
    may_edit = editable(case) and actor_may(db.session, case, actor, Permission.EDIT_APPLICATION)
    page = render_template(
        "certification/applications/section.html", header=header_for(db.session, case, actor, at, "application"), section=found,
        states=states, raw=raw, errors=errors, messages={e.field: e.message for e in errors}, clashes={c.field.key: c for c in clashes},
        editable=may_edit, sections=sections_of(db.session, case), following=next_section(case, section),
        record=practice_record(db.session, case), more=request.args.get("more", ""), person=current_person().person_id,
        open_to_practice=editable(case), may_ask=actor_may(db.session, case, actor, Permission.EDIT_APPLICATION),
    )  # fmt: skip
    return page, status


def _agreement_page(
    ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int
) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    page = render_template(
        "certification/applications/agreement.html", header=header_for(db.session, case, actor, at, "application"), given=given,
        errors=errors, messages={e.field: e.message for e in errors}, agreement=agreement_of(case), signature=signature_of(db.session, case),
        earlier=signatures_of(db.session, case), may_sign=editable(case) and actor_may(db.session, case, actor, Permission.SIGN_AGREEMENT),
        actor=actor, today=local_date(at, zone_of(db.session, case)),
    )  # fmt: skip
    return page, status


def _webinar_page(ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    today, days = local_date(at, zone_of(db.session, case)), webinar_valid_days()
    rows = webinars_of(db.session, case.practice_id)
    page = render_template(
        "certification/applications/webinar.html", header=header_for(db.session, case, actor, at, "application"), given=given, errors=errors,
        messages={e.field: e.message for e in errors}, rows=[(r, webinar_counts(r.attended_on, today, days)) for r in rows], today=today, days=days,
        unmet=not any(webinar_counts(r.attended_on, today, days) for r in rows),
        may_record=actor_may(db.session, case, actor, Permission.RECORD_WEBINAR),
    )  # fmt: skip
    return page, status


def read_day(text: str) -> date | None:
    """Return a day as typed, None when empty. Raises: Invalid."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("Write the day like 2026-09-15.", "attended_on") from None


def _rev(value: Any) -> int:
    try:
        rev = int(value or 0)
    except (TypeError, ValueError):
        raise Invalid(
            "The page is incomplete: it does not say which answer you saw. Reload it and try again.", "rev"
        ) from None
    if isinstance(value, bool | float) or not 0 <= rev < MOST_REV:
        raise Invalid("The page is incomplete: it does not say which answer you saw. Reload it and try again.", "rev")
    return rev


def _clash_json(clash: Clash) -> dict[str, Any]:
    return {
        "field": clash.field.key, "label": clash.field.label,
        "mine": {"value": clash.mine, "words": clash.mine_words},
        "theirs": {"value": clash.theirs, "words": clash.theirs_words, "rev": clash.theirs_rev, "by": clash.by_name, "at": clash.at.isoformat()},
    }  # fmt: skip
