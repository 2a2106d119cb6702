"""Makes what a test does not speak of: people, practices; each overridden field is the point of the test."""

from __future__ import annotations

import itertools
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.access.roles import PRACTICE_ROLES, SYSTEM, Actor, Grant, Role
from certify.core.foundation.clock import now
from certify.platform.identity.models import Person
from certify.platform.identity.operations import add_person, grant_role
from certify.platform.identity.queries import actor_as
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.operations import add_site, create_practice

PASSWORD = "seven quiet herons"

STAFF = Actor(None, frozenset({Grant(Role.PROGRAM_STAFF)}), name="Program staff")

_numbers = itertools.count(1)


def make_practice(session: Session, *, sites: int = 1, **fields: Any) -> Practice:
    """Return a practice in Chicago, with that many sites."""
    number = next(_numbers)
    values = {
        "legal_name": f"Lakeside Oncology {number}", "setting": "community", "city": "Chicago", "state": "IL",
        "postal_code": "60601", "time_zone": "America/Chicago",
    }  # fmt: skip
    practice = create_practice(session, {**values, **fields}, actor=SYSTEM, at=now())
    for index in range(sites):
        make_site(session, practice, name=f"Site {chr(ord('A') + index)}")
    return practice


def make_site(session: Session, practice: Practice, **fields: Any) -> Site:
    """Return a site of the practice that gives infusions."""
    values = {"name": "Main site", "services": ["infusion"], "infusion_chairs": 8, **fields}
    return add_site(session, practice.id, values, actor=STAFF, at=now())


def make_person(session: Session, *roles: Role, practice: Practice | None = None, **fields: Any) -> Person:
    """Return a person with PASSWORD who holds these roles, practice roles at `practice`."""
    number = next(_numbers)
    values = {"email": f"person{number}@people.example", "name": f"Dana Person {number}", "password": PASSWORD}
    person = add_person(session, **{**values, **fields}, actor=SYSTEM, at=now())
    for role in roles:
        place = practice.id if practice is not None and role in PRACTICE_ROLES else None
        grant_role(session, person.id, role, place, actor=SYSTEM, at=now())
    return person


def make_actor(session: Session, *roles: Role, practice: Practice | None = None, **fields: Any) -> Actor:
    """Return such a person as an actor."""
    return actor_as(session, make_person(session, *roles, practice=practice, **fields))


def sign_in(client: FlaskClient, person: Person) -> FlaskClient:
    """Sign the person in through the page, and return the client."""
    answer = client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return client
