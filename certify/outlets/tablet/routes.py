"""The tablet's app: its page, its service worker at the root of its scope, its manifest, and who is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from certify.outlets.tablet.shell import manifest_body, render_shell, worker_script
from certify.platform.web.access import find_signed_in
from certify.platform.web.edges import public

bp = Blueprint("tablet", __name__)


@bp.get("/tablet")
@public
def app() -> ResponseReturnValue:
    """The app's page, open to everyone because it holds nothing: it must open without a network and without a sign-in."""
    return _checked_each_time(make_response(render_shell()))


@bp.get("/sw.js")
@public
def worker() -> ResponseReturnValue:
    """The service worker, at the root of the addresses it answers for; open to everyone as it holds nothing."""
    return _checked_each_time(Response(worker_script(), mimetype="text/javascript"))


@bp.get("/tablet/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """What a tablet needs to know to install the app; browsers fetch it without a sign-in."""
    answer = jsonify(manifest_body())
    answer.mimetype = "application/manifest+json"
    return _checked_each_time(answer)


@bp.get("/tablet/me.json")
@public
def me() -> ResponseReturnValue:
    """Who is signed in here, if anyone: a tablet never sends one person's answers as another's."""
    person = find_signed_in()
    if person is None:
        answer = jsonify({"signed_in": False, "id": None, "name": ""})
    else:
        answer = jsonify({"signed_in": True, "id": person.person_id, "name": person.name, "csrf": generate_csrf()})
    answer.headers["Cache-Control"] = "no-store, private"
    return answer


def _checked_each_time(answer: Response) -> Response:
    """A browser may keep this, but asks each time whether it is still so."""
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
