"""The certificate inside a case: what it says, how it is checked, and issuing it again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, case_for, header_for, practice_of
from certify.certification.certificates.operations import reissue_certificate
from certify.certification.certificates.queries import certificates_of, view_of
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires

bp = Blueprint("certificates", __name__)


@bp.get("/cases/<ref>/certificate")
@requires(Permission.VIEW_DECISION)
def show(ref: str) -> ResponseReturnValue:
    """The certificates of a case, the one in force first."""
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_DECISION)
    views = [view_of(db.session, certificate, at) for certificate in certificates_of(db.session, case)]
    may_reissue = bool(views) and actor_may(db.session, case, actor, Permission.ASSIGN_CASE)
    header = header_for(db.session, case, actor, at, "decision")
    return render_template(
        "certification/certificates/show.html", header=header, views=views, may_reissue=may_reissue,
        listed=practice_of(db.session, case).register_consent,
    )  # fmt: skip


@bp.post("/cases/<ref>/certificate/reissue")
@requires(Permission.ASSIGN_CASE)
@commits
def reissue(ref: str) -> ResponseReturnValue:
    """Issue the certificate again with the practice's name and sites as they are now."""
    case = case_for(db.session, current_actor(), ref, Permission.ASSIGN_CASE, lock=True)
    made = reissue_certificate(db.session, case, request.form.get("reason", ""), actor=current_actor(), at=now())
    flash(f"Certificate {made.number} is issued in place of the earlier one.")
    return redirect(url_for("certificates.show", ref=ref))
