"""The table that lets a form or call act once however often it is sent, and where background work says it lives."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Model, UtcDateTime


class OnceKey(Model):
    """A key that came with a form or a call, and the answer that was given."""

    __tablename__ = "once_key"
    __table_args__ = (sa.Index("ix_once_key_created_at", "created_at"),)

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # digest of person, path and key
    content: Mapped[str] = mapped_column(sa.String(64))  # digest of what was sent
    status: Mapped[int] = mapped_column()
    location: Mapped[str | None] = mapped_column(sa.Text)
    content_type: Mapped[str | None] = mapped_column(sa.String(120))
    body: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Heartbeat(Model):
    """When a background worker was last at work."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    worker: Mapped[str] = mapped_column(sa.String(120), default="")
