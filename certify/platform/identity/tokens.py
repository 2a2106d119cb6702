"""API tokens: made once, shown once, in force for so many days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotFound
from certify.core.foundation.ids import digest, new_secret
from certify.platform.audit.operations import record
from certify.platform.identity.models import ApiToken, Person
from certify.platform.identity.queries import person_for
from certify.platform.identity.rules import LONGEST_TOKEN_DAYS

SCOPES = ("read", "write")
PREFIX = "certify_"


def create_token(
    session: Session, person_id: int, *, name: str, scope: str, days: int, actor: Actor, at: datetime
) -> tuple[ApiToken, str]:
    """Make a token for a person; returns it with its secret, which is stored nowhere.

    Raises: Invalid; NotFound.
    """
    problems = []
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        problems.append(FieldError("name", "Say what the token is for, in up to 100 letters."))
    if scope not in SCOPES:
        problems.append(FieldError("scope", "The scope is read or write."))
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        problems.append(FieldError("days", f"A token lives from 1 to {LONGEST_TOKEN_DAYS} days."))
    if problems:
        raise Invalid(problems)
    person = person_for(session, person_id)
    if not person.active:
        raise NotFound("The account is closed.")
    secret = PREFIX + new_secret()
    token = ApiToken(
        digest=digest(secret),
        person_id=person.id,
        name=name,
        scope=scope,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    record(
        session,
        f"person:{person.id}",
        "token.created",
        f"Created the API token “{name}” ({scope})",
        actor=actor,
        at=at,
        subject="/account",
    )
    return token, secret


def revoke_token(session: Session, token_id: int, *, person_id: int, actor: Actor, at: datetime) -> ApiToken:
    """Revoke a person's token at once; raises NotFound when it is not theirs or not in force."""
    token = session.scalars(
        select(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if token is None:
        raise NotFound("There is no such token in force.")
    token.revoked_at = at
    record(
        session,
        f"person:{person_id}",
        "token.revoked",
        f"Revoked the API token “{token.name}”",
        actor=actor,
        at=at,
        subject="/account",
    )
    session.flush()
    return token


def revoke_all_tokens(session: Session, person: Person, *, at: datetime) -> int:
    """Revoke what a person's tokens open, when a new password is set by a mailed link; returns how many.

    Who needs that link has lost the password or fears that another has it: a token made by that other must end too.
    """
    revoked = session.scalars(
        update(ApiToken)
        .where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(ApiToken.name)
    ).all()
    if revoked:
        actor, data = Actor(person.id, name=person.name, email=person.email), {"tokens": sorted(revoked)}
        record(
            session, f"person:{person.id}", "token.revoked", "Revoked every API token with the new password", actor=actor, at=at,
            subject="/account", data=data,
        )  # fmt: skip
    return len(revoked)


def list_tokens(session: Session, person_id: int) -> Sequence[ApiToken]:
    """Return a person's tokens that were not revoked, newest first; the secrets are nowhere."""
    return session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    ).all()
