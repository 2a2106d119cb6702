"""Pages of surveyors: the staff's list, a profile, and the conflict question put to the proposed surveyor."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import case_for
from certify.certification.surveyors.forms import AbsenceForm, ProfileForm, trained_days
from certify.certification.surveyors.further import Signed, answer_further, drop_further, propose_further
from certify.certification.surveyors.operations import (
    add_absence,
    add_tie,
    conflict_answers,
    declare,
    remove_absence,
    save_surveyor,
)
from certify.certification.surveyors.queries import (
    RefusedAnswers,
    case_of_question,
    conflict_question_for,
    list_surveyors,
    people_without_profile,
    profile_of_person,
    refused_answers,
    surveyor_for,
    ties_of,
)
from certify.certification.surveyors.rules import GROUNDS, QUALIFICATIONS, QUESTIONS, STATEMENT
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.identity.queries import person_for
from certify.platform.practices.queries import practice_for
from certify.platform.web.edges import client_network, commits, current_actor, requires
from certify.platform.web.forms import posted_version

bp = Blueprint("surveyors", __name__)


@bp.get("/surveyors")
@requires(Permission.MANAGE_SURVEYORS)
def index() -> ResponseReturnValue:
    """All surveyors with load, qualification and absences; who holds the role without a profile."""
    today = now().date()
    return render_template(
        "certification/surveyors/index.html", rows=list_surveyors(db.session, today), waiting=people_without_profile(db.session),
        qualifications=QUALIFICATIONS, today=today,
    )  # fmt: skip


@bp.get("/surveyors/people/<int(max=2147483647):person_id>")
@requires(Permission.MANAGE_SURVEYORS)
def edit(person_id: int) -> ResponseReturnValue:
    """One surveyor's profile, absences and conflicts on record."""
    profile = profile_of_person(db.session, person_id)
    form = ProfileForm(formdata=None, obj=profile, active=True if profile is None else profile.active)
    return _page(person_id, form)


@bp.post("/surveyors/people/<int(max=2147483647):person_id>")
@requires(Permission.MANAGE_SURVEYORS)
@commits
def save(person_id: int) -> ResponseReturnValue:
    """Store the profile."""
    form = ProfileForm()
    if not form.validate():
        return _page(person_id, form), 422
    trained = trained_days(request.form, list(current().editions))
    version = posted_version() if profile_of_person(db.session, person_id) else None
    save_surveyor(db.session, person_id, form.profile(trained), actor=current_actor(), at=now(), version=version)
    flash("Profile saved.")
    return redirect(url_for("surveyors.edit", person_id=person_id))


@bp.post("/surveyors/<int(max=2147483647):surveyor_id>/absences")
@requires(Permission.MANAGE_SURVEYORS)
@commits
def absent(surveyor_id: int) -> ResponseReturnValue:
    """Note an absence."""
    row = surveyor_for(db.session, surveyor_id, now().date())
    form = AbsenceForm()
    first, last = form.from_on.data, form.to_on.data
    if not form.validate() or first is None or last is None:
        raise Invalid(form.field_errors())
    add_absence(db.session, row.surveyor, first, last, form.note.data or "", actor=current_actor(), at=now())
    flash("Absence noted.")
    return redirect(url_for("surveyors.edit", person_id=row.surveyor.person_id))


@bp.post("/surveyors/<int(max=2147483647):surveyor_id>/absences/<int(max=2147483647):absence_id>/remove")
@requires(Permission.MANAGE_SURVEYORS)
@commits
def present(surveyor_id: int, absence_id: int) -> ResponseReturnValue:
    """Take an absence back."""
    row = surveyor_for(db.session, surveyor_id, now().date())
    remove_absence(db.session, row.surveyor, absence_id, actor=current_actor(), at=now())
    flash("Absence taken back.")
    return redirect(url_for("surveyors.edit", person_id=row.surveyor.person_id))


@bp.post("/surveyors/<int(max=2147483647):surveyor_id>/ties")
@requires(Permission.MANAGE_SURVEYORS)
@commits
def tie(surveyor_id: int) -> ResponseReturnValue:
    """Put a conflict of interest on record."""
    actor, today = current_actor(), now().date()
    row = surveyor_for(db.session, surveyor_id, today)
    number = request.form.get("practice", "").strip()
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise Invalid("Give the practice's number; it stands in the address of the practice's page.", "practice")
    practice = practice_for(db.session, actor, int(number))
    ended_on = _day(request.form.get("ended_on", ""), "ended_on")
    ground, note = request.form.get("ground", ""), request.form.get("note", "")[:2000]
    add_tie(db.session, row.surveyor, practice.id, ground, note, on=today, ended_on=ended_on, actor=actor, at=now())
    flash("Conflict of interest put on record.")
    return redirect(url_for("surveyors.edit", person_id=row.surveyor.person_id))


