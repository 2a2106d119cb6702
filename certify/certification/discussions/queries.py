"""Reads of messages: only what the reader's audiences hold ever leaves the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.queries import acting_roles, team_of
from certify.certification.discussions.models import Message, MessageSeen
from certify.certification.discussions.rules import (
    LABELS,
    READERS,
    WORDS,
    Audience,
    item_label,
    item_url,
    readable,
    writable,
)
from certify.core.access.roles import Actor, Grant, Role
from certify.core.foundation.clock import now
from certify.platform.identity.models import Person, RoleGrant


@dataclass(frozen=True)
class MessageRow:
    """A message as a page shows it."""

    id: int
    item: str
    item_label: str
    item_url: str
    audience: str
    audience_label: str
    readers: str
    internal: bool
    author_name: str
    author_side: str
    body: str
    at: datetime
    unread: bool
    mine: bool


def messages_of(
    session: Session,
    case: Case,
    actor: Actor,
    at: datetime,
    *,
    item: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[MessageRow]:
    """Return the newest messages this person can read, newest first; with `item`, those about it."""
    query = select(Message).where(*_readable(session, case, actor, at)).order_by(Message.id.desc()).limit(limit)
    if item:
        query = query.where(Message.item == item)
    if before is not None:
        query = query.where(Message.id < before)
    seen = _seen_up_to(session, case, actor)
    return [_row(case, message, seen, actor) for message in session.scalars(query)]


def items_of(session: Session, case: Case, actor: Actor, at: datetime) -> list[tuple[str, str, int]]:
    """Return what the readable messages are about: item, label, how many."""
    query = (
        select(Message.item, func.count())
        .where(*_readable(session, case, actor, at))
        .group_by(Message.item)
        .order_by(Message.item)
    )
    return [(item, item_label(item), count) for item, count in session.execute(query).all()]


def counts_by_item(session: Session, case: Case, actor: Actor, at: datetime) -> dict[str, int]:
    """Return how many messages this person can read about each item, for marks beside the items."""
    return {item: count for item, _label, count in items_of(session, case, actor, at)}


def unread_count(session: Session, case: Case, actor: Actor, at: datetime) -> int:
    """Return how many readable messages by others this person has not had before them."""
    return session.scalar(select(_unread(session, case, actor, at))) or 0


def _unread(session: Session, case: Case, actor: Actor, at: datetime) -> ColumnElement[int]:
    if actor.user_id is None:
        return literal(0)
    seen = select(MessageSeen.last_message_id).where(
        MessageSeen.case_id == case.id, MessageSeen.person_id == actor.user_id
    )
    query = (
        select(func.count())
        .select_from(Message)
        .where(
            *_readable(session, case, actor, at),
            Message.id > func.coalesce(seen.scalar_subquery(), 0),
            (Message.author_id != actor.user_id) | Message.author_id.is_(None),
        )
    )
    return query.scalar_subquery()


def counts_for(session: Session, case: Case, actor: Actor) -> dict[str, ColumnElement[int]]:
    """Return the number on the Messages tab: what is unread."""
    return {"messages": _unread(session, case, actor, now())}


def newest_readable_id(session: Session, case: Case, actor: Actor, at: datetime) -> int:
    """Return the id of the newest message this person can read, 0 when there is none."""
    return session.scalar(select(func.max(Message.id)).where(*_readable(session, case, actor, at))) or 0


def readers_among(
    session: Session, case: Case, audience: Audience, person_ids: Collection[int], at: datetime
) -> dict[int, Role]:
    """Return who of these people may read what is written for an audience of the case, each with the role by which."""
    grants: dict[int, set[Grant]] = {}
    rows = session.execute(
        select(RoleGrant.person_id, RoleGrant.role, RoleGrant.practice_id)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.person_id.in_(person_ids), Person.active)
    )
    for person_id, role, practice_id in rows:
        grants.setdefault(person_id, set()).add(Grant(Role(role), practice_id))
    team = team_of(session, case, at)
    found = {}
    for person_id, held in grants.items():
        roles = Actor(person_id, frozenset(held)).roles_at(case.practice_id)
        roles = roles if person_id in team else roles - {Role.SURVEYOR}
        by = next((role for role in Role if role in roles and role in READERS[audience]), None)
        if by is not None and audience in readable(roles):
            found[person_id] = by
    return found


def writers_of(session: Session, case: Case, audience: Audience) -> list[int]:
    """Return who wrote to an audience of the case."""
    query = (
        select(Message.author_id)
        .where(Message.case_id == case.id, Message.audience == audience.value, Message.author_id.is_not(None))
        .distinct()
    )
    return [person for person in session.scalars(query) if person is not None]


def seen_by(session: Session, case: Case, person_ids: Collection[int]) -> dict[int, int]:
    """Return the last message each of these people has had before them; who never opened any is not named."""
    query = select(MessageSeen.person_id, MessageSeen.last_message_id).where(
        MessageSeen.case_id == case.id, MessageSeen.person_id.in_(person_ids)
    )
    return {row.person_id: row.last_message_id for row in session.execute(query)}


def audiences_for(session: Session, case: Case, actor: Actor, at: datetime) -> Sequence[tuple[str, str, str]]:
    """Return the audiences this person may write to: key, label, who reads it."""
    open_to = writable(acting_roles(session, case, actor, at))
    return [(a.value, LABELS[a], f"Read by {WORDS[a]}.") for a in Audience if a in open_to]


def _readable(session: Session, case: Case, actor: Actor, at: datetime) -> list[ColumnElement[bool]]:
    audiences = sorted(readable(acting_roles(session, case, actor, at)))
    return [Message.case_id == case.id, Message.audience.in_(audiences)]


def _seen_up_to(session: Session, case: Case, actor: Actor) -> int:
    if actor.user_id is None:
        return 0
    seen = session.get(MessageSeen, (case.id, actor.user_id))
    return seen.last_message_id if seen else 0


def _row(case: Case, message: Message, seen: int, actor: Actor) -> MessageRow:
    audience = Audience(message.audience)
    mine = message.author_id is not None and message.author_id == actor.user_id
    return MessageRow(
        message.id, message.item, item_label(message.item), item_url(case.ref, message.item), message.audience, LABELS[audience], WORDS[audience],
        audience is not Audience.PRACTICE_AND_PROGRAM, message.author_name, message.author_side, message.body, message.at,
        message.id > seen and not mine, mine,
    )  # fmt: skip
