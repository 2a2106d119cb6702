"""The one place where a refusal becomes a page or a problem document (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from certify.core.foundation.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    NotOpen,
    Refusal,
    RulesUnmet,
    Stale,
)
from certify.db import db
from certify.platform.web.access import SignInRequired, wants_problem, way_back
from certify.platform.web.kept import keep_posted

log = logging.getLogger(__name__)

STATUS: dict[type[Refusal], HTTPStatus] = {
    SignInRequired: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    NotOpen: HTTPStatus.CONFLICT,
    Stale: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    RulesUnmet: HTTPStatus.UNPROCESSABLE_ENTITY,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
}

HEADLINES = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    401: ("Please sign in", "Your sign-in has ended. Sign in and go on where you were."),
    403: ("You may not do this", "Someone else in your practice or at the program can."),
    404: (
        "There is nothing here for you",
        "The page does not exist, or it belongs to someone else. Check the address, or start from your front page.",
    ),
    405: ("This page does not take that", "Go back and use the buttons of the page."),
    406: ("We cannot answer in that form", "Ask for HTML or JSON."),
    409: (
        "This is no longer as you saw it",
        "Nothing was saved. Open the page again to see what is new, then make your change there.",
    ),
    410: ("This link has been used or has run out", "Ask for a new one."),
    413: ("That file is too large", "Send a smaller file, or split it."),
    415: ("We cannot read that kind of file", "Send it in one of the formats the page names."),
    422: ("Something is missing or wrong", "Nothing was saved. Correct what is listed and send it again."),
    429: ("Too many tries", "Wait a little and try again."),
    500: (
        "Something went wrong on our side",
        "Your last change was not saved. Try again; if it happens again, tell the program what you did.",
    ),
    503: ("We are busy for a moment", "Nothing was saved. Try again in a few seconds."),
}


@dataclass(frozen=True)
class Problem:
    """One refusal, ready to be a page or a problem document."""

    status: int
    detail: str
    kind: str = "about:blank"
    fields: tuple[FieldError, ...] = ()
    unmet: tuple[dict[str, str], ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        known = HEADLINES.get(self.status)
        return known[0] if known else HTTPStatus(self.status).phrase

    @property
    def advice(self) -> str:
        known = HEADLINES.get(self.status)
        return known[1] if known else "Go back and try again."


def install_errors(app: Flask) -> None:
    """Let every refusal and every failure be answered here."""
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(StaleDataError, _answer_stale_row)
    app.register_error_handler(IntegrityError, _answer_twice)
    app.register_error_handler(DataError, _answer_out_of_range)
    app.register_error_handler(OverflowError, _answer_out_of_range)
    app.register_error_handler(StatementError, _answer_statement)
    app.register_error_handler(OperationalError, _answer_busy)
    app.register_error_handler(Exception, _answer_failure)


def answer_refusal(refusal: Refusal) -> Response:
    """Answer what the product will not do."""
    db.session.rollback()
    if isinstance(refusal, SignInRequired) and not wants_problem():
        return _lead_to_sign_in()
    response = respond(problem_of(refusal))
    if isinstance(refusal, SignInRequired):
        response.headers["WWW-Authenticate"] = 'Bearer realm="certify"'
    return response


def problem_of(refusal: Refusal) -> Problem:
    """Return the refusal as a problem, with every field or unmet rule it carries."""
    status = next((int(s) for kind, s in STATUS.items() if isinstance(refusal, kind)), 400)
    name = type(refusal).__name__
    if isinstance(refusal, RulesUnmet):
        unmet = tuple({"guard": u.guard, "message": u.message, "link": u.link} for u in refusal.unmet)
        return Problem(status, str(refusal), name, unmet=unmet)
    if isinstance(refusal, Invalid):
        return Problem(status, str(refusal), name, fields=refusal.errors)
    return Problem(status, str(refusal), name, members=refusal.members)


def problem_body(problem: Problem) -> dict[str, Any]:
    """Return the RFC 9457 document of contract section 5."""
    kind = "about:blank" if problem.kind == "about:blank" else f"urn:certify:problem:{problem.kind}"
    body: dict[str, Any] = {
        **problem.members,
        "type": kind,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail or problem.advice,
    }
    errors: list[dict[str, Any]] = [_field_entry(e) for e in problem.fields]
    errors += [{"pointer": "", "field": u["guard"], "message": u["message"], **u} for u in problem.unmet]
    body["errors"] = errors
    return body


def respond(problem: Problem) -> Response:
    """Answer a problem as JSON or as a page, whichever the caller reads."""
    if wants_problem():
        response = jsonify(problem_body(problem))
        response.mimetype = "application/problem+json"
    else:
        items = [*problem.fields, *problem.unmet]
        response = make_response(
            render_template("platform/web/refusal.html", problem=problem, items=items, back=_way_back())
        )
    response.status_code = problem.status
    return response


def _field_entry(error: FieldError) -> dict[str, Any]:
    entry: dict[str, Any] = {"row": error.row} if error.row is not None else {"pointer": _pointer(error)}
    return {**entry, "field": error.field, "message": error.message}


def _pointer(error: FieldError) -> str:
    """Return the JSON pointer of the field (RFC 6901) from the top of what was sent."""
    parts = [*error.under, *(error.field.split(".") if error.field else ())]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _way_back() -> str:
    """The page the person was on: for a refused form that is where it can be mended."""
    referrer, root = request.referrer or "", request.host_url
    if not referrer.startswith(root) or (referrer == request.url and not _sent_from_here()):
        return "/"
    return "/" + referrer.removeprefix(root)


def _sent_from_here() -> bool:
    """Whether the refused request was sent from a page of the very same address, which can then be opened again."""
    adapter = current_app.create_url_adapter(request)
    return request.method != "GET" and adapter is not None and adapter.test(method="GET")


def _lead_to_sign_in() -> Response:
    """Lead to the sign-in page and back; what was written in a form comes along."""
    back = way_back()
    address = url_for("identity.sign_in", next=back)
    if request.headers.get("HX-Request"):
        # htmx follows a redirect inside the page; this header makes the browser go there.
        return Response(status=401, headers={"HX-Redirect": address})
    kept = keep_posted(back) if request.method == "POST" else None
    if kept is None:
        return make_response(redirect(address))
    page = render_template("platform/web/sign_in_again.html", kept=kept, back=back)
    return make_response(page, 401)


def _answer_csrf(_error: CSRFError) -> Response:
    db.session.rollback()
    return respond(
        Problem(
            400,
            "The page you sent this from is too old, or you signed in again since. Go back, reload it and send it again.",
            "PageTooOld",
        )
    )


def _answer_http(error: HTTPException) -> Response:
    db.session.rollback()
    status = error.code or 500
    if status < 400 and error.response is not None:
        return make_response(error.response)
    if status < 400:
        return make_response(error.get_response())
    detail = "" if status in HEADLINES else (error.description or "")
    if wants_problem():
        detail = _words_for_programs(error) or detail
    if isinstance(error, RequestEntityTooLarge):
        detail = "The server takes no request that large."
    response = respond(Problem(status, detail))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def _words_for_programs(error: HTTPException) -> str:
    """Return what whoever raised the error said about it; a program has no page to go back to and no buttons."""
    if isinstance(error, MethodNotAllowed):
        taken = sorted(set(error.valid_methods or ()) - {"OPTIONS"})
        return f"This address takes {', '.join(taken)} only."
    return error.description or "" if error.description != type(error).description else ""


def _answer_stale_row(_error: StaleDataError) -> Response:
    return answer_refusal(Stale("Someone else saved this while you were working on it."))


def _answer_twice(error: IntegrityError) -> Response:
    log.info("a unique or foreign key refused a write: %s", error.orig)
    return answer_refusal(
        Conflict("This was already done, perhaps by a second click or by someone else at the same moment.")
    )


def _answer_out_of_range(error: Exception) -> Response:
    """A number or day beyond what a column holds: PostgreSQL says DataError, SQLite's driver OverflowError."""
    log.warning("a value does not fit its column: %s", type(getattr(error, "orig", error)).__name__)
    return answer_refusal(Invalid("A number, day or text lies beyond what can be kept. Correct it and send it again."))


def _answer_statement(error: StatementError) -> Response:
    """A statement that could not even be sent: most often a value that no column takes."""
    return _answer_out_of_range(error) if isinstance(error.orig, OverflowError) else _answer_failure(error)


def _answer_busy(error: OperationalError) -> Response:
    db.session.rollback()
    log.exception("the database did not answer", exc_info=error)
    response = respond(Problem(503, ""))
    response.headers["Retry-After"] = "5"
    return response


def _answer_failure(error: Exception) -> Response:
    db.session.rollback()
    log.exception("request failed", exc_info=error)
    g.pop("signed_in", None)
    return respond(Problem(500, ""))
