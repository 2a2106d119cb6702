"""Surveys: the checklist, the sync of contract.md section 6, attachments."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from certify.certification.surveys.attachments import receive
from certify.certification.surveys.queries import checklist_as_json
from certify.certification.surveys.sync import sync
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.outlets.api.problems import Doors, sent_json
from certify.platform.web.edges import commits, current_actor, requires

doors = Doors("api_surveys", __name__, url_prefix="/api/v1", description="Surveys and what surveyors enter")

UUID = {"type": "string", "format": "uuid"}
INSTANT = {"type": "string", "format": "date-time"}
FIELDS = """What the entry is about.

Of an element: `rating` (yes, no, na), `note`, `na_reason`, `seen_documentation`, `seen_observation`, `seen_data`
(true, false or {"what": text}), `risk` ({"harm": low|moderate|high, "scope": limited|pattern|widespread}, as
workflows/survey.yaml declares them), `attachment:<uuid>` ({"caption": text}).
Of a standard: `strength`, `recommendation`, `standard_note`, `attachment:<uuid>`.
Of a site as a whole (element null): `site_note`, `remote_interview`, `attachment:<uuid>`,
`note:<uuid>` ({"kind": interview|observation|record_review|tracer, "text", "about": [elements or standards], "pseudonym": text or absent}),
`signature:leader` and `signature:surveyor` ({"name", "title", "strokes": PNG as a data URL of at most 60 KB or "", "digest": SHA-256 in hex}).
The digest is that of the JSON (UTF-8, keys sorted, no spaces) of the list of [site, element or "", field, value] of every
answer that stands and is not null, except signatures, sorted by code points; a field in conflict has the value {"conflict": true}."""
OP = {
    "type": "object",
    "required": ["op", "site", "field", "value", "at"],
    "properties": {
        "op": UUID,
        "site": {"type": "integer"},
        "element": {
            "type": ["string", "null"],
            "description": "an element, a standard, or null for the site as a whole",
        },
        "field": {"type": "string", "examples": ["rating", "note", "risk"], "description": FIELDS},
        "value": {"description": "see field; null takes back what was said"},
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
                        "person": {
                            "type": ["integer", "null"],
                            "description": "whose entries these are; 409 when someone else is signed in, and nothing is stored",
                        },
                        "most": {
                            "type": ["integer", "null"],
                            "minimum": 1,
                            "description": "how many changes to tell at once; all when it is left out",
                        },
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
                            "seq": {
                                "type": "integer",
                                "description": "the next call's `since`: everything up to here has been told",
                            },
                            "more": {
                                "type": "boolean",
                                "description": "true when there are more changes than the `most` asked for: ask again at once",
                            },
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
    "parameters": [
        {
            "in": "header",
            "name": "Content-Digest",
            "required": True,
            "schema": {"type": "string"},
            "description": "of the whole file",
        },
        {
            "in": "header",
            "name": "Content-Range",
            "required": False,
            "schema": {"type": "string"},
            "description": "bytes first-last/total, for a part",
        },
        {
            "in": "query",
            "name": "person",
            "required": False,
            "schema": {"type": "integer"},
            "description": "whose file this is; 409 when someone else is signed in, and nothing is stored",
        },
    ],
    "requestBody": {"required": True, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    "responses": {
        "200": {"description": "It was here already", "content": {"application/json": {"schema": {"type": "object"}}}},
        "202": {
            "description": "A part was kept; the next begins at offset",
            "content": {"application/json": {"schema": {"type": "object", "required": ["offset"]}}},
        },
        "201": {"description": "Stored", "content": {"application/json": {"schema": {"type": "object"}}}},
        "409": {
            "description": "The id stands for another file, someone else is signed in, or the part does not begin where the last one ended: "
            "then `offset` says where the next has to begin",
            "content": {
                "application/problem+json": {
                    "schema": {"type": "object", "properties": {"offset": {"type": "integer", "minimum": 0}}}
                }
            },
        },
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
    return Response(checklist_as_json(db.session(), survey_id, current_actor(), now()), mimetype="application/json")


@doors.route("/surveys/<int(max=2147483647):survey_id>/sync", methods=["POST"])
@requires(Permission.CONDUCT_SURVEY)
@commits
@doors.doc(**SYNC)
def sync_(survey_id: int) -> Response:
    """Take in what a device did; nothing acknowledged is ever lost."""
    return jsonify(sync(db.session, survey_id, sent_json(), actor=current_actor(), at=now()))


@doors.route("/surveys/<int(max=2147483647):survey_id>/attachments/<uuid:attachment>", methods=["PUT"])
@requires(Permission.CONDUCT_SURVEY)
@commits
@doors.doc(**ATTACHMENT)
def put(survey_id: int, attachment: Any) -> tuple[Response, int]:
    """Store a photo; the same bytes again are accepted again, other bytes are a conflict."""
    status, body = receive(
        db.session, survey_id, str(attachment), request.get_data(), content_range=request.headers.get("Content-Range"),
        content_digest=request.headers.get("Content-Digest"), person=request.args.get("person"), actor=current_actor(), at=now(),
    )  # fmt: skip
    return jsonify(body), status
