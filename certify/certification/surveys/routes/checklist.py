"""The checklist: the overview of a survey, one standard a page, what came late."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.queries import actor_may, header_for, openings_for, practice_of, zone_of
from certify.certification.evidence.queries import evidence_for_standard
from certify.certification.surveyors.queries import FURTHER_STATES
from certify.certification.surveys.blindfold import blindfolded
from certify.certification.surveys.forms import RISK, SEEN, bases_in, ops_of_form
from certify.certification.surveys.judging import agree_not_applicable, agreement_open, judge_late
from certify.certification.surveys.ops import SITE_FIELDS
from certify.certification.surveys.queries import (
    Progress,
    StandardSheet,
    answers_of,
    domains_of,
    gaps_of,
    history_of,
    late_ops,
    may_judge_late,
    next_open,
    open_conflicts,
    progress_of,
    sheet_for,
    signatures_of,
    site_words,
    sites_of,
    survey_for,
    values_at,
)
from certify.certification.surveys.queries.team import share_progress, team
from certify.certification.surveys.routes.blueprint import bp
from certify.certification.surveys.sync import sync
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid, NotFound
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.identity.queries import names_of
from certify.platform.web.edges import commits, current_actor, requires

STANDARD_TEXTS = ("strength", "recommendation", "standard_note")
PAGES = uuid.UUID("f3f6d4de-62d8-5cf1-9c0a-1f1f5c1f8a11")  # name space of the "devices" that pages without script are


@bp.get("/surveys/<int(max=2147483647):survey_id>")
@requires(Permission.VIEW_DRAFT_REPORT)
def overview(survey_id: int) -> ResponseReturnValue:
    """Progress by site and domain, conflicts, what is still open, the finish; for whoever scores blind, her part of it."""
    actor, at = current_actor(), now()
    if blindfolded(db.session, survey_id, actor):
        return redirect(url_for("calibration.sheet", survey_id=survey_id))
    opened = survey_for(db.session, actor, survey_id, Permission.VIEW_DRAFT_REPORT)
    survey = opened.survey
    sites = [s for s in sites_of(db.session, survey_id) if s.visited]
    rows = answers_of(db.session, survey_id)
    counters = progress_of(db.session, survey_id)
    domains = domains_of(survey)
    gaps = gaps_of(survey, rows, sites_of(db.session, survey_id))
    onward = next_open(survey, rows, tuple(sites), sites[0].site_id, "") if sites else None
    steps = {step.trigger: step for step in openings_for(db.session, opened.case, actor, at)}
    members = team(db.session, survey, at)
    names = names_of(db.session, [survey.lead_id])
    return render_template(
        "certification/surveys/overview.html",
        header=header_for(db.session, opened.case, actor, at, tab="survey"),
        survey=survey, case=opened.case, sites=sites, others=[s for s in sites_of(db.session, survey_id) if not s.visited],
        domains=domains, counters=counters, total=sum(counters.values(), Progress()),
        by_site={s.site_id: sum((c for (site, _), c in counters.items() if site == s.site_id), Progress()) for s in sites},
        conflicts=_dated(open_conflicts(db.session, survey_id)), gaps=gaps, onward=onward, steps=steps,
        may_conduct=actor_may(db.session, opened.case, actor, Permission.CONDUCT_SURVEY),
        late=late_ops(db.session, survey_id), may_judge=may_judge_late(db.session, opened, actor),
        may_compare=actor_may(db.session, opened.case, actor, Permission.VIEW_CALIBRATION),
        zone=zone_of(db.session, opened.case), lead_name=names.get(survey.lead_id or 0, ""), site_words=site_words(rows),
        signatures=signatures_of(db.session, survey_id, rows),
        may_take_off=opened.case.state in FURTHER_STATES and actor_may(db.session, opened.case, actor, Permission.PLAN_SURVEY),
        team=members, shares_done={m.id: share_progress(m.shares, counters) for m in members},
        may_take_backup=actor_may(db.session, opened.case, actor, Permission.TAKE_BACKUP),
    )  # fmt: skip


@bp.get("/surveys/<int(max=2147483647):survey_id>/sites/<int(max=2147483647):site_id>/standards/<code>")
@requires(Permission.VIEW_DRAFT_REPORT)
def standard(survey_id: int, site_id: int, code: str) -> ResponseReturnValue:
    """One standard at one site, with its elements, evidence and guidance."""
    if blindfolded(db.session, survey_id, current_actor()):
        return redirect(url_for("calibration.sheet", survey_id=survey_id))
    return _standard_page(survey_id, site_id, code)


@bp.post("/surveys/<int(max=2147483647):survey_id>/sites/<int(max=2147483647):site_id>/standards/<code>")
@requires(Permission.CONDUCT_SURVEY)
@commits
def save_standard(survey_id: int, site_id: int, code: str) -> ResponseReturnValue:
    """Save the page without a script: what was changed goes through the same sync."""
    actor, at = current_actor(), now()
    opened = survey_for(db.session, actor, survey_id, Permission.CONDUCT_SURVEY)
    sheet = sheet_for(db.session, opened.survey, site_id, code)
    names = names_on(sheet)
    shown = bases_in(request.form, names)
    values = values_at(db.session, survey_id, {s.base for s in shown.values() if s.base is not None})
    ops = ops_of_form(request.form, site_id, names, values, at.isoformat())
    _send(survey_id, ops)
    target = {"previous": sheet.previous, "next": sheet.next}.get(request.form.get("go", ""), code) or code
    if request.form.get("go") == "open":
        rows = answers_of(db.session, survey_id)
        found = next_open(opened.survey, rows, sheet.sites, site_id, code)
        if found is None:
            return redirect(url_for("surveys.overview", survey_id=survey_id))
        site_id, target = found
    return redirect(url_for("surveys.standard", survey_id=survey_id, site_id=site_id, code=target))


@bp.get("/surveys/<int(max=2147483647):survey_id>/sites/<int(max=2147483647):site_id>/after/<code>")
@requires(Permission.VIEW_DRAFT_REPORT)
def after(survey_id: int, site_id: int, code: str) -> ResponseReturnValue:
    """Lead to the next standard with anything open, or to the overview when nothing is."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.VIEW_DRAFT_REPORT)
    sites = tuple(s for s in sites_of(db.session, survey_id) if s.visited)
    found = next_open(opened.survey, answers_of(db.session, survey_id), sites, site_id, code)
    if found is None:
        return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor="finish"))
    return redirect(url_for("surveys.standard", survey_id=survey_id, site_id=found[0], code=found[1]))


