"""Tables of certificates and their running numbers."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Certificate(Model):
    """A certificate as it was issued; only how it ended is ever added."""

    __tablename__ = "certificate"
    __table_args__ = (
        sa.Index("ix_certificate_case_id_id", "case_id", "id"),
        sa.Index("ix_certificate_practice_id_id", "practice_id", "id"),
        sa.Index("ix_certificate_name_key_id", "name_key", "id"),
        sa.Index("ix_certificate_changed_at_id", "changed_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)  # OMH-2026-0042
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)  # what a reader types to check it
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    practice_name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200))  # for order
    search_text: Mapped[str] = mapped_column(
        sa.Text
    )  # names and towns of practice and sites, as the register searches them
    sites: Mapped[list[dict[str, str]]] = mapped_column(Json)  # name, city, state as they were
    edition: Mapped[str] = mapped_column(sa.String(10))
    edition_title: Mapped[str] = mapped_column(sa.String(200))
    awarded_on: Mapped[date] = mapped_column(sa.Date)
    ends_on: Mapped[date] = mapped_column(sa.Date)
    signatories: Mapped[list[dict[str, str]]] = mapped_column(Json)  # name, title
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(sa.Text, default="")  # why it was issued again
    replaced_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificate.id"))
    suspended_on: Mapped[date | None] = mapped_column(sa.Date)
    withdrawn_on: Mapped[date | None] = mapped_column(sa.Date)
    # When its public standing last changed, for those who ask what is new.
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CertificateNumber(Model):
    """The running number of certificates, one row a year."""

    __tablename__ = "certificate_number"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
