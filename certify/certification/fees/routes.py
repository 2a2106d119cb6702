"""Pages of money: the fees of a case, and the list finance works from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation, Overflow
from typing import cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.operations import take
from certify.certification.cases.queries import actor_may, case_for, header_for, openings_for, zone_of
from certify.certification.fees.operations import (
    cancel_invoice,
    invoice_repeat_survey_anew,
    pay_refund,
    record_payment,
)
from certify.certification.fees.queries import (
    facts_for,
    fee_lines_of,
    fee_schedule,
    invoice_for,
    invoices_of,
    list_invoices,
    refunds_to_pay,
    size_of,
)
from certify.certification.fees.rules import APPLICATION, KIND_TITLES, repeat_may_be_invoiced
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound
from certify.db import db
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.forms import posted_version
from certify.platform.web.paging import Page, linked, read_cursor, write_cursor

bp = Blueprint("fees", __name__)

PAGE = 20
STATES = (("open", "Open"), ("paid", "Paid"), ("cancelled", "Canceled"), ("", "All"))


@bp.get("/cases/<ref>/fees")
@requires(Permission.VIEW_FEES)
def overview(ref: str) -> ResponseReturnValue:
    """What the practice owes and has paid, and how the fee is computed."""
    return _case_page(ref, {}, (), 200)


@bp.post("/invoices/<number>/payment")
@requires(Permission.RECORD_PAYMENT)
@commits
def pay(number: str) -> ResponseReturnValue:
    """Record the payment of an invoice; that of the certification fee moves the case on."""
    actor, at = current_actor(), now()
    case, view = invoice_for(db.session, actor, number)
    case = case_for(db.session, actor, case.ref, Permission.RECORD_PAYMENT, lock=True)
    given = {key: request.form.get(key, "").strip() for key in ("amount", "received_on", "payment_reference")}
    try:
        amount, received_on = read_payment(given["amount"], given["received_on"])
        if view.invoice.kind == APPLICATION and any(
            s.trigger == "confirm_payment" for s in openings_for(db.session, case, actor, at)
        ):
            data = {"amount": amount, "received_on": received_on, "payment_reference": given["payment_reference"]}
            take(db.session, case, "confirm_payment", data, actor=actor, at=at, version=posted_version())
        else:
            record_payment(
                db.session,
                case,
                view.invoice,
                amount,
                received_on=received_on,
                reference=given["payment_reference"],
                actor=actor,
                at=at,
            )
    except Invalid as invalid:
        ref = case.ref
        db.session.rollback()
        return _case_page(ref, {**given, "number": number}, invalid.errors, 422)
    flash(f"The payment of invoice {number} is recorded.")
    return redirect(url_for("fees.overview", ref=case.ref))


@bp.post("/invoices/<number>/cancel")
@requires(Permission.RECORD_PAYMENT)
@commits
def cancel(number: str) -> ResponseReturnValue:
    """Cancel an open invoice other than the certification fee, with a reason."""
    actor = current_actor()
    case, view = invoice_for(db.session, actor, number)
    case_for(db.session, actor, case.ref, Permission.RECORD_PAYMENT)
    if view.invoice.kind == APPLICATION:
        raise NotFound("The certification fee ends with the case; it is not canceled by itself.")
    cancel_invoice(db.session, case, view.invoice, request.form.get("reason", ""), actor=actor, at=now())
    flash(f"Invoice {number} is canceled.")
    return redirect(url_for("fees.overview", ref=case.ref))


@bp.post("/invoices/<number>/refund")
@requires(Permission.RECORD_PAYMENT)
@commits
def refund(number: str) -> ResponseReturnValue:
    """Record that a refund was paid out."""
    actor = current_actor()
    case, view = invoice_for(db.session, actor, number)
    case_for(db.session, actor, case.ref, Permission.RECORD_PAYMENT)
    if view.refund is None:
        raise NotFound("There is no refund of this invoice.")
    pay_refund(
        db.session, case, view.refund, paid_on=_day(request.form.get("paid_on", ""), "paid_on"),
        reference=request.form.get("payment_reference", ""), actor=actor, at=now(),
    )  # fmt: skip
    flash("The refund is recorded as paid out.")
    return redirect(url_for("fees.overview", ref=case.ref))


@bp.post("/cases/<ref>/fees/repeat-survey")
@requires(Permission.RECORD_PAYMENT)
@commits
def repeat_survey(ref: str) -> ResponseReturnValue:
    """Issue the invoice of the repeat survey again, with the surveyor's travel."""
    actor, travel = current_actor(), request.form.get("travel", "").strip()
    case = case_for(db.session, actor, ref, Permission.RECORD_PAYMENT, lock=True)
    try:
        cents = read_cents(travel, "travel") if travel else None
        invoice = invoice_repeat_survey_anew(db.session, case, travel_cents=cents, actor=actor, at=now())
    except Invalid as invalid:
        db.session.rollback()
        return _case_page(ref, {"travel": travel}, invalid.errors, 422)
    flash(f"Invoice {invoice.number} is issued.")
    return redirect(url_for("fees.overview", ref=ref))


