"""Reading and checking the chain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.platform.audit.models import Event, StreamHead
from certify.platform.audit.rules import START, link_hash


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found: how many events, and the first that is broken (None when sound)."""

    events: int
    streams: int
    broken_stream: str | None = None
    broken_seq: int | None = None
    why: str = ""

    @property
    def sound(self) -> bool:
        return self.broken_stream is None


def list_events(
    session: Session,
    stream: str,
    *,
    before: int | None = None,
    limit: int = 50,
    kind: str = "",
    person: str = "",
    internal: bool = True,
) -> Sequence[Event]:
    """Return a stream's events, newest first, older than seq `before` when given; `kind` matches a prefix."""
    query = select(Event).where(Event.stream == stream).order_by(Event.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(Event.seq < before)
    if kind:
        query = query.where(Event.kind.startswith(kind, autoescape=True))
    if person:
        query = query.where(Event.actor_name.icontains(person, autoescape=True))
    if not internal:
        query = query.where(Event.internal.is_(False))
    return session.scalars(query).all()


def verify_chain(session: Session, stream: str | None = None) -> Verdict:
    """Recompute every hash of a stream, or of all streams; stops at the first event that does not fit."""
    heads = select(StreamHead).order_by(StreamHead.stream)
    events = select(Event).order_by(Event.stream, Event.seq).execution_options(yield_per=1000)
    if stream is not None:
        heads, events = heads.where(StreamHead.stream == stream), events.where(Event.stream == stream)
    expected = {head.stream: (head.seq, head.hash) for head in session.scalars(heads)}
    count, at_stream, seq, digest = 0, None, 0, START
    ends: dict[str, tuple[int, str]] = {}
    with closing(session.scalars(events)) as rows:
        for event in rows:
            if event.stream != at_stream:
                at_stream, seq, digest = event.stream, 0, START
            count += 1
            seq += 1
            if event.seq != seq:
                return Verdict(count, len(expected), event.stream, seq, f"event {seq} is missing")
            if event.prev_hash != digest or event.hash != _recomputed(event):
                return Verdict(count, len(expected), event.stream, seq, "its content does not fit its hash")
            digest = event.hash
            ends[event.stream] = (seq, digest)
    for name, head_end in expected.items():
        if ends.get(name, (0, START)) != head_end:
            return Verdict(count, len(expected), name, ends.get(name, (0, START))[0] + 1, "the last events are missing")
    for name in ends:
        if name not in expected:
            return Verdict(count, len(expected), name, 1, "the stream's head is missing")
    return Verdict(count, len(expected))


def _recomputed(event: Event) -> str:
    return link_hash(
        event.prev_hash, stream=event.stream, seq=event.seq, at=event.at, actor_id=event.actor_id, actor_name=event.actor_name,
        kind=event.kind, summary=event.summary, reason=event.reason, subject=event.subject, data=event.data, internal=event.internal,
    )  # fmt: skip
