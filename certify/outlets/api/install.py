"""Hangs the API into an app and serves its description."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify

from certify import __version__
from certify.outlets.api.problems import ProblemApi
from certify.outlets.api.routes import cases, files, people, practices, register, requirements, signing, surveys
from certify.platform.web.edges import public

description = Blueprint("api_description", __name__)

ALL = (
    people.doors,
    practices.doors,
    cases.doors,
    signing.doors,
    requirements.doors,
    files.doors,
    surveys.doors,
    register.doors,
)
IDEMPOTENT = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string"},
    "description": "The same key gives the same answer and acts once.",
}


def init_api(app: Flask) -> None:
    """Register every API route and its description."""
    app.config.update(API_TITLE="certify", API_VERSION=__version__, OPENAPI_VERSION="3.1.0")
    api = ProblemApi(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"bearer": []}]
    for doors in ALL:
        api.register_blueprint(doors)
    app.extensions["certify_openapi"] = _described(api.spec.to_dict())
    app.register_blueprint(description)


@description.get("/api/v1/openapi.json")
@public
def openapi() -> Response:
    """The description of the API, OpenAPI 3.1."""
    return jsonify(current_app.extensions["certify_openapi"])


def _described(spec: dict[str, Any]) -> dict[str, Any]:
    """Add what holds for every call: how refusals are answered, and the key that makes a POST act once."""
    for path in spec["paths"].values():
        for method, call in path.items():
            if method not in {"get", "post", "put", "patch", "delete"}:
                continue
            if method == "post":
                call.setdefault("parameters", []).append(IDEMPOTENT)
            refusal = {"$ref": "#/components/responses/DEFAULT_ERROR"}
            call.setdefault("responses", {})["default"] = refusal
            for status in ("400", "401", "403", "404", "409", "422"):
                call["responses"].setdefault(status, refusal)
    return spec
