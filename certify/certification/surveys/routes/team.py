"""Who takes what of the checklist, who leads, and where each tablet is at work."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.surveys.queries import survey_for
from certify.certification.surveys.queries.team import Share
from certify.certification.surveys.routes.blueprint import bp
from certify.certification.surveys.teamwork import change_lead, note_presence, split_checklist, take_off
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires


@bp.post("/surveys/<int(max=2147483647):survey_id>/presence")
@requires(Permission.CONDUCT_SURVEY)
@commits
def presence(survey_id: int) -> ResponseReturnValue:
    """A tablet says where it is at work; nothing of the record."""
    note_presence(db.session, survey_id, request.get_json(silent=True), actor=current_actor(), at=now())
    return "", 204


@bp.post("/surveys/<int(max=2147483647):survey_id>/shares")
@requires(Permission.LEAD_SURVEY)
@commits
def split(survey_id: int) -> ResponseReturnValue:
    """Split the checklist among the team; a line without a person is left out."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.LEAD_SURVEY, lock=True)
    form = request.form
    columns = [form.getlist(name) for name in ("person", "site", "domain")]
    rows = [row for row in zip(*columns, strict=False) if row[0]]
    shares = [Share(_number(person) or 0, _number(site), _number(domain)) for person, site, domain in rows]
    split_checklist(db.session, opened, shares, actor=current_actor(), at=now())
    flash("Saved. Everyone still sees and may answer the whole checklist.")
    return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor="team"))


@bp.post("/surveys/<int(max=2147483647):survey_id>/lead")
@requires(Permission.LEAD_SURVEY)
@commits
def lead(survey_id: int) -> ResponseReturnValue:
    """Let another member of the team lead."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.LEAD_SURVEY, lock=True)
    change_lead(db.session, opened, _number(request.form.get("lead", "")) or 0, actor=current_actor(), at=now())
    flash("Saved.")
    return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor="team"))


@bp.post("/surveys/<int(max=2147483647):survey_id>/team/leave")
@requires(Permission.PLAN_SURVEY)
@commits
def leave(survey_id: int) -> ResponseReturnValue:
    """Take a further surveyor off the team."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.PLAN_SURVEY, lock=True)
    person, reason = _number(request.form.get("person", "")) or 0, request.form.get("reason", "")
    take_off(db.session, opened, person, reason, actor=current_actor(), at=now())
    flash("Taken off the team. What was entered stays, with the name of who entered it.")
    return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor="team"))


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid("Choose from the list.", "person")
    return int(text)
