"""Adding to the chain."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.platform.audit.models import Event, StreamHead
from certify.platform.audit.rules import START, canonical, link_hash

_HEAD = (
    select(StreamHead)
    .where(StreamHead.stream == bindparam("stream"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
# Where a session keeps the heads it holds, with the transaction that holds them.
HELD = "event_stream_heads"


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
    """Add one event to a stream's chain, in the transaction of `session`; never commits.

    Args:
        kind: what happened as a key, `case.advanced`, `evidence.added`.
        summary: the sentence a person reads in the timeline, past tense, without the actor's name.
        subject: the path of what changed, so that a line of the history can open it.
        data: before and after, as JSON values.
        internal: true hides the line from the practice's own timeline (not from the auditor).
    """
    head = _locked_head(session, stream)
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
    return event


def _locked_head(session: Session, stream: str) -> StreamHead:
    """Return the stream's head with its row locked; within one transaction the lock is asked for once."""
    registry: Callable[[], Session] | None = getattr(session, "registry", None)
    if registry is not None:  # routes hand over the scoped session, which stands for the session of this request
        session = registry()
    # Begun here at the latest: a head that is not held would be read over what is not written yet.
    transaction = session.get_transaction() or session.begin()
    of, held = session.info.get(HELD, (None, None))
    if of is None or of() is not transaction or held is None:
        held = dict[str, StreamHead]()
        session.info[HELD] = (weakref.ref(transaction), held)
    head: StreamHead | None = held.get(stream)
    # A head that a rolled back savepoint took away, or that was let go of, is read again.
    if head is not None and head in session and not inspect(head).expired_attributes:
        return head
    head = session.scalar(_HEAD, {"stream": stream})
    if head is None:
        # Two writers may begin the same stream at once: one makes the row, and both then wait in line for it.
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(StreamHead).values(stream=stream, seq=0, hash=START).on_conflict_do_nothing())
        head = session.scalars(_HEAD, {"stream": stream}).one()
    held[stream] = head
    return head
