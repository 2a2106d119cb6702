"""What others are told about visits: the surveyor's front page, the practice's dates, the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.queries import zone_of
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyProgress, SurveySite
from certify.certification.surveys.queries.survey import latest_survey, sites_of, survey_of
from certify.certification.surveys.sampling import REASONS
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.platform.identity.queries import names_of
from certify.platform.practices.models import Practice, Site


@dataclass(frozen=True, slots=True)
class RecordedSite:
    """A site in the report: visited or not, how, and why."""

    site_id: int
    name: str
    address: str
    visited: bool
    visited_on: date | None
    how: str
    why: str


@dataclass(frozen=True, slots=True)
class SurveyRecord:
    """What the report tells about the visit itself."""

    id: int
    kind: str  # initial | repeat
    mode: str
    starts_on: date | None
    ended_on: date | None
    standards: tuple[str, ...]  # empty: all of the edition
    sites: tuple[RecordedSite, ...]
    sampling_rule: str
    seed: str
    drawn_on: date | None
    surveyors: tuple[tuple[int, str, str], ...]  # person, name, detail
    lead_id: int | None


@dataclass(frozen=True, slots=True)
class SurveyCard:
    """One case on a surveyor's front page."""

    survey_id: int | None
    case_ref: str
    practice_name: str
    state: str
    sites: tuple[tuple[int, str], ...]
    starts_on: date | None
    ends_on: date | None
    mode: str
    answered: int
    elements: int
    not_met: int
    conflicts: int
    url: str
    next: str


@dataclass(frozen=True, slots=True)
class Visit:
    """The date of a visit, as the practice's front page shows it."""

    survey_id: int
    starts_on: date | None
    ends_on: date | None
    mode: str
    surveyor_name: str
    round: int


NEXT = {
    "scheduling": "Agree the date of the visit",
    "survey_scheduled": "Prepare the visit",
    "survey_in_progress": "Go on with the checklist",
    "report_drafting": "Write the report",
    "correction_review": "Look at the corrections",
}


def list_my_surveys(session: Session, actor: Actor, at: datetime) -> Sequence[SurveyCard]:
    """Return every case this surveyor is on and may still open, the soonest visit first."""
    newest = select(func.max(Survey.id)).where(Survey.case_id == Case.id).correlate(Case).scalar_subquery()
    found = session.execute(
        select(Case, Practice.legal_name, Survey)
        .join(CaseMember, CaseMember.case_id == Case.id)
        .join(Practice, Practice.id == Case.practice_id)
        .outerjoin(Survey, Survey.id == newest)
        .where(
            CaseMember.person_id == actor.user_id,
            CaseMember.role == "surveyor",
            CaseMember.from_at <= at,
            (CaseMember.until_at.is_(None)) | (CaseMember.until_at > at),
        )
    ).all()
    rows: dict[int, tuple[Case, str, Survey | None]] = {row[0].id: (row[0], row[1], row[2]) for row in found}
    ids = [survey.id for _, _, survey in rows.values() if survey is not None]
    sites, sums, clashes = _sites_visited(session, ids), _progress_of(session, ids), _clashes_in(session, ids)
    cards = []
    for case, practice_name, survey in rows.values():
        next_ = NEXT.get(case.state, "Open the case")
        if survey is None:
            url = f"/cases/{case.ref}/survey"
            cards.append(
                SurveyCard(None, case.ref, practice_name, case.state, (), None, None, "on_site", 0, 0, 0, 0, url, next_)
            )
            continue
        answered, elements, not_met = sums.get(survey.id, (0, 0, 0))
        cards.append(
            SurveyCard(
                survey.id, case.ref, practice_name, case.state, tuple(sites.get(survey.id, ())), survey.starts_on, survey.ends_on, survey.mode,
                answered, elements, not_met, clashes.get(survey.id, 0), _where(case, survey), next_,
            )
        )  # fmt: skip
    return sorted(cards, key=lambda c: (c.state not in NEXT, c.starts_on is None, c.starts_on or date.max, c.case_ref))


