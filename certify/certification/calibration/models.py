"""Tables of calibration: which part of a survey a second surveyor scores blind, and what she said of each element."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Model, UtcDateTime


class CalibrationSample(Model):
    """The elements of one survey that were drawn for one second surveyor."""

    __tablename__ = "calibration_sample"
    __table_args__ = (
        sa.Index("ix_calibration_sample_survey_id_person_id", "survey_id", "person_id"),
        sa.Index("ix_calibration_sample_finished_at", "finished_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("survey.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    share: Mapped[int] = mapped_column()  # percent of the elements she had not rated
    seed: Mapped[str] = mapped_column(sa.String(40))
    drawn_at: Mapped[datetime] = mapped_column(UtcDateTime)
    drawn_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    drawn_by_name: Mapped[str] = mapped_column(sa.String(200))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_reason: Mapped[str] = mapped_column(sa.Text, default="")


class CalibrationScore(Model):
    """One drawn element at one site, with the second surveyor's rating once it is given."""

    __tablename__ = "calibration_score"
    __table_args__ = (sa.UniqueConstraint("sample_id", "site_id", "element"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(sa.ForeignKey("calibration_sample.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    element: Mapped[str] = mapped_column(sa.String(16))
    domain: Mapped[int] = mapped_column()
    rating: Mapped[str] = mapped_column(sa.String(10), default="")  # yes | no | na | empty: not scored yet
    note: Mapped[str] = mapped_column(sa.Text, default="")
    # What stood of the others' ratings when she finished: the comparison does not change with what is said later.
    first: Mapped[str] = mapped_column(sa.String(10), default="")  # empty: not finished, nobody else, or they differ
    first_by: Mapped[str] = mapped_column(sa.String(200), default="")
    scored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
