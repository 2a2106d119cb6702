"""Arranging the visit: the surveyor, the conflict question, the sites, the date, the agenda, the check-in and the finish."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from certify.certification.applications.queries import blackout_days, survey_windows
from certify.certification.cases.operations import take
from certify.certification.cases.queries import actor_may, case_for, header_for, zone_of
from certify.certification.surveyors.operations import conflict_answers, declare
from certify.certification.surveyors.queries import (
    FURTHER_STATES,
    conflict_form,
    conflict_question_for,
    declarations_of,
    list_proposals,
    open_further,
    open_proposal,
    ranking_for,
    refused_answers,
)
from certify.certification.surveys.operations import MODES, draw_sites, propose_date, set_agenda, withdraw_date
from certify.certification.surveys.queries import date_proposals, latest_survey, list_surveys, sites_of
from certify.certification.surveys.routes.blueprint import bp
from certify.certification.surveys.sampling import REASONS, lot, sample_size
from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, Actor, Role
from certify.core.foundation.clock import now
from certify.core.foundation.days import add_business_days, local_date
from certify.core.foundation.errors import Invalid, NotFound, NotOpen
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.identity.queries import names_of
from certify.platform.web.edges import client_network, commits, current_actor, requires
from certify.platform.web.forms import posted_version

if TYPE_CHECKING:
    from certify.certification.cases.models import Case


@bp.get("/cases/<ref>/survey")
@requires(Permission.VIEW_SURVEY)
def planning(ref: str) -> ResponseReturnValue:
    """Where the visit stands, and what is asked next of whoever looks."""
    actor = current_actor()
    try:
        case = case_for(db.session, actor, ref, Permission.VIEW_SURVEY)
    except NotFound:
        # The links of the case lead a proposed surveyor here: she answers first, and sees no more than the question.
        conflict_question_for(db.session, actor, ref)
        return redirect(url_for("surveyors.conflict", ref=ref))
    return render_template("certification/surveys/planning.html", **_page(db.session, case, actor, now()))


@bp.get("/cases/<ref>/survey/sites")
@requires(Permission.VIEW_SURVEY)
def sample(ref: str) -> ResponseReturnValue:
    """The drawing of the sites as a sheet to print: rule, seed, each site's facts, lot and reason."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_SURVEY)
    survey = latest_survey(db.session, case.id)
    if survey is None or survey.sampled_at is None:
        raise NotFound("The sites have not been chosen yet.")
    facts = {entry["site"]: entry for entry in survey.sampled_from}
    rows = sites_of(db.session, survey.id)
    few = current().settings["sample_all_up_to_sites"]
    return render_template(
        "certification/surveys/sample.html", header=header_for(db.session, case, actor, now(), tab="survey"), survey=survey, rows=rows,
        facts=facts, lots={s.site_id: lot(survey.seed, s.site_id)[:12] for s in rows}, reasons=REASONS, size=sample_size(len(rows), few), few=few,
        zone=zone_of(db.session, case),
    )  # fmt: skip


