"""Tables of the event chain; rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Event(Model):
    """One act. `stream` is what it belongs to: `case:LO-2026-014`, `practice:12`, `people`, `program`."""

    __tablename__ = "event"
    __table_args__ = (
        sa.UniqueConstraint("stream", "seq"),
        sa.Index("ix_event_stream_kind_seq", "stream", "kind", "seq"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(sa.String(80))
    seq: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column()
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    kind: Mapped[str] = mapped_column(sa.String(60))
    summary: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    subject: Mapped[str] = mapped_column(sa.String(120), default="")
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    internal: Mapped[bool] = mapped_column(default=False)
    prev_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class StreamHead(Model):
    """Where a stream's chain stands; its row is the lock that keeps a chain in one line."""

    __tablename__ = "event_stream"

    stream: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(sa.String(64), default="")
