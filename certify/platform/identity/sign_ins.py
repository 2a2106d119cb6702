"""Signing in and out: tries that are counted, sessions that live on the server."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.errors import Invalid, NotFound, Refusal
from certify.core.foundation.ids import digest, new_secret
from certify.platform.audit.operations import record
from certify.platform.identity.models import Person, SignIn, SignInAttempt
from certify.platform.identity.operations import refresh_hash
from certify.platform.identity.passwords import password_fits
from certify.platform.identity.queries import find_person_by_email
from certify.platform.identity.rules import (
    ABSOLUTE_LIMIT,
    COUNTED_FOR,
    IDLE_LIMIT,
    TRIES_PER_ADDRESS,
    TRIES_PER_NETWORK,
    tidy_email,
    waits_until,
)

WRONG = "This email address and password do not belong together. Check both, or ask for a new password."


class TooManyTries(Refusal):
    """Repeated failures: the address or the network has to wait."""

    def __init__(self, until: datetime, at: datetime) -> None:
        self.seconds = max(1, int((until - at).total_seconds()) + 1)
        minutes = -(-self.seconds // 60)
        wait = f"{self.seconds} seconds" if self.seconds < 90 else f"{minutes} minutes"
        super().__init__(f"Too many tries. Wait {wait}, then try again, or ask for a new password by mail.")


@dataclass(frozen=True)
class OpenSession:
    """A sign-in of one's own, as the account page lists it."""

    id: str
    user_agent: str
    network: str
    created_at: datetime
    seen_at: datetime


def note_try(session: Session, email: str, network: str, *, at: datetime) -> None:
    """Count a try before it is judged, so that many at once cannot outrun the count.

    Raises: TooManyTries when the address or the network has to wait; then this try does not count.
    """
    for key, tries in ((_mail_key(email), TRIES_PER_ADDRESS), (_network_key(network), TRIES_PER_NETWORK)):
        failures = session.scalars(
            select(SignInAttempt.at)
            .where(SignInAttempt.key == key, SignInAttempt.at > at - COUNTED_FOR)
            .order_by(SignInAttempt.at.desc())
            .limit(tries + 10)
        ).all()
        until = waits_until(failures, tries=tries)
        if until is not None and until > at:
            raise TooManyTries(until, at)
    session.add_all([SignInAttempt(key=_mail_key(email), at=at), SignInAttempt(key=_network_key(network), at=at)])
    session.flush()


def check_password(session: Session, email: str, password: str) -> Person:
    """Return whose address and password these are; unknown and wrong take as long and say the same.

    Raises: Invalid.
    """
    person = find_person_by_email(session, email)
    session.rollback()  # hashing takes its time; no lock is held meanwhile
    stored = person.password_hash if person is not None and person.active else None
    if not password_fits(stored, password) or person is None:
        raise Invalid(WRONG)
    return person


def sign_in(
    session: Session, person: Person, *, network: str, user_agent: str, at: datetime, password: str | None = None
) -> str:
    """Begin a sign-in and return its secret; failures counted against the address are forgotten."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.key == _mail_key(person.email)))
    session.execute(_forget_one_of_network(network))
    if password is not None:
        refresh_hash(session, person, password)
    secret = new_secret()
    session.add(
        SignIn(
            id=digest(secret),
            person_id=person.id,
            network=network[:60],
            user_agent=user_agent[:300],
            created_at=at,
            seen_at=at,
        )
    )
    who = Actor(person.id, name=person.name, email=person.email)
    record(session, f"person:{person.id}", "signed_in", "Signed in", actor=who, at=at, subject="/account")
    session.flush()
    return secret


def end_sign_in(session: Session, sign_in_id: str, *, actor: Actor, at: datetime) -> None:
    """End one of the actor's own sign-ins at once; raises NotFound when it is not theirs or has ended."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.person_id == actor.user_id, SignIn.ended_at.is_(None))
        .values(ended_at=at)
    )
    if ended.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound("This sign-in has ended already.")
    record(session, f"person:{actor.user_id}", "signed_out", "Signed out", actor=actor, at=at, subject="/account")


def end_other_sign_ins(session: Session, keep: str, *, actor: Actor, at: datetime) -> int:
    """End all of the actor's sign-ins but one; returns how many."""
    ended = session.scalars(
        update(SignIn)
        .where(SignIn.person_id == actor.user_id, SignIn.id != keep, SignIn.ended_at.is_(None))
        .values(ended_at=at)
        .returning(SignIn.id)
        .execution_options(synchronize_session=False)
    ).all()
    if ended:
        record(
            session,
            f"person:{actor.user_id}",
            "signed_out",
            "Signed out all other browsers",
            actor=actor,
            at=at,
            subject="/account",
        )
    return len(ended)


def list_open_sign_ins(session: Session, person_id: int, at: datetime) -> Sequence[OpenSession]:
    """Return where the person is signed in, the one used last first."""
    rows = session.execute(
        select(SignIn.id, SignIn.user_agent, SignIn.network, SignIn.created_at, SignIn.seen_at)
        .where(
            SignIn.person_id == person_id,
            SignIn.ended_at.is_(None),
            SignIn.seen_at > at - IDLE_LIMIT,
            SignIn.created_at > at - ABSOLUTE_LIMIT,
        )
        .order_by(SignIn.seen_at.desc())
    )
    return [OpenSession(**row._mapping) for row in rows]


def _forget_one_of_network(network: str) -> sa.Delete:
    """This try counted before it was known to be right."""
    last = (
        select(SignInAttempt.id)
        .where(SignInAttempt.key == _network_key(network))
        .order_by(SignInAttempt.at.desc())
        .limit(1)
    )
    return delete(SignInAttempt).where(SignInAttempt.id == last.scalar_subquery())


def _mail_key(email: str) -> str:
    return f"mail:{digest(tidy_email(email))}"


def _network_key(network: str) -> str:
    """An IPv6 network is counted by its first 64 bits: one household has them all."""
    try:
        address = ipaddress.ip_address(network)
    except ValueError:
        return f"net:{network}"[:80]
    # Not cut out of the text, which leaves zeros away: 2001:db8::1 and 2001:db8:0:0:5::1 are one network.
    whole = address if address.version == 4 else ipaddress.ip_network((int(address), 64), strict=False)
    return f"net:{whole}"
