"""Pages of the corrective action plan and of the corrections."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, case_for, header_for
from certify.certification.corrections.operations import (
    PLAN_FIELDS,
    judge_correction,
    judge_item,
    link_evidence,
    unlink_evidence,
    write_correction,
    write_item,
)
from certify.certification.corrections.queries import (
    correction_due_on,
    current_plan,
    documents_to_give,
    matrix_of,
    newest_visit,
    requirements_for,
    rounds_allowed,
)
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.web.access import wants_problem
from certify.platform.web.edges import commits, current_actor, requires

bp = Blueprint("corrections", __name__)
WHOLE_NUMBER = "int(max=2147483647)"


@bp.get("/cases/<ref>/corrections")
@requires(Permission.VIEW_CORRECTIONS)
def show(ref: str) -> ResponseReturnValue:
    """Every requirement with its plan, its evidence and its judgement; what can be written now is open for writing."""
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_CORRECTIONS)
    header = header_for(db.session, case, actor, at, "corrections")
    requirements = requirements_for(db.session, case)
    writes = actor_may(db.session, case, actor, Permission.WRITE_PLAN)
    judges = actor_may(db.session, case, actor, Permission.JUDGE_CORRECTIONS)
    staff = actor_may(db.session, case, actor, Permission.ASSIGN_CASE)
    gives_evidence = writes and case.state == "correction_open"
    return render_template(
        "certification/corrections/show.html",
        header=header,
        requirements=requirements,
        matrix=matrix_of(requirements),
        statements={s.key: s for s in current().survey.statements},
        links={r.number: f"#r{r.finding.id}" for r in requirements},
        plan=current_plan(db.session, case.id),
        rounds_allowed=rounds_allowed(),
        due_on=correction_due_on(db.session, case, local_date(at, header.zone)),
        visit=newest_visit(db.session, case.id),
        writes_plan=writes and case.state == "plan_due",
        judges_plan=staff and case.state == "plan_review",
        gives_evidence=gives_evidence,
        judges_evidence=judges and case.state == "correction_review",
        sees_drafts=actor_may(db.session, case, actor, Permission.READ_INTERNAL_MESSAGES),
        documents=documents_to_give(db.session, case) if gives_evidence else [],
    )


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/plan")
@requires(Permission.WRITE_PLAN)
@commits
def plan(ref: str, finding_id: int) -> ResponseReturnValue:
    """Save what is planned for one requirement."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_PLAN, lock=True)
    given = {key: request.form[key] for key in PLAN_FIELDS if key in request.form}
    item = write_item(db.session, case, finding_id, given, actor=current_actor(), at=now(), version=_version())
    return _saved(ref, item.version, finding_id)


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/plan/judge")
@requires(Permission.ASSIGN_CASE)
@commits
def plan_judge(ref: str, finding_id: int) -> ResponseReturnValue:
    """Accept the plan for one requirement, or return it."""
    case = case_for(db.session, current_actor(), ref, Permission.ASSIGN_CASE, lock=True)
    form = request.form
    item = judge_item(
        db.session, case, finding_id, form.get("verdict", ""), form.get("comment", ""),
        actor=current_actor(), at=now(), version=_version(),
    )  # fmt: skip
    return _saved(ref, item.version, finding_id)


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/note")
@requires(Permission.WRITE_PLAN)
@commits
def note(ref: str, finding_id: int) -> ResponseReturnValue:
    """Save how a requirement was corrected."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_PLAN, lock=True)
    text = request.form.get("note", "")
    row = write_correction(db.session, case, finding_id, text, actor=current_actor(), at=now(), version=_version())
    return _saved(ref, row.version, finding_id)


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/evidence")
@requires(Permission.WRITE_PLAN)
@commits
def evidence_add(ref: str, finding_id: int) -> ResponseReturnValue:
    """Give a document of the library as evidence."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_PLAN, lock=True)
    form = request.form
    row = link_evidence(
        db.session, case, finding_id, form.get("document", ""), form.get("pages", ""), actor=current_actor(), at=now()
    )
    return _saved(ref, row.version, finding_id)


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/evidence/<uuid>/remove")
@requires(Permission.WRITE_PLAN)
@commits
def evidence_remove(ref: str, finding_id: int, uuid: str) -> ResponseReturnValue:
    """Take a document out of a correction; it stays in the library."""
    case = case_for(db.session, current_actor(), ref, Permission.WRITE_PLAN, lock=True)
    unlink_evidence(db.session, case, finding_id, uuid, actor=current_actor(), at=now())
    flash("Taken out. The document stays in your library.")
    return redirect(url_for("corrections.show", ref=ref, _anchor=f"r{finding_id}"))


@bp.post(f"/cases/<ref>/corrections/<{WHOLE_NUMBER}:finding_id>/judge")
@requires(Permission.JUDGE_CORRECTIONS)
@commits
def judge(ref: str, finding_id: int) -> ResponseReturnValue:
    """Close a requirement, or say what its evidence lacks."""
    case = case_for(db.session, current_actor(), ref, Permission.JUDGE_CORRECTIONS, lock=True)
    form = request.form
    row = judge_correction(
        db.session, case, finding_id, form.get("verdict", ""), form.get("note", ""),
        actor=current_actor(), at=now(), version=_version(),
    )  # fmt: skip
    return _saved(ref, row.version, finding_id)


def _version() -> int | None:
    return request.form.get("version", type=int)


def _saved(ref: str, version: int, finding_id: int) -> ResponseReturnValue:
    if wants_problem():
        return jsonify({"version": version, "saved_at": now().isoformat()})
    flash("Saved.")
    return redirect(url_for("corrections.show", ref=ref, _anchor=f"r{finding_id}"))
