"""Accounts and the roles they hold."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certify.core.access.policy import Permission, Subject, allowed
from certify.core.access.roles import PRACTICE_ROLES, ROLE_TITLES, Actor, Role
from certify.core.foundation.days import zone
from certify.core.foundation.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    NotOpen,
    Stale,
)
from certify.core.foundation.words import name_key
from certify.platform.audit.operations import record
from certify.platform.identity.links import send_link
from certify.platform.identity.models import (
    ApiToken,
    MailedLink,
    Person,
    RoleGrant,
    SignIn,
)
from certify.platform.identity.passwords import (
    hash_password,
    needs_new_hash,
    password_fits,
)
from certify.platform.identity.places import place_exists
from certify.platform.identity.queries import find_person_by_email, person_for
from certify.platform.identity.rules import (
    email_problem,
    password_problems,
    role_place_problem,
    tidy_email,
)
from certify.platform.mail.operations import post

STREAM = "people"


def add_person(
    session: Session,
    *,
    email: str,
    name: str,
    actor: Actor,
    at: datetime,
    title: str = "",
    password: str | None = None,
    password_hash: str | None = None,
    time_zone: str = "America/New_York",
) -> Person:
    """Make an account; without a password nobody can sign in until an invitation is answered.

    A `password_hash` stands for a password that was judged and hashed before.

    Raises: Invalid for a wrong address, name, zone or weak password, or an address that has an account.
    """
    email = tidy_email(email)
    problems = []
    if problem := email_problem(email):
        problems.append(FieldError("email", problem))
    elif find_person_by_email(session, email) is not None:
        problems.append(FieldError("email", "Someone with this address already has an account."))
    name = " ".join(name.split())
    if not 1 <= len(name) <= 200:
        problems.append(FieldError("name", "Give the person's name, up to 200 letters."))
    try:
        zone(time_zone)
    except ValueError as wrong:
        problems.append(FieldError("time_zone", str(wrong)))
    if password is not None:
        problems += password_problems(password, email=email, name=name)
    if problems:
        raise Invalid(problems)
    person = Person(
        email=email, name=name, title=title[:200], time_zone=time_zone, created_at=at, active=True,
        password_hash=hash_password(password) if password is not None else password_hash,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError as twice:
        raise Conflict("Someone made an account with this address at the same moment.") from twice
    record(
        session,
        STREAM,
        "person.added",
        f"Added {person.name} ({person.email})",
        actor=actor,
        at=at,
        subject=f"/people/{person.id}",
    )
    return person


def grant_role(
    session: Session, person_id: int, role: Role, practice_id: int | None = None, *, actor: Actor, at: datetime
) -> bool:
    """Give a person a role, for a practice or the program; returns False when it was held already.

    Raises: Invalid when the role cannot be held there; NotFound, NotOpen (closed account), NotAllowed.
    """
    _may_manage(actor, role, practice_id)
    if problem := role_place_problem(role, practice_id):
        raise Invalid(problem, "practice_id" if role in PRACTICE_ROLES else "role")
    person = person_for(session, person_id)
    if not person.active:
        raise NotOpen("This account is closed.")
    if practice_id is not None and not place_exists(session, practice_id):
        raise Invalid("There is no such practice.", "practice_id")
    if practice_id is not None and not _manages_people(actor) and _works_for_program(session, person_id):
        # Who holds a role in a practice no longer judges it: a practice must not choose its judges that way.
        raise Invalid(
            "This person works for the program. Ask an administrator of the program to give the role.", "email"
        )
    given = {"person_id": person_id, "role": role, "practice_id": practice_id, "granted_at": at}
    if not _insert_grant(session, given):
        return False  # held already, or granted at the same moment by someone else
    _record_role(
        session, "role.granted", f"Made {person.name} {_title(role)}", person, role, practice_id, actor=actor, at=at
    )
    return True


def revoke_role(
    session: Session, person_id: int, role: Role, practice_id: int | None = None, *, actor: Actor, at: datetime
) -> None:
    """Take a role away.

    Raises: NotFound when it is not held; NotAllowed; NotOpen for the last administrator, or a practice's last one.
    """
    _may_manage(actor, role, practice_id)
    person = person_for(session, person_id)
    grant = _held(session, person_id, role, practice_id)
    if grant is None:
        raise NotFound("This role is not held.")
    if role is Role.ADMINISTRATOR:
        _refuse_without_another(
            session,
            Role.ADMINISTRATOR,
            None,
            person_id,
            "The last administrator cannot give up the role: name another one first.",
        )
    if role is Role.PRACTICE_ADMIN:
        _refuse_without_another(
            session,
            role,
            practice_id,
            person_id,
            "The practice would have no administrator. Make someone else practice administrator first.",
        )
    session.delete(grant)
    session.flush()
    _record_role(
        session,
        "role.revoked",
        f"{person.name} is no longer {_title(role)}",
        person,
        role,
        practice_id,
        actor=actor,
        at=at,
    )


def invite(
    session: Session,
    *,
    email: str,
    name: str,
    role: Role,
    practice_id: int | None,
    actor: Actor,
    at: datetime,
    title: str = "",
    place: str = "",
    time_zone: str = "America/New_York",
) -> tuple[Person, str | None]:
    """Let someone take part in a role: known people get the role, new ones an account and a link by mail.

    Returns the person and the secret of the link (None when the person has a password already).
    Raises: Invalid, NotAllowed, NotOpen.
    """
    _may_manage(actor, role, practice_id)
    if problem := role_place_problem(role, practice_id):
        raise Invalid(problem, "practice_id" if role in PRACTICE_ROLES else "role")
    person = find_person_by_email(session, email)
    if person is None:
        person = add_person(session, email=email, name=name, title=title, time_zone=time_zone, actor=actor, at=at)
    elif not person.active:
        raise Invalid("This person's account is closed. An administrator can open it again.", "email")
    new = grant_role(session, person.id, role, practice_id, actor=actor, at=at)
    if person.password_hash is None:
        return person, send_link(
            session, person, "invitation", inviter=actor.name, role=_title(role), place=place, at=at
        )
    if new:
        post(
            session, dedupe_key=f"role:{person.id}:{role}:{practice_id}:{at.isoformat()}", kind="role_granted", person_id=person.id,
            to_email=person.email, to_name=person.name, subject=f"You are now {_title(role)}{f' at {place}' if place else ''}", at=at,
            why=f"{actor.name} gave you this role.", context={
                "headline": f"You are now {_title(role)}{f' at {place}' if place else ''}",
                "lines": ["You sign in as before. Your front page now also shows what is asked of you in this role."],
                "action_label": "Open your front page", "action_path": "/",
            },
        )  # fmt: skip
    return person, None


def invite_again(session: Session, person_id: int, *, actor: Actor, at: datetime, place: str = "") -> None:
    """Send an invitation that was not answered once more; the link before stops working. Raises NotFound, NotOpen."""
    person = person_for(session, person_id)
    if person.password_hash is not None or not person.active:
        raise NotOpen("This person has answered the invitation already, or the account is closed.")
    send_link(session, person, "invitation", inviter=actor.name, place=place, at=at)


def close_account(session: Session, person_id: int, *, actor: Actor, at: datetime) -> Person:
    """Close an account: sign-ins and tokens end at once; the name stays on what the person did.

    Raises: NotAllowed, NotFound; NotOpen when closed already or for the last administrator.
    """
    _administrator(actor)
    person = person_for(session, person_id, lock=True)
    if not person.active:
        raise NotOpen("This account is closed already.")
    if _held(session, person_id, Role.ADMINISTRATOR, None) is not None:
        _refuse_without_another(
            session,
            Role.ADMINISTRATOR,
            None,
            person_id,
            "The last administrator's account cannot be closed: name another administrator first.",
        )
    person.active = False
    end_access(session, person_id, at)
    record(
        session,
        STREAM,
        "person.closed",
        f"Closed the account of {person.name}",
        actor=actor,
        at=at,
        subject=f"/people/{person.id}",
    )
    return person


def open_account(session: Session, person_id: int, *, actor: Actor, at: datetime) -> Person:
    """Open a closed account again; the person sets a new password by a mailed link. Raises NotAllowed, NotFound, NotOpen."""
    _administrator(actor)
    person = person_for(session, person_id, lock=True)
    if person.active:
        raise NotOpen("This account is open.")
    person.active, person.password_hash = True, None
    send_link(session, person, "invitation", inviter=actor.name, role="", place="", at=at)
    record(
        session,
        STREAM,
        "person.opened",
        f"Opened the account of {person.name} again",
        actor=actor,
        at=at,
        subject=f"/people/{person.id}",
    )
    return person


def edit_own_details(
    session: Session, person_id: int, *, name: str, title: str, time_zone: str, version: int, actor: Actor, at: datetime
) -> Person:
    """Change one's own name, title and time zone; raises Stale, Invalid."""
    person = person_for(session, person_id, lock=True)
    if person.version != version:
        raise Stale("Your details were changed in another window since you opened this page.")
    try:
        zone(time_zone)
    except ValueError as wrong:
        raise Invalid(str(wrong), "time_zone") from wrong
    name = " ".join(name.split())
    if not 1 <= len(name) <= 200:
        raise Invalid("Give your name, up to 200 letters.", "name")
    before = {"name": person.name, "title": person.title, "time_zone": person.time_zone}
    person.name, person.name_key = name, name_key(name)
    person.title, person.time_zone = title[:200], time_zone
    after = {"name": person.name, "title": person.title, "time_zone": person.time_zone}
    if after != before:
        record(
            session, STREAM, "person.edited", "Changed the own details", actor=actor, at=at, subject=f"/people/{person.id}",
            data={"before": before, "after": after},
        )  # fmt: skip
    session.flush()
    return person


