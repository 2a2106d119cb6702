"""The page of the council's decision: everything it needs on one screen, and the letter afterwards."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, case_for, header_for, openings_for
from certify.certification.decisions.operations import state_own_conflict, write_reason
from certify.certification.decisions.queries import decision_of, decision_page
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires

bp = Blueprint("decisions", __name__)


@bp.get("/cases/<ref>/decision")
@requires(Permission.VIEW_DECISION)
def show(ref: str) -> ResponseReturnValue:
    """Before the decision: what it rests on, for the council and the program. Afterwards: what was decided."""
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_DECISION)
    header = header_for(db.session, case, actor, at, "decision")
    decision = decision_of(db.session, case.id)
    inside = actor_may(db.session, case, actor, Permission.VIEW_QUEUE)
    if decision is None and not inside:
        return render_template("certification/decisions/waiting.html", header=header)
    return render_template(
        "certification/decisions/show.html",
        header=header,
        page=decision_page(db.session, case, actor, decision),
        inside=inside,
        decides=actor_may(db.session, case, actor, Permission.DECIDE) and case.state == "decision",
        every_step=openings_for(db.session, case, actor, at) if inside else (),
    )


@bp.post("/cases/<ref>/decision/conflict")
@requires(Permission.DECIDE)
@commits
def conflict(ref: str) -> ResponseReturnValue:
    """A council member answers the conflict question."""
    case = case_for(db.session, current_actor(), ref, Permission.DECIDE, lock=True)
    form = request.form
    state_own_conflict(
        db.session, case, form.get("conflict", ""), form.get("conflict_detail", ""), actor=current_actor(), at=now()
    )
    flash("Your answer is kept with the case.")
    return redirect(url_for("decisions.show", ref=ref))


@bp.post("/cases/<ref>/decision/reasons")
@requires(Permission.DECIDE)
@commits
def reasons(ref: str) -> ResponseReturnValue:
    """Save why a standard stands against an award."""
    case = case_for(db.session, current_actor(), ref, Permission.DECIDE, lock=True)
    standard = request.form.get("standard", "")
    write_reason(db.session, case, standard, request.form.get("reason", ""), actor=current_actor(), at=now())
    flash("Saved.")
    return redirect(url_for("decisions.show", ref=ref, _anchor=f"reason-{standard}"))