@bp.post("/surveys/<int(max=2147483647):survey_id>/settle")
@requires(Permission.CONDUCT_SURVEY)
@commits
def settle(survey_id: int) -> ResponseReturnValue:
    """Settle a conflict by choosing one of its values; choosing is an op like any other."""
    survey_for(db.session, current_actor(), survey_id, Permission.CONDUCT_SURVEY)
    which, _, seq = request.form.get("choice", "").partition(":")
    conflict = next((c for c in open_conflicts(db.session, survey_id) if str(c["id"]) == which), None)
    chosen = next((v for v in conflict["values"] if str(v["seq"]) == seq), None) if conflict else None
    if conflict is None or chosen is None:
        raise NotFound("This conflict is settled already, or something newer was said. Open the page again.")
    base = max(v["seq"] for v in conflict["values"])
    op = {"op": str(uuid.uuid4()), "site": conflict["site"], "element": conflict["element"], "field": conflict["field"],
          "value": chosen["value"], "base": base, "at": now().isoformat()}  # fmt: skip
    _send(survey_id, [op])
    flash("Settled. Both values stay in the history.")
    about = conflict["element"]
    if about and request.form.get("back") != "overview":
        return redirect(
            url_for(
                "surveys.standard", survey_id=survey_id, site_id=conflict["site"], code=".".join(about.split(".")[:2])
            )
        )
    return redirect(url_for("surveys.overview", survey_id=survey_id))


@bp.post("/surveys/<int(max=2147483647):survey_id>/sites/<int(max=2147483647):site_id>/words")
@requires(Permission.CONDUCT_SURVEY)
@commits
def save_words(survey_id: int, site_id: int) -> ResponseReturnValue:
    """Save the note on a site as a whole, or the remote interview with one that is not visited."""
    at = now().isoformat()
    survey_for(db.session, current_actor(), survey_id, Permission.CONDUCT_SURVEY)
    names = [("", field) for field in sorted(SITE_FIELDS) if f"{field}:" in request.form]
    values = values_at(
        db.session, survey_id, {s.base for s in bases_in(request.form, names).values() if s.base is not None}
    )
    ops = ops_of_form(request.form, site_id, names, values, at)
    _send(survey_id, [op | {"element": None} for op in ops])
    flash("Saved.")
    return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor=f"site-{site_id}"))


