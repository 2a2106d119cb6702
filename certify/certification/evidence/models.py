"""Tables of evidence: the file, its versions, what it is mapped to, who opened it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Evidence(Model):
    """One document of the practice's library; its content lies in versions. Retired, never deleted."""

    __tablename__ = "evidence"
    __table_args__ = (sa.Index("ix_evidence_practice_id_id", "practice_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    title: Mapped[str] = mapped_column(sa.String(200))
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_reason: Mapped[str] = mapped_column(sa.Text, default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class EvidenceVersion(Model):
    """The content of a document at one time, and the period it proves, which is not when it was uploaded."""

    __tablename__ = "evidence_version"
    __table_args__ = (
        sa.UniqueConstraint("evidence_id", "number"),
        sa.Index("ix_evidence_version_quarantined", "id", sqlite_where=sa.text("state = 'quarantined'"), postgresql_where=sa.text("state = 'quarantined'")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(sa.ForeignKey("evidence.id"))
    number: Mapped[int] = mapped_column()
    file_key: Mapped[str] = mapped_column(sa.String(64))  # SHA-256 of what is stored
    original_sha256: Mapped[str] = mapped_column(sa.String(64))  # of what was sent; pictures are re-encoded
    file_name: Mapped[str] = mapped_column(sa.String(150))
    media_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int] = mapped_column()
    effective_from: Mapped[date | None] = mapped_column(sa.Date)
    effective_to: Mapped[date | None] = mapped_column(sa.Date)
    state: Mapped[str] = mapped_column(sa.String(20))  # clear | quarantined
    findings: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)  # what looked like patient identifiers
    cleared_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cleared_reason: Mapped[str] = mapped_column(sa.Text, default="")
    uploaded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvidenceUse(Model):
    """What a document proves in one case: a standard or one of its elements, at one site or (site_id null) at all."""

    __tablename__ = "evidence_use"
    __table_args__ = (
        sa.Index("ix_evidence_use_case_id_standard", "case_id", "standard", "id"),
        sa.Index("ix_evidence_use_evidence_id_case_id", "evidence_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    evidence_id: Mapped[int] = mapped_column(sa.ForeignKey("evidence.id"))
    standard: Mapped[str] = mapped_column(sa.String(10))
    element: Mapped[str | None] = mapped_column(sa.String(12))  # "7.3.b"; null: the whole standard
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))
    pages: Mapped[str] = mapped_column(sa.String(120), default="")  # "p. 4-6", where to look
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EvidenceView(Model):
    """That a surveyor opened a version for a case; the practice sees it."""

    __tablename__ = "evidence_view"
    __table_args__ = (
        sa.UniqueConstraint("version_id", "case_id", "person_id"),
        sa.Index("ix_evidence_view_case_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("evidence_version.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvidenceLock(Model):
    """Until when evidence counts for the survey of a case; released once the report is issued."""

    __tablename__ = "evidence_lock"

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"), primary_key=True)
    locked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NotApplicableStatement(Model):
    """The practice states, with a reason, that a standard does not apply to it and so needs no document."""

    __tablename__ = "not_applicable_statement"
    __table_args__ = (sa.Index("ix_not_applicable_statement_case_id_standard", "case_id", "standard"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    standard: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str] = mapped_column(sa.Text)
    stated_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    stated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EvidenceGap(Model):
    """What the program found missing at its desk review, per standard."""

    __tablename__ = "evidence_gap"
    __table_args__ = (sa.Index("ix_evidence_gap_case_id_standard", "case_id", "standard"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    standard: Mapped[str] = mapped_column(sa.String(10))
    text: Mapped[str] = mapped_column(sa.Text)
    named_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    named_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