def set_password(
    session: Session, person: Person, password: str, *, at: datetime, keep_sign_in: str | None = None
) -> None:
    """Set a new password and end every other sign-in and open link of the person; raises Invalid."""
    problems = password_problems(password, email=person.email, name=person.name)
    if problems:
        raise Invalid(problems)
    person.password_hash = hash_password(password)
    ending = update(SignIn).where(SignIn.person_id == person.id, SignIn.ended_at.is_(None)).values(ended_at=at)
    session.execute(ending if keep_sign_in is None else ending.where(SignIn.id != keep_sign_in))
    session.execute(
        update(MailedLink).where(MailedLink.person_id == person.id, MailedLink.used_at.is_(None)).values(used_at=at)
    )
    session.flush()


def change_password(
    session: Session, person_id: int, *, old: str, new: str, actor: Actor, at: datetime, keep_sign_in: str | None
) -> None:
    """Change one's own password; every other sign-in ends. Raises Invalid."""
    person = person_for(session, person_id, lock=True)
    if not password_fits(person.password_hash, old):
        raise Invalid("This is not your present password.", "old")
    if old == new:
        raise Invalid("Choose a password other than the present one.", "password")
    set_password(session, person, new, at=at, keep_sign_in=keep_sign_in)
    record(
        session,
        f"person:{person.id}",
        "password.changed",
        "Changed the password",
        actor=actor,
        at=at,
        subject="/account",
    )
    post(
        session, dedupe_key=f"password:{person.id}:{at.isoformat()}", kind="password_changed", person_id=person.id, to_email=person.email,
        to_name=person.name, subject="Your password was changed", at=at, why="Your account's password was changed.", context={
            "headline": "Your password was changed",
            "lines": ["All other browsers were signed out. API tokens of yours still work.",
                      "If this was not you, set a new password at once, which also ends your API tokens, and tell the program."],
            "action_label": "Set a new password", "action_path": "/reset",
        },
    )  # fmt: skip


