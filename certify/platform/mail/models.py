"""The outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, SortKey, UtcDateTime

_REMINDS = sa.text("reminder_key IS NOT NULL")
_IN_HAND = sa.text("state IN ('claimed', 'handed')")


class Outbox(Model):
    """One mail to one person. `dedupe_key` says what it is about: the same key is written once.

    States: pending -> claimed (a worker has it) -> handed (being given to the mail server) -> sent | failed.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_state_due_at_id", "state", "due_at", "id"),
        sa.Index("ix_outbox_lease_until_in_hand", "lease_until", sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
        sa.Index("ix_outbox_state_id", "state", "id"),
        sa.Index("ix_outbox_to_email_id", "to_email", "id"),
        sa.Index("ix_outbox_case_ref_id", "case_ref", "id"),
        sa.Index("ix_outbox_reminder_key", "reminder_key", sqlite_where=_REMINDS, postgresql_where=_REMINDS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    template: Mapped[str] = mapped_column(sa.String(60))
    context: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    person_id: Mapped[int | None] = mapped_column()
    to_email: Mapped[str] = mapped_column(SortKey(254))
    to_name: Mapped[str] = mapped_column(sa.String(200), default="")
    subject: Mapped[str] = mapped_column(sa.String(300))
    why: Mapped[str] = mapped_column(sa.Text)
    case_ref: Mapped[str] = mapped_column(sa.String(20), default="")
    reminder_key: Mapped[str | None] = mapped_column(sa.String(160))
    once_only: Mapped[bool] = mapped_column(default=False)  # true: never sent again by itself after a crash
    text: Mapped[str | None] = mapped_column(sa.Text)  # as sent; until then written from the template
    html: Mapped[str | None] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.String(10), default="pending")
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(sa.String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    again: Mapped[int] = mapped_column(default=0)  # how often staff sent it again
    last_error: Mapped[str] = mapped_column(sa.Text, default="")
    message_id: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
