"""Reads of money: invoices of a case, open invoices of all, the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import case_for, within
from certify.certification.fees.models import Invoice, InvoiceLine, Payment, Refund
from certify.certification.fees.rules import FeesFacts, InvoiceFacts, Line, application_lines
from certify.core.access.policy import Permission, reach
from certify.core.access.roles import Actor
from certify.core.catalogue.model import FeeSchedule
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.queries import named


@dataclass(frozen=True)
class InvoiceView:
    """An invoice with its frozen lines and how it ended."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]
    payment: Payment | None
    refund: Refund | None


@dataclass(frozen=True)
class InvoiceRow:
    """An invoice in the list of finance."""

    invoice: Invoice
    ref: str
    practice_name: str
    days_left: int


@dataclass(frozen=True)
class Size:
    """What the fee is computed from, as the practice's record says today."""

    physician_fte: Decimal
    sites: int


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> FeesFacts:
    """Return what the guards of this room judge."""
    rows = invoice_rows(session, case)
    required = case.state == "repeat_survey"
    invoices = (
        # Each visit is invoiced when it is required, which is when the case came to stand here.
        InvoiceFacts(
            r.number, r.kind, r.state, r.total_cents, r.due_on, not required or r.issued_at >= case.state_since
        )
        for r in rows
    )
    return FeesFacts(case.ref, tuple(invoices), visit_required=required)


def invoice_rows(session: Session, case: Case) -> Sequence[Invoice]:
    """Return the case's invoices without their lines, oldest first."""
    query = select(Invoice).where(Invoice.case_id == case.id).order_by(Invoice.id)
    return remembered(session, ("invoices", case.id), lambda: session.scalars(query).all())


def size_of(session: Session, case: Case) -> Size:
    """Return physician FTE and open sites of the case's practice."""
    fte, sites = session.execute(
        select(func.coalesce(func.sum(Site.physician_fte), 0), func.count()).where(
            Site.practice_id == case.practice_id, Site.closed_on.is_(None)
        )
    ).one()
    return Size(Decimal(str(fte)), sites)


def fee_lines_of(session: Session, case: Case) -> list[Line]:
    """Return what the certification fee would be by today's record and schedule."""
    size, rates = size_of(session, case), current().fees
    return application_lines(rates.bands, rates.site_cents, size.physician_fte, size.sites)


def invoices_of(session: Session, case: Case) -> list[InvoiceView]:
    """Return the case's invoices with lines, payment and refund, newest first."""
    return _views(session, invoice_rows(session, case)[::-1])


def open_invoice_of(session: Session, case: Case, kind: str) -> Invoice | None:
    """Return the open invoice of a kind, newest first, or None."""
    return session.scalar(
        select(Invoice)
        .where(Invoice.case_id == case.id, Invoice.kind == kind, Invoice.state == "open")
        .order_by(Invoice.id.desc())
        .limit(1)
    )


def invoice_for(session: Session, actor: Actor, number: str) -> tuple[Case, InvoiceView]:
    """Return an invoice by its number with its case. Raises: NotFound when it is not the actor's to see."""
    row = session.execute(
        select(Invoice, Case.ref).join(Case, Case.id == Invoice.case_id).where(Invoice.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no invoice {number}.")
    invoice, ref = row
    case = case_for(session, actor, ref, Permission.VIEW_FEES)
    return case, _views(session, [invoice])[0]


def list_invoices(
    session: Session,
    actor: Actor,
    at: datetime,
    *,
    state: str = "open",
    text: str = "",
    after: tuple[date, int] | None = None,
    limit: int = 20,
) -> list[InvoiceRow]:
    """Return one page of the invoices within reach, earliest due first, beyond (due_on, id) of `after`."""
    query = (
        select(Invoice, Case.ref, Practice.legal_name, Practice.time_zone)
        .join(Case, Case.id == Invoice.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(within(reach(actor, Permission.VIEW_FEES)))
        .order_by(Invoice.due_on, Invoice.id)
        .limit(limit)
    )
    if state:
        query = query.where(Invoice.state == state)
    if text.strip():
        query = query.where(Invoice.id.in_(_meant_by(text.strip())))
    if after is not None:
        query = query.where(or_(Invoice.due_on > after[0], and_(Invoice.due_on == after[0], Invoice.id > after[1])))
    rows = session.execute(query).all()
    return [InvoiceRow(i, ref, name, (i.due_on - local_date(at, zone)).days) for i, ref, name, zone in rows]


def _meant_by(text: str) -> Select[int]:
    """Return the invoices with this number, payment reference or case, or of a practice whose name begins so; each by its index."""
    exact = text.upper()
    of_case = select(Invoice.id).join(Case, Case.id == Invoice.case_id)
    return select(
        union_all(
            select(Invoice.id).where(Invoice.number == exact),
            select(Invoice.id).where(Invoice.reference == exact),
            of_case.where(Case.ref == exact),
            of_case.join(Practice, Practice.id == Case.practice_id).where(named(text)),
        )
        .subquery()
        .c.id
    )


def refunds_to_pay(session: Session, limit: int = 50) -> Sequence[tuple[Refund, Invoice, str, str]]:
    """Return the refunds that were granted and not yet paid out: refund, invoice, case ref, practice."""
    query = (
        select(Refund, Invoice, Case.ref, Practice.legal_name)
        .join(Invoice, Invoice.id == Refund.invoice_id)
        .join(Case, Case.id == Refund.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(Refund.paid_on.is_(None), Refund.amount_cents > 0)
        .order_by(Refund.id)
        .limit(limit)
    )
    return [(refund, invoice, ref, name) for refund, invoice, ref, name in session.execute(query).all()]


def fee_schedule() -> FeeSchedule:
    """Return the schedule in force, for pages that explain the fee."""
    return current().fees


def counts_for(session: Session, case: Case, actor: Actor) -> dict[str, ColumnElement[int]]:
    """Return the number on the Fees tab: open invoices."""
    query = select(func.count()).select_from(Invoice).where(Invoice.case_id == case.id, Invoice.state == "open")
    return {"fees": query.scalar_subquery()}


def _views(session: Session, invoices: Sequence[Invoice]) -> list[InvoiceView]:
    ids = [i.id for i in invoices]
    if not ids:
        return []
    lines: dict[int, list[InvoiceLine]] = {i: [] for i in ids}
    ends: dict[int, tuple[Payment | None, Refund | None]] = {}
    rows = session.execute(
        select(InvoiceLine, Payment, Refund)
        .outerjoin(Payment, Payment.invoice_id == InvoiceLine.invoice_id)
        .outerjoin(Refund, Refund.invoice_id == InvoiceLine.invoice_id)
        .where(InvoiceLine.invoice_id.in_(ids))
        .order_by(InvoiceLine.position)
    )
    for line, payment, refund in rows:
        lines[line.invoice_id].append(line)
        ends[line.invoice_id] = (payment, refund)
    return [InvoiceView(i, tuple(lines[i.id]), *ends.get(i.id, (None, None))) for i in invoices]
