"""Edges commit: a write is kept when the answer is good, and undone when it is a refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Response, current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from certify.core.foundation.clock import now
from certify.core.foundation.errors import Conflict
from certify.core.foundation.ids import digest
from certify.db import db, write_intent
from certify.platform.web.access import SAFE_METHODS, body_counts, find_signed_in
from certify.platform.web.models import OnceKey

P = ParamSpec("P")
AnyView = TypeVar("AnyView", bound=Callable[..., Any])

FORM_KEY = "form_key"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def commits(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Commit when the view answers below 400, else roll back; the same form key or Idempotency-Key acts once."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        try:
            once = _claim_once_key()
            if isinstance(once, Response):
                db.session.rollback()
                return once
            claimed = once.content if once is not None else ""
            response = make_response(view(*args, **kwargs))
            if response.status_code < 400:
                if once is not None:
                    _remember_answer(once, claimed, response)
                db.session.commit()
            else:
                db.session.rollback()
        except BaseException:
            db.session.rollback()
            raise
        return response

    wrapped.commits = True  # type: ignore[attr-defined]
    return wrapped


def records_reading(view: AnyView) -> AnyView:
    """For the few GETs that log that something was read: they may write, and commit like any write."""
    wrapped = commits(view)
    wrapped.records_reading = True  # type: ignore[attr-defined]
    return cast(AnyView, wrapped)


def install_transactions(app: Flask) -> None:
    """Say before the first query of each request whether it will write (SQLite takes the write lock at BEGIN).

    What sends a body only reads until that has come: whoever sends slowly waits alone.
    """

    def declare_intent() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        g.intent_before = write_intent.get()
        write_intent.set(getattr(view, "records_reading", False))

    def restore_intent(_error: BaseException | None) -> None:
        before = g.pop("intent_before", None)
        if before is not None:
            write_intent.set(before)

    app.before_request_funcs.setdefault(None, []).insert(0, declare_intent)
    app.before_request(_take_body)
    app.teardown_request(restore_intent)


def _take_body() -> None:
    """Take in the whole body while nothing is locked; from here on the request may write."""
    if not body_counts():
        return
    if db.engine.dialect.name == "sqlite":
        db.session.rollback()  # ends the reading, so that the next BEGIN may take the write lock
    if request.mimetype in FORMS:
        _ = request.form
    else:
        request.get_data(cache=True)
    write_intent.set(True)


def _claim_once_key() -> OnceKey | Response | None:
    """Take the request's key for ourselves, or give the answer it already had.

    Raises: Conflict when the key was used for other content.
    """
    secret = request.headers.get("Idempotency-Key") if request.path.startswith("/api/") else request.form.get(FORM_KEY)
    if not secret or request.method in SAFE_METHODS:
        return None
    person = find_signed_in()
    if person is None:
        return None  # what strangers may do may be done twice; they cannot fill the table
    key = digest(f"{person.person_id}\n{request.method} {request.path}\n{secret}")
    content = _content_digest()
    found = _find(key)
    if found is None:
        claim = OnceKey(key=key, content=content, status=0, created_at=now())
        try:
            with db.session.begin_nested():
                db.session.add(claim)
            return claim
        except IntegrityError:
            # Another server was first; PostgreSQL let us wait for its commit.
            found = _find(key)
            if found is None:
                raise
    if found.content == content:
        return _answer_again(found)
    if request.path.startswith("/api/"):
        raise Conflict("This Idempotency-Key was already used for another request.")
    # The same form with other content, as after the Back button or by saving while typing: a new act.
    found.content = content
    return found


def _find(key: str) -> OnceKey | None:
    return db.session.scalars(select(OnceKey).where(OnceKey.key == key)).one_or_none()


def _content_digest() -> str:
    """Return the digest of all that was sent: the query, fields, and files byte by byte."""
    sent = hashlib.sha256(repr(request.query_string).encode())
    if not request.form and not request.files:
        sent.update(request.get_data(cache=True))
        return sent.hexdigest()
    sent.update(repr(sorted(request.form.items(multi=True), key=repr)).encode())
    for name, file in sorted(request.files.items(multi=True), key=lambda item: str(item[0])):
        sent.update(repr((name, file.filename)).encode())
        while chunk := file.stream.read(1 << 20):
            sent.update(chunk)
        file.stream.seek(0)
    return sent.hexdigest()


def _remember_answer(once: OnceKey, claimed: str, response: Response) -> None:
    """Keep the answer under the key. Raises: RuntimeError when the view has ended the transaction that claimed it."""
    if once not in db.session or once.content != claimed:
        raise RuntimeError(f"{request.endpoint} let go of its key half-way: use `beforehand` for what takes long.")
    once.status = response.status_code
    once.location = response.headers.get("Location")
    # However long it is: whoever asks again has lost it. What a call may bring bounds what it is answered.
    if request.path.startswith("/api/") and not response.direct_passthrough:
        once.body = response.get_data(as_text=True)
        once.content_type = response.content_type


def _answer_again(once: OnceKey) -> Response:
    if once.body is not None:
        headers = {"Location": once.location} if once.location else None
        return Response(once.body, status=once.status, headers=headers, content_type=once.content_type)
    if request.path.startswith("/api/"):
        raise Conflict("This was done already; its answer is a file, which is not kept. Read the object to go on.")
    if once.location:
        return Response(status=303, headers={"Location": once.location})
    return Response(status=303, headers={"Location": request.referrer or "/"})
