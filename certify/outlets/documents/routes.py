"""Downloads: each document of a case, and invoices."""

from __future__ import annotations

from flask import Blueprint, request, send_file
from flask.typing import ResponseReturnValue

from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.outlets.documents.operations import MEDIA_TYPES, give_out, plan_document
from certify.outlets.documents.queries import Plan, Wanted, plan_invoice
from certify.platform.mail.addresses import configured_base
from certify.platform.web.edges import current_actor, records_reading, requires

bp = Blueprint("documents", __name__)


@bp.get("/cases/<ref>/documents/<kind>.<ext>")
@requires(Permission.VIEW_CASE)
@records_reading
def download(ref: str, kind: str, ext: str) -> ResponseReturnValue:
    """Give out a document of a case; `version` asks for an earlier issue of the report, `draft` for the one in work."""
    version = request.args.get("version", type=int)
    wanted = Wanted(report_id=version, draft="draft" in request.args, base_url=configured_base() or "")
    return _give_out(plan_document(db.session(), current_actor(), ref, kind, ext, wanted, now()))


@bp.get("/invoices/<number>.pdf")
@requires(Permission.VIEW_FEES)
@records_reading
def invoice(number: str) -> ResponseReturnValue:
    """Give out an invoice as PDF."""
    return _give_out(plan_invoice(db.session(), current_actor(), number))


def _give_out(plan: Plan) -> ResponseReturnValue:
    # End the reading here: no lock is held while pages are set, and others go on saving.
    db.session.commit()
    stream = give_out(db.session(), plan, actor=current_actor(), at=now())
    response = send_file(
        stream, mimetype=MEDIA_TYPES[plan.ext], as_attachment=True, download_name=plan.file_name, max_age=0
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