@bp.post("/cases/<ref>/survey/sites")
@requires(Permission.PLAN_SURVEY)
@commits
def draw_again(ref: str) -> ResponseReturnValue:
    """Apply the rule again, with the same seed, to the practice's sites as they are now."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.PLAN_SURVEY, lock=True)
    survey = latest_survey(db.session, case.id, lock=True)
    if survey is None:
        raise NotOpen("There is no survey to choose sites for yet.")
    draw_sites(db.session, case, survey, actor=actor, at=now())
    flash("The sites were chosen again by the same rule and seed.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="sites"))


@bp.post("/cases/<ref>/survey/surveyor")
@requires(Permission.PLAN_SURVEY)
@commits
def propose(ref: str) -> ResponseReturnValue:
    """Propose the surveyor chosen from the list."""
    trigger = "start_repeat_survey" if request.form.get("repeat") else "propose_surveyor"
    data = {"surveyor": request.form.get("surveyor", "")}
    if trigger == "propose_surveyor":
        data["reason"] = request.form.get("reason", "")
    _take(ref, trigger, data)
    flash("Proposed. The surveyor and the practice are asked about conflicts of interest.")
    return redirect(url_for("surveys.planning", ref=ref))


@bp.post("/cases/<ref>/survey/conflict")
@requires(Permission.ANSWER_CONFLICT)
@commits
def answer_for_practice(ref: str) -> ResponseReturnValue:
    """Sign the practice's answers to the conflict question; what cannot be kept is shown again as it was given."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ANSWER_CONFLICT, lock=True)
    try:
        declaration = declare(
            db.session, case, answers=conflict_answers(request.form), detail=request.form.get("detail", "")[:5000],
            signed_name=request.form.get("signed_name", "")[:200], signed_title=request.form.get("signed_title", "")[:200],
            address=client_network(), actor=actor, at=now(),
        )  # fmt: skip
    except Invalid as wrong:
        db.session.rollback()
        case = case_for(db.session, actor, ref, Permission.ANSWER_CONFLICT)
        page, refused = _page(db.session, case, actor, now()), refused_answers(request.form, wrong)
        return render_template("certification/surveys/planning.html", **page, refused=refused), 422
    flash("Signed and kept." if declaration.none else "Signed and kept. The program proposes someone else.")
    return redirect(url_for("surveys.planning", ref=ref))


