"""Adding to the chain."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.platform.audit.models import Event, StreamHead
from certify.platform.audit.rules import START, canonical, link_hash

# Every write leaves an event, so these go past the object mapper: built once, run as they are.
_EVENT, _STREAM = cast(sa.Table, Event.__table__), cast(sa.Table, StreamHead.__table__)
_HEAD = select(_STREAM.c.seq, _STREAM.c.hash).where(_STREAM.c.stream == bindparam("of")).with_for_update()
_ADD = insert(_EVENT)
_MOVE_HEAD = (
    update(_STREAM).where(_STREAM.c.stream == bindparam("of")).values(seq=bindparam("to"), hash=bindparam("by"))
)
# Where a session keeps the ends of the chains it holds, with the transaction or savepoint that holds them.
HELD = "event_stream_heads"


class _Head(NamedTuple):
    """The end of a chain."""

    seq: int
    hash: str


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
) -> None:
    """Add one event to a stream's chain, in the transaction of `session`; never commits.

    It is in the database at once, so a question asked in the same transaction finds it.

    Args:
        kind: what happened as a key, `case.advanced`, `evidence.added`.
        summary: the sentence a person reads in the timeline, past tense, without the actor's name.
        subject: the path of what changed, so that a line of the history can open it.
        data: before and after, as JSON values.
        internal: true hides the line from the practice's own timeline (not from the auditor).
    """
    registry: Callable[[], Session] | None = getattr(session, "registry", None)
    if registry is not None:  # routes hand over the scoped session, which stands for the session of this request
        session = registry()
    held = _held_by(session)
    head = held.get(stream) or _locked_head(session, stream)
    # A trip through JSON first: what is hashed must be what the database gives back.
    body: dict[str, Any] = json.loads(canonical(data)) if data else {}
    event: dict[str, Any] = {
        "stream": stream, "seq": head.seq + 1, "at": at, "actor_id": actor.user_id, "actor_name": actor.name or "Someone", "kind": kind,
        "summary": summary, "reason": reason, "subject": subject, "data": body, "internal": internal,
    }  # fmt: skip
    digest = link_hash(head.hash, **event)
    connection = session.connection()
    connection.execute(_ADD, event | {"prev_hash": head.hash, "hash": digest})
    connection.execute(_MOVE_HEAD, {"of": stream, "to": event["seq"], "by": digest})
    held[stream] = _Head(head.seq + 1, digest)


def _held_by(session: Session) -> dict[str, _Head]:
    """Return the ends of chains that this very transaction holds; within it each is asked for once.

    What a savepoint held is forgotten with it, whether it was kept or undone: the next event reads the end again.
    """
    session.connection()  # begun here at the latest: what is held must belong to a transaction
    innermost = session.get_nested_transaction() or session.get_transaction()
    of, held = session.info.get(HELD, (None, None))
    if of is None or of() is not innermost or held is None:
        held = dict[str, _Head]()
        session.info[HELD] = (weakref.ref(innermost), held)
    return cast("dict[str, _Head]", held)


def _locked_head(session: Session, stream: str) -> _Head:
    """Return the end of a stream's chain with its row locked."""
    connection = session.connection()
    row = connection.execute(_HEAD, {"of": stream}).one_or_none()
    if row is None:
        # Two writers may begin the same stream at once: one makes the row, and both then wait in line for it.
        new = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(new(_STREAM).values(stream=stream, seq=0, hash=START).on_conflict_do_nothing())
        row = connection.execute(_HEAD, {"of": stream}).one()
    return _Head(*row)
