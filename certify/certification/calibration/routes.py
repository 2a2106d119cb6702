"""Pages of calibration: drawing and comparing for staff, scoring blind for the second surveyor."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.calibration.operations import draw_sample, finish_sample, save_scores, withdraw_sample
from certify.certification.calibration.queries import (
    ProgramPage,
    ProgramRow,
    compared,
    open_sample,
    program_page,
    sample_of,
    second_surveyors,
    sheets_of,
)
from certify.certification.cases.queries import actor_may, header_for
from certify.certification.surveys.queries import survey_for
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotOpen
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.web.access import wants_problem
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import Key, linked, page_of

bp = Blueprint("calibration", __name__)
SURVEY = "/surveys/<int(max=2147483647):survey_id>/calibration"
SAMPLE = f"{SURVEY}/<int(max=2147483647):sample_id>"
NOTHING_OPEN = "There is nothing for you to score blind in this survey."


@bp.get("/calibration")
@requires(Permission.VIEW_CALIBRATION)
def program() -> ResponseReturnValue:
    """How far surveyors agree, over all surveys."""
    found: list[ProgramPage] = []

    def fetch(key: Key | None, back: bool, limit: int) -> list[ProgramRow]:
        bound = int(key[0] or 0) if key else None
        told = program_page(db.session, before=None if back else bound, after=bound if back else None, limit=limit)
        found.append(told)
        return list(told.rows)

    rows = page_of(fetch, lambda row: (row.id,), cursor=request.args.get("cursor"), shape=(int,))
    return render_template(
        "certification/calibration/program.html", page=found[0], rows=linked(rows, "/calibration", {})
    )


@bp.get(SURVEY)
@requires(Permission.VIEW_CALIBRATION)
def show(survey_id: int) -> ResponseReturnValue:
    """What of a survey was scored twice, how far the two agree, and where they differ."""
    actor, at = current_actor(), now()
    opened = survey_for(db.session, actor, survey_id, Permission.VIEW_CALIBRATION)
    return render_template(
        "certification/calibration/show.html",
        header=header_for(db.session, opened.case, actor, at, tab="survey"),
        survey=opened.survey,
        samples=compared(db.session, opened.survey),
        team=second_surveyors(db.session, opened.survey, at),
        labels=current().survey.labels,
        may_draw=actor_may(db.session, opened.case, actor, Permission.DRAW_CALIBRATION),
        can_draw=opened.survey.checked_in_at is not None and opened.case.open,
    )


@bp.post(SURVEY)
@requires(Permission.DRAW_CALIBRATION)
@commits
def draw(survey_id: int) -> ResponseReturnValue:
    """Draw a share of the survey for a second surveyor."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.DRAW_CALIBRATION, lock=True)
    form = request.form
    draw_sample(
        db.session, opened.case, opened.survey, form.get("person", 0, type=int), form.get("share", 0, type=int),
        actor=current_actor(), at=now(),
    )  # fmt: skip
    flash("Drawn. The surveyor finds it on the survey's page; until it is scored, the answers are closed to her.")
    return redirect(url_for("calibration.show", survey_id=survey_id))


@bp.post(f"{SAMPLE}/withdraw")
@requires(Permission.DRAW_CALIBRATION)
@commits
def withdraw(survey_id: int, sample_id: int) -> ResponseReturnValue:
    """Take back what was drawn."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.DRAW_CALIBRATION, lock=True)
    sample = sample_of(db.session, survey_id, sample_id)
    withdraw_sample(db.session, opened.case, sample, request.form.get("reason", ""), actor=current_actor(), at=now())
    flash("Taken back. The surveyor sees the survey again.")
    return redirect(url_for("calibration.show", survey_id=survey_id))


@bp.get(f"{SURVEY}/score")
@requires(Permission.SCORE_BLIND)
def sheet(survey_id: int) -> ResponseReturnValue:
    """What the second surveyor scores, without anything that others said."""
    actor = current_actor()
    opened = survey_for(db.session, actor, survey_id, Permission.SCORE_BLIND)
    sample = open_sample(db.session, survey_id, actor.user_id)
    return render_template(
        "certification/calibration/score.html",
        header=header_for(db.session, opened.case, actor, now(), tab="survey"),
        survey=opened.survey,
        sample=sample,
        sheets=sheets_of(db.session, opened.survey, sample) if sample else [],
        labels=current().survey.labels,
    )


@bp.post(f"{SURVEY}/score")
@requires(Permission.SCORE_BLIND)
@commits
def score(survey_id: int) -> ResponseReturnValue:
    """Keep what was scored so far; with the button at the end, finish."""
    actor, at = current_actor(), now()
    opened = survey_for(db.session, actor, survey_id, Permission.SCORE_BLIND, lock=True)
    sample = open_sample(db.session, survey_id, actor.user_id)
    if sample is None:
        raise NotOpen(NOTHING_OPEN)
    save_scores(db.session, opened.case, sample, _given(), actor=actor, at=at)
    if request.form.get("go") == "finish":
        finish_sample(db.session, opened.case, sample, actor=actor, at=at)
        flash("Finished, thank you. The program compares the two; the survey is open to you again.")
        return redirect(url_for("surveys.overview", survey_id=survey_id))
    if wants_problem():
        return jsonify({"saved_at": at.isoformat()})
    flash("Saved.")
    return redirect(url_for("calibration.sheet", survey_id=survey_id))


def _given() -> dict[int, tuple[str, str]]:
    """Return what the form says, by score: rating and note."""
    ids = {
        int(number)
        for name in request.form
        for field, _, number in [name.partition("-")]
        if field in ("rating", "note") and number.isascii() and number.isdigit() and len(number) < 10
    }
    return {i: (request.form.get(f"rating-{i}", ""), request.form.get(f"note-{i}", "")) for i in ids}
