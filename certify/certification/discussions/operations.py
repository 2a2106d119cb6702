"""Writes of messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import acting_roles
from certify.certification.discussions.events import MessageWritten
from certify.certification.discussions.items import is_there
from certify.certification.discussions.models import Message, MessageSeen
from certify.certification.discussions.queries import newest_readable_id
from certify.certification.discussions.rules import INTERNAL, LABELS, Audience, item_label, message_errors, side_of
from certify.core.access.roles import Actor
from certify.core.foundation import events
from certify.core.foundation.errors import FieldError, Invalid


def write_message(
    session: Session,
    case: Case,
    body: str,
    *,
    audience: str = Audience.PRACTICE_AND_PROGRAM.value,
    item: str = "",
    actor: Actor,
    at: datetime,
) -> Message:
    """Write a message about the case or one of its items.

    Raises: Invalid naming an empty or too long body, an unknown item, or an audience that is not the author's.
    """
    roles = acting_roles(session, case, actor, at)
    body = body.replace("\r\n", "\n").strip()
    errors = message_errors(body, audience, roles)
    if not is_there(session, case, item):
        errors.append(FieldError("item", "The message points to something that does not exist in this case."))
    if errors:
        raise Invalid(errors)
    message = Message(
        case_id=case.id, item=item, audience=audience, author_id=actor.user_id, author_name=actor.name or "Someone",
        author_side=side_of(roles), body=body, at=at,
    )  # fmt: skip
    session.add(message)
    session.flush()
    internal = Audience(audience) in INTERNAL
    about = f" about {item_label(item)}" if item else ""
    summary = f"wrote a message{about} ({LABELS[Audience(audience)].lower()})"
    # The body stays out of the chain: history is read by more people than an internal message.
    data = {"message": message.id, "audience": audience, "item": item}
    record_on(
        session,
        case,
        "message.written",
        summary,
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/messages#m{message.id}",
        data=data,
        internal=internal,
    )
    events.publish(
        session,
        MessageWritten(
            case.id,
            case.ref,
            case.practice_id,
            message.id,
            audience,
            item,
            actor.user_id,
            message.author_name,
            message.author_side,
            at,
        ),
    )
    return message


def mark_seen(session: Session, case: Case, *, actor: Actor, at: datetime, up_to: int | None = None) -> None:
    """Note that this person has had the messages before them, up to one of them or to the newest."""
    if actor.user_id is None:
        return
    newest = newest_readable_id(session, case, actor, at)
    last = newest if up_to is None else min(up_to, newest)
    seen = session.get(MessageSeen, (case.id, actor.user_id))
    if seen is None:
        session.add(MessageSeen(case_id=case.id, person_id=actor.user_id, last_message_id=last, at=at))
    elif seen.last_message_id < last:
        seen.last_message_id, seen.at = last, at
    session.flush()
