"""Ties sign-ins and tokens to the web: what a cookie or an Authorization header says about who is asking."""

from __future__ import annotations

from datetime import datetime

from flask import Flask, Response, g, has_request_context, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from sqlalchemy import update

from certify.core.foundation.clock import now
from certify.db import db, write_intent
from certify.platform.identity.models import SignIn
from certify.platform.identity.queries import (
    Bearer,
    find_bearer_of_session,
    find_bearer_of_token,
)
from certify.platform.identity.rules import SEEN_EVERY
from certify.platform.web.access import SignedIn, bearer_token, forget_signed_in


class SessionUser(UserMixin):
    """What flask-login carries: the person behind this request, named in the cookie by the sign-in's secret."""

    def __init__(self, secret: str, signed_in: SignedIn) -> None:
        self.secret = secret
        self.signed_in = signed_in

    def get_id(self) -> str:
        """Return what the cookie holds: the secret, so that the server can end this very sign-in."""
        return self.secret


def init_identity(app: Flask) -> None:
    """Let flask-login ask our tables; called by `create_app` after `init_web`."""
    manager = LoginManager()
    # Our own table ends sessions; binding them to the browser's address would sign out people on the move.
    manager.session_protection = None
    manager.init_app(app)
    manager.user_loader(_from_session)
    manager.request_loader(_from_token)
    app.after_request(_note_seen)


def begin_session(secret: str, bearer: Bearer) -> None:
    """Put a new sign-in into the browser's cookie; nothing of the one before stays."""
    session.clear()
    login_user(SessionUser(secret, _signed_in(bearer)))
    forget_signed_in()


def end_session() -> None:
    """Empty the browser's cookie."""
    logout_user()
    session.clear()
    forget_signed_in()


def _from_session(secret: str) -> SessionUser | None:
    if bearer_token() is not None:
        return None  # a token speaks for itself
    bearer = find_bearer_of_session(db.session(), secret, now())
    if bearer is None:
        return None
    g.seen = (bearer.key, bearer.seen_at)
    return SessionUser(secret, _signed_in(bearer))


def _from_token(_request: object) -> SessionUser | None:
    token = bearer_token()
    # Tokens open the API and what monitors ask; pages are for people.
    if token is None or not request.path.startswith(("/api/", "/metrics")):
        return None
    bearer = find_bearer_of_token(db.session(), token, now())
    return SessionUser("", _signed_in(bearer, token=True)) if bearer else None


def _signed_in(bearer: Bearer, *, token: bool = False) -> SignedIn:
    return SignedIn(
        actor=bearer.actor,
        person_id=bearer.person_id,
        name=bearer.name,
        email=bearer.email,
        time_zone=bearer.time_zone,
        sign_in_id=None if token else bearer.key,
        token_id=int(bearer.key) if token else None,
        scope=bearer.scope,
    )


def _note_seen(response: Response) -> Response:
    """Move the idle clock on, at most once a minute, in a transaction of its own after the answer is made."""
    seen: tuple[str, datetime] | None = g.pop("seen", None) if has_request_context() else None
    at = now()
    if seen is None or at - seen[1] < SEEN_EVERY:
        return response
    db.session.rollback()
    intent = write_intent.set(True)
    try:
        db.session.execute(update(SignIn).where(SignIn.id == seen[0], SignIn.seen_at < at).values(seen_at=at))
        db.session.commit()
    finally:
        write_intent.reset(intent)
    return response
