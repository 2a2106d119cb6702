"""Tables of the spine."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Case(Model):
    """One practice's way to a certificate. Only `cases.operations` writes `state`."""

    __tablename__ = "case"
    __table_args__ = (
        sa.Index("ix_case_practice_id_id", "practice_id", "id"),
        sa.Index("uq_case_practice_id_open", "practice_id", unique=True, sqlite_where=sa.text("open"), postgresql_where=sa.text("open")),
        sa.Index("ix_case_holder_due_at", "holder", "due_at", "id"),
        sa.Index("ix_case_due_at", "due_at", "id"),
        sa.Index("ix_case_state_id", "state", "id"),
        sa.Index("ix_case_step_id", "step", "id"),
        sa.Index("ix_case_staff_id_due_at", "staff_id", "due_at", "id"),
        sa.Index("ix_case_state_state_since", "state", "state_since"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(30), default="certification")
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    edition: Mapped[str] = mapped_column(sa.String(10))  # the standards edition; fixed when the fee is confirmed
    edition_locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    questionnaire: Mapped[str] = mapped_column(sa.String(60))  # key of the questionnaire's version
    agreement: Mapped[str] = mapped_column(sa.String(60))  # key of the agreement's version
    state: Mapped[str] = mapped_column(sa.String(40))
    step: Mapped[int] = mapped_column()
    holder: Mapped[str] = mapped_column(sa.String(20))  # practice | program | surveyor | council | finance | none
    state_since: Mapped[datetime] = mapped_column(UtcDateTime)
    # Anchors of deadlines, local dates as ISO text: pending_on, survey_ended_on, payment_confirmed_on, …
    anchors: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    # The due date of the present state, copied from its deadline so that queues sort on one index.
    due_key: Mapped[str | None] = mapped_column(sa.String(60))
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class CaseDeadline(Model):
    """A date something is due on, with the rule it was computed from; kept after it has ended."""

    __tablename__ = "case_deadline"
    __table_args__ = (
        sa.Index("ix_case_deadline_case_id_id", "case_id", "id"),
        sa.Index("ix_case_deadline_due_at_running", "due_at", "id", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    key: Mapped[str] = mapped_column(sa.String(60))
    due_on: Mapped[date] = mapped_column(sa.Date)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rule: Mapped[dict[str, Any]] = mapped_column(Json)  # kind, days, anchor and its date: due_on can be recomputed
    extensions: Mapped[int] = mapped_column(default=0)
    extended_days: Mapped[int] = mapped_column(default=0)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    moved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it last got another day
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CaseMember(Model):
    """A person who works on a case in a role, from and until; a surveyor sees the case only while this is in force."""

    __tablename__ = "case_member"
    __table_args__ = (
        sa.Index("ix_case_member_person_id_case_id", "person_id", "case_id"),
        sa.Index("ix_case_member_case_id_role", "case_id", "role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(sa.String(30))
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CaseNumber(Model):
    """The running number of case references, one row a year."""

    __tablename__ = "case_number"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
