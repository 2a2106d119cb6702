"""The team of a survey: who is on it, what each takes, what each has entered, and where each is at work now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import CaseMember
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyPresence, SurveyShare
from certify.certification.surveys.queries.survey import Progress
from certify.platform.identity.models import Person

AT_WORK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Share:
    """What a member takes: a domain (None: every), at a site (None: every)."""

    person_id: int
    site_id: int | None
    domain: int | None


@dataclass(frozen=True, slots=True)
class Presence:
    """Where one of a member's tablets is at work."""

    site_id: int | None
    standard: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A surveyor of the team, or someone who was and has entered something."""

    id: int
    name: str
    lead: bool
    present: bool  # still on the team
    shares: tuple[Share, ...] = ()
    rated: int = 0  # ratings that stand and are this person's
    last_at: datetime | None = None
    at_work: tuple[Presence, ...] = ()


def team(session: Session, survey: Survey, at: datetime) -> list[Member]:
    """Return the survey's team, its lead first; five statements whatever the size."""
    names = surveyors_on(session, survey, at)
    shares = shares_of(session, survey.id)
    a = SurveyAnswer
    entered = session.execute(
        select(a.by_id, func.count(), func.max(a.at))
        .where(a.survey_id == survey.id, a.field == "rating", a.by_id.is_not(None), a.value.is_not(None))
        .group_by(a.by_id)
    ).all()
    rated = {row[0]: (int(row[1]), row[2]) for row in entered}
    gone = [person for person in rated if person not in names]
    former: dict[int, str] = {}
    if gone:
        former = {row[0]: row[1] for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(gone)))}
    places = _presence(session, survey.id, at)
    return [
        Member(
            id=person, name=name, lead=person == survey.lead_id, present=person in names,
            shares=tuple(s for s in shares if s.person_id == person), rated=rated.get(person, (0, None))[0],
            last_at=rated.get(person, (0, None))[1], at_work=tuple(places.get(person, ())),
        )
        for person, name in sorted((names | former).items(), key=lambda m: (m[0] != survey.lead_id, m[0] not in names, m[1]))
    ]  # fmt: skip


def surveyors_on(session: Session, survey: Survey, at: datetime) -> dict[int, str]:
    """Return who is on the team now, by number and name."""
    m = CaseMember
    rows = session.execute(
        select(m.person_id, Person.name)
        .join(Person, Person.id == m.person_id)
        .where(m.case_id == survey.case_id, m.role == "surveyor", m.from_at <= at, or_(m.until_at.is_(None), m.until_at > at))
        .order_by(m.id)
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


def shares_of(session: Session, survey_id: int) -> list[Share]:
    """Return how the checklist is split."""
    s = SurveyShare
    rows = session.execute(select(s.person_id, s.site_id, s.domain).where(s.survey_id == survey_id).order_by(s.id))
    return [Share(*row) for row in rows]


def share_progress(shares: Sequence[Share], counters: dict[tuple[int, int], Progress]) -> Progress:
    """Return how far the part of the checklist is that these shares cover; what two cover counts once."""
    covered = {
        place: progress
        for place, progress in counters.items()
        if any(s.site_id in (None, place[0]) and s.domain in (None, place[1]) for s in shares)
    }
    return sum(covered.values(), Progress())


def _presence(session: Session, survey_id: int, at: datetime) -> dict[int, list[Presence]]:
    p = SurveyPresence
    found: dict[int, list[Presence]] = defaultdict(list)
    rows = session.execute(
        select(p.person_id, p.site_id, p.standard, p.at)
        .where(p.survey_id == survey_id, p.at > at - AT_WORK)
        .order_by(p.at.desc())
    )
    for person, site, standard, when in rows:
        found[person].append(Presence(site, standard, when))
    return found
