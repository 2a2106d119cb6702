"""What a tablet takes along before it goes where there is no network."""

from __future__ import annotations

import gzip

from flask import Response, json, request
from flask.typing import ResponseReturnValue

from certify.certification.surveys.queries.pack import pack
from certify.certification.surveys.routes.blueprint import bp
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.platform.web.edges import current_actor, requires


@bp.get("/surveys/<int(max=2147483647):survey_id>/pack.json")
@requires(Permission.VIEW_DRAFT_REPORT)
def tablet_pack(survey_id: int) -> ResponseReturnValue:
    """Everything the visit needs, without the files themselves; 304 when the tablet has it as it is."""
    body = json.dumps(pack(db.session, survey_id, current_actor(), now())).encode()
    answer = Response(body, mimetype="application/json")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Accept-Encoding, Cookie"
    answer.add_etag(weak=True)
    answer.make_conditional(request)
    if answer.status_code == 200 and request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(body, compresslevel=5, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
