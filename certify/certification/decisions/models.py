"""Tables of decisions; a decision is written once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Decision(Model):
    """What the council decided on a case, with the facts it had before it, frozen."""

    __tablename__ = "decision"
    __table_args__ = (sa.Index("ix_decision_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    outcome: Mapped[str] = mapped_column(sa.String(20))  # award | denial
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    reasons: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)  # of a denial: standard, reason
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    decided_by_name: Mapped[str] = mapped_column(sa.String(200))
    decided_by_title: Mapped[str] = mapped_column(sa.String(200), default="")
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_on: Mapped[date] = mapped_column(sa.Date)
    appeal_until: Mapped[date | None] = mapped_column(sa.Date)
    letter: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # what the practice is told, word for word


class DenialReason(Model):
    """A reason against an award that a council member is still writing, per standard."""

    __tablename__ = "denial_reason"
    __table_args__ = (sa.UniqueConstraint("case_id", "standard"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    standard: Mapped[str] = mapped_column(sa.String(10))
    text: Mapped[str] = mapped_column(sa.Text)
    saved_by_name: Mapped[str] = mapped_column(sa.String(200))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
