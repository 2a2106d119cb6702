"""Tables of surveyors: their profile, absences and ties, proposals for cases, and signed declarations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Surveyor(Model):
    """What makes a person fit to survey (process.md, section 7)."""

    __tablename__ = "surveyor"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    qualification: Mapped[str] = mapped_column(sa.String(30))  # ocn | aocnp | physician | pharmacist
    qualified_until: Mapped[date | None] = mapped_column(sa.Date)
    licence: Mapped[str] = mapped_column(sa.String(80), default="")
    oncology_years: Mapped[int] = mapped_column(default=0)
    home_state: Mapped[str] = mapped_column(sa.String(2))
    home_city: Mapped[str] = mapped_column(sa.String(100), default="")
    trained: Mapped[dict[str, str]] = mapped_column(Json, default=dict)  # edition -> ISO day of the last training on it
    shadowed_surveys: Mapped[int] = mapped_column(default=0)
    max_load: Mapped[int] = mapped_column(default=3)  # cases at one time
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class SurveyorAbsence(Model):
    """Days on which a surveyor cannot visit."""

    __tablename__ = "surveyor_absence"
    __table_args__ = (sa.Index("ix_surveyor_absence_surveyor_id_to_on", "surveyor_id", "to_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    surveyor_id: Mapped[int] = mapped_column(sa.ForeignKey("surveyor.id"))
    from_on: Mapped[date] = mapped_column(sa.Date)
    to_on: Mapped[date] = mapped_column(sa.Date)
    note: Mapped[str] = mapped_column(sa.String(200), default="")


class SurveyorTie(Model):
    """A conflict of interest on record between a surveyor and a practice; kept after it has ended."""

    __tablename__ = "surveyor_tie"
    __table_args__ = (
        sa.Index("ix_surveyor_tie_practice_id_surveyor_id", "practice_id", "surveyor_id"),
        sa.Index("ix_surveyor_tie_surveyor_id", "surveyor_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    surveyor_id: Mapped[int] = mapped_column(sa.ForeignKey("surveyor.id"))
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    ground: Mapped[str] = mapped_column(
        sa.String(30)
    )  # employment | market | earlier_work | financial | family | other
    note: Mapped[str] = mapped_column(sa.Text, default="")
    noted_on: Mapped[date] = mapped_column(sa.Date)
    ended_on: Mapped[date | None] = mapped_column(sa.Date)  # the tie itself; it blocks for some years after


class SurveyorProposal(Model):
    """That the program proposed a surveyor for a case, why, and what became of it."""

    __tablename__ = "surveyor_proposal"
    __table_args__ = (
        sa.Index("ix_surveyor_proposal_case_id_id", "case_id", "id"),
        sa.Index("ix_surveyor_proposal_surveyor_id_state", "surveyor_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    surveyor_id: Mapped[int] = mapped_column(sa.ForeignKey("surveyor.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(
        sa.String(20)
    )  # open | accepted | surveyor_conflict | practice_refused | dropped
    further: Mapped[bool] = mapped_column(
        default=False
    )  # beside the one who leads the visit; moves no step of the case
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    points: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)  # for and against, as they stood
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # answered
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the work is done: no longer counts as load


class ConflictDeclaration(Model):
    """What one side declared about conflicts of interest: the questions as asked, the answers, the signature."""

    __tablename__ = "conflict_declaration"
    __table_args__ = (
        sa.UniqueConstraint("proposal_id", "side"),
        sa.Index("ix_conflict_declaration_case_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("surveyor_proposal.id"))
    side: Mapped[str] = mapped_column(sa.String(10))  # surveyor | practice
    none: Mapped[bool] = mapped_column()
    answers: Mapped[list[dict[str, Any]]] = mapped_column(Json)  # [{key, question, answer}]
    detail: Mapped[str] = mapped_column(sa.Text, default="")
    text_sha256: Mapped[str] = mapped_column(sa.String(64))  # of the questions, answers and statement signed
    signed_name: Mapped[str] = mapped_column(sa.String(200))
    signed_title: Mapped[str] = mapped_column(sa.String(200), default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(sa.String(60), default="")
