"""The surveyor's front page: her surveys by date, with progress and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.queries import PROPOSED
from certify.certification.surveys.models import Survey, SurveyProgress, SurveySite
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.platform.practices.models import Practice, Site

VISIT_ACTIONS = {"scheduling": "Choose the date", "survey_scheduled": "Prepare for the visit"}
STEP_OF_VISIT, STEP_OF_REPORT = 2, 3


@dataclass(frozen=True)
class VisitCard:
    """One survey as its surveyor sees it on her front page."""

    ref: str
    practice_name: str
    place: str
    edition: str
    state_label: str
    asked: str  # what is asked of her, or what others do now
    mine: bool
    starts_on: date | None
    ends_on: date | None
    days_left: int | None
    mode: str
    due_on: date | None
    due_days_left: int
    sites: tuple[str, ...]
    answered: int
    not_met: int
    conflicts: int
    elements: int
    url: str
    action: str


@dataclass(frozen=True)
class Question:
    """A practice the surveyor is asked to survey, as long as she has not answered for conflicts of interest."""

    ref: str
    practice_name: str
    place: str
    asked_at: datetime
    due_on: date | None
    url: str


def list_my_surveys(session: Session, actor: Actor, at: datetime) -> list[VisitCard]:
    """Return the surveys this person is on: what waits for her first, then by date; four queries, however many."""
    newest = sa.select(sa.func.max(Survey.id)).where(Survey.case_id == Case.id).correlate(Case).scalar_subquery()
    query = (
        sa.select(Case, Practice, Survey)
        .join(CaseMember, CaseMember.case_id == Case.id)
        .join(Practice, Practice.id == Case.practice_id)
        .outerjoin(Survey, Survey.id == newest)
        .where(*_member(actor, at), CaseMember.role != PROPOSED)
        .order_by(Case.id)
    )
    rows: list[tuple[Case, Practice, Survey | None]] = [(r[0], r[1], r[2]) for r in session.execute(query)]
    ids = [survey.id for _, _, survey in rows if survey is not None]
    sites, progress = _sites(session, ids), _progress(session, ids)
    cards = [_card(case, practice, survey, sites, progress, at) for case, practice, survey in rows]
    return sorted(cards, key=lambda c: (not c.mine, c.due_on or c.starts_on or date.max, c.ref))


def list_questions(session: Session, actor: Actor, at: datetime) -> list[Question]:
    """Return the proposals that wait for this surveyor's declaration."""
    rows = session.execute(
        sa.select(Case.ref, Case.due_on, Practice.legal_name, Practice.city, Practice.state, CaseMember.from_at)
        .join(CaseMember, CaseMember.case_id == Case.id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(*_member(actor, at), CaseMember.role == PROPOSED)
        .order_by(CaseMember.from_at)
    ).all()
    return [
        Question(r.ref, r.legal_name, _place(r.city, r.state), r.from_at, r.due_on, f"/cases/{r.ref}/conflict")
        for r in rows
    ]


def _member(actor: Actor, at: datetime) -> list[sa.ColumnElement[bool]]:
    return [CaseMember.person_id == actor.user_id, sa.or_(CaseMember.until_at.is_(None), CaseMember.until_at > at)]


def _sites(session: Session, survey_ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = (
        sa.select(SurveySite.survey_id, Site.name)
        .join(Site, Site.id == SurveySite.site_id)
        .where(SurveySite.survey_id.in_(survey_ids), SurveySite.visited)
        .order_by(SurveySite.position, SurveySite.id)
    )
    for survey_id, name in session.execute(query):
        found.setdefault(survey_id, []).append(name)
    return found


def _progress(session: Session, survey_ids: Sequence[int]) -> dict[int, tuple[int, int, int, int]]:
    """Elements in all, answered, not met and in conflict, by survey."""
    answered = SurveyProgress.met + SurveyProgress.not_met + SurveyProgress.not_applicable + SurveyProgress.conflicts
    query = (
        sa.select(
            SurveyProgress.survey_id,
            sa.func.sum(SurveyProgress.elements),
            sa.func.sum(answered),
            sa.func.sum(SurveyProgress.not_met),
            sa.func.sum(SurveyProgress.conflicts),
        )
        .where(SurveyProgress.survey_id.in_(survey_ids))
        .group_by(SurveyProgress.survey_id)
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in session.execute(query)}


def _card(
    case: Case,
    practice: Practice,
    survey: Survey | None,
    sites: dict[int, list[str]],
    progress: dict[int, tuple[int, int, int, int]],
    at: datetime,
) -> VisitCard:
    state = current().machine(case.kind).states[case.state]
    mine = case.holder == "surveyor"
    today = local_date(at, practice.time_zone)
    elements, answered, not_met, conflicts = progress.get(survey.id, (0, 0, 0, 0)) if survey else (0, 0, 0, 0)
    visiting = survey is not None and survey.checked_in_at is not None and survey.finished_at is None
    url, action = _next(case, survey, visiting)
    return VisitCard(
        ref=case.ref,
        practice_name=practice.legal_name,
        place=_place(practice.city, practice.state),
        edition=current().editions[case.edition].title,
        state_label=state.label,
        asked=state.status if mine else state.status_others,
        mine=mine,
        starts_on=survey.starts_on if survey else None,
        ends_on=survey.ends_on if survey else None,
        days_left=(survey.starts_on - today).days if survey and survey.starts_on else None,
        mode="" if survey is None else "virtual" if survey.mode == "virtual" else "on site",
        due_on=case.due_on if mine else None,
        due_days_left=(case.due_on - today).days if case.due_on else 0,
        sites=tuple(sites.get(survey.id, ())) if survey else (),
        answered=answered,
        not_met=not_met,
        conflicts=conflicts,
        elements=elements,
        url=url,
        action=action,
    )


def _next(case: Case, survey: Survey | None, visiting: bool) -> tuple[str, str]:
    if visiting and survey is not None:
        return f"/surveys/{survey.id}", "Go on with the checklist"
    if case.step == STEP_OF_VISIT:
        return f"/cases/{case.ref}/survey", VISIT_ACTIONS.get(case.state, "Open the survey")
    if case.step == STEP_OF_REPORT and case.holder == "surveyor":
        return f"/cases/{case.ref}/report", "Write the report"
    return f"/cases/{case.ref}", "Open the case"


def _place(city: str, state: str) -> str:
    return ", ".join(part for part in (city, state) if part)
