"""What is signed on the way: the agreement, the webinar record, the conflict of interest question."""

from __future__ import annotations

from typing import Any

from flask import request

from certify.certification.applications.operations import record_webinar, sign_agreement
from certify.certification.applications.queries import agreement_of, signature_of
from certify.certification.cases.queries import case_for
from certify.certification.surveyors.further import Signed, answer_further, asked_about
from certify.certification.surveyors.operations import declare
from certify.certification.surveyors.queries import case_of_question
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.outlets.api.schemas import AgreementShown, Attendance, Declaration, Done, Signature
from certify.platform.web.edges import client_network, commits, current_actor, requires

doors = Doors("api_signing", __name__, url_prefix="/api/v1", description="What is signed on the way to a certificate")


@doors.route("/cases/<ref>/agreement")
@requires(Permission.VIEW_APPLICATION)
@doors.response(200, AgreementShown)
def agreement(ref: str) -> dict[str, Any]:
    """The participation agreement of the case, with the digest to sign."""
    return _agreement(case_for(db.session, current_actor(), ref, Permission.VIEW_APPLICATION))


@doors.route("/cases/<ref>/agreement", methods=["POST"])
@requires(Permission.SIGN_AGREEMENT)
@commits
@doors.arguments(Signature)
@doors.response(200, AgreementShown)
def sign(body: dict[str, Any], ref: str) -> dict[str, Any]:
    """Sign the agreement whose text has this digest."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.SIGN_AGREEMENT, lock=True)
    sign_agreement(
        db.session, case, name=body["name"], title=body["title"], agreed=True, shown_sha256=body["sha256"],
        address=client_network(), user_agent=str(request.user_agent), actor=actor, at=now(),
    )  # fmt: skip
    return _agreement(case)


@doors.route("/cases/<ref>/webinar", methods=["POST"])
@requires(Permission.RECORD_WEBINAR)
@commits
@doors.arguments(Attendance)
@doors.response(200, Done)
def webinar(body: dict[str, Any], ref: str) -> Any:
    """Record that someone of the practice attended the standards webinar."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.RECORD_WEBINAR, lock=True)
    record_webinar(db.session, case, **body, actor=actor, at=now())
    return case


@doors.route("/cases/<ref>/conflict-declarations", methods=["POST"])
@requires(Permission.ANSWER_CONFLICT)
@commits
@doors.arguments(Declaration)
@doors.response(200, Done)
def declare_(body: dict[str, Any], ref: str) -> Any:
    """Answer the conflict of interest question for one side; the second “none” accepts the surveyor, also a further one."""
    actor = current_actor()
    try:
        case = case_for(db.session, actor, ref, Permission.ANSWER_CONFLICT, lock=True)
    except (NotFound, NotAllowed):
        # Not of the practice: the surveyor answers before the case opens to her.
        case = case_of_question(db.session, actor, ref)
    further = asked_about(db.session, case, actor)
    if further is None:
        declare(db.session, case, **body, address=client_network(), actor=actor, at=now())
    else:
        signed = Signed(body["answers"], body["detail"], body["signed_name"], body["signed_title"], client_network())
        answer_further(db.session, case, further.id, signed, actor=actor, at=now())
    return case


def _agreement(case: Any) -> dict[str, Any]:
    text, signature = agreement_of(case), signature_of(db.session, case)
    return {
        "version": text.version,
        "title": text.title,
        "text": text.text,
        "sha256": text.sha256,
        "signed_by": signature.signer_name if signature else None,
    }