@bp.get("/invoices")
@requires(Permission.RECORD_PAYMENT)
def index() -> ResponseReturnValue:
    """The invoices of all practices, earliest due first."""
    actor = current_actor()
    state = request.args.get("state", "open")
    state = state if state in dict(STATES) else "open"
    text = request.args.get("q", "")[:200]
    rows = list_invoices(
        db.session, actor, now(), state=state, text=text, after=_after(request.args.get("cursor")), limit=PAGE + 1
    )
    shown = rows[:PAGE]
    following = write_cursor((shown[-1].invoice.due_on.isoformat(), shown[-1].invoice.id)) if len(rows) > PAGE else None
    return render_template(
        "certification/fees/index.html", rows=shown, state=state, states=STATES, text=text, kinds=KIND_TITLES,
        refunds=refunds_to_pay(db.session), page=linked(Page(shown, following), "/invoices", {"state": state, "q": text}),
    )  # fmt: skip


def read_payment(amount: str, received_on: str) -> tuple[int | None, date | None]:
    """Return cents and day of a payment as typed. Raises: Invalid naming every field that cannot be read."""
    errors, cents, on = list[FieldError](), None, None
    if amount:
        try:
            cents = read_cents(amount, "amount")
        except Invalid as invalid:
            errors.extend(invalid.errors)
    try:
        on = _day(received_on, "received_on")
    except Invalid as invalid:
        errors.extend(invalid.errors)
    if errors:
        raise Invalid(errors)
    return cents, on


def read_cents(amount: str, field: str) -> int:
    """Return an amount above zero, as typed, in cents. Raises: Invalid on the field."""
    try:
        exact = Decimal(amount.replace("$", "").replace(",", "").strip()) * 100
        if not exact.is_finite() or exact != exact.to_integral_value() or not 0 < exact < 10**11:
            raise InvalidOperation
    except (InvalidOperation, Overflow):
        raise Invalid("Write the amount like 9,500.00.", field) from None
    return int(exact)


def _day(text: str, field: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("Write the day like 2026-12-04.", field) from None


def _after(cursor: str | None) -> tuple[date, int] | None:
    if not cursor:
        return None
    (due, last), _back = read_cursor(cursor, (str, int))
    on = _day(str(due), "cursor")
    return (on, cast(int, last)) if on is not None else None


def _case_page(ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_FEES)
    invoices = invoices_of(db.session, case)
    may_record = actor_may(db.session, case, actor, Permission.RECORD_PAYMENT)
    page = render_template(
        "certification/fees/overview.html", header=header_for(db.session, case, actor, at, "fees"), invoices=invoices, kinds=KIND_TITLES,
        may_record=may_record, may_issue=may_record and repeat_may_be_invoiced(facts_for(db.session, case, actor, at)), given=given, errors=errors,
        messages={e.field: e.message for e in errors}, today=local_date(at, zone_of(db.session, case)), schedule=fee_schedule(),
        size=size_of(db.session, case), estimate=fee_lines_of(db.session, case) if not invoices else [],
    )  # fmt: skip
    return page, status
