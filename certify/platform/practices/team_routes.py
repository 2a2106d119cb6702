"""The page on which a practice's administrator looks after the practice's own people."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid, NotFound
from certify.db import db
from certify.platform.identity.operations import invite, invite_again, revoke_role
from certify.platform.identity.queries import PersonLine, find_line, list_people
from certify.platform.practices.forms import TeamForm
from certify.platform.practices.models import Practice
from certify.platform.practices.queries import practice_for
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import PAGE, Key, linked, page_of

bp = Blueprint("team", __name__)


@bp.get("/practices/<int:practice_id>/team")
@requires(Permission.MANAGE_TEAM)
def show(practice_id: int) -> ResponseReturnValue:
    """Everyone who takes part for the practice."""
    return _page(
        practice_for(db.session(), current_actor(), practice_id, Permission.MANAGE_TEAM), TeamForm(formdata=None)
    )


@bp.post("/practices/<int:practice_id>/team/invite")
@requires(Permission.MANAGE_TEAM)
@commits
def send_invitation(practice_id: int) -> ResponseReturnValue:
    """Invite someone of the practice."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.MANAGE_TEAM)
    form = TeamForm()
    try:
        if form.validate():
            person, secret = invite(
                db.session(), email=form.email.data or "", name=form.name.data or "", title=form.title.data or "", role=Role(form.role.data),
                practice_id=practice.id, place=practice.legal_name, time_zone=practice.time_zone, actor=current_actor(), at=now(),
            )  # fmt: skip
            flash(f"{person.name} is invited by mail." if secret else f"{person.name} has the role; a mail says so.")
            return redirect(f"/practices/{practice_id}/team")
    except Invalid as wrong:
        form.refuse(wrong)
    return _page(practice, form), 422


@bp.post("/practices/<int:practice_id>/team/<int:person_id>/invitation")
@requires(Permission.MANAGE_TEAM)
@commits
def remind(practice_id: int, person_id: int) -> ResponseReturnValue:
    """Send the invitation of a team member once more."""
    practice = practice_for(db.session(), current_actor(), practice_id, Permission.MANAGE_TEAM)
    _must_be_of_team(practice_id, person_id)
    invite_again(db.session(), person_id, place=practice.legal_name, actor=current_actor(), at=now())
    flash("A new invitation is on its way.")
    return redirect(f"/practices/{practice_id}/team")


@bp.post("/practices/<int:practice_id>/team/<int:person_id>/revoke")
@requires(Permission.MANAGE_TEAM)
@commits
def revoke(practice_id: int, person_id: int) -> ResponseReturnValue:
    """Take a role of the practice away; the account itself stays."""
    practice_for(db.session(), current_actor(), practice_id, Permission.MANAGE_TEAM)
    text = request.form.get("role", "")
    if text not in {r.value for r in PRACTICE_ROLES}:
        raise Invalid("Choose one of the practice's roles.", "role")
    revoke_role(db.session(), person_id, Role(text), practice_id, actor=current_actor(), at=now())
    flash(f"Role taken away: {ROLE_TITLES[Role(text)]}.")
    return redirect(f"/practices/{practice_id}/team")


def _must_be_of_team(practice_id: int, person_id: int) -> None:
    if not any(grant.practice_id == practice_id for grant in find_line(db.session(), person_id).grants):
        raise NotFound("There is no such person in this practice.")


def _page(practice: Practice, form: TeamForm) -> str:
    def fetch(key: Key | None, back: bool, limit: int) -> list[PersonLine]:
        return list_people(db.session(), practice_id=practice.id, after=key, back=back, limit=limit)

    page = page_of(
        fetch, lambda line: (line.name_key, line.id), cursor=request.args.get("cursor"), shape=(str, int), limit=PAGE
    )
    return render_template(
        "platform/practices/team.html",
        practice=practice,
        page=linked(page, f"/practices/{practice.id}/team", {}),
        titles=ROLE_TITLES,
        form=form,
    )
