"""Tables of practices: the practice, its sites, its providers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, SortKey, UtcDateTime


class Practice(Model):
    """An oncology practice: the legal body that is certified (process.md, step 1)."""

    __tablename__ = "practice"
    __table_args__ = (
        sa.Index("ix_practice_legal_name", "legal_name"),
        sa.Index("ix_practice_name_key_id", "name_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    legal_name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(SortKey(200))  # for lists and search by prefix
    tax_ids: Mapped[list[str]] = mapped_column(Json, default=list)
    setting: Mapped[str] = mapped_column(sa.String(30))  # community | hospital | academic | rural
    ownership: Mapped[str] = mapped_column(sa.String(60), default="")
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    city: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[str] = mapped_column(sa.String(2), default="")
    postal_code: Mapped[str] = mapped_column(sa.String(10), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    time_zone: Mapped[str] = mapped_column(sa.String(60), default="America/New_York")
    register_consent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Site(Model):
    """A place where the practice gives care; closed sites stay in the record."""

    __tablename__ = "site"
    __table_args__ = (sa.Index("ix_site_practice_id_id", "practice_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    name: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    city: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[str] = mapped_column(sa.String(2), default="")
    postal_code: Mapped[str] = mapped_column(sa.String(10), default="")
    # infusion | pharmacy | oral_dispensing | intrathecal | pediatric | home
    services: Mapped[list[str]] = mapped_column(Json, default=list)
    physician_fte: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2), default=Decimal(0))
    app_fte: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2), default=Decimal(0))
    nurse_fte: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2), default=Decimal(0))
    pharmacist_fte: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2), default=Decimal(0))
    infusion_chairs: Mapped[int] = mapped_column(default=0)
    opened_on: Mapped[date | None] = mapped_column(sa.Date)
    closed_on: Mapped[date | None] = mapped_column(sa.Date)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Provider(Model):
    """A clinician who works at a site of the practice."""

    __tablename__ = "provider"
    __table_args__ = (
        sa.Index("ix_provider_practice_id_id", "practice_id", "id"),
        sa.Index("ix_provider_site_id", "site_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    name: Mapped[str] = mapped_column(sa.String(200))
    profession: Mapped[str] = mapped_column(sa.String(30))  # physician | app | nurse | pharmacist
    credentials: Mapped[str] = mapped_column(sa.String(60), default="")
    fte: Mapped[Decimal] = mapped_column(sa.Numeric(4, 2), default=Decimal(1))
    active: Mapped[bool] = mapped_column(default=True)
