"""The date of a visit: proposed by either side, agreed, given back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.applications.queries import blackout_days, survey_windows
from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on, set_anchor
from certify.certification.cases.queries import zone_of
from certify.certification.fees.operations import charge_late_reschedule
from certify.certification.surveyors.queries import profile_of_person, surveyor_for
from certify.certification.surveys.agenda import default_agenda
from certify.certification.surveys.models import Survey, SurveyDateProposal
from certify.certification.surveys.queries import date_proposals, latest_survey, sites_of
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation.days import add_business_days, local_date, long_day
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed, NotFound, NotOpen
from certify.core.rulebook.current import current
from certify.platform.identity.models import RoleGrant

MODES = {"on_site": "On site", "virtual": "By video"}


def propose_date(
    session: Session,
    case: Case,
    starts_on: date,
    *,
    mode: str = "on_site",
    note: str = "",
    short_notice: bool = False,
    actor: Actor,
    at: datetime,
) -> SurveyDateProposal:
    """Propose a day to the other side. Raises: NotOpen, Invalid."""
    survey = current_round(session, case)
    if case.state != "scheduling":
        raise NotOpen("A date is agreed only after both sides have accepted the surveyor.")
    side = _side(case, actor)
    _check_day(session, case, survey, starts_on, mode, side, local_date(at, zone_of(session, case)))
    proposal = SurveyDateProposal(
        survey_id=survey.id, side=side, starts_on=starts_on, mode=mode, note=note.strip(), short_notice=short_notice and side == "practice",
        by_id=actor.user_id, by_name=actor.name, at=at,
    )  # fmt: skip
    session.add(proposal)
    session.flush()
    summary = f"proposed {long_day(starts_on)} for the site survey"
    record_on(
        session,
        case,
        "survey.date_proposed",
        summary,
        actor=actor,
        at=at,
        reason=note.strip(),
        subject=f"/cases/{case.ref}/survey",
    )
    return proposal


def withdraw_date(session: Session, case: Case, proposal_id: int, *, actor: Actor, at: datetime) -> None:
    """Take a proposed day back. Raises: NotFound, NotAllowed."""
    survey = current_round(session, case)
    proposal = session.get(SurveyDateProposal, proposal_id)
    if proposal is None or proposal.survey_id != survey.id or proposal.ended_at is not None:
        raise NotFound("There is no such proposal.")
    if proposal.side != _side(case, actor):
        raise NotAllowed("The other side proposed this day.")
    proposal.ended_at, proposal.ended_how = at, "withdrawn"
    summary = f"took back {long_day(proposal.starts_on)} as a day for the site survey"
    record_on(session, case, "survey.date_withdrawn", summary, actor=actor, at=at, subject=f"/cases/{case.ref}/survey")


def prepare_agree_date(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Set the day both sides stand by: offered in the questionnaire or proposed by the other side.

    Raises: Invalid when the other side has not offered the day, or it cannot be.
    """
    survey = current_round(session, case, lock=True)
    side, today = _side(case, actor), local_date(at, zone_of(session, case))
    starts_on: date = inputs["starts_on"]
    proposals = date_proposals(session, survey.id)
    theirs = [p for p in proposals if p.starts_on == starts_on and p.side != side]
    mode = str(inputs.get("mode") or (theirs[-1].mode if theirs else "on_site"))
    _check_day(session, case, survey, starts_on, mode, side, today)
    offered = any(first <= starts_on <= last for first, last in survey_windows(session, case))
    if not theirs and not (side == "surveyor" and offered):
        other = (
            "The practice has not offered this day" if side == "surveyor" else "The surveyor has not proposed this day"
        )
        raise Invalid(f"{other} yet. Propose it first; it stands once they agree.", "starts_on")
    if theirs and mode not in {proposal.mode for proposal in theirs}:
        how = " or ".join(dict.fromkeys(MODES[proposal.mode].lower() for proposal in theirs))
        raise Invalid(f"This day was proposed {how}. To have it otherwise, propose it yourself.", "mode")
    days = sum(1 for site in sites_of(session, survey.id) if site.visited)
    survey.starts_on, survey.mode, survey.agreed_at, survey.date_asked_on = starts_on, mode, at, today
    survey.ends_on = add_business_days(starts_on, max(0, days - 1))
    agrees_to_less = bool(inputs.get("short_notice")) and side == "practice"
    survey.short_notice = agrees_to_less or any(p.short_notice for p in theirs)
    survey.agenda = default_agenda(starts_on, [(s.site_id, s.name) for s in sites_of(session, survey.id) if s.visited])
    for proposal in proposals:
        proposal.ended_at, proposal.ended_how = at, "agreed" if proposal in theirs else "dropped"
    set_anchor(session, case, "survey_starts_on", starts_on, at=at)


def give_date_back(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Take the date away when it is moved; late, and asked by the practice, it costs a fee."""
    survey = current_round(session, case, lock=True)
    today = local_date(event.at, zone_of(session, case))
    free_until = current().settings["reschedule_free_days"]
    late = survey.starts_on is not None and (survey.starts_on - today).days < free_until
    actor = Actor(event.actor_id, name=event.actor_name)
    if late and _asked_by_practice(session, case, event):
        charge_late_reschedule(session, case, actor=actor, at=event.at)
    survey.reschedules += 1
    survey.given_back_on, survey.given_back_at = survey.starts_on, event.at
    survey.starts_on = survey.ends_on = survey.agreed_at = survey.date_asked_on = None
    survey.short_notice = False
    survey.agenda = []
    set_anchor(session, case, "survey_starts_on", None, at=event.at)


def current_round(session: Session, case: Case, *, lock: bool = False) -> Survey:
    """Return the newest round of a case's survey. Raises: NotOpen before there is one."""
    survey = latest_survey(session, case.id, lock=lock)
    if survey is None:
        raise NotOpen("There is no survey to arrange yet: a surveyor has to be accepted first.")
    return survey


def _asked_by_practice(session: Session, case: Case, event: CaseAdvanced) -> bool:
    """When the program or the surveyor moves the date, the practice does not pay for it."""
    grants = select(RoleGrant.id).where(
        RoleGrant.person_id == event.actor_id,
        RoleGrant.practice_id == case.practice_id,
        RoleGrant.role.in_(PRACTICE_ROLES),
    )
    return session.scalar(grants.limit(1)) is not None


def _side(case: Case, actor: Actor) -> str:
    return "practice" if any(actor.holds(role, case.practice_id) for role in PRACTICE_ROLES) else "surveyor"


def _check_day(session: Session, case: Case, survey: Survey, on: date, mode: str, side: str, today: date) -> None:
    errors = []
    if mode not in MODES:
        errors.append(FieldError("mode", "Choose on site or by video."))
    if on <= today:
        errors.append(FieldError("starts_on", "Choose a day that lies ahead."))
    elif (on - today).days > 730:
        errors.append(FieldError("starts_on", "This lies more than two years ahead; choose an earlier day."))
    elif side == "surveyor" and any(first <= on <= last for first, last in blackout_days(session, case)):
        errors.append(
            FieldError(
                "starts_on", "The practice cannot receive a visit on this day (a blackout day in its questionnaire)."
            )
        )
    lead = profile_of_person(session, survey.lead_id) if survey.lead_id is not None else None
    if lead is not None and any(a.from_on <= on <= a.to_on for a in surveyor_for(session, lead.id, today).absences):
        errors.append(FieldError("starts_on", "The surveyor is away on this day."))
    if errors:
        raise Invalid(errors)
