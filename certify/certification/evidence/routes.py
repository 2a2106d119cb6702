"""Pages of the evidence of a case: what is covered, adding files, one document, opening a version."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, case_for, header_for
from certify.certification.evidence.files import ACCEPT, ALLOWED_WORDS
from certify.certification.evidence.forms import UploadForm, inspect_all, read_files
from certify.certification.evidence.identifiers import browser_patterns
from certify.certification.evidence.models import Evidence
from certify.certification.evidence.operations import (
    add_evidence,
    add_version,
    change_uses,
    confirm_deidentified,
    record_quarantine_opened,
    record_view,
    rename,
    retire,
    state_not_applicable,
    use_of,
    withdraw_not_applicable,
)
from certify.certification.evidence.queries import (
    CLEAR,
    coverage_of,
    document_for,
    documents_of,
    held_by_lock,
    lock_of,
    may_open_quarantined,
    quarantined_in,
    sees_quarantine,
    sites_of,
    unused_documents_of,
    uses_of,
    version_for,
    versions_of,
)
from certify.certification.evidence.rules import percent_covered, standings
from certify.core.access.policy import Permission
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.storage.operations import fetch
from certify.platform.web.edges import (
    beforehand,
    commits,
    current_actor,
    found_beforehand,
    records_reading,
    requires,
)

if TYPE_CHECKING:
    from certify.certification.cases.models import Case

bp = Blueprint("evidence", __name__)


@bp.get("/cases/<ref>/evidence")
@requires(Permission.VIEW_EVIDENCE)
def index(ref: str) -> ResponseReturnValue:
    """How far each standard is covered, with the documents, gaps and statements beside it."""
    return _index(ref, {}, (), 200)


@bp.get("/cases/<ref>/evidence/new")
@requires(Permission.ADD_EVIDENCE)
def new(ref: str) -> ResponseReturnValue:
    """Add files: choose them, say what they prove, for which site and period."""
    case = case_for(db.session, current_actor(), ref, Permission.ADD_EVIDENCE)
    items = tuple(request.args.getlist("item"))
    return _upload_page(case, UploadForm("", items, request.args.get("site", ""), "", "", ""), (), 200)


@bp.post("/cases/<ref>/evidence")
@requires(Permission.ADD_EVIDENCE)
@beforehand(lambda: inspect_all(read_files(request.files.getlist("file"))))
@commits
def add(ref: str) -> ResponseReturnValue:
    """Take the files, each as a document of its own mapped to the items chosen."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    form = UploadForm.read(request.form)
    try:
        inspected = found_beforehand()
        effective_from, effective_to = form.period()
        added = [
            add_evidence(
                db.session, case, file, form.uses(), title=form.title if len(inspected) == 1 else "",
                effective_from=effective_from, effective_to=effective_to, actor=actor, at=now(),
            )
            for file in inspected
        ]  # fmt: skip
    except Invalid as invalid:
        db.session.rollback()
        return _upload_page(case_for(db.session, actor, ref, Permission.ADD_EVIDENCE), form, invalid.errors, 422)
    held = [evidence for evidence, version in added if version.state != CLEAR]
    if held:
        flash("A file may name patients. Only your practice sees it until you settle that.", "warning")
        return redirect(url_for("evidence.detail", ref=ref, uuid=held[0].uuid))
    flash("The file is added." if len(added) == 1 else f"{len(added)} files are added.")
    first = form.items[0] if form.items else ""
    return redirect(url_for("evidence.index", ref=ref) + f"#s{use_of(first).standard}")


@bp.get("/cases/<ref>/evidence/<uuid>")
@requires(Permission.VIEW_EVIDENCE)
def detail(ref: str, uuid: str) -> ResponseReturnValue:
    """One document: its versions, what it proves where, who has seen it."""
    return _detail(ref, uuid, {}, (), 200)


