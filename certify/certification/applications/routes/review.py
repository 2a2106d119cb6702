"""What is done on the application's overview beside answering: eligibility, integration, changes asked for, the edition."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from certify.certification.applications.queries import change_request_for
from certify.certification.applications.review import (
    find_integrated,
    propose_rejection,
    request_change,
    settle_change_request,
    withdraw_rejection,
)
from certify.certification.applications.routes.application import overview_page
from certify.certification.cases.operations import choose_edition
from certify.certification.cases.queries import case_for
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires

bp = Blueprint("application_review", __name__)


@bp.post("/cases/<ref>/application/changes")
@requires(Permission.EDIT_APPLICATION)
@commits
def ask_change(ref: str) -> ResponseReturnValue:
    """Ask the program to let something be changed that was sent."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    given = {"text": request.form.get("text", ""), "field": request.form.get("field", "")}
    try:
        request_change(db.session, case, given["text"], field=given["field"], actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return overview_page(ref, given, invalid.errors, 422)
    flash("Your request is with the program. You read the answer here.")
    return _back(ref, "changes")


@bp.post("/cases/<ref>/application/changes/<int:request_id>")
@requires(Permission.REVIEW_APPLICATION)
@commits
def settle_change(ref: str, request_id: int) -> ResponseReturnValue:
    """Grant or decline such a request, with a reason."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.REVIEW_APPLICATION, lock=True)
    found = change_request_for(db.session, case, request_id)
    granted = request.form.get("granted") == "yes"
    settle_change_request(
        db.session, case, found, granted=granted, reason=request.form.get("reason", ""), actor=actor, at=now()
    )
    flash("The practice sees your answer.")
    return _back(ref, "changes")


@bp.post("/cases/<ref>/application/rejection")
@requires(Permission.REVIEW_APPLICATION)
@commits
def propose(ref: str) -> ResponseReturnValue:
    """Propose to find the practice ineligible."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.REVIEW_APPLICATION, lock=True)
    given = {"rule": request.form.get("rule", ""), "reason": request.form.get("reason", "")}
    try:
        propose_rejection(db.session, case, rule=given["rule"], reason=given["reason"], actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return overview_page(ref, given, invalid.errors, 422)
    flash("The rejection is proposed. A second member of the program has to agree.")
    return _back(ref, "eligibility")


@bp.post("/cases/<ref>/application/rejection/withdraw")
@requires(Permission.REVIEW_APPLICATION)
@commits
def withdraw(ref: str) -> ResponseReturnValue:
    """Take the proposal back, or not agree to it."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.REVIEW_APPLICATION, lock=True)
    withdraw_rejection(db.session, case, request.form.get("reason", ""), actor=actor, at=now())
    flash("The proposal to reject is taken back.")
    return _back(ref, "eligibility")


@bp.post("/cases/<ref>/integration")
@requires(Permission.REVIEW_APPLICATION)
@commits
def integrate(ref: str) -> ResponseReturnValue:
    """Record how the practice is shown to be one integrated practice."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.REVIEW_APPLICATION, lock=True)
    given = {
        "integration": request.form.get("integration", ""),
        "integration_note": request.form.get("integration_note", ""),
    }
    try:
        find_integrated(
            db.session, case, basis=given["integration"], note=given["integration_note"], actor=actor, at=now()
        )
    except Invalid as invalid:
        db.session.rollback()
        return overview_page(ref, given, invalid.errors, 422)
    flash("The finding is recorded.")
    return _back(ref, "eligibility")


@bp.post("/cases/<ref>/application/edition")
@requires(Permission.EDIT_APPLICATION)
@commits
def edition(ref: str) -> ResponseReturnValue:
    """Choose the edition of the standards before the fee is confirmed."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    choose_edition(db.session, case, request.form.get("edition", ""), actor=actor, at=now())
    flash("The edition is chosen.")
    return _back(ref, "edition")


def _back(ref: str, anchor: str) -> Response:
    return redirect(url_for("applications.overview", ref=ref) + f"#{anchor}")
