"""Reads about people, their roles and who is signed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import PRACTICE_ROLES, Actor, Grant, Role
from certify.core.foundation.errors import NotFound
from certify.core.foundation.ids import digest
from certify.core.foundation.words import name_key
from certify.db import plain
from certify.platform.identity.models import ApiToken, Person, RoleGrant, SignIn
from certify.platform.identity.rules import ABSOLUTE_LIMIT, IDLE_LIMIT, tidy_email


@dataclass(frozen=True)
class Bearer:
    """Who shows a session or a token: the person with all roles, and the key that was shown."""

    actor: Actor
    person_id: int
    name: str
    email: str
    time_zone: str
    key: str  # id of the sign-in, or of the token
    seen_at: datetime | None = None
    scope: str = "write"


@dataclass(frozen=True)
class PersonLine:
    """A person in a list, with the roles held."""

    id: int
    name: str
    name_key: str
    email: str
    active: bool
    has_password: bool
    grants: tuple[Grant, ...]


class PersonChoice(NamedTuple):
    """A person as a choice in a form."""

    id: int
    name: str


# Asked with every request, so each is put together once.
_HOLDER = (
    Person.id.label("person_id"), Person.name, Person.email, Person.time_zone, RoleGrant.role, RoleGrant.practice_id,
)  # fmt: skip
_PERSON_AT = select(Person).where(Person.email == sa.bindparam("email"))
_OF_SESSION = (
    select(SignIn.id, SignIn.created_at, SignIn.seen_at, *_HOLDER)
    .join(Person, Person.id == SignIn.person_id)
    .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
    .where(SignIn.id == sa.bindparam("secret"), SignIn.ended_at.is_(None), Person.active)
)
_OF_TOKEN = (
    select(ApiToken.id, ApiToken.scope, *_HOLDER)
    .join(Person, Person.id == ApiToken.person_id)
    .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
    .where(
        ApiToken.digest == sa.bindparam("token"), ApiToken.revoked_at.is_(None), ApiToken.expires_at > sa.bindparam("at"), Person.active,
    )
)  # fmt: skip


def find_bearer_of_session(session: Session, secret: str, at: datetime) -> Bearer | None:
    """Return who signed in with this secret, if the sign-in still lives; one query."""
    rows = plain(session, _OF_SESSION, {"secret": digest(secret)})
    if not rows:
        return None
    first = rows[0]
    if at - first.seen_at >= IDLE_LIMIT or at - first.created_at >= ABSOLUTE_LIMIT:
        return None
    actor = _actor(first.person_id, first.name, first.email, [(r.role, r.practice_id) for r in rows])
    return Bearer(actor, first.person_id, first.name, first.email, first.time_zone, first.id, seen_at=first.seen_at)


def find_bearer_of_token(session: Session, token: str, at: datetime) -> Bearer | None:
    """Return whose API token this is, if it is in force; one query."""
    rows = plain(session, _OF_TOKEN, {"token": digest(token), "at": at})
    if not rows:
        return None
    first = rows[0]
    actor = _actor(first.person_id, first.name, first.email, [(r.role, r.practice_id) for r in rows])
    return Bearer(actor, first.person_id, first.name, first.email, first.time_zone, str(first.id), scope=first.scope)


def find_person(session: Session, person_id: int) -> Person | None:
    """Return the person, or None."""
    return session.get(Person, person_id)


def find_person_by_email(session: Session, email: str) -> Person | None:
    """Return the account of that address, open or closed, or None."""
    return session.scalars(_PERSON_AT, {"email": tidy_email(email)}).one_or_none()


def person_for(session: Session, person_id: int, *, lock: bool = False) -> Person:
    """Return the person; raises NotFound."""
    query = select(Person).where(Person.id == person_id).with_for_update()
    found = session.scalars(query).one_or_none() if lock else session.get(Person, person_id)
    if found is None:
        raise NotFound("There is no such person.")
    return found


def has_people(session: Session) -> bool:
    """Whether anyone has an account."""
    return session.scalar(select(Person.id).limit(1)) is not None


def actor_of(session: Session, email: str) -> Actor:
    """Return the actor of an open account, for commands and the demo; raises NotFound."""
    person = find_person_by_email(session, email)
    if person is None or not person.active:
        raise NotFound(f"There is no open account for {email}.")
    return actor_as(session, person)


def actor_as(session: Session, person: Person) -> Actor:
    """Return the person as an actor, with every role held."""
    rows = session.execute(select(RoleGrant.role, RoleGrant.practice_id).where(RoleGrant.person_id == person.id)).all()
    return _actor(person.id, person.name, person.email, [(r.role, r.practice_id) for r in rows])


def names_of(session: Session, person_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of several people at once."""
    ids = {p for p in person_ids if p is not None}
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))}