@bp.post("/cases/<ref>/evidence/<uuid>/versions")
@requires(Permission.ADD_EVIDENCE)
@beforehand(lambda: inspect_all(read_files(request.files.getlist("file")[:1])))
@commits
def new_version(ref: str, uuid: str) -> ResponseReturnValue:
    """Add a new version of a document."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    evidence = document_for(db.session, case, actor, uuid)
    form = UploadForm.read(request.form)
    try:
        inspected = found_beforehand()
        effective_from, effective_to = form.period()
        version = add_version(
            db.session,
            case,
            evidence,
            inspected[0],
            effective_from=effective_from,
            effective_to=effective_to,
            actor=actor,
            at=now(),
        )
    except Invalid as invalid:
        db.session.rollback()
        given = {"effective_from": form.effective_from, "effective_to": form.effective_to}
        return _detail(ref, uuid, given, invalid.errors, 422)
    if version.state == CLEAR:
        flash(f"Version {version.number} is added; earlier versions are kept.")
    else:
        flash("The new version may name patients. Only your practice sees it until you settle that.", "warning")
    return redirect(url_for("evidence.detail", ref=ref, uuid=uuid))


@bp.get("/cases/<ref>/evidence/<uuid>/mapping")
@requires(Permission.ADD_EVIDENCE)
def mapping(ref: str, uuid: str) -> ResponseReturnValue:
    """Choose what a document proves in this case."""
    return _mapping_page(ref, uuid, None, (), 200)


@bp.post("/cases/<ref>/evidence/<uuid>/mapping")
@requires(Permission.ADD_EVIDENCE)
@commits
def change_mapping(ref: str, uuid: str) -> ResponseReturnValue:
    """Save what a document proves in this case; items of other sites than the one chosen stay as they are."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    evidence = document_for(db.session, case, actor, uuid)
    form = UploadForm.read(request.form)
    try:
        site_id = form.site_id
        others = [
            use_of(u.element or u.standard, u.site_id, u.pages)
            for u in uses_of(db.session, case, evidence)
            if u.site_id != site_id
        ]
        change_uses(db.session, case, evidence, [*form.uses(), *others], actor=actor, at=now())
        if form.title:
            rename(db.session, case, evidence, form.title, actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return _mapping_page(ref, uuid, form, invalid.errors, 422)
    flash("What the document proves is saved.")
    return redirect(url_for("evidence.detail", ref=ref, uuid=uuid))


@bp.post("/cases/<ref>/evidence/<uuid>/retire")
@requires(Permission.ADD_EVIDENCE)
@commits
def remove(ref: str, uuid: str) -> ResponseReturnValue:
    """Take a document out of use; it stays in the record."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    evidence = document_for(db.session, case, actor, uuid)
    given = {"reason": request.form.get("reason", "")}
    try:
        retire(db.session, case, evidence, given["reason"], actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return _detail(ref, uuid, given, invalid.errors, 422)
    flash("The document is removed. It stays in the history.")
    return redirect(url_for("evidence.index", ref=ref))


@bp.post("/cases/<ref>/evidence/<uuid>/versions/<int:number>/confirm")
@requires(Permission.VIEW_EVIDENCE)
@commits
def confirm(ref: str, uuid: str, number: int) -> ResponseReturnValue:
    """Let a version out of quarantine, with the reason why it names no patient."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_EVIDENCE, lock=True)
    may = actor_may(db.session, case, actor, Permission.ADD_EVIDENCE) or actor_may(
        db.session, case, actor, Permission.REVIEW_QUARANTINE
    )
    if not may:
        raise NotAllowed("The practice or program staff settle this.")
    evidence = document_for(db.session, case, actor, uuid)
    version = version_for(db.session, case, actor, evidence, number)
    given = {"clear_reason": request.form.get("reason", ""), "number": str(number)}
    try:
        confirm_deidentified(db.session, case, evidence, version, given["clear_reason"], actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        errors = tuple(FieldError("clear_reason", e.message) for e in invalid.errors)
        return _detail(ref, uuid, given, errors, 422)
    flash("The version is out of quarantine. The program and the survey team can see it now.")
    return redirect(url_for("evidence.detail", ref=ref, uuid=uuid))


@bp.get("/cases/<ref>/evidence/<uuid>/versions/<int:number>/file")
@requires(Permission.VIEW_EVIDENCE)
@records_reading
def download(ref: str, uuid: str, number: int) -> ResponseReturnValue:
    """Give out the file of a version, always as an attachment; what a surveyor opens is noted for the practice."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_EVIDENCE)
    evidence = document_for(db.session, case, actor, uuid)
    version = version_for(db.session, case, actor, evidence, number)
    if version.state != CLEAR and not sees_quarantine(db.session, case, actor):
        record_quarantine_opened(db.session, case, evidence, version, actor=actor, at=now())
    elif Role.SURVEYOR in actor.roles and not sees_quarantine(db.session, case, actor):
        record_view(db.session, case, evidence, version, actor=actor, at=now())
    response = send_file(
        BytesIO(fetch(version.file_key)),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=version.file_name,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.post("/cases/<ref>/evidence/not-applicable")
@requires(Permission.ADD_EVIDENCE)
@commits
def not_applicable(ref: str) -> ResponseReturnValue:
    """State that a standard does not apply, with a reason; or take that back."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
    standard, reason = request.form.get("standard", ""), request.form.get("reason", "")
    try:
        if request.form.get("withdraw"):
            withdraw_not_applicable(db.session, case, standard, actor=actor, at=now())
            flash(f"Standard {standard} applies again.")
        else:
            state_not_applicable(db.session, case, standard, reason, actor=actor, at=now())
            flash(f"It is noted that standard {standard} does not apply, with your reason.")
    except Invalid as invalid:
        db.session.rollback()
        return _index(ref, {"standard": standard, "reason": reason}, invalid.errors, 422)
    return redirect(url_for("evidence.index", ref=ref) + f"#s{standard}")


def _index(ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_EVIDENCE)
    sites = sites_of(db.session, case)
    site_id = request.args.get("site", type=int)
    site_id = site_id if site_id in {s.id for s in sites} else None
    text, state = request.args.get("q", "")[:200], request.args.get("state", "")
    documents = documents_of(db.session, case, actor, site_id=site_id, text=text, state=state)
    coverage = coverage_of(db.session, case, at_lock=held_by_lock(db.session, case, actor))
    by_standard: dict[str, list[tuple[object, object]]] = {}
    for document in documents:
        for use in document.uses:
            if site_id is None or use.site_id in (None, site_id):
                by_standard.setdefault(use.standard, []).append((document, use))
    rows = [row for found in coverage.values() for row in found]
    pairs = [(u.element or u.standard, u.site_id) for d in documents for u in d.uses]
    may_review = actor_may(db.session, case, actor, Permission.REVIEW_QUARANTINE)
    may_add = actor_may(db.session, case, actor, Permission.ADD_EVIDENCE) and case.open
    header = header_for(db.session, case, actor, at, "evidence")
    steps = {step.trigger: step for step in header.openings}
    page = render_template(
        "certification/evidence/index.html", header=header, given=given, errors=errors,
        messages={e.field: e.message for e in errors}, edition=current().editions[case.edition], coverage=coverage,
        sending=steps.get("send_documents"), checking=[steps[t] for t in ("mark_complete", "mark_incomplete") if t in steps],
        percent=percent_covered(rows), open_count=sum(not r.settled for r in rows), by_standard=by_standard, documents=documents, sites=sites,
        site_names={s.id: s.name for s in sites}, site_id=site_id, text=text, state=state,
        standing=standings(pairs, site_id) if site_id is not None else {}, stated=any(row.not_applicable for row in rows),
        gaps=[(row.code, text) for row in rows for text in row.gaps], unused=unused_documents_of(db.session, case, actor), lock=lock_of(db.session, case), at=at,
        may_add=may_add,
        quarantine=quarantined_in(db.session, case) if may_review or may_add else [], may_review=may_review,
    )  # fmt: skip
    return page, status


def _upload_page(case: Case, form: UploadForm, errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    page = render_template(
        "certification/evidence/new.html", header=header_for(db.session, case, current_actor(), now(), "evidence"), form=form, errors=errors,
        messages={e.field: e.message for e in errors}, edition=current().editions[case.edition], sites=sites_of(db.session, case),
        accept=ACCEPT, allowed=ALLOWED_WORDS, patterns=browser_patterns(),
    )  # fmt: skip
    return page, status


def _detail(
    ref: str, uuid: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int
) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_EVIDENCE)
    evidence = document_for(db.session, case, actor, uuid)
    may_add = actor_may(db.session, case, actor, Permission.ADD_EVIDENCE)
    page = render_template(
        "certification/evidence/detail.html", header=header_for(db.session, case, actor, at, "evidence"), evidence=evidence, given=given,
        errors=errors, messages={e.field: e.message for e in errors}, versions=versions_of(db.session, case, actor, evidence),
        uses=uses_of(db.session, case, evidence), edition=current().editions[case.edition],
        site_names={s.id: s.name for s in sites_of(db.session, case)}, may_add=may_add and case.open and evidence.retired_at is None,
        may_settle=may_open_quarantined(db.session, case, actor) and (may_add or actor_may(db.session, case, actor, Permission.REVIEW_QUARANTINE)),
        accept=ACCEPT, allowed=ALLOWED_WORDS, patterns=browser_patterns(), lock=lock_of(db.session, case), at=at,
    )  # fmt: skip
    return page, status


def _mapping_page(
    ref: str, uuid: str, form: UploadForm | None, errors: tuple[FieldError, ...], status: int
) -> ResponseReturnValue:
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADD_EVIDENCE)
    evidence = document_for(db.session, case, actor, uuid)
    page = render_template(
        "certification/evidence/mapping.html", header=header_for(db.session, case, actor, now(), "evidence"), evidence=evidence,
        form=form or _present_mapping(case, evidence), errors=errors, messages={e.field: e.message for e in errors},
        edition=current().editions[case.edition], sites=sites_of(db.session, case),
    )  # fmt: skip
    return page, status


def _present_mapping(case: Case, evidence: Evidence) -> UploadForm:
    chosen = request.args.get("site", type=int)
    uses = [u for u in uses_of(db.session, case, evidence) if u.site_id == chosen]
    items = tuple(u.element or u.standard for u in uses)
    return UploadForm(evidence.title, items, str(chosen or ""), uses[0].pages if uses else "", "", "")
