"""Tables of corrections: the corrective action plan with its items, the evidence sent for each requirement, repeat visits asked for."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class CorrectiveActionPlan(Model):
    """The practice's plan for all open requirements; a new one begins after each issued report that has some."""

    __tablename__ = "corrective_action_plan"
    __table_args__ = (sa.Index("ix_corrective_action_plan_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    rounds: Mapped[int] = mapped_column(default=0)  # how often it was returned
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class PlanItem(Model):
    """What the practice will do about one requirement."""

    __tablename__ = "plan_item"
    __table_args__ = (sa.UniqueConstraint("plan_id", "finding_id"), sa.Index("ix_plan_item_finding_id", "finding_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("corrective_action_plan.id"))
    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("finding.id"))
    action: Mapped[str] = mapped_column(sa.Text, default="")
    owner: Mapped[str] = mapped_column(sa.String(200), default="")
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    evidence: Mapped[str] = mapped_column(sa.Text, default="")  # what will prove it
    leadership: Mapped[str] = mapped_column(sa.Text, default="")  # demanded of a finding with a high risk, as
    prevention: Mapped[str] = mapped_column(sa.Text, default="")  # workflows/survey.yaml says
    state: Mapped[str] = mapped_column(sa.String(20), default="draft")  # draft | sent | accepted | returned
    answer_due_on: Mapped[date | None] = mapped_column(sa.Date)  # until when a returned item is to be sent again
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    judged_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    saved_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Correction(Model):
    """What the practice says and shows to prove that a requirement is corrected; one row a requirement."""

    __tablename__ = "correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("finding.id"), unique=True)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    state: Mapped[str] = mapped_column(sa.String(20), default="draft")  # draft | sent | not_enough | closed
    rounds: Mapped[int] = mapped_column(default=0)  # how often it was not enough
    saved_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    judgement: Mapped[str] = mapped_column(sa.Text, default="")
    judged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    judged_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class CorrectionEvidence(Model):
    """A document of the library given as proof for a correction; sent, it stays the version it was then."""

    __tablename__ = "correction_evidence"
    __table_args__ = (sa.UniqueConstraint("correction_id", "evidence_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    correction_id: Mapped[int] = mapped_column(sa.ForeignKey("correction.id"))
    evidence_id: Mapped[int] = mapped_column(sa.ForeignKey("evidence.id"), index=True)
    # What was sent, and is judged, whatever the practice does with the document later; null: not sent yet.
    evidence_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("evidence_version.id"), index=True)
    pages: Mapped[str] = mapped_column(sa.String(120), default="")
    added_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CorrectionJudgement(Model):
    """One judgement of a plan item or a correction; rows are only added, so every round stays readable."""

    __tablename__ = "correction_judgement"
    __table_args__ = (sa.Index("ix_correction_judgement_finding_id_id", "finding_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("finding.id"))
    about: Mapped[str] = mapped_column(sa.String(20))  # plan | evidence
    verdict: Mapped[str] = mapped_column(sa.String(20))  # accepted | returned | closed | not_enough
    text: Mapped[str] = mapped_column(sa.Text, default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    person_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RepeatVisit(Model):
    """A repeat visit the program asked for: why, and the standards and sites it is limited to."""

    __tablename__ = "repeat_visit"
    __table_args__ = (sa.Index("ix_repeat_visit_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    reason: Mapped[str] = mapped_column(sa.Text)
    standards: Mapped[list[str]] = mapped_column(Json)
    site_ids: Mapped[list[int]] = mapped_column(Json)
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(200))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
