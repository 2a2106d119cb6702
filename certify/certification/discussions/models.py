"""Tables of messages and of how far each person has read."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Model, UtcDateTime


class Message(Model):
    """What someone wrote about a case or one of its items; written once, never changed."""

    __tablename__ = "message"
    __table_args__ = (
        sa.Index("ix_message_case_id_id", "case_id", "id"),
        sa.Index("ix_message_case_id_item_id", "case_id", "item", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    item: Mapped[str] = mapped_column(sa.String(80), default="")  # "" the case itself, "standard:7.3", "section:sites"
    audience: Mapped[str] = mapped_column(sa.String(30))  # practice_and_program | program_only | survey_team
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    author_name: Mapped[str] = mapped_column(sa.String(200))
    author_side: Mapped[str] = mapped_column(sa.String(20))  # practice | program | surveyor | council
    body: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MessageSeen(Model):
    """The last message of a case that a person has had before them."""

    __tablename__ = "message_seen"

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    last_message_id: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)