@bp.post("/surveys/<int(max=2147483647):survey_id>/sites/<int(max=2147483647):site_id>/standards/<code>/agree")
@requires(Permission.VIEW_DRAFT_REPORT)
@commits
def second(survey_id: int, site_id: int, code: str) -> ResponseReturnValue:
    """Agree, as a second reviewer, that a critical standard does not apply."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.VIEW_DRAFT_REPORT, lock=True)
    agree_not_applicable(db.session, opened, site_id, code, actor=current_actor(), at=now())
    flash("Agreed and kept, with your name.")
    return redirect(url_for("surveys.standard", survey_id=survey_id, site_id=site_id, code=code))


@bp.post("/surveys/<int(max=2147483647):survey_id>/late/<int(max=2147483647):seq>")
@requires(Permission.VIEW_DRAFT_REPORT)
@commits
def judge(survey_id: int, seq: int) -> ResponseReturnValue:
    """Accept or decline an entry that came after the survey was finished."""
    opened = survey_for(db.session, current_actor(), survey_id, Permission.VIEW_DRAFT_REPORT, lock=True)
    accept = {"accept": True, "decline": False}.get(request.form.get("verdict", ""))
    judge_late(db.session, opened, seq, accept=accept, actor=current_actor(), at=now())
    flash("Accepted: it now stands as the answer." if accept else "Declined. It stays in the history.")
    return redirect(url_for("surveys.overview", survey_id=survey_id, _anchor="late"))


def _dated(conflicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return conflicts with instants in place of their text, for the page."""
    return [c | {"choices": [v | {"at": datetime.fromisoformat(v["at"])} for v in c["values"]]} for c in conflicts]


def names_on(sheet: StandardSheet) -> list[tuple[str, str]]:
    """Return the (element or standard, field) pairs a checklist page carries."""
    fields = (
        "rating",
        RISK,
        "note",
        "na_reason",
        *(f for f in SEEN if f.removeprefix("seen_") in sheet.standard.evidence),
    )
    return [(item.id, field) for item in sheet.items for field in fields] + [
        (sheet.standard.code, field) for field in STANDARD_TEXTS
    ]


def _send(survey_id: int, ops: list[dict[str, Any]]) -> None:
    """Take in what a page without script changed, as a device of this person's own."""
    if not ops:
        return
    actor = current_actor()
    device = str(uuid.uuid5(PAGES, str(actor.user_id)))
    answer = sync(db.session, survey_id, {"device": device, "since": 0, "ops": ops}, actor=actor, at=now())
    wrong = [str(ack["reason"]) for ack in answer["acks"] if ack["status"] == "rejected"]
    if wrong:
        raise Invalid(" ".join(wrong))
    if any(ack["status"] == "conflict" for ack in answer["acks"]):
        flash("Someone of the team gave another value meanwhile. Both are kept: settle the conflict below.", "warning")
    if any(ack["status"] == "late" for ack in answer["acks"]):
        flash("The survey is finished. Your entry is kept for the lead surveyor and the program to accept.", "warning")


def _standard_page(survey_id: int, site_id: int, code: str) -> str:
    actor = current_actor()
    opened = survey_for(db.session, actor, survey_id, Permission.VIEW_DRAFT_REPORT)
    survey = opened.survey
    sheet = sheet_for(db.session, survey, site_id, code)
    counters = progress_of(db.session, survey_id)
    here = sum((c for (site, _), c in counters.items() if site == site_id), Progress())
    may_conduct = actor_may(db.session, opened.case, actor, Permission.CONDUCT_SURVEY)
    about = [item.id for item in sheet.items] + [code]
    return render_template(
        "certification/surveys/standard.html",
        survey=survey, case=opened.case, sheet=sheet, here=here, person_id=actor.user_id, domains=domains_of(survey), counters=counters, rules=current().survey,
        conflicts=survey.clashes,
        evidence=evidence_for_standard(db.session, opened.case, code, site_id),
        history=history_of(db.session, survey_id, site_id, about, limit=60), may_conduct=may_conduct,
        may_agree=sheet.alone and agreement_open(db.session, opened) and (may_conduct or actor_may(db.session, opened.case, actor, Permission.PLAN_SURVEY)),
        editable=may_conduct and survey.finished_at is None and opened.case.open,
        zone=zone_of(db.session, opened.case), practice_name=practice_of(db.session, opened.case).legal_name,
    )  # fmt: skip