def refresh_hash(session: Session, person: Person, password: str) -> None:
    """Hash a password anew when the parameters have been raised since."""
    if person.password_hash and needs_new_hash(person.password_hash):
        person.password_hash = hash_password(password)
        session.flush()


def end_access(session: Session, person_id: int, at: datetime) -> None:
    """End every sign-in, open link and API token of a person."""
    session.execute(update(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None)).values(ended_at=at))
    session.execute(
        update(ApiToken).where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None)).values(revoked_at=at)
    )
    session.execute(delete(MailedLink).where(MailedLink.person_id == person_id, MailedLink.used_at.is_(None)))
    session.flush()


def _may_manage(actor: Actor, role: Role, practice_id: int | None) -> None:
    """The program's own commands act as the system; a practice administrator manages that practice's roles, no others."""
    if _manages_people(actor):
        return
    if (
        role in PRACTICE_ROLES
        and practice_id is not None
        and allowed(actor, Permission.MANAGE_TEAM, Subject(practice_id=practice_id))
    ):
        return
    raise NotAllowed("Only an administrator may do this.")


def _administrator(actor: Actor) -> None:
    if not _manages_people(actor):
        raise NotAllowed("Only an administrator may do this.")


def _manages_people(actor: Actor) -> bool:
    return (actor.user_id is None and Role.SYSTEM in actor.roles) or allowed(actor, Permission.MANAGE_PEOPLE)


