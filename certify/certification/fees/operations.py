"""Writes of money: issuing, paying, cancelling, refunding. Everything leaves an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import lock_edition, record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.fees.models import Invoice, InvoiceLine, InvoiceNumber, Payment, Refund
from certify.certification.fees.queries import facts_for, fee_lines_of, open_invoice_of
from certify.certification.fees.rules import (
    APPLICATION,
    KIND_TITLES,
    LATE_RESCHEDULE,
    REPEAT_SURVEY,
    Line,
    line_errors,
    payment_errors,
    refund_percent,
    repeat_may_be_invoiced,
    share,
    travel_errors,
)
from certify.core.access.roles import SYSTEM, Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound, NotOpen
from certify.core.rulebook.current import current
from certify.platform.audit.queries import list_events
from certify.platform.practices.models import Practice

MOST_EVENTS = 500


def issue_invoice(
    session: Session,
    case: Case,
    kind: str,
    lines: Sequence[Line],
    *,
    due_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> Invoice:
    """Issue an invoice to the case's practice; its lines and address are frozen from now on.

    Raises: Invalid when there are no lines or one is empty.
    """
    if errors := line_errors(lines):
        raise Invalid(errors)
    practice = session.get(Practice, case.practice_id)
    if practice is None:
        raise NotFound("The practice of the case is gone.")
    rates, today = current().fees, local_date(at, practice.time_zone)
    running = _next_number(session, today.year)
    invoice = Invoice(
        number=f"INV-{today.year}-{running:05d}", case_id=case.id, kind=kind, reference=f"{case.ref}-{running}", currency=rates.currency,
        total_cents=sum(line.amount_cents for line in lines), bill_to=_bill_to(practice), issued_by_id=actor.user_id, issued_at=at,
        issued_on=today, due_on=due_on or today + timedelta(days=rates.payment_days),
    )  # fmt: skip
    session.add(invoice)
    session.flush()
    session.add_all(
        InvoiceLine(
            invoice_id=invoice.id,
            position=n,
            text=line.text,
            quantity=line.quantity,
            unit_cents=line.unit_cents,
            amount_cents=line.amount_cents,
        )
        for n, line in enumerate(lines, 1)
    )
    session.flush()
    data = {
        "invoice": invoice.number,
        "kind": kind,
        "total_cents": invoice.total_cents,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }
    summary = (
        f"issued invoice {invoice.number} for {_dollars(invoice.total_cents)}: {KIND_TITLES.get(kind, kind).lower()}"
    )
    _record(session, case, "invoice.issued", summary, actor=actor, at=at, data=data)
    return invoice


def charge_repeat_survey(session: Session, case: Case, *, travel_cents: int = 0, actor: Actor, at: datetime) -> Invoice:
    """Invoice a repeat survey, with travel when it is known."""
    lines = [Line("Repeat survey", current().fees.repeat_survey_cents)]
    if travel_cents:
        lines.append(Line("Travel of the surveyor", travel_cents))
    return issue_invoice(session, case, REPEAT_SURVEY, lines, actor=actor, at=at)


def invoice_repeat_survey_anew(
    session: Session, case: Case, *, travel_cents: int | None, actor: Actor, at: datetime
) -> Invoice:
    """Issue the invoice of the repeat survey again, with its travel; one that is open gives way to it.

    Raises: NotOpen when no repeat survey waits for its fee, or it is paid; Invalid on `travel`.
    """
    if not repeat_may_be_invoiced(facts_for(session, case, actor, at)):
        raise NotOpen("No repeat survey waits for its fee here.")
    if errors := travel_errors(travel_cents):
        raise Invalid(errors)
    replaced = open_invoice_of(session, case, REPEAT_SURVEY)
    invoice = charge_repeat_survey(session, case, travel_cents=travel_cents or 0, actor=actor, at=at)
    if replaced is not None:
        cancel_invoice(session, case, replaced, f"Replaced by invoice {invoice.number}.", actor=actor, at=at)
    return invoice


def charge_late_reschedule(session: Session, case: Case, *, actor: Actor, at: datetime) -> Invoice:
    """Invoice a change of the survey date that came too late to be free."""
    return issue_invoice(
        session,
        case,
        LATE_RESCHEDULE,
        [Line("Change of the survey date at short notice", current().fees.late_reschedule_cents)],
        actor=actor,
        at=at,
    )


def record_payment(
    session: Session,
    case: Case,
    invoice: Invoice,
    amount_cents: int | None,
    *,
    received_on: date | None = None,
    reference: str = "",
    actor: Actor,
    at: datetime,
) -> Payment:
    """Record that an invoice was paid, whole.

    Raises: NotOpen when it is not open; Invalid on `amount` for any other amount, on `received_on` for a day ahead.
    """
    if invoice.state != "open":
        raise NotOpen(f"Invoice {invoice.number} is {invoice.state}; nothing can be paid on it.")
    today = local_date(at, zone_of(session, case))
    errors = payment_errors(amount_cents, invoice.total_cents, received_on, today)
    if not reference.strip() or len(reference.strip()) > 80:
        errors.append(FieldError("payment_reference", "Write the bank's reference, at most 80 characters."))
    if errors or amount_cents is None:
        raise Invalid(errors)
    payment = Payment(
        invoice_id=invoice.id, amount_cents=amount_cents, currency=invoice.currency, received_on=received_on or today,
        reference=reference.strip(), recorded_by_id=actor.user_id, recorded_at=at,
    )  # fmt: skip
    session.add(payment)
    invoice.state, invoice.ended_at = "paid", at
    session.flush()
    data = {
        "invoice": invoice.number,
        "amount_cents": amount_cents,
        "received_on": payment.received_on.isoformat(),
        "reference": payment.reference,
    }
    _record(
        session,
        case,
        "invoice.paid",
        f"recorded the payment of invoice {invoice.number}, {_dollars(amount_cents)}",
        actor=actor,
        at=at,
        data=data,
    )
    return payment


def prepare_confirm_payment(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Record the payment that the step `confirm_payment` carries, on the open invoice for the certification fee.

    Raises: Invalid on `amount` or `received_on`; when nothing is open, the guard says what is missing.
    """
    invoice = open_invoice_of(session, case, APPLICATION)
    if invoice is not None:
        record_payment(
            session, case, invoice, inputs.get("amount"), received_on=inputs.get("received_on"),
            reference=str(inputs.get("payment_reference") or ""), actor=actor, at=at,
        )  # fmt: skip


