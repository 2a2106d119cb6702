"""Pages of the administrator: people, their roles, invitations, closing an account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.audit.queries import list_events
from certify.platform.identity.forms import InviteForm, RoleForm
from certify.platform.identity.operations import (
    close_account,
    grant_role,
    invite,
    invite_again,
    open_account,
    revoke_role,
)
from certify.platform.identity.places import place_named, places_of
from certify.platform.identity.queries import PersonLine, find_line, list_people
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import PAGE, Key, linked, page_of

bp = Blueprint("people", __name__)


@bp.get("/people")
@requires(Permission.MANAGE_PEOPLE)
def index() -> ResponseReturnValue:
    """Everyone with an account, by name."""
    return _index(InviteForm(formdata=None))


@bp.post("/people/invite")
@requires(Permission.MANAGE_PEOPLE)
@commits
def send_invitation() -> ResponseReturnValue:
    """Invite someone in a role."""
    form = InviteForm()
    if not form.validate():
        return _index(form), 422
    try:
        role = Role(form.role.data)
        practice = place_named(db.session(), form.practice.data or "") if role in PRACTICE_ROLES else None
        person, secret = invite(
            db.session(), email=form.email.data or "", name=form.name.data or "", title=form.title.data or "", role=role,
            practice_id=practice.id if practice else None, place=practice.name if practice else "", actor=current_actor(), at=now(),
        )  # fmt: skip
    except Invalid as wrong:
        form.refuse(wrong)
        return _index(form), 422
    flash(f"{person.name} is invited by mail." if secret else f"{person.name} has the role; a mail says so.")
    return redirect(f"/people/{person.id}")


@bp.get("/people/<int:person_id>")
@requires(Permission.MANAGE_PEOPLE)
def show(person_id: int) -> ResponseReturnValue:
    """One person, with roles and what happened to the account."""
    return _show(person_id, RoleForm(formdata=None))


@bp.post("/people/<int:person_id>/roles")
@requires(Permission.MANAGE_PEOPLE)
@commits
def grant(person_id: int) -> ResponseReturnValue:
    """Give a role."""
    form = RoleForm()
    if not form.validate():
        return _show(person_id, form), 422
    try:
        role = Role(form.role.data)
        practice = place_named(db.session(), form.practice.data or "") if role in PRACTICE_ROLES else None
        grant_role(db.session(), person_id, role, practice.id if practice else None, actor=current_actor(), at=now())
    except Invalid as wrong:
        form.refuse(wrong)
        return _show(person_id, form), 422
    flash(f"Role given: {ROLE_TITLES[role]}.")
    return redirect(f"/people/{person_id}")


@bp.post("/people/<int:person_id>/roles/revoke")
@requires(Permission.MANAGE_PEOPLE)
@commits
def revoke(person_id: int) -> ResponseReturnValue:
    """Take a role away."""
    try:
        role = Role(request.form.get("role", ""))
    except ValueError as unknown:
        raise Invalid("There is no such role.", "role") from unknown
    place = request.form.get("practice_id", "")
    if place and not (place.isascii() and place.isdigit() and len(place) < 10):
        raise Invalid("There is no such practice.", "practice_id")
    revoke_role(db.session(), person_id, role, int(place) if place else None, actor=current_actor(), at=now())
    flash(f"Role taken away: {ROLE_TITLES[role]}.")
    return redirect(f"/people/{person_id}")


@bp.post("/people/<int:person_id>/invitation")
@requires(Permission.MANAGE_PEOPLE)
@commits
def remind(person_id: int) -> ResponseReturnValue:
    """Send the invitation of someone who has not answered it once more; the old link stops working."""
    invite_again(db.session(), person_id, actor=current_actor(), at=now())
    flash("A new invitation is on its way.")
    return redirect(f"/people/{person_id}")


@bp.post("/people/<int:person_id>/close")
@requires(Permission.MANAGE_PEOPLE)
@commits
def close(person_id: int) -> ResponseReturnValue:
    """Close an account."""
    person = close_account(db.session(), person_id, actor=current_actor(), at=now())
    flash(f"The account of {person.name} is closed.")
    return redirect(f"/people/{person_id}")


@bp.post("/people/<int:person_id>/open")
@requires(Permission.MANAGE_PEOPLE)
@commits
def reopen(person_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    person = open_account(db.session(), person_id, actor=current_actor(), at=now())
    flash(f"The account of {person.name} is open again; a link to set a password is on its way.")
    return redirect(f"/people/{person_id}")


def _index(form: InviteForm) -> str:
    text = request.args.get("q", "").strip()[:100]

    def fetch(key: Key | None, back: bool, limit: int) -> list[PersonLine]:
        return list_people(db.session(), text=text, after=key, back=back, limit=limit)

    page = page_of(
        fetch, lambda line: (line.name_key, line.id), cursor=request.args.get("cursor"), shape=(str, int), limit=PAGE
    )
    page = linked(page, "/people", {"q": text})
    places = places_of(db.session(), {g.practice_id for line in page.items for g in line.grants})
    return render_template(
        "platform/identity/people.html", page=page, places=places, titles=ROLE_TITLES, form=form, q=text
    )


def _show(person_id: int, form: RoleForm) -> str:
    line = find_line(db.session(), person_id)
    return render_template(
        "platform/identity/person.html",
        line=line,
        places=places_of(db.session(), {g.practice_id for g in line.grants}),
        titles=ROLE_TITLES,
        form=form,
        events=[
            {"text": e.summary, "at": e.at, "by": e.actor_name}
            for e in list_events(db.session(), f"person:{person_id}", limit=20)
        ],
    )
