"""What the checklist's script calls: sync, the whole checklist, attachments. Known by where they come from, not by a token that ages."""

from __future__ import annotations

from io import BytesIO

from flask import Response, jsonify, request, send_file
from flask.typing import ResponseReturnValue

from certify.certification.surveys.attachments import attachment_for, progress_of_parts, receive
from certify.certification.surveys.queries import checklist_as_json
from certify.certification.surveys.routes.blueprint import bp
from certify.certification.surveys.sync import sync
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.platform.storage.operations import fetch
from certify.platform.web.edges import commits, current_actor, requires


@bp.post("/surveys/<int(max=2147483647):survey_id>/sync")
@requires(Permission.CONDUCT_SURVEY)
@commits
def synchronise(survey_id: int) -> ResponseReturnValue:
    """The contract's sync, for a page with a signed-in session."""
    return jsonify(sync(db.session, survey_id, request.get_json(silent=True), actor=current_actor(), at=now()))


@bp.get("/surveys/<int(max=2147483647):survey_id>/checklist.json")
@requires(Permission.VIEW_DRAFT_REPORT)
def pack(survey_id: int) -> ResponseReturnValue:
    """The whole checklist as JSON, as the API gives it."""
    return Response(checklist_as_json(db.session(), survey_id, current_actor(), now()), mimetype="application/json")


@bp.put("/surveys/<int(max=2147483647):survey_id>/attachments/<uuid:attachment>")
@requires(Permission.CONDUCT_SURVEY)
@commits
def attach(survey_id: int, attachment: object) -> ResponseReturnValue:
    """Keep a photo or PDF, whole or in parts; the same again is answered alike."""
    status, kept = receive(
        db.session, survey_id, str(attachment), request.get_data(cache=False), content_range=request.headers.get("Content-Range"),
        content_digest=request.headers.get("Content-Digest"), person=request.args.get("person"), actor=current_actor(), at=now(),
    )  # fmt: skip
    return jsonify(kept), status


@bp.get("/surveys/<int(max=2147483647):survey_id>/attachments/<uuid:attachment>/parts.json")
@requires(Permission.CONDUCT_SURVEY)
def parts_so_far(survey_id: int, attachment: object) -> ResponseReturnValue:
    """How much of a file has come, so that an interrupted upload goes on there."""
    digest = request.args.get("digest", "").lower()
    told = progress_of_parts(db.session, survey_id, str(attachment), digest, actor=current_actor())
    return jsonify(told), 200, {"Cache-Control": "no-store"}


@bp.get("/surveys/<int(max=2147483647):survey_id>/attachments/<uuid:attachment>")
@requires(Permission.VIEW_DRAFT_REPORT)
def attachment_file(survey_id: int, attachment: object) -> ResponseReturnValue:
    """A photo or PDF of the survey, as it is kept."""
    found = attachment_for(db.session, current_actor(), survey_id, str(attachment))
    ending = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}.get(found.media_type, "pdf")
    return send_file(
        BytesIO(fetch(found.file_key)), mimetype=found.media_type, download_name=f"{found.uuid}.{ending}",
        as_attachment=found.media_type == "application/pdf", etag=found.file_key, max_age=0,
    )  # fmt: skip
