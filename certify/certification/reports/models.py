"""Tables of survey reports: versions, findings, comments, approvals, conflict statements, objections."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Report(Model):
    """One version of the report of one survey; its content is frozen when it is issued."""

    __tablename__ = "report"
    __table_args__ = (
        sa.UniqueConstraint("survey_id", "number"),
        sa.Index("ix_report_case_id_id", "case_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    number: Mapped[int] = mapped_column(default=1)  # 1, 2, … of this survey's report
    state: Mapped[str] = mapped_column(
        sa.String(20), default="draft"
    )  # draft | in_review | with_council | issued | replaced
    summary: Mapped[str] = mapped_column(sa.Text, default="")  # the surveyor's own words on page 1
    reason: Mapped[str] = mapped_column(sa.Text, default="")  # why this version was made
    # The survey's answers as they stood when the surveyor sent the draft: nobody approves what was changed since.
    answers_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    content: Mapped[dict[str, Any] | None] = mapped_column(Json)
    content_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    issued_on: Mapped[date | None] = mapped_column(sa.Date)
    objection_until: Mapped[date | None] = mapped_column(sa.Date)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Finding(Model):
    """A requirement, recommendation or strength of a survey; it outlives the versions of the report that print it."""

    __tablename__ = "finding"
    __table_args__ = (
        sa.Index(
            "uq_finding_survey_id_element_requirement", "survey_id", "element", unique=True,
            sqlite_where=sa.text("kind = 'requirement'"), postgresql_where=sa.text("kind = 'requirement'"),
        ),
        sa.Index("ix_finding_survey_id_id", "survey_id", "id"),
        sa.Index("ix_finding_case_id_kind_status", "case_id", "kind", "status"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))  # requirement | recommendation | strength
    number: Mapped[int | None] = mapped_column()  # R1, R2, … within the case; given when the report is issued
    standard: Mapped[str] = mapped_column(sa.String(10))
    element: Mapped[str] = mapped_column(sa.String(12), default="")  # "7.3.b"; empty: the whole standard
    site_ids: Mapped[list[int]] = mapped_column(Json, default=list)
    text: Mapped[str] = mapped_column(sa.Text)
    edited: Mapped[bool] = mapped_column(default=False)  # a person wrote the text: it no longer follows the answers
    source: Mapped[str] = mapped_column(
        sa.String(80), default=""
    )  # the survey answer a remark came from; empty: written here
    # Where it stands in the matrix of likely harm by spread; empty: not placed.
    harm: Mapped[str] = mapped_column(sa.String(20), default="")
    scope: Mapped[str] = mapped_column(sa.String(20), default="")
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    status: Mapped[str] = mapped_column(
        sa.String(20), default="draft"
    )  # draft | open | closed | withdrawn | carried | issued
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_on: Mapped[date | None] = mapped_column(sa.Date)
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    closed_how: Mapped[str] = mapped_column(sa.String(20), default="")  # evidence | repeat_survey | objection
    closing_note: Mapped[str] = mapped_column(sa.Text, default="")
    # Sites where a repeat survey judged it anew: open, it stands for the others only.
    seen_again: Mapped[list[int]] = mapped_column(Json, default=list)
    # The requirement of a repeat survey that goes on where this one stood.
    carried_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("finding.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ReportNote(Model):
    """A note of the survey that the report tells under a standard, because the surveyor put it there."""

    __tablename__ = "report_note"
    __table_args__ = (sa.UniqueConstraint("survey_id", "note", "standard"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    note: Mapped[str] = mapped_column(sa.String(36))  # the uuid in the journal's field `note:<uuid>`
    standard: Mapped[str] = mapped_column(sa.String(10))
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReportComment(Model):
    """What a reviewer asks of the surveyor, on the whole report, a standard, or one finding; the practice never reads it."""

    __tablename__ = "report_comment"
    __table_args__ = (sa.Index("ix_report_comment_report_id_id", "report_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("report.id"))
    finding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("finding.id", ondelete="SET NULL"))
    standard: Mapped[str] = mapped_column(sa.String(10), default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    person_name: Mapped[str] = mapped_column(sa.String(200))
    text: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_name: Mapped[str] = mapped_column(sa.String(200), default="")


class Approval(Model):
    """One hand the report went through; rows are only added."""

    __tablename__ = "report_approval"
    __table_args__ = (sa.Index("ix_report_approval_report_id_id", "report_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("report.id"))
    role: Mapped[str] = mapped_column(sa.String(20))  # surveyor | program_staff | council
    action: Mapped[str] = mapped_column(sa.String(20))  # submitted | sent_back | passed | returned | approved | amended
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    person_name: Mapped[str] = mapped_column(sa.String(200))
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConflictStatement(Model):
    """A council member's dated answer to the conflict question of a case; the newest one counts, all are kept."""

    __tablename__ = "conflict_statement"
    __table_args__ = (sa.Index("ix_conflict_statement_case_id_person_id", "case_id", "person_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    answer: Mapped[str] = mapped_column(sa.String(20))  # none | conflict
    detail: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Objection(Model):
    """A factual objection of the practice to one item of an issued report, and the program's answer."""

    __tablename__ = "report_objection"
    __table_args__ = (sa.Index("ix_report_objection_case_id_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("report.id"))
    finding_id: Mapped[int | None] = mapped_column(sa.ForeignKey("finding.id"))
    item: Mapped[str] = mapped_column(
        sa.String(120)
    )  # what it is about, as the practice chose it: "R2", "7.3", "sites"
    text: Mapped[str] = mapped_column(sa.Text)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    made_by_name: Mapped[str] = mapped_column(sa.String(200))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(sa.String(20), default="open")  # open | accepted | declined
    outcome: Mapped[str] = mapped_column(sa.String(20), default="")  # withdrawn | reworded | noted | declined
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    answered_by_name: Mapped[str] = mapped_column(sa.String(200), default="")
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("report.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