def cancel_invoice(session: Session, case: Case, invoice: Invoice, reason: str, *, actor: Actor, at: datetime) -> None:
    """Cancel an open invoice. Raises: NotOpen when it is paid or cancelled, Invalid without a reason."""
    if invoice.state != "open":
        raise NotOpen(f"Invoice {invoice.number} is no longer open and cannot be canceled.")
    if not reason.strip():
        raise Invalid("Say why the invoice is canceled; the practice reads it.", "reason")
    invoice.state, invoice.ended_at, invoice.ended_reason = "cancelled", at, reason.strip()
    session.flush()
    _record(
        session,
        case,
        "invoice.cancelled",
        f"canceled invoice {invoice.number}",
        actor=actor,
        at=at,
        reason=reason.strip(),
        data={"invoice": invoice.number},
    )


def pay_refund(
    session: Session, case: Case, refund: Refund, *, paid_on: date | None, reference: str, actor: Actor, at: datetime
) -> None:
    """Record that a refund was paid out. Raises: NotOpen when it was before, Invalid for a day ahead or no reference."""
    session.refresh(refund, with_for_update=True)  # who comes at the same moment waits here, and reads that it is paid
    if refund.paid_on is not None:
        raise NotOpen("This refund was paid out already.")
    today = local_date(at, zone_of(session, case))
    errors = []
    if paid_on is not None and paid_on > today:
        errors.append(FieldError("paid_on", "The day lies ahead. Enter the day the money left."))
    if not reference.strip() or len(reference) > 80:
        errors.append(FieldError("payment_reference", "Write the bank's reference, at most 80 characters."))
    if errors:
        raise Invalid(errors)
    refund.paid_on, refund.paid_by_id, refund.paid_reference = paid_on or today, actor.user_id, reference.strip()
    session.flush()
    _record(
        session,
        case,
        "refund.paid",
        f"paid out the refund of {_dollars(refund.amount_cents)}",
        actor=actor,
        at=at,
        data={"amount_cents": refund.amount_cents},
    )


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Do what money owes to a step: invoice at acceptance, edition fixed at payment, cancel and refund at the end."""
    if event.trigger == "accept":
        case = case_by_id(session, event.case_id)
        if open_invoice_of(session, case, APPLICATION) is None:
            issue_invoice(
                session, case, APPLICATION, fee_lines_of(session, case), due_on=case.due_on, actor=SYSTEM, at=event.at
            )
    elif event.trigger == "confirm_payment":
        lock_edition(session, case_by_id(session, event.case_id), actor=SYSTEM, at=event.at)
    elif event.trigger == "require_visit":
        charge_repeat_survey(session, case_by_id(session, event.case_id), actor=SYSTEM, at=event.at)
    elif event.target in ("withdrawn", "expired", "ineligible", "denied"):
        _settle_end(session, case_by_id(session, event.case_id), event)


def _settle_end(session: Session, case: Case, event: CaseAdvanced) -> None:
    if event.target != "denied":
        for invoice in session.scalars(
            select(Invoice).where(Invoice.case_id == case.id, Invoice.state == "open")
        ).all():
            cancel_invoice(session, case, invoice, f"The case ended: {event.target}.", actor=SYSTEM, at=event.at)
    if event.target == "withdrawn":
        for invoice in session.scalars(
            select(Invoice).where(Invoice.case_id == case.id, Invoice.state == "paid", Invoice.kind == APPLICATION)
        ).all():
            _grant_refund(session, case, invoice, event.at)


def _grant_refund(session: Session, case: Case, invoice: Invoice, at: datetime) -> None:
    steps = list_events(session, f"case:{case.ref}", kind="case.advanced", limit=MOST_EVENTS)
    reached = {str(step.data.get("to")) for step in steps}
    rule, percent = refund_percent(current().fees.refunds, reached)
    amount = share(invoice.total_cents, percent)
    session.add(
        Refund(
            invoice_id=invoice.id,
            case_id=case.id,
            rule=rule,
            percent=percent,
            amount_cents=amount,
            currency=invoice.currency,
            granted_at=at,
        )
    )
    session.flush()
    data = {"invoice": invoice.number, "rule": rule, "percent": percent, "amount_cents": amount}
    _record(
        session,
        case,
        "refund.granted",
        f"set the refund of invoice {invoice.number} at {percent} %, {_dollars(amount)}",
        actor=SYSTEM,
        at=at,
        data=data,
    )


def _next_number(session: Session, year: int) -> int:
    row = session.get(InvoiceNumber, year, with_for_update=True, populate_existing=True)
    if row is None:
        row = InvoiceNumber(year=year, last=0)
        session.add(row)
    row.last += 1
    session.flush()
    return row.last


def _bill_to(practice: Practice) -> dict[str, str]:
    place = " ".join(part for part in (practice.state, practice.postal_code) if part)
    city = ", ".join(part for part in (practice.city, place) if part)
    return {"name": practice.legal_name, "address": practice.address, "city": city}


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def _record(
    session: Session,
    case: Case,
    kind: str,
    summary: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    data: dict[str, Any],
) -> None:
    record_on(
        session, case, kind, summary, actor=actor, at=at, reason=reason, subject=f"/cases/{case.ref}/fees", data=data
    )
