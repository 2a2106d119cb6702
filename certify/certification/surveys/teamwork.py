"""Writes of a survey's team: where a tablet is at work, who takes what, who leads, and who is taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from certify.certification.cases.operations import end_member, record_on
from certify.certification.surveyors.queries import FURTHER_STATES, accepted_proposal
from certify.certification.surveys.models import SurveyPresence, SurveyShare
from certify.certification.surveys.queries import OpenSurvey, domains_of, may_judge_late, scope_of, survey_for
from certify.certification.surveys.queries.team import AT_WORK, Share, shares_of, surveyors_on
from certify.certification.surveys.values import UUID
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed, NotOpen

MOST_SHARES = 200


def note_presence(session: Session, survey_id: int, body: Any, *, actor: Actor, at: datetime) -> None:
    """Note where a tablet is at work; no part of the record, so it leaves no event. Raises: NotFound, NotAllowed, Invalid."""
    opened = survey_for(session, actor, survey_id, Permission.CONDUCT_SURVEY)
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object with device, site and standard.")
    device, site, standard = body.get("device"), body.get("site"), body.get("standard") or ""
    errors = []
    if not isinstance(device, str) or not UUID.fullmatch(device):
        errors.append(FieldError("device", "device: a UUID is needed, the same for every call of one tablet."))
    scope = scope_of(session, opened.survey)
    if site is not None and (isinstance(site, bool) or not isinstance(site, int) or site not in scope.sites):
        errors.append(FieldError("site", "site: this site is not part of the survey."))
    if not isinstance(standard, str) or (standard and standard not in scope.standards):
        errors.append(FieldError("standard", "standard: this standard is not part of the survey."))
    if errors:
        raise Invalid(errors)
    told = {"person_id": actor.user_id, "site_id": site, "standard": standard, "at": at}
    where = (SurveyPresence.survey_id == survey_id, SurveyPresence.device == str(device).lower())
    if not session.execute(update(SurveyPresence).where(*where).values(**told)).rowcount:  # type: ignore[attr-defined]
        session.execute(delete(SurveyPresence).where(SurveyPresence.at <= at - AT_WORK))  # nobody reads those any more
        session.add(SurveyPresence(survey_id=survey_id, device=str(device).lower(), **told))
        session.flush()


def split_checklist(
    session: Session, opened: OpenSurvey, shares: Sequence[Share], *, actor: Actor, at: datetime
) -> None:
    """Split the checklist among the team, anew and whole; a share keeps nobody from the rest.

    Raises: NotAllowed for others than the lead surveyor and the program, NotOpen once the survey is finished, Invalid.
    """
    survey = opened.survey
    _check_lead(session, opened, actor)
    team = surveyors_on(session, survey, at)
    sites, domains = scope_of(session, survey).sites, {d.number for d, _ in domains_of(survey)}
    errors = []
    for row, share in enumerate(shares):
        if share.person_id not in team:
            errors.append(FieldError("person", "Choose someone of the team.", row=row))
        if share.site_id is not None and not sites.get(share.site_id):
            errors.append(FieldError("site", "Choose one of the sites that are visited.", row=row))
        if share.domain is not None and share.domain not in domains:
            errors.append(FieldError("domain", "Choose one of the survey's domains.", row=row))
    if len(shares) > MOST_SHARES:
        errors.append(FieldError("person", f"At most {MOST_SHARES} shares can be kept."))
    if errors:
        raise Invalid(errors)
    wanted = list(dict.fromkeys(shares))
    before = shares_of(session, survey.id)
    if wanted == before:
        return
    session.execute(delete(SurveyShare).where(SurveyShare.survey_id == survey.id))
    session.add_all(
        SurveyShare(
            survey_id=survey.id, person_id=s.person_id, site_id=s.site_id, domain=s.domain, by_id=actor.user_id, at=at
        )
        for s in wanted
    )  # fmt: skip
    session.flush()
    data = {"survey": survey.id, "before": [_told(s) for s in before], "after": [_told(s) for s in wanted]}
    record_on(
        session, opened.case, "survey.split", "split the checklist among the survey team", actor=actor, at=at,
        subject=f"/surveys/{survey.id}", data=data,
    )  # fmt: skip


def change_lead(session: Session, opened: OpenSurvey, person_id: int, *, actor: Actor, at: datetime) -> None:
    """Let another member of the team lead. Raises: NotAllowed, NotOpen once the survey is finished, Invalid."""
    survey = opened.survey
    _check_lead(session, opened, actor)
    team = surveyors_on(session, survey, at)
    if person_id not in team:
        raise Invalid("Choose someone of the team.", "lead")
    if person_id == survey.lead_id:
        return
    data = {"survey": survey.id, "before": survey.lead_id, "after": person_id}
    survey.lead_id = person_id
    session.flush()
    summary = f"made {team[person_id]} the lead surveyor"
    record_on(
        session, opened.case, "survey.lead", summary, actor=actor, at=at, subject=f"/surveys/{survey.id}", data=data
    )


def take_off(session: Session, opened: OpenSurvey, person_id: int, reason: str, *, actor: Actor, at: datetime) -> None:
    """Take a further surveyor off the team: she sees nothing from now on, and what she entered stays, with her name.

    Raises: NotOpen once the visit is over, Invalid for who leads, was accepted first or is not on the team, and
        without a reason.
    """
    survey, case, reason = opened.survey, opened.case, reason.strip()
    if case.state not in FURTHER_STATES:
        raise NotOpen("The team changes until the visit is over.")
    team, first = surveyors_on(session, survey, at), accepted_proposal(session, case.id)
    errors = []
    if person_id not in team or (first is not None and first.person_id == person_id):
        errors.append(FieldError("person", "Choose one of the further surveyors of the team."))
    elif person_id == survey.lead_id:
        errors.append(FieldError("person", "She leads the survey; say first who leads instead."))
    if not reason:
        errors.append(FieldError("reason", "Say why; it is kept with the case."))
    if errors:
        raise Invalid(errors)
    end_member(session, case, person_id, "surveyor", at=at)
    session.execute(delete(SurveyShare).where(SurveyShare.survey_id == survey.id, SurveyShare.person_id == person_id))
    session.execute(delete(SurveyPresence).where(SurveyPresence.survey_id == survey.id, SurveyPresence.person_id == person_id))  # fmt: skip
    record_on(
        session, case, "surveyor.left", f"took {team[person_id]} off the survey team", actor=actor, at=at, reason=reason[:2000],
        subject=f"/surveys/{survey.id}", data={"survey": survey.id, "person": person_id},
    )  # fmt: skip


def _check_lead(session: Session, opened: OpenSurvey, actor: Actor) -> None:
    if not may_judge_late(session, opened, actor):
        raise NotAllowed("The lead surveyor or the program decides this.")
    if opened.survey.finished_at is not None:
        raise NotOpen("The survey is finished.")


def _told(share: Share) -> dict[str, int | None]:
    return {"person": share.person_id, "site": share.site_id, "domain": share.domain}
