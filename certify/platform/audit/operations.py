"""Adding to the chain."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.platform.audit.models import Event, StreamHead
from certify.platform.audit.rules import START, canonical, link_hash


def record(
    session: Session,
    stream: str,
    kind: str,
    summary: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    subject: str = "",
    data: dict[str, Any] | None = None,
    internal: bool = False,
) -> Event:
    """Add one event to a stream's chain, in the transaction of `session`; flushes, never commits.

    Args:
        kind: what happened as a key, `case.advanced`, `evidence.added`.
        summary: the sentence a person reads in the timeline, past tense, without the actor's name.
        subject: the path of what changed, so that a line of the history can open it.
        data: before and after, as JSON values.
        internal: true hides the line from the practice's own timeline (not from the auditor).
    """
    head = session.execute(
        select(StreamHead).where(StreamHead.stream == stream).with_for_update(),
        execution_options={"populate_existing": True},
    ).scalar_one_or_none()
    if head is None:
        head = StreamHead(stream=stream, seq=0, hash=START)
        session.add(head)
    # A trip through JSON first: what is hashed must be what the database gives back.
    body: dict[str, Any] = json.loads(canonical(data or {}))
    seq = head.seq + 1
    name = actor.name or "Someone"
    digest = link_hash(
        head.hash, stream=stream, seq=seq, at=at, actor_id=actor.user_id, actor_name=name, kind=kind,
        summary=summary, reason=reason, subject=subject, data=body, internal=internal,
    )  # fmt: skip
    event = Event(
        stream=stream, seq=seq, at=at, actor_id=actor.user_id, actor_name=name, kind=kind, summary=summary,
        reason=reason, subject=subject, data=body, internal=internal, prev_hash=head.hash, hash=digest,
    )  # fmt: skip
    session.add(event)
    head.seq, head.hash = seq, digest
    session.flush()
    return event
