"""Pages of signing in and out, invitations and new passwords."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.clock import now
from certify.core.foundation.errors import FieldError, Invalid
from certify.db import db
from certify.platform.audit.operations import record
from certify.platform.identity.forms import NewPasswordForm, ResetForm, SignInForm
from certify.platform.identity.links import LinkGone, ask_for_reset, person_of_link
from certify.platform.identity.login import SessionUser, begin_session, end_session
from certify.platform.identity.models import Person
from certify.platform.identity.operations import set_password
from certify.platform.identity.queries import find_bearer_of_session, find_person_by_email
from certify.platform.identity.sign_ins import TooManyTries, check_password, end_sign_in, note_try
from certify.platform.identity.sign_ins import sign_in as begin_sign_in
from certify.platform.identity.tokens import revoke_all_tokens
from certify.platform.web.access import client_network, find_signed_in, safe_next
from certify.platform.web.edges import commits, current_actor, current_person, public, requires
from certify.platform.web.kept import Kept, read_kept

bp = Blueprint("identity", __name__)


@bp.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The sign-in page; who is signed in already goes on."""
    target = safe_next(request.args.get("next"))
    if find_signed_in() is not None:
        return redirect(target)
    return render_template("platform/identity/sign_in.html", form=SignInForm(formdata=None, next=target), errors=[])


@bp.post("/sign-in")
@public
@commits
def sign_in_with_password() -> ResponseReturnValue:
    """Check address and password; a refused try says neither whether the account exists nor what was wrong."""
    form = SignInForm()
    if not form.validate():
        return render_template("platform/identity/sign_in.html", form=form, errors=form.field_errors()), 422
    email, password = form.email.data or "", form.password.data or ""
    try:
        note_try(db.session(), email, client_network(), at=now())
        db.session.commit()  # counted whatever comes next, and no lock is held while the hash is computed
        person = check_password(db.session(), email, password)
    except TooManyTries as wait:
        page = render_template("platform/identity/sign_in.html", form=form, errors=[FieldError("", str(wait))])
        return page, 429, {"Retry-After": str(wait.seconds)}
    except Invalid as wrong:
        return render_template("platform/identity/sign_in.html", form=form, errors=wrong.errors), 422
    return _go_in(person, password=password, target=safe_next(form.next.data), kept=read_kept(form.kept.data))


@bp.post("/sign-out")
@requires(Permission.SIGNED_IN)
@commits
def sign_out() -> ResponseReturnValue:
    """End this sign-in on the server and empty the cookie."""
    end_sign_in(db.session(), current_person().sign_in_id or "", actor=current_actor(), at=now())
    end_session()
    flash("You are signed out.")
    response = make_response(redirect("/sign-in"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.get("/reset")
@public
def reset() -> ResponseReturnValue:
    """Where to ask for a new password."""
    return render_template("platform/identity/reset.html", form=ResetForm(formdata=None), sent=False, email="")


@bp.post("/reset")
@public
@commits
def ask_reset() -> ResponseReturnValue:
    """Mail a link if there is such an account; the answer is the same if not."""
    form = ResetForm()
    if not form.validate():
        return render_template("platform/identity/reset.html", form=form, sent=False, email=""), 422
    ask_for_reset(db.session(), find_person_by_email(db.session(), form.email.data or ""), at=now())
    return render_template("platform/identity/reset.html", form=form, sent=True, email=form.email.data)


@bp.get("/reset/<token>")
@public
def new_password(token: str) -> ResponseReturnValue:
    """The page a reset link opens; opening it does not use it up, mail scanners open links too."""
    return _choose_page(token, "reset", NewPasswordForm(formdata=None))


@bp.post("/reset/<token>")
@public
@commits
def set_new_password(token: str) -> ResponseReturnValue:
    """Set the password, end every other sign-in and every token, and sign in."""
    return _use_link(token, "reset")


@bp.get("/invitation/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    """The page an invitation opens."""
    return _choose_page(token, "invitation", NewPasswordForm(formdata=None))


@bp.post("/invitation/<token>")
@public
@commits
def accept_invitation(token: str) -> ResponseReturnValue:
    """Set the first password and sign in."""
    return _use_link(token, "invitation")


WORDS = {
    "reset": (
        "Set a new password",
        "After that you are signed in here, and signed out everywhere else. API tokens you have made stop working.",
    ),
    "invitation": (
        "Welcome to certify",
        "Choose a password. From now on you sign in with your email address and this password.",
    ),
}


def _choose_page(token: str, kind: str, form: NewPasswordForm) -> ResponseReturnValue:
    try:
        person = person_of_link(db.session(), token, kind, at=now())
    except LinkGone:
        return render_template("platform/identity/link_gone.html"), 410
    title, lede = WORDS[kind]
    page = render_template(
        "platform/identity/choose_password.html",
        title=title,
        lede=lede,
        form=form,
        person=person,
        action=f"/{kind}/{token}",
    )
    return make_response(
        page, 422 if form.errors else 200, {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    )


def _use_link(token: str, kind: str) -> ResponseReturnValue:
    form = NewPasswordForm()
    if not form.validate():
        return _choose_page(token, kind, form)
    try:
        with db.session.begin_nested():
            person = person_of_link(db.session(), token, kind, at=now(), use=True)
            set_password(db.session(), person, form.password.data or "", at=now())
            revoke_all_tokens(db.session(), person, at=now())
    except LinkGone:
        return render_template("platform/identity/link_gone.html"), 410
    except Invalid as wrong:
        form.refuse(wrong)
        return _choose_page(token, kind, form)
    summary = "Set a new password by a mailed link" if kind == "reset" else "Accepted the invitation"
    who = Actor(person.id, name=person.name, email=person.email)
    record(db.session(), f"person:{person.id}", f"{kind}.used", summary, actor=who, at=now(), subject="/account")
    return _go_in(person, password=None, target="/", kept=None)


def _go_in(person: Person, *, password: str | None, target: str, kept: Kept | None) -> ResponseReturnValue:
    """Begin a fresh sign-in; one that was open in this browser ends, so its secret is worth nothing any more."""
    at = now()
    if find_signed_in() is not None:
        old = cast(SessionUser, current_user)
        end_sign_in(db.session(), old.signed_in.sign_in_id or "", actor=old.signed_in.actor, at=at)
    agent = request.headers.get("User-Agent", "")
    secret = begin_sign_in(db.session(), person, network=client_network(), user_agent=agent, at=at, password=password)
    bearer = find_bearer_of_session(db.session(), secret, at)
    if bearer is None:
        raise LinkGone("The account was closed at this moment.")
    begin_session(secret, bearer)
    if kept is not None:
        shown = [
            (name.replace("_", " ").capitalize(), value)
            for name, value in kept.fields
            if value.strip() and name != "version"
        ]
        return render_template("platform/identity/resume.html", kept=kept, shown=shown)
    return redirect(target)