@bp.get("/cases/<ref>/conflict")
@requires(Permission.ANSWER_CONFLICT)
def conflict(ref: str) -> ResponseReturnValue:
    """The question put to the proposed surveyor: only the practice's name, city and sites, not the case."""
    return _conflict_page(ref)


@bp.post("/cases/<ref>/conflict")
@requires(Permission.ANSWER_CONFLICT)
@commits
def answer_conflict(ref: str) -> ResponseReturnValue:
    """Sign the proposed surveyor's answers."""
    try:
        return _answered(ref)
    except Invalid as wrong:
        db.session.rollback()
        return _conflict_page(ref, refused_answers(request.form, wrong)), 422


def _answered(ref: str) -> ResponseReturnValue:
    actor = current_actor()
    case = case_of_question(db.session, actor, ref)
    proposal = conflict_question_for(db.session, actor, ref).proposal
    if proposal.further:
        given = answer_further(db.session, case, proposal.id, _signed(), actor=actor, at=now())
        flash("Thank you. " + ("The case opens to you once the practice has declared as well." if given.none else "The program asks someone else."))  # fmt: skip
        return redirect("/my-surveys")
    declaration = declare(
        db.session, case, answers=conflict_answers(request.form), detail=request.form.get("detail", "")[:5000],
        signed_name=request.form.get("signed_name", "")[:200], address=client_network(), actor=actor, at=now(),
    )  # fmt: skip
    if declaration.none:
        flash("Thank you. The case opens to you once the practice has declared as well.")
    else:
        flash("Thank you. The program proposes someone else.")
    return redirect("/my-surveys")


@bp.post("/cases/<ref>/survey/further")
@requires(Permission.PLAN_SURVEY)
@commits
def add_surveyor(ref: str) -> ResponseReturnValue:
    """Propose one more surveyor for the visit; both sides are asked first."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.PLAN_SURVEY, lock=True)
    number = request.form.get("surveyor", "")
    person = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    propose_further(db.session, case, person, request.form.get("reason", "")[:2000], actor=actor, at=now())
    flash("Proposed. The surveyor and the practice are asked about conflicts of interest.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="further"))


@bp.post("/cases/<ref>/survey/further/<int(max=2147483647):proposal_id>/conflict")
@requires(Permission.ANSWER_CONFLICT)
@commits
def answer_about_further(ref: str, proposal_id: int) -> ResponseReturnValue:
    """Sign the practice's answers about a further surveyor."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ANSWER_CONFLICT, lock=True)
    given = answer_further(db.session, case, proposal_id, _signed(), actor=actor, at=now())
    flash("Signed and kept." if given.none else "Signed and kept. The program asks someone else.")
    return redirect(url_for("surveys.planning", ref=ref))


@bp.post("/cases/<ref>/survey/further/<int(max=2147483647):proposal_id>/drop")
@requires(Permission.PLAN_SURVEY)
@commits
def drop_surveyor(ref: str, proposal_id: int) -> ResponseReturnValue:
    """Ask no longer about a further surveyor."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.PLAN_SURVEY, lock=True)
    drop_further(db.session, case, proposal_id, actor=actor, at=now())
    flash("Nobody is asked about this surveyor any more.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="further"))


def _conflict_page(ref: str, refused: RefusedAnswers | None = None) -> str:
    question = conflict_question_for(db.session, current_actor(), ref)
    return render_template(
        "certification/surveyors/conflict.html", question=question, questions=QUESTIONS, statement=STATEMENT, refused=refused,
    )  # fmt: skip


def _signed() -> Signed:
    form = request.form
    return Signed(
        conflict_answers(form), form.get("detail", "")[:5000], form.get("signed_name", "")[:200], form.get("signed_title", "")[:200], client_network()
    )  # fmt: skip


def _page(person_id: int, form: ProfileForm) -> str:
    person = person_for(db.session, person_id)
    profile = profile_of_person(db.session, person_id)
    today = now().date()
    return render_template(
        "certification/surveyors/edit.html", person=person, form=form, profile=profile, editions=current().editions, grounds=GROUNDS,
        row=surveyor_for(db.session, profile.id, today) if profile else None, ties=ties_of(db.session, profile.id) if profile else [],
    )  # fmt: skip


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Invalid("Give a date.", field) from None
