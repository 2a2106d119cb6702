"""Pages of the own account: details, password, sign-ins, API tokens."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.identity.forms import ChangePasswordForm, DetailsForm, TokenForm
from certify.platform.identity.login import end_session
from certify.platform.identity.operations import change_password, edit_own_details
from certify.platform.identity.queries import person_for
from certify.platform.identity.sign_ins import end_other_sign_ins, end_sign_in, list_open_sign_ins
from certify.platform.identity.tokens import create_token, list_tokens, revoke_token
from certify.platform.web.edges import commits, current_actor, current_person, requires

bp = Blueprint("account", __name__)


@bp.get("/account")
@requires(Permission.SIGNED_IN)
def show() -> ResponseReturnValue:
    """The own account."""
    return _page()


@bp.post("/account/details")
@requires(Permission.SIGNED_IN)
@commits
def details() -> ResponseReturnValue:
    """Change the own name, title and time zone."""
    person = current_person()
    form = DetailsForm(present_zone=person.time_zone)
    if not form.validate():
        return _page(details_form=form), 422
    edit_own_details(
        db.session(), person.person_id, name=form.name.data or "", title=form.title.data or "", time_zone=form.time_zone.data,
        version=form.version.number, actor=person.actor, at=now(),
    )  # fmt: skip
    flash("Your details are saved.")
    return redirect("/account")


@bp.post("/account/password")
@requires(Permission.SIGNED_IN)
@commits
def password() -> ResponseReturnValue:
    """Change the own password; all other browsers are signed out."""
    form = ChangePasswordForm()
    if not form.validate():
        return _page(password_form=form), 422
    person = current_person()
    try:
        change_password(
            db.session(), person.person_id, old=form.old.data or "", new=form.password.data or "", actor=person.actor, at=now(),
            keep_sign_in=person.sign_in_id,
        )  # fmt: skip
    except Invalid as wrong:
        form.refuse(wrong)
        return _page(password_form=form), 422
    kept = (
        " Your API tokens still work; revoke below what is not yours."
        if list_tokens(db.session(), person.person_id)
        else ""
    )
    flash(f"Your password is changed. Every other browser is signed out.{kept}")
    return redirect("/account")


@bp.post("/account/sign-ins/<sign_in_id>/end")
@requires(Permission.SIGNED_IN)
@commits
def end_one(sign_in_id: str) -> ResponseReturnValue:
    """Sign one browser out."""
    own = sign_in_id == current_person().sign_in_id
    end_sign_in(db.session(), sign_in_id, actor=current_actor(), at=now())
    if own:
        end_session()
    flash("Signed out there.")
    return redirect("/sign-in" if own else "/account#sign-ins")


@bp.post("/account/sign-ins/end-others")
@requires(Permission.SIGNED_IN)
@commits
def end_others() -> ResponseReturnValue:
    """Sign every other browser out."""
    count = end_other_sign_ins(db.session(), current_person().sign_in_id or "", actor=current_actor(), at=now())
    flash("Every other browser is signed out." if count else "You were signed in nowhere else.")
    return redirect("/account#sign-ins")


@bp.post("/account/tokens")
@requires(Permission.SIGNED_IN)
@commits
def make_token() -> ResponseReturnValue:
    """Create an API token and show it this once."""
    form = TokenForm()
    if not form.validate():
        return _page(token_form=form), 422
    person = current_person()
    token, secret = create_token(
        db.session(),
        person.person_id,
        name=form.name.data or "",
        scope=form.scope.data,
        days=form.days.data or 0,
        actor=person.actor,
        at=now(),
    )
    return _page(new_token=token, secret=secret)


@bp.post("/account/tokens/<int:token_id>/revoke")
@requires(Permission.SIGNED_IN)
@commits
def revoke(token_id: int) -> ResponseReturnValue:
    """Revoke one of the own tokens."""
    token = revoke_token(db.session(), token_id, person_id=current_person().person_id, actor=current_actor(), at=now())
    flash(f"The token “{token.name}” no longer works.")
    return redirect("/account#tokens")


def _page(
    *,
    details_form: DetailsForm | None = None,
    password_form: ChangePasswordForm | None = None,
    token_form: TokenForm | None = None,
    **more: object,
) -> str:
    current = current_person()
    person = person_for(db.session(), current.person_id)
    return render_template(
        "platform/identity/account.html",
        person=person,
        details_form=details_form or DetailsForm(formdata=None, obj=person, present_zone=person.time_zone),
        password_form=password_form or ChangePasswordForm(formdata=None),
        token_form=token_form or TokenForm(formdata=None),
        sign_ins=list_open_sign_ins(db.session(), person.id, now()),
        tokens=list_tokens(db.session(), person.id),
        here=current.sign_in_id,
        at=now(),
        **more,
    )