@bp.post("/cases/<ref>/survey/dates")
@requires(Permission.AGREE_DATE)
@commits
def offer_date(ref: str) -> ResponseReturnValue:
    """Propose a day to the other side."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.AGREE_DATE, lock=True)
    form = request.form
    propose_date(
        db.session, case, _day(form.get("starts_on", "")), mode=form.get("mode", "on_site"), note=form.get("note", "")[:2000],
        short_notice=bool(form.get("short_notice")), actor=actor, at=now(),
    )  # fmt: skip
    flash("Proposed. It stands once the other side agrees.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="date"))


@bp.post("/cases/<ref>/survey/dates/<int(max=2147483647):proposal_id>/withdraw")
@requires(Permission.AGREE_DATE)
@commits
def take_date_back(ref: str, proposal_id: int) -> ResponseReturnValue:
    """Take a proposed day back."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.AGREE_DATE, lock=True)
    withdraw_date(db.session, case, proposal_id, actor=actor, at=now())
    flash("Taken back.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="date"))


@bp.post("/cases/<ref>/survey/date")
@requires(Permission.AGREE_DATE)
@commits
def agree(ref: str) -> ResponseReturnValue:
    """Agree on a day the other side has offered."""
    data: dict[str, Any] = {"starts_on": request.form.get("starts_on", ""), "mode": request.form.get("mode", "")}
    if request.form.get("short_notice"):
        data["short_notice"] = True
    _take(ref, "agree_date", data)
    flash("The date stands. Everyone concerned is told.")
    return redirect(url_for("surveys.planning", ref=ref))


@bp.post("/cases/<ref>/survey/agenda")
@requires(Permission.CONDUCT_SURVEY)
@commits
def save_agenda(ref: str) -> ResponseReturnValue:
    """Change the agenda of the visit."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.CONDUCT_SURVEY, lock=True)
    survey = latest_survey(db.session, case.id, lock=True)
    if survey is None:
        raise NotOpen("There is no visit yet.")
    form = request.form
    columns = [form.getlist(name) for name in ("on", "from", "to", "site", "what")]
    items = [dict(zip(("on", "from", "to", "site", "what"), row, strict=True)) for row in zip(*columns, strict=False)]
    set_agenda(db.session, case, survey, items, actor=actor, at=now())
    flash("Agenda saved.")
    return redirect(url_for("surveys.planning", ref=ref, _anchor="agenda"))


@bp.post("/cases/<ref>/survey/check-in")
@requires(Permission.CONDUCT_SURVEY)
@commits
def check_in(ref: str) -> ResponseReturnValue:
    """Begin the visit: documents are locked from now on."""
    case = _take(ref, "check_in", {})
    survey = latest_survey(db.session, case.id)
    flash("Checked in. The practice's documents stay as they are from now on.")
    return redirect(url_for("surveys.overview", survey_id=survey.id if survey else 0))


@bp.post("/cases/<ref>/survey/finish")
@requires(Permission.CONDUCT_SURVEY)
@commits
def finish(ref: str) -> ResponseReturnValue:
    """Close the checklist; the report drafts itself from the answers."""
    _take(ref, "finish_survey", {})
    flash("Survey finished. The report has been drafted from your answers.")
    return redirect(f"/cases/{ref}/report")


def _take(ref: str, trigger: str, data: dict[str, Any]) -> Case:
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ADVANCE_CASE, lock=True)
    take(db.session, case, trigger, data, actor=actor, at=now(), version=posted_version())
    return case


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Give a day, for example 2026-03-05.", "starts_on") from None


def _page(session: Session, case: Case, actor: Actor, at: datetime) -> dict[str, Any]:
    survey = latest_survey(session, case.id)
    zone = zone_of(session, case)
    today = local_date(at, zone)
    settings = current().settings
    may_plan = actor_may(session, case, actor, Permission.PLAN_SURVEY)
    proposal = open_proposal(session, case.id)
    declarations = declarations_of(session, case.id)
    now_declared = {d.side: d for d in declarations if proposal is not None and d.proposal_id == proposal.id}
    side = "practice" if any(actor.holds(role, case.practice_id) for role in PRACTICE_ROLES) else "surveyor"
    head = actor.holds(Role.PRACTICE_ADMIN, case.practice_id) or actor.holds(Role.PHYSICIAN_LEAD, case.practice_id)
    choosing = case.state in ("pending", "repeat_survey") and may_plan
    may_add = may_plan and case.state in FURTHER_STATES
    adding = may_add and request.args.get("add") == "1"
    further = open_further(session, case.id) if case.state in FURTHER_STATES else []
    signed = {(d.proposal_id, d.side) for d in declarations}
    names = names_of(session, [*(p.person_id for p in further), proposal.person_id if proposal else None])
    return {
        "header": header_for(session, case, actor, at, tab="survey"),
        "case": case, "survey": survey, "zone": zone, "today": today, "side": side, "modes": MODES, "may_plan": may_plan,
        "ranking": ranking_for(session, case, at) if choosing or adding else [], "may_add": may_add, "adding": adding,
        "further": [(p, names.get(p.person_id, ""), {s for s in ("surveyor", "practice") if (p.id, s) in signed}) for p in further],
        "further_asked": next((p for p in further if head and (p.id, "practice") not in signed), None),
        "proposal": proposal, "declared": now_declared,
        "proposed_name": names.get(proposal.person_id, "") if proposal else "",
        "proposals": list_proposals(session, case.id), "declarations": declarations if side != "practice" else [d for d in declarations if d.side == "practice"],
        "asked": head and proposal is not None and case.state == "surveyor_proposed" and "practice" not in now_declared,
        "question": conflict_form(),
        "windows": survey_windows(session, case), "blackouts": blackout_days(session, case),
        "offers": date_proposals(session, survey.id) if survey else [],
        "sites": sites_of(session, survey.id) if survey else [], "reasons": REASONS,
        "earliest": add_business_days(today, 1), "notice_days": settings["survey_min_notice_days"],
        "free_days": settings["reschedule_free_days"], "moves_left": settings["reschedule_limit"] - (survey.reschedules if survey else 0),
        "may_agree": actor_may(session, case, actor, Permission.AGREE_DATE), "may_conduct": actor_may(session, case, actor, Permission.CONDUCT_SURVEY),
        "may_see_answers": actor_may(session, case, actor, Permission.VIEW_DRAFT_REPORT),
        "lead_name": names_of(session, [survey.lead_id]).get(survey.lead_id or 0, "") if survey else "",
        "rounds": list_surveys(session, case.id),
        "agenda": [line | {"day": date.fromisoformat(line["on"])} for line in survey.agenda or []] if survey else [],
    }  # fmt: skip
