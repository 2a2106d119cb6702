"""Which cases a person may see, and who is on one: whatever is done with a case begins here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, bindparam, false, or_, select, true
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseMember
from certify.core.access.policy import Permission, Reach, Subject, allowed, reach
from certify.core.access.roles import SYSTEM, Actor, Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.db import plain
from certify.platform.practices.models import Practice

PROPOSED = "proposed_surveyor"
PRACTICES = "practices_of_cases"
MOST_HELD = 200
_CASE_LOCKED = select(Case).where(Case.ref == bindparam("ref")).with_for_update()
_CASE_AND_PRACTICE = (
    select(Case, Practice).join(Practice, Practice.id == Case.practice_id).where(Case.ref == bindparam("ref"))
)
_MEMBER_ROLES = select(CaseMember.role).where(
    CaseMember.case_id == bindparam("case_id"),
    CaseMember.person_id == bindparam("person_id"),
    or_(CaseMember.until_at.is_(None), CaseMember.until_at > bindparam("now")),
)


class CaseKey(Protocol):
    """As much of a case as access to it hangs on."""

    @property
    def id(self) -> int:
        """Its number inside the program."""

    @property
    def ref(self) -> str:
        """Its number for people."""

    @property
    def practice_id(self) -> int:
        """Whose it is."""


def case_for(
    session: Session, actor: Actor, ref: str, permission: Permission = Permission.VIEW_CASE, *, lock: bool = False
) -> Case:
    """Return the case if the actor may do this to it; `lock` holds its row until the transaction ends.

    Raises: NotFound when it is not the actor's to see, NotAllowed when it is but this is not theirs to do.
    """
    case = session.scalar(_CASE_LOCKED, {"ref": ref}) if lock else _case_at(session, ref)
    if case is None:
        raise NotFound(f"There is no case {ref}.")
    subject = subject_of(session, case, actor)
    if not allowed(actor, Permission.VIEW_CASE, subject) and actor is not SYSTEM:
        raise NotFound(f"There is no case {ref}.")
    if not allowed(actor, permission, subject):
        raise NotAllowed("Your role does not include this.")
    return case


def _case_at(session: Session, ref: str) -> Case | None:
    """Read a case with its practice, which nearly every page names; the practice is kept as long as the case is."""
    found = remembered(session, ("case", ref), lambda: session.execute(_CASE_AND_PRACTICE, {"ref": ref}).one_or_none())
    if found is None:
        return None
    session.info.setdefault(PRACTICES, {})[found[1].id] = found[1]
    case: Case = found[0]
    return case


def case_by_id(session: Session, case_id: int, *, lock: bool = False) -> Case:
    """Return a case by its number inside the program; access is the caller's matter. Raises NotFound."""
    query = select(Case).where(Case.id == case_id).with_for_update()
    case = session.scalar(query) if lock else session.get(Case, case_id)
    if case is None:
        raise NotFound("There is no such case.")
    return case


def subject_of(session: Session, case: CaseKey, actor: Actor) -> Subject:
    """Return the case as the policy sees it; only a surveyor's place on the team needs a look at the database."""
    on_team = Role.SURVEYOR in actor.roles and _member_roles(session, case, actor) - {PROPOSED}
    team = frozenset({actor.user_id}) if on_team and actor.user_id is not None else frozenset()
    return Subject(practice_id=case.practice_id, team=team)


def actor_may(session: Session, case: Case, actor: Actor, permission: Permission) -> bool:
    """Whether the actor may do this to this case."""
    return allowed(actor, permission, subject_of(session, case, actor))


def actor_before(case: Case, actor: Actor, *guards: str) -> int | None:
    """Return whose part in the case these guards look at: the actor's, if any step they stand before is the actor's by role.

    To everyone else their own part is nothing that is missing. Which roles take which step, the machine's files say.
    """
    steps = (t for t in current().machine(case.kind).transitions if any(guard in guards for guard in t.guards))
    return actor.user_id if any(t.roles & actor.roles for t in steps) else None


def acting_roles(session: Session, case: Case, actor: Actor, at: datetime) -> frozenset[Role]:
    """Return the roles that count for triggers of this case: a surveyor's only while on it or proposed for it."""
    roles = actor.roles_at(case.practice_id)
    if Role.SURVEYOR in roles and not _member_roles(session, case, actor):
        roles -= {Role.SURVEYOR}
    return roles


def visible(actor: Actor, permission: Permission = Permission.VIEW_CASE) -> ColumnElement[bool]:
    """Return the predicate of the cases within the actor's reach."""
    return within(reach(actor, permission))


def own(actor: Actor) -> ColumnElement[bool]:
    """Return the predicate of the cases a person works on.

    Those of one's own practice, those whose team one is on, and those one is the contact of at the program.
    """
    if actor.user_id is None:
        return false()
    near = Reach(practice_ids=actor.practice_ids, team_member_id=actor.user_id)
    return or_(within(near), Case.staff_id == actor.user_id)


def within(far: Reach) -> ColumnElement[bool]:
    """Turn a reach into a predicate on `case`."""
    if far.everything:
        return true()
    parts: list[ColumnElement[bool]] = []
    if far.practice_ids:
        parts.append(Case.practice_id.in_(far.practice_ids))
    if far.team_member_id is not None:
        # By the list of one's own cases, never case by case: a surveyor has few among many.
        team = select(CaseMember.case_id).where(
            CaseMember.person_id == far.team_member_id,
            CaseMember.role != PROPOSED,
            # The clock is asked when the statement runs, so that a statement may be kept and run again.
            or_(CaseMember.until_at.is_(None), CaseMember.until_at > bindparam(None, callable_=now)),
        )
        parts.append(Case.id.in_(team))
    return or_(*parts) if parts else false()


def zone_of(session: Session, case: Case) -> str:
    """Return the practice's time zone."""
    return practice_of(session, case).time_zone


def practice_of(session: Session, case: Case) -> Practice:
    """Return the practice whose case it is."""
    # Held by the session's own memory of rows, which lets go of what nobody holds: without this it is read again and again.
    held: dict[int, Practice] = session.info.setdefault(PRACTICES, {})
    practice = held.get(case.practice_id)
    if practice is None or practice not in session:
        if len(held) >= MOST_HELD:  # a round over all cases must not end up with all practices in memory
            held.clear()
        practice = held[case.practice_id] = session.get_one(Practice, case.practice_id)
    return practice


def members_of(session: Session, case: Case) -> Sequence[CaseMember]:
    """Return the people on the case, past ones too."""
    return session.scalars(select(CaseMember).where(CaseMember.case_id == case.id).order_by(CaseMember.id)).all()


def team_of(session: Session, case: Case, at: datetime) -> set[int]:
    """Return the people on the case in force; a surveyor who is only proposed is not on it yet."""
    query = select(CaseMember.person_id).where(
        CaseMember.case_id == case.id,
        CaseMember.role != PROPOSED,
        or_(CaseMember.until_at.is_(None), CaseMember.until_at > at),
    )
    return set(session.scalars(query))


def _member_roles(session: Session, case: CaseKey, actor: Actor) -> set[str]:
    if actor.user_id is None:
        return set()
    given = {"case_id": case.id, "person_id": actor.user_id, "now": now()}
    return remembered(
        session, ("member", case.id, actor.user_id), lambda: {row.role for row in plain(session, _MEMBER_ROLES, given)}
    )
