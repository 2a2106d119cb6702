"""Evidence in, documents out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, request, send_file

from certify.certification.cases.queries import case_for
from certify.certification.evidence.files import Inspected
from certify.certification.evidence.operations import add_evidence as add_to_library
from certify.certification.evidence.operations import inspect_file, use_of
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.outlets.api.problems import Doors, flat
from certify.outlets.api.schemas import EvidenceAdded, EvidenceFields
from certify.outlets.documents.operations import MEDIA_TYPES, give_out, plan_document
from certify.outlets.documents.queries import Wanted
from certify.platform.mail.addresses import configured_base
from certify.platform.web.edges import (
    beforehand,
    commits,
    current_actor,
    found_beforehand,
    records_reading,
    requires,
)

doors = Doors("api_files", __name__, url_prefix="/api/v1", description="Evidence and documents of a case")

AS_SENT = {"uses": "elements", "pages": "page"}  # how a call names what the library calls otherwise
MULTIPART = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "elements"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "elements": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "ids like 7.3.b, or 7.3 for all of it",
                        },
                        "site": {"type": "integer", "description": "only this site; without it, all sites"},
                        "title": {"type": "string"},
                        "page": {"type": "string", "description": "where in the file"},
                        "effective_from": {"type": "string", "format": "date"},
                        "effective_to": {"type": "string", "format": "date"},
                    },
                }
            }
        },
    }
}
DOCUMENT = {
    "responses": {
        "200": {
            "description": "The document",
            "content": {
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {
                    "schema": {"type": "string", "format": "binary"}
                },
            },
        }
    }
}


def _file_sent() -> Inspected:
    uploads = request.files.getlist("file")
    name = uploads[0].filename if uploads else None
    if not name:
        raise Invalid("Send the file, with its name, in the part named “file” of a multipart form.", "file")
    if len(uploads) > 1:
        raise Invalid("Send one file at a time: each is evidence of its own.", "file")
    upload = uploads[0]
    content = upload.read()
    upload.stream.seek(0)  # whoever compares what was sent reads it again
    return inspect_file(content, name)


def _sent() -> tuple[dict[str, Any], Inspected]:
    """Return the fields and the file. Raises: Invalid, with what is wrong with either."""
    given = {
        key: _elements_sent() if key == "elements" else request.form[key]
        for key in request.form
        if key != "file" and request.form[key] != ""
    }
    fields = EvidenceFields()
    errors = list(flat(fields.validate(given)))
    try:
        inspected = found_beforehand()
    except Invalid as wrong:
        raise Invalid([*wrong.errors, *errors]) from wrong
    if errors:
        raise Invalid(errors)
    return fields.load(given), inspected


def _elements_sent() -> list[str]:
    """Return the elements, each once: the part repeated, or once with commas between."""
    sent = request.form.getlist("elements")
    parts = sent[0].split(",") if len(sent) == 1 else sent
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


@doors.route("/cases/<ref>/evidence", methods=["POST"])
@requires(Permission.ADD_EVIDENCE)
@beforehand(_file_sent)
@commits
@doors.response(201, EvidenceAdded)
@doors.doc(**MULTIPART)
def add_evidence(ref: str) -> dict[str, Any]:
    """A file mapped to one or more elements."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    values, inspected = _sent()
    site, page, elements = values.pop("site"), values.pop("page"), values.pop("elements")
    uses = [use_of(item, site, page) for item in elements]
    try:
        evidence, version = add_to_library(db.session, case, inspected, uses, **values, actor=actor, at=now())
    except Invalid as wrong:
        raise Invalid(replace(e, field=AS_SENT.get(e.field, e.field)) for e in wrong.errors) from wrong
    return {
        "id": evidence.uuid, "version": version.number, "sha256": version.original_sha256, "state": version.state,
        "elements": elements,
    }  # fmt: skip


@doors.route("/cases/<ref>/documents/<kind>.<ext>")
@requires(Permission.VIEW_CASE)
@records_reading
@doors.doc(**DOCUMENT)
def document(ref: str, kind: str, ext: str) -> Response:
    """A document of the case; reading a report is an event."""
    wanted = Wanted(base_url=configured_base() or "")
    plan = plan_document(db.session(), current_actor(), ref, kind, ext, wanted, now())
    # End the reading here: no lock is held while pages are set, and others go on saving.
    db.session.commit()
    stream = give_out(db.session(), plan, actor=current_actor(), at=now())
    answer = send_file(
        stream, mimetype=MEDIA_TYPES[plan.ext], as_attachment=True, download_name=plan.file_name, max_age=0
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
