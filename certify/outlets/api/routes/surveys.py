"""Surveys: the checklist, the sync of contract.md section 6, attachments."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from certify.certification.surveys.attachments import put_attachment
from certify.certification.surveys.queries import checklist
from certify.certification.surveys.sync import sync
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.platform.web.edges import commits, current_actor, requires

doors = Doors("api_surveys", __name__, url_prefix="/api/v1", description="Surveys and what surveyors enter")

UUID = {"type": "string", "format": "uuid"}
INSTANT = {"type": "string", "format": "date-time"}
OP = {
    "type": "object",
    "required": ["op", "site", "field", "value", "at"],
    "properties": {
        "op": UUID,
        "site": {"type": "integer"},
        "element": {"type": ["string", "null"]},
        "field": {"type": "string"},
        "value": {},
        "base": {"type": ["integer", "null"]},
        "at": INSTANT,
    },
}
SYNC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["device", "since", "ops"],
                    "properties": {
                        "device": UUID,
                        "since": {"type": "integer", "minimum": 0},
                        "ops": {"type": "array", "maxItems": 500, "items": OP},
                    },
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "What became of each op, what others did since, and what clashes",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["seq", "acks", "changes", "conflicts"],
                        "properties": {
                            "seq": {"type": "integer"},
                            "acks": {"type": "array", "items": {"type": "object"}},
                            "changes": {"type": "array", "items": {"type": "object"}},
                            "conflicts": {"type": "array", "items": {"type": "object"}},
                        },
                    }
                }
            },
        }
    },
}
ATTACHMENT = {
    "parameters": [{"in": "header", "name": "Content-Digest", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    "responses": {
        "200": {"description": "It was here already", "content": {"application/json": {"schema": {"type": "object"}}}},
        "201": {"description": "Stored", "content": {"application/json": {"schema": {"type": "object"}}}},
    },
}
CHECKLIST = {
    "responses": {
        "200": {
            "description": "Domains, standards, elements, sites, current answers",
            "content": {"application/json": {"schema": {"type": "object", "required": ["id", "seq"]}}},
        }
    }
}


@doors.route("/surveys/<int(max=2147483647):survey_id>")
@requires(Permission.VIEW_DRAFT_REPORT)
@doors.doc(**CHECKLIST)
def show(survey_id: int) -> Response:
    """The checklist with its current answers."""
    return jsonify(checklist(db.session, survey_id, current_actor(), now()))


@doors.route("/surveys/<int(max=2147483647):survey_id>/sync", methods=["POST"])
@requires(Permission.CONDUCT_SURVEY)
@commits
@doors.doc(**SYNC)
def sync_(survey_id: int) -> Response:
    """Take in what a device did; nothing acknowledged is ever lost."""
    body: Any = request.get_json()
    return jsonify(sync(db.session, survey_id, body, actor=current_actor(), at=now()))


@doors.route("/surveys/<int(max=2147483647):survey_id>/attachments/<uuid:attachment>", methods=["PUT"])
@requires(Permission.CONDUCT_SURVEY)
@commits
@doors.doc(**ATTACHMENT)
def put(survey_id: int, attachment: Any) -> tuple[Response, int]:
    """Store a photo; the same bytes again are accepted again, other bytes are a conflict."""
    new, body = put_attachment(
        db.session, survey_id, str(attachment), request.get_data(), content_digest=request.headers.get("Content-Digest"),
        media_type=request.mimetype, actor=current_actor(), at=now(),
    )  # fmt: skip
    return jsonify(body), 201 if new else 200
