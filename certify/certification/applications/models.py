"""Tables of step 1: answers with their history, signatures, webinar, questions, eligibility."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Answer(Model):
    """The present answer to one field of a case's questionnaire. `rev` counts up with each change."""

    __tablename__ = "answer"
    __table_args__ = (sa.UniqueConstraint("case_id", "field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    rev: Mapped[int] = mapped_column()
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnswerChange(Model):
    """Every value a field ever had."""

    __tablename__ = "answer_change"
    __table_args__ = (sa.UniqueConstraint("case_id", "field", "rev"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    rev: Mapped[int] = mapped_column()
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class AgreementSignature(Model):
    """Who signed which text, when and from where; the text itself is kept with its digest."""

    __tablename__ = "agreement_signature"
    __table_args__ = (sa.Index("ix_agreement_signature_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    agreement: Mapped[str] = mapped_column(sa.String(60))  # key of the agreement's version
    agreement_version: Mapped[str] = mapped_column(sa.String(40))
    text: Mapped[str] = mapped_column(sa.Text)
    text_sha256: Mapped[str] = mapped_column(sa.String(64))
    signer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    signer_name: Mapped[str] = mapped_column(sa.String(200))
    signer_title: Mapped[str] = mapped_column(sa.String(200))
    signer_role: Mapped[str] = mapped_column(sa.String(30))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(sa.String(60))  # the network address it was signed from
    user_agent: Mapped[str] = mapped_column(sa.String(300), default="")


class WebinarAttendance(Model):
    """That a named person of the practice attended the standards webinar on a day."""

    __tablename__ = "webinar_attendance"
    __table_args__ = (sa.Index("ix_webinar_attendance_practice_id_attended_on", "practice_id", "attended_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    person_name: Mapped[str] = mapped_column(sa.String(200))
    attended_on: Mapped[date] = mapped_column(sa.Date)
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    recorded_by_name: Mapped[str] = mapped_column(sa.String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InformationQuestion(Model):
    """A question of the program to the practice that points to one field of the questionnaire."""

    __tablename__ = "information_question"
    __table_args__ = (sa.Index("ix_information_question_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    field: Mapped[str] = mapped_column(sa.String(80))
    question: Mapped[str] = mapped_column(sa.Text)
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(200))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reply: Mapped[str] = mapped_column(sa.Text, default="")
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # once resubmitted


class ChangeRequest(Model):
    """The practice asks to change something after submission; staff send the application back for it or decline."""

    __tablename__ = "change_request"
    __table_args__ = (sa.Index("ix_change_request_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    field: Mapped[str] = mapped_column(sa.String(80), default="")
    text: Mapped[str] = mapped_column(sa.Text)
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    asked_by_name: Mapped[str] = mapped_column(sa.String(200))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(sa.String(20), default="open")  # open | granted | declined
    settled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_reason: Mapped[str] = mapped_column(sa.Text, default="")


class RejectionProposal(Model):
    """One member of the program proposes to find the practice ineligible; another has to agree."""

    __tablename__ = "rejection_proposal"
    __table_args__ = (sa.Index("ix_rejection_proposal_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    rule: Mapped[str] = mapped_column(sa.String(60))
    reason: Mapped[str] = mapped_column(sa.Text)
    proposed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    proposed_by_name: Mapped[str] = mapped_column(sa.String(200))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_how: Mapped[str] = mapped_column(sa.String(20), default="")  # confirmed | withdrawn


class IntegrationFinding(Model):
    """How the program found the practice to be one integrated practice (process.md, step 1)."""

    __tablename__ = "integration_finding"
    __table_args__ = (sa.Index("ix_integration_finding_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    basis: Mapped[str] = mapped_column(sa.String(40))  # single_site | common_tax_id | shared_governance
    note: Mapped[str] = mapped_column(sa.Text, default="")
    found_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
