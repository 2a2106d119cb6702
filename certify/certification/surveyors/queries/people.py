"""Who surveys: profiles, the load of each, absences and ties on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.surveyors.models import (
    Surveyor,
    SurveyorAbsence,
    SurveyorProposal,
    SurveyorTie,
)
from certify.certification.surveyors.queries.proposals import ON_DUTY
from certify.core.access.roles import Role
from certify.core.foundation.errors import NotFound
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice


@dataclass(frozen=True, slots=True)
class SurveyorRow:
    """A surveyor in the staff's list."""

    surveyor: Surveyor
    name: str
    email: str
    load: int
    absences: tuple[SurveyorAbsence, ...]


def list_surveyors(session: Session, today: date) -> list[SurveyorRow]:
    """Return all surveyors by name, with their load and the absences that are not over."""
    rows = session.execute(
        select(Surveyor, Person.name, Person.email).join(Person, Person.id == Surveyor.person_id).order_by(Surveyor.active.desc(), Person.name)
    ).all()  # fmt: skip
    loads = loads_of(session)
    absences = absences_from(session, today)
    return [SurveyorRow(s, name, email, loads.get(s.id, 0), tuple(absences.get(s.id, ()))) for s, name, email in rows]


def surveyor_for(session: Session, surveyor_id: int, today: date) -> SurveyorRow:
    """Return one surveyor. Raises NotFound."""
    found = session.execute(
        select(Surveyor, Person.name, Person.email)
        .join(Person, Person.id == Surveyor.person_id)
        .where(Surveyor.id == surveyor_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such surveyor.")
    surveyor, name, email = found
    load = loads_of(session, surveyor.id).get(surveyor.id, 0)
    return SurveyorRow(
        surveyor, name, email, load, tuple(absences_from(session, today, surveyor.id).get(surveyor.id, ()))
    )


def people_without_profile(session: Session) -> Sequence[Person]:
    """Return who holds the role of site surveyor but has no profile yet: they cannot be proposed."""
    return session.scalars(
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.role == Role.SURVEYOR.value, Person.active, Person.id.not_in(select(Surveyor.person_id)))
        .order_by(Person.name)
    ).all()


def ties_of(session: Session, surveyor_id: int) -> list[tuple[SurveyorTie, str]]:
    """Return a surveyor's conflicts on record, each with the practice's name."""
    rows = session.execute(
        select(SurveyorTie, Practice.legal_name)
        .join(Practice, Practice.id == SurveyorTie.practice_id)
        .where(SurveyorTie.surveyor_id == surveyor_id)
        .order_by(SurveyorTie.id.desc())
    )
    return [(tie, name) for tie, name in rows]


def profile_of_person(session: Session, person_id: int) -> Surveyor | None:
    """Return a person's surveyor profile."""
    return session.scalar(select(Surveyor).where(Surveyor.person_id == person_id))


def loads_of(session: Session, surveyor_id: int | None = None, without: int | None = None) -> dict[int, int]:
    """Count the cases each surveyor has at present: proposed or accepted, the report not yet approved."""
    query = (
        select(SurveyorProposal.surveyor_id, func.count(SurveyorProposal.case_id.distinct()))
        .where(SurveyorProposal.state.in_(ON_DUTY), SurveyorProposal.released_at.is_(None))
        .group_by(SurveyorProposal.surveyor_id)
    )
    if surveyor_id is not None:
        query = query.where(SurveyorProposal.surveyor_id == surveyor_id)
    if without is not None:
        query = query.where(SurveyorProposal.id != without)
    return {row[0]: row[1] for row in session.execute(query)}


def absences_from(session: Session, today: date, surveyor_id: int | None = None) -> dict[int, list[SurveyorAbsence]]:
    """Return the absences that are not over, by surveyor."""
    query = select(SurveyorAbsence).where(SurveyorAbsence.to_on >= today).order_by(SurveyorAbsence.from_on)
    if surveyor_id is not None:
        query = query.where(SurveyorAbsence.surveyor_id == surveyor_id)
    found: dict[int, list[SurveyorAbsence]] = defaultdict(list)
    for absence in session.scalars(query):
        found[absence.surveyor_id].append(absence)
    return found