def _works_for_program(session: Session, person_id: int) -> bool:
    held = select(RoleGrant.id).where(RoleGrant.person_id == person_id, RoleGrant.practice_id.is_(None)).limit(1)
    return session.scalar(held) is not None


def _insert_grant(session: Session, given: dict[str, Any]) -> bool:
    """Add the row of a role unless it is there; returns whether it was added."""
    session.flush()
    connection = session.connection()
    return connection.execute(_add_grant(connection.dialect.name), given).one_or_none() is not None


@lru_cache(maxsize=2)
def _add_grant(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(cast(Table, RoleGrant.__table__)).on_conflict_do_nothing().returning(RoleGrant.id)


def _held(session: Session, person_id: int, role: Role, practice_id: int | None) -> RoleGrant | None:
    place = RoleGrant.practice_id.is_(None) if practice_id is None else RoleGrant.practice_id == practice_id
    return session.scalars(
        select(RoleGrant).where(RoleGrant.person_id == person_id, RoleGrant.role == role, place)
    ).one_or_none()


def _refuse_without_another(
    session: Session, role: Role, practice_id: int | None, person_id: int, message: str
) -> None:
    """Refuse when nobody else with an open account holds the role."""
    place = RoleGrant.practice_id.is_(None) if practice_id is None else RoleGrant.practice_id == practice_id
    held = (RoleGrant.role == role, place)
    # Two who leave at the same moment queue here. Who comes second must look again after the wait, in a statement of
    # its own: the one that waited still sees the accounts as they were before.
    session.execute(select(RoleGrant.id).where(*held).order_by(RoleGrant.id).with_for_update())
    others = select(RoleGrant.id).join(Person, Person.id == RoleGrant.person_id)
    if session.scalar(others.where(*held, Person.active, RoleGrant.person_id != person_id).limit(1)) is None:
        raise NotOpen(message)


def _title(role: Role) -> str:
    title = ROLE_TITLES[role]
    return title[0].lower() + title[1:]


def _record_role(
    session: Session,
    kind: str,
    summary: str,
    person: Person,
    role: Role,
    practice_id: int | None,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    stream = f"practice:{practice_id}" if practice_id is not None else STREAM
    subject = f"/practices/{practice_id}/team" if practice_id is not None else f"/people/{person.id}"
    record(
        session, stream, kind, summary, actor=actor, at=at, subject=subject,
        data={"person_id": person.id, "role": role, "practice_id": practice_id},
    )  # fmt: skip
