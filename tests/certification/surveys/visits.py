"""A case on its way through step 2, walked by the real operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.applications.models import Answer
from certify.certification.cases.models import Case
from certify.certification.cases.operations import open_case, take
from certify.certification.surveyors.models import Surveyor
from certify.certification.surveyors.operations import Profile, declare, save_surveyor
from certify.certification.surveys.models import Survey
from certify.certification.surveys.queries import latest_survey, sites_of
from certify.certification.surveys.sync import sync
from certify.core.access.roles import Actor, Role
from certify.core.foundation.clock import FixedClock, now
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from certify.platform.practices.models import Practice
from tests.builders import make_person, make_practice

FITTING: dict[str, Any] = {
    "qualification": "ocn", "qualified_until": date(2030, 1, 1), "oncology_years": 12, "home_state": "OH", "shadowed_surveys": 2,
    "trained": {"2021": date(2026, 9, 1)},
}  # fmt: skip


@dataclass
class Visit:
    """A case with its people."""

    session: Session
    practice: Practice
    case: Case
    head: Person
    staff: Person
    surveyor: Person
    profile: Surveyor

    def actor(self, who: str) -> Actor:
        person: Person = getattr(self, who)
        return actor_as(self.session, person)

    @property
    def survey(self) -> Survey:
        found = latest_survey(self.session, self.case.id)
        assert found is not None
        return found

    @property
    def site_ids(self) -> list[int]:
        return [s.site_id for s in sites_of(self.session, self.survey.id) if s.visited]

    def take(self, trigger: str, who: str, **data: Any) -> None:
        take(self.session, self.case, trigger, data, actor=self.actor(who), at=now())

    def send(self, *ops: dict[str, Any], device: str = "", since: int = 0, who: str = "surveyor") -> dict[str, Any]:
        body = {"device": device or TABLET, "since": since, "ops": list(ops)}
        return sync(self.session, self.survey.id, body, actor=self.actor(who), at=now())

    def op(
        self, element: str | None = "1.1.a", field: str = "rating", value: Any = "yes", **more: Any
    ) -> dict[str, Any]:
        made = {
            "op": str(uuid4()),
            "site": self.site_ids[0],
            "element": element,
            "field": field,
            "value": value,
            "base": None,
            "at": now().isoformat(),
        }
        return made | more


TABLET, OTHER_TABLET = str(uuid4()), str(uuid4())


def make_surveyor(session: Session, *, name: str = "Robin Surveyor", **fields: Any) -> tuple[Person, Surveyor]:
    """Return a person who is a fitting surveyor, except for the fields named."""
    person = make_person(session, Role.SURVEYOR, name=name)
    staff = Actor(None, name="Program")
    return person, save_surveyor(session, person.id, Profile(**(FITTING | fields)), actor=staff, at=now())


def pending_case(session: Session, *, sites: int = 2, windows: bool = True) -> Visit:
    """Return a case whose documents are accepted: next a surveyor is proposed."""
    practice = make_practice(session, sites=sites)
    head = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    staff = make_person(session, Role.PROGRAM_STAFF)
    person, profile = make_surveyor(session)
    case = open_case(
        session, practice.id, practice.legal_name, zone=practice.time_zone, actor=actor_as(session, head), at=now()
    )
    case.state, case.step, case.holder, case.edition = "pending", 2, "program", "2021"
    case.anchors = {**case.anchors, "pending_on": now().date().isoformat()}
    if windows:
        first = now().date() + timedelta(days=60)
        value = [
            {
                "from": (first + timedelta(days=n * 14)).isoformat(),
                "to": (first + timedelta(days=n * 14 + 4)).isoformat(),
            }
            for n in range(3)
        ]
        session.add(Answer(case_id=case.id, field="survey_windows", value=value, rev=1, by_name="Head", at=now()))
    session.flush()
    return Visit(session, practice, case, head, staff, person, profile)


def accepted_case(session: Session, **fields: Any) -> Visit:
    """Return a case whose surveyor both sides have accepted: next the date is agreed."""
    visit = pending_case(session, **fields)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    for who in ("surveyor", "head"):
        declare(session, visit.case, signed_name="Signed Name", actor=visit.actor(who), at=now())
    assert visit.case.state == "scheduling"
    return visit


def visit_under_way(session: Session, clock: FixedClock, **fields: Any) -> Visit:
    """Return a case whose surveyor has checked in."""
    visit = accepted_case(session, **fields)
    visit.take("agree_date", "surveyor", starts_on=(now().date() + timedelta(days=61)).isoformat())
    clock.move(by=timedelta(days=61))
    visit.take("check_in", "surveyor")
    return visit


def journal(session: Session, model: type, survey_id: int) -> list[Any]:
    """Return all rows of a survey's table."""
    return list(session.scalars(select(model).where(model.survey_id == survey_id)))  # type: ignore[attr-defined]
