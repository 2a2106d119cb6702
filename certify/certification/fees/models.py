"""Tables of money: invoices with frozen lines, payments, refunds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from certify.db import Json, Model, UtcDateTime


class Invoice(Model):
    """What a practice is asked to pay; nothing in it changes after issue but how it ended."""

    __tablename__ = "invoice"
    __table_args__ = (
        sa.Index("ix_invoice_case_id_id", "case_id", "id"),
        sa.Index("ix_invoice_state_due_on", "state", "due_on", "id"),
        sa.Index("ix_invoice_due_on_id", "due_on", "id"),
        sa.Index("ix_invoice_reference", "reference"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"))
    kind: Mapped[str] = mapped_column(sa.String(30))  # application | repeat_survey | late_reschedule
    reference: Mapped[str] = mapped_column(sa.String(40))  # what the practice writes on its payment
    currency: Mapped[str] = mapped_column(sa.String(3), default="USD")
    total_cents: Mapped[int] = mapped_column()
    bill_to: Mapped[dict[str, Any]] = mapped_column(Json)  # name and address as they were at issue
    issued_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_on: Mapped[date] = mapped_column(sa.Date)
    due_on: Mapped[date] = mapped_column(sa.Date)
    state: Mapped[str] = mapped_column(sa.String(20), default="open")  # open | paid | cancelled
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_reason: Mapped[str] = mapped_column(sa.Text, default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class InvoiceLine(Model):
    """One line of an invoice, written once."""

    __tablename__ = "invoice_line"
    __table_args__ = (sa.UniqueConstraint("invoice_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoice.id"))
    position: Mapped[int] = mapped_column()
    text: Mapped[str] = mapped_column(sa.String(200))
    quantity: Mapped[int] = mapped_column(default=1)
    unit_cents: Mapped[int] = mapped_column()
    amount_cents: Mapped[int] = mapped_column()


class Payment(Model):
    """Money received for an invoice, whole: a part payment is not recorded."""

    __tablename__ = "payment"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoice.id"), unique=True)
    amount_cents: Mapped[int] = mapped_column()
    currency: Mapped[str] = mapped_column(sa.String(3), default="USD")
    received_on: Mapped[date] = mapped_column(sa.Date)
    reference: Mapped[str] = mapped_column(sa.String(80), default="")
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Refund(Model):
    """What goes back to a practice that withdrew, by the rule in force at that moment."""

    __tablename__ = "refund"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoice.id"), unique=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"), index=True)
    rule: Mapped[str] = mapped_column(sa.String(60))
    percent: Mapped[int] = mapped_column()
    amount_cents: Mapped[int] = mapped_column()
    currency: Mapped[str] = mapped_column(sa.String(3), default="USD")
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paid_on: Mapped[date | None] = mapped_column(sa.Date)
    paid_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    paid_reference: Mapped[str] = mapped_column(sa.String(80), default="")


class InvoiceNumber(Model):
    """The running number of invoices, one row a year."""

    __tablename__ = "invoice_number"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)