def _sites_visited(session: Session, ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Return number and name of the sites visited in each survey, in the order of the visit."""
    query = (
        select(SurveySite.survey_id, Site.id, Site.name)
        .join(Site, Site.id == SurveySite.site_id)
        .where(SurveySite.survey_id.in_(ids), SurveySite.visited)
        .order_by(SurveySite.position)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for survey_id, site_id, name in session.execute(query):
        found.setdefault(survey_id, []).append((site_id, name))
    return found


def _progress_of(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """Return how many elements of each survey are answered, how many there are, and how many are not met."""
    p = SurveyProgress
    answered = func.sum(p.met + p.not_met + p.not_applicable + p.conflicts)
    query = select(p.survey_id, answered, func.sum(p.elements), func.sum(p.not_met)).where(p.survey_id.in_(ids))
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in session.execute(query.group_by(p.survey_id))}


def _clashes_in(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Return on how many fields of each survey two values stand."""
    query = select(SurveyAnswer.survey_id, func.count()).where(SurveyAnswer.survey_id.in_(ids), SurveyAnswer.clash)
    return {row[0]: row[1] for row in session.execute(query.group_by(SurveyAnswer.survey_id))}


def _where(case: Case, survey: Survey) -> str:
    if case.state in ("survey_scheduled", "survey_in_progress"):
        return f"/surveys/{survey.id}"
    return f"/cases/{case.ref}/report" if case.state == "report_drafting" else f"/cases/{case.ref}/survey"


def visit_of(session: Session, case: Case) -> Visit | None:
    """Return the case's newest visit, None before a surveyor was accepted."""
    survey = latest_survey(session, case.id)
    if survey is None:
        return None
    name = names_of(session, [survey.lead_id]).get(survey.lead_id or 0, "")
    return Visit(survey.id, survey.starts_on, survey.ends_on, survey.mode, name, survey.round)


def record_of(session: Session, survey_id: int) -> SurveyRecord:
    """Return what the report tells about a visit. Raises NotFound."""
    survey = survey_of(session, survey_id)
    case = session.get_one(Case, survey.case_id)
    zone = zone_of(session, case)
    days = {int(line["site"]): date.fromisoformat(line["on"]) for line in reversed(survey.agenda or [])}
    how = "on site" if survey.mode == "on_site" else "by video"
    sites = tuple(
        RecordedSite(
            s.site_id, s.name, s.address, s.visited, days.get(s.site_id, survey.starts_on) if s.visited else None,
            how if s.visited else "documents and remote interview", "; ".join(REASONS.get(r, r) for r in s.reasons),
        )
        for s in sites_of(session, survey_id)
    )  # fmt: skip
    people = session.execute(
        select(CaseMember.person_id)
        .where(CaseMember.case_id == case.id, CaseMember.role == "surveyor")
        .order_by(CaseMember.id)
    ).scalars()
    ids = list(dict.fromkeys([survey.lead_id, *people] if survey.lead_id else people))
    names = names_of(session, ids)
    team = tuple(
        (i, names.get(i, ""), "lead surveyor" if i == survey.lead_id else "surveyor") for i in ids if i is not None
    )
    few = current().settings["sample_all_up_to_sites"]
    rule = (
        "the standards and sites named for the repeat visit"
        if survey.scope_sites is not None
        else f"all sites when there are at most {few}; else the square root of their number, rounded up, plus one: the largest infusion site, "
        "every site with a service others lack, every site new since the last survey, the rest drawn by lot"
    )
    return SurveyRecord(
        survey.id, "initial" if survey.round == 1 else "repeat", survey.mode, survey.starts_on,
        local_date(survey.finished_at, zone) if survey.finished_at else None, tuple(survey.scope_standards or ()), sites, rule, survey.seed,
        local_date(survey.sampled_at, zone) if survey.sampled_at else None, team, survey.lead_id,
    )  # fmt: skip
