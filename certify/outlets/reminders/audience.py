"""Who is meant by the roles a rule names, for many cases at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseMember
from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Role
from certify.platform.identity.models import Person, RoleGrant

CONTACT = "contact"
ON_THE_CASE = ("surveyor", "proposed_surveyor")


@dataclass(frozen=True)
class Reader:
    """One person who gets a mail, and as what."""

    person_id: int
    name: str
    email: str
    role: str  # a role key, or `contact`

    @property
    def title(self) -> str:
        """What the person is, in words."""
        return "the program's contact for this case" if self.role == CONTACT else ROLE_TITLES[Role(self.role)].lower()


class _Someone(NamedTuple):
    """A person as a mail names one."""

    id: int
    name: str
    email: str


_HELD = (
    select(RoleGrant.role, RoleGrant.practice_id, Person.id, Person.name, Person.email)
    .join(Person, Person.id == RoleGrant.person_id)
    .where(
        Person.active,
        or_(
            RoleGrant.practice_id.in_(bindparam("practices", expanding=True))
            & RoleGrant.role.in_(bindparam("practice_roles", expanding=True)),
            RoleGrant.practice_id.is_(None) & RoleGrant.role.in_(bindparam("program_roles", expanding=True)),
        ),
    )
    .order_by(Person.id)
)


def readers_of(
    session: Session, cases: Sequence[Case], roles: Iterable[str], *, at: datetime
) -> dict[int, list[Reader]]:
    """Return, per case id, the people these roles mean; each person once, in the order of the roles.

    Practice roles mean the practice's own people, `surveyor` those on the case in force, `contact` the staff member
    assigned to it (all program staff while nobody is), other roles everyone who holds them for the program.
    """
    wanted = tuple(dict.fromkeys(roles))
    by_role: dict[tuple[str, int | None], list[_Someone]] = _holders(session, cases, wanted)
    assigned = _people(session, {c.staff_id for c in cases if c.staff_id} if CONTACT in wanted else set())
    on_case = _on_cases(session, [c.id for c in cases], at) if Role.SURVEYOR in wanted else {}
    found: dict[int, list[Reader]] = {}
    for case in cases:
        people: dict[int, Reader] = {}
        for role in wanted:
            for person in _meant(case, role, by_role, assigned, on_case):
                people.setdefault(person.id, Reader(person.id, person.name, person.email, role))
        found[case.id] = list(people.values())
    return found


def _meant(
    case: Case,
    role: str,
    by_role: dict[tuple[str, int | None], list[_Someone]],
    assigned: dict[int, _Someone],
    on_case: dict[int, list[_Someone]],
) -> Iterable[_Someone]:
    if role == CONTACT:
        person = assigned.get(case.staff_id or 0)
        return [person] if person else by_role.get((Role.PROGRAM_STAFF, None), [])
    if role == Role.SURVEYOR:
        return on_case.get(case.id, [])
    return by_role.get((role, case.practice_id if role in PRACTICE_ROLES else None), [])


def _holders(
    session: Session, cases: Sequence[Case], wanted: Sequence[str]
) -> dict[tuple[str, int | None], list[_Someone]]:
    practice_roles = [r for r in wanted if r in PRACTICE_ROLES]
    program_roles = [r for r in wanted if r not in PRACTICE_ROLES and r not in (CONTACT, Role.SURVEYOR)]
    if CONTACT in wanted:
        program_roles.append(Role.PROGRAM_STAFF)
    given = {
        "practices": list({c.practice_id for c in cases}),
        "practice_roles": practice_roles,
        "program_roles": program_roles,
    }
    found: dict[tuple[str, int | None], list[_Someone]] = defaultdict(list)
    for role, practice_id, *who in session.execute(_HELD, given):
        found[role, practice_id].append(_Someone._make(who))
    return found


def people_as(session: Session, roles: Mapping[int, Role]) -> list[Reader]:
    """Return these people as readers, each in the role given."""
    found = _people(session, set(roles))
    return [Reader(person.id, person.name, person.email, roles[person.id].value) for person in found.values()]


def _people(session: Session, ids: set[int]) -> dict[int, _Someone]:
    if not ids:
        return {}
    query = select(Person.id, Person.name, Person.email).where(Person.id.in_(ids), Person.active)
    return {row.id: _Someone(*row) for row in session.execute(query)}


def _on_cases(session: Session, case_ids: Sequence[int], at: datetime) -> dict[int, list[_Someone]]:
    rows = session.execute(
        select(CaseMember.case_id, Person.id, Person.name, Person.email)
        .join(Person, Person.id == CaseMember.person_id)
        .where(
            CaseMember.case_id.in_(case_ids),
            CaseMember.role.in_(ON_THE_CASE),
            or_(CaseMember.until_at.is_(None), CaseMember.until_at > at),
            Person.active,
        )
        .order_by(CaseMember.id)
    )
    found: dict[int, list[_Someone]] = defaultdict(list)
    for case_id, *who in rows:
        found[case_id].append(_Someone._make(who))
    return found
