"""The people of the demo program: the program's own, the surveyors, and those of each practice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from certify.certification.surveyors.operations import Profile, save_surveyor
from certify.core.access.roles import SYSTEM, Actor, Grant, Role
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.identity.operations import add_person, grant_role
from certify.platform.identity.passwords import hash_password

PASSWORD = "open-the-case-file"  # noqa: S105 - the demo is refused in production, and prints this
DOMAIN = "demo.example"

PROGRAM = (
    ("admin", "Avery Lindholm", "Administrator", (Role.ADMINISTRATOR,)),
    ("staff", "Sam Okonkwo", "Certification manager", (Role.PROGRAM_STAFF,)),
    ("staff2", "Noa Berger", "Certification specialist", (Role.PROGRAM_STAFF,)),
    ("finance", "Dana Whitlock", "Finance", (Role.FINANCE,)),
    ("council", "Dr. Ruth Ansel", "Chair of the council", (Role.COUNCIL,)),
    ("council2", "Dr. Theo Marchetti", "Council member", (Role.COUNCIL,)),
    ("appeals", "Dr. Ivy Sorensen", "Appeal panel", (Role.APPEAL_PANEL,)),
    ("auditor", "Casey Romero", "Auditor", (Role.AUDITOR,)),
)
# Surveyors live in states where no demo practice is, because the same state is a conflict.
SURVEYORS = (
    ("surveyor", "Jordan Ellis, RN, OCN", "ocn", "OH", "Columbus"),
    ("surveyor2", "Mina Park, PharmD, BCOP", "pharmacist", "TX", "Austin"),
    ("surveyor3", "Dr. Luis Herrera", "physician", "NM", "Santa Fe"),
    ("surveyor4", "Priscilla Wright, RN, OCN", "ocn", "PA", "Erie"),
)
MAX_LOAD = 50


@dataclass
class Cast:
    """Everyone who acts in the demo, as actors."""

    staff: Actor
    staff2: Actor
    finance: Actor
    council: Actor
    council2: Actor
    surveyors: list[Actor]
    password_hash: str
    accounts: list[dict[str, object]] = field(default_factory=list)


def add_program(session: Session, *, at: datetime, many: bool) -> Cast:
    """Add the program's own people and the surveyors; `many` gives surveyors the load of a large program."""
    password_hash = hash_password(PASSWORD)
    actors: dict[str, Actor] = {}
    for key, name, title, roles in PROGRAM:
        actors[key] = _add(session, key, name, title, [(r, None) for r in roles], password_hash, at=at)
    surveyors: list[Actor] = []
    editions = {edition: (at - timedelta(days=30)).date() for edition in current().editions}
    for key, name, kind, state, city in SURVEYORS:
        actor = _add(session, key, name, "Site surveyor", [(Role.SURVEYOR, None)], password_hash, at=at)
        person_id = actor.user_id or 0
        profile = Profile(
            qualification=kind, qualified_until=date(at.year + 4, 12, 31), oncology_years=12, home_state=state, home_city=city,
            licence=f"{state}-{10_000 + len(surveyors)}", trained=editions, shadowed_surveys=3, max_load=MAX_LOAD if many else 6,
        )  # fmt: skip
        save_surveyor(session, person_id, profile, actor=actors["staff"], at=at)
        surveyors.append(actor)
    return Cast(
        actors["staff"],
        actors["staff2"],
        actors["finance"],
        actors["council"],
        actors["council2"],
        surveyors,
        password_hash,
    )


def add_team(
    session: Session,
    number: int,
    practice_id: int,
    administrator: str,
    physician: str,
    zone: str,
    cast: Cast,
    *,
    at: datetime,
) -> tuple[Actor, Actor]:
    """Add a practice's administrator and physician lead; returns them as actors."""
    key = f"practice{number + 1}"
    first = _add(
        session,
        key,
        administrator,
        "Practice manager",
        [(Role.PRACTICE_ADMIN, practice_id)],
        cast.password_hash,
        at=at,
        zone=zone,
    )
    second = _add(
        session,
        f"{key}.lead",
        physician,
        "Physician lead",
        [(Role.PHYSICIAN_LEAD, practice_id)],
        cast.password_hash,
        at=at,
        zone=zone,
    )
    if number < 3:
        _add(
            session,
            f"{key}.staff",
            f"Robin {administrator.split()[-1]}",
            "Quality nurse",
            [(Role.PRACTICE_STAFF, practice_id)],
            cast.password_hash,
            at=at,
            zone=zone,
        )
    return first, second


def _add(
    session: Session,
    key: str,
    name: str,
    title: str,
    roles: list[tuple[Role, int | None]],
    password_hash: str,
    *,
    at: datetime,
    zone: str = "America/New_York",
) -> Actor:
    person: Person = add_person(
        session, email=f"{key}@{DOMAIN}", name=name, title=title, time_zone=zone, actor=SYSTEM, at=at,
        # One hash serves all: ten thousand of them would take the better part of an hour.
        password_hash=password_hash,
    )  # fmt: skip
    for role, practice_id in roles:
        grant_role(session, person.id, role, practice_id, actor=SYSTEM, at=at)
    grants = frozenset(Grant(role, practice_id) for role, practice_id in roles)
    return Actor(person.id, grants, name=name, email=person.email)