def list_holders(session: Session, roles: Sequence[Role], practice_id: int | None = None) -> Sequence[Person]:
    """Return the open accounts that hold any of these roles, practice roles at that practice; each person once."""
    practice_roles = [r for r in roles if r in PRACTICE_ROLES]
    program_roles = [r for r in roles if r not in PRACTICE_ROLES]
    where = []
    if practice_roles and practice_id is not None:
        where.append(sa.and_(RoleGrant.practice_id == practice_id, RoleGrant.role.in_(practice_roles)))
    if program_roles:
        where.append(sa.and_(RoleGrant.practice_id.is_(None), RoleGrant.role.in_(program_roles)))
    if not where:
        return []
    holders = select(RoleGrant.person_id).where(sa.or_(*where))
    return session.scalars(
        select(Person).where(Person.active, Person.id.in_(holders)).order_by(Person.name, Person.id)
    ).all()


def list_people_in_role(session: Session, role: Role | str) -> list[PersonChoice]:
    """Return who holds a role of the program, by name."""
    return [PersonChoice(p.id, p.name) for p in list_holders(session, [Role(role)])]


def list_team(session: Session, practice_id: int) -> Sequence[PersonLine]:
    """Return everyone who holds a role at the practice, with those roles only."""
    rows = session.execute(
        select(Person, RoleGrant.role)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.practice_id == practice_id)
        .order_by(Person.name, Person.id, RoleGrant.role)
    ).all()
    people: dict[int, tuple[Person, list[Grant]]] = {}
    for person, role in rows:
        people.setdefault(person.id, (person, []))[1].append(Grant(Role(role), practice_id))
    return [_line(person, grants) for person, grants in people.values()]


def called(text: str) -> sa.ColumnElement[bool]:
    """Return the predicate of the people whose name or address begins so.

    Two ranges, each by its own index: joined by OR, or said as LIKE, they would walk through everyone.
    """
    name, address = name_key(text), tidy_email(text)
    by_name = select(Person.id).where(Person.name_key >= name, Person.name_key < name + "\uffff")
    by_address = select(Person.id).where(Person.email >= address, Person.email < address + "\uffff")
    return Person.id.in_(sa.union_all(by_name, by_address))


def list_people(
    session: Session,
    *,
    text: str = "",
    practice_id: int | None = None,
    after: tuple[object, ...] | None,
    back: bool,
    limit: int,
) -> list[PersonLine]:
    """Return people by name, beyond the key (name, id) when given; `text` begins the name or the address.

    With a practice, only who holds a role there, and with those roles only.
    """
    order = (Person.name_key, Person.id)
    query = select(Person).order_by(*[c.desc() if back else c.asc() for c in order]).limit(limit)
    if text:
        query = query.where(called(text))
    if practice_id is not None:
        query = query.where(Person.id.in_(select(RoleGrant.person_id).where(RoleGrant.practice_id == practice_id)))
    if after is not None:
        bound = sa.tuple_(*[sa.literal(k) for k in after])
        row = sa.tuple_(*order)
        query = query.where(row < bound if back else row > bound)
    people = session.scalars(query).all()
    grants: dict[int, list[Grant]] = {p.id: [] for p in people}
    held = (
        select(RoleGrant.person_id, RoleGrant.role, RoleGrant.practice_id)
        .where(RoleGrant.person_id.in_(grants))
        .order_by(RoleGrant.role)
    )
    if practice_id is not None:
        held = held.where(RoleGrant.practice_id == practice_id)
    for person_id, role, place in session.execute(held):
        grants[person_id].append(Grant(Role(role), place))
    return [_line(p, grants[p.id]) for p in people]


def find_line(session: Session, person_id: int) -> PersonLine:
    """Return one person with every role held; raises NotFound."""
    person = person_for(session, person_id)
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.practice_id)
        .where(RoleGrant.person_id == person_id)
        .order_by(RoleGrant.role, RoleGrant.id)
    )
    return _line(person, [Grant(Role(row.role), row.practice_id) for row in rows])


def _line(person: Person, grants: Sequence[Grant]) -> PersonLine:
    return PersonLine(
        person.id,
        person.name,
        person.name_key,
        person.email,
        person.active,
        person.password_hash is not None,
        tuple(grants),
    )


def _actor(person_id: int, name: str, email: str, held: Sequence[tuple[str | None, int | None]]) -> Actor:
    return Actor(
        person_id,
        frozenset(Grant(Role(role), practice_id) for role, practice_id in held if role is not None),
        name,
        email,
    )
