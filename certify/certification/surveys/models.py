"""Tables of surveys: the visit, its sites, the journal of operations, the answers that stand, progress, attachments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime

# Names of what ops are about: `element` is an element ("7.3.b"), a standard ("7.3"), or "" for the site as a whole.
WHOLE_SITE = ""


class Survey(Model):
    """One visit of a case: round 1 covers all standards, later rounds what a repeat visit was limited to."""

    __tablename__ = "survey"
    __table_args__ = (
        sa.UniqueConstraint("case_id", "round"),
        sa.Index("ix_survey_lead_id_finished_at", "lead_id", "finished_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    round: Mapped[int] = mapped_column()
    edition: Mapped[str] = mapped_column(sa.String(10))
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    scope_standards: Mapped[list[str] | None] = mapped_column(Json)  # null: every standard of the edition
    scope_sites: Mapped[list[int] | None] = mapped_column(Json)  # null: the sample of all sites
    scope_reason: Mapped[str] = mapped_column(sa.Text, default="")
    mode: Mapped[str] = mapped_column(sa.String(10), default="on_site")  # on_site | virtual
    starts_on: Mapped[date | None] = mapped_column(sa.Date)
    ends_on: Mapped[date | None] = mapped_column(sa.Date)
    date_asked_on: Mapped[date | None] = mapped_column(sa.Date)  # the day the notice is counted from
    short_notice: Mapped[bool] = mapped_column(default=False)  # the practice agrees to less notice
    agreed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reschedules: Mapped[int] = mapped_column(default=0)
    given_back_on: Mapped[date | None] = mapped_column(sa.Date)  # the day that stood before the last reschedule
    given_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seed: Mapped[str] = mapped_column(sa.String(40), default="")
    # Deferred: a sync needs neither. The sites as they were when drawn; the lines of the agenda.
    sampled_from: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list, deferred=True)
    sampled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    agenda: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list, deferred=True)
    checked_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    seq: Mapped[int] = mapped_column(default=0)  # of the journal; its row is the lock of a sync
    clashes: Mapped[int] = mapped_column(default=0)  # fields on which two values stand
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SurveySite(Model):
    """A site of the practice in a survey: visited or not, and why it was chosen."""

    __tablename__ = "survey_site"
    __table_args__ = (sa.UniqueConstraint("survey_id", "site_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    visited: Mapped[bool] = mapped_column()
    reasons: Mapped[list[str]] = mapped_column(Json, default=list)
    position: Mapped[int] = mapped_column(default=0)


class SurveyDateProposal(Model):
    """A date one side proposes outside of what the practice's questionnaire offers; kept when answered."""

    __tablename__ = "survey_date_proposal"
    __table_args__ = (sa.Index("ix_survey_date_proposal_survey_id_id", "survey_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    side: Mapped[str] = mapped_column(sa.String(10))  # surveyor | practice
    starts_on: Mapped[date] = mapped_column(sa.Date)
    mode: Mapped[str] = mapped_column(sa.String(10), default="on_site")
    short_notice: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_how: Mapped[str] = mapped_column(sa.String(20), default="")  # agreed | withdrawn | dropped


class SurveyOp(Model):
    """One operation of a tablet or page, as it came; rows are only ever added, except that a late one gets its verdict."""

    __tablename__ = "survey_op"
    __table_args__ = (
        sa.UniqueConstraint("survey_id", "op"),
        sa.UniqueConstraint("survey_id", "seq"),
        sa.Index("ix_survey_op_key", "survey_id", "site_id", "element", "field", "seq"),
        sa.Index("ix_survey_op_late", "survey_id", "seq", sqlite_where=sa.text("verdict = 'waiting'"), postgresql_where=sa.text("verdict = 'waiting'")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    seq: Mapped[int] = mapped_column()
    op: Mapped[str] = mapped_column(sa.String(36))
    device: Mapped[str] = mapped_column(sa.String(36))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    element: Mapped[str] = mapped_column(sa.String(16))
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    base: Mapped[int | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # by the device's own clock
    order_at: Mapped[datetime] = mapped_column(UtcDateTime)  # `at`, moved behind whatever of this device it had seen
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    brought_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))  # who took it in with a backup file
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(sa.String(10))  # applied | conflict | late: as acknowledged
    verdict: Mapped[str] = mapped_column(sa.String(10), default="")  # of a late one: waiting | accepted | declined
    judged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SurveyAnswer(Model):
    """What stands for one field of one element at one site: the journal's fold, kept so that reading is one query.

    `latest` holds, per device, the op that is its last word on this field (see journal.py); the columns repeat
    the one that stands, so that the usual case needs no look inside.
    """

    __tablename__ = "survey_answer"
    __table_args__ = (
        sa.UniqueConstraint("survey_id", "site_id", "element", "field"),
        sa.Index(
            "ix_survey_answer_clash", "survey_id", sqlite_where=sa.text("clash"), postgresql_where=sa.text("clash")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    element: Mapped[str] = mapped_column(sa.String(16))
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    seq: Mapped[int] = mapped_column()
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen: Mapped[int] = mapped_column(default=0)  # the newest seq that any op on this field had seen
    clash: Mapped[bool] = mapped_column(default=False)
    latest: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class SurveyProgress(Model):
    """Counters of one site and domain, kept at save time."""

    __tablename__ = "survey_progress"
    __table_args__ = (sa.UniqueConstraint("survey_id", "site_id", "domain"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    domain: Mapped[int] = mapped_column()
    elements: Mapped[int] = mapped_column()
    met: Mapped[int] = mapped_column(default=0)
    not_met: Mapped[int] = mapped_column(default=0)
    not_applicable: Mapped[int] = mapped_column(default=0)
    conflicts: Mapped[int] = mapped_column(default=0)  # ratings on which two values stand
    without_note: Mapped[int] = mapped_column(default=0)  # "no" without what was seen
    without_reason: Mapped[int] = mapped_column(default=0)  # "not applicable" without why


class SurveyAttachment(Model):
    """A photo or file taken during the visit; ops of the field `attachment:<uuid>` bind it to elements."""

    __tablename__ = "survey_attachment"
    __table_args__ = (sa.UniqueConstraint("survey_id", "uuid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    uuid: Mapped[str] = mapped_column(sa.String(36))
    original_sha256: Mapped[str] = mapped_column(sa.String(64))  # of what the tablet sent
    file_key: Mapped[str] = mapped_column(sa.String(64))  # of what is kept: pictures without their position
    media_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int] = mapped_column()
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    by_name: Mapped[str] = mapped_column(sa.String(200))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SurveyPresence(Model):
    """Where a tablet is at work: said by the tablet now and then, and no part of the record."""

    __tablename__ = "survey_presence"
    __table_args__ = (sa.UniqueConstraint("survey_id", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    device: Mapped[str] = mapped_column(sa.String(36))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))
    standard: Mapped[str] = mapped_column(sa.String(16), default="")  # "": no standard in particular
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class SurveyShare(Model):
    """What of the checklist a member of the team takes: a domain, a site, or a domain at a site; nobody is kept from the rest."""

    __tablename__ = "survey_share"
    __table_args__ = (sa.Index("ix_survey_share_survey_id", "survey_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))  # null: every site
    domain: Mapped[int | None] = mapped_column()  # null: every domain
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
