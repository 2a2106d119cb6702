"""Invoices, payments and refunds in the database: frozen, whole, and with an event each."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.certification.fees.models import Invoice, InvoiceLine, Payment, Refund
from certify.certification.fees.operations import (
    cancel_invoice,
    charge_late_reschedule,
    charge_repeat_survey,
    invoice_repeat_survey_anew,
    issue_invoice,
    pay_refund,
    record_payment,
)
from certify.certification.fees.queries import facts_for, invoice_for, invoices_of, list_invoices, refunds_to_pay
from certify.certification.fees.rules import Line, fees_settled, repeat_fee_paid
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotFound, NotOpen, RulesUnmet
from certify.platform.audit.queries import list_events, verify_chain
from certify.platform.practices.models import Practice, Site
from tests.support.applied import Applied, apply, days_on


@pytest.fixture
def applied(session: Session) -> Applied:
    return apply(session)


def the_invoice(session: Session) -> Invoice:
    return session.scalars(select(Invoice)).one()


def test_acceptance_issues_the_invoice_with_frozen_lines(session: Session, applied: Applied) -> None:
    for site in session.scalars(select(Site)):
        site.physician_fte = 4
    applied.accept()
    invoice = the_invoice(session)
    assert (invoice.total_cents, invoice.currency, invoice.state) == (950_000, "USD", "open")
    assert invoice.number == "INV-2026-00001"
    assert invoice.reference.startswith(applied.case.ref)
    assert invoice.due_on == applied.case.due_on == days_on(30)
    for site in session.scalars(select(Site)):
        site.physician_fte = 40
    session.get_one(Practice, applied.practice.id).legal_name = "Another name"
    view = invoices_of(session, applied.case)[0]
    assert sum(line.amount_cents for line in view.lines) == 950_000
    assert view.invoice.bill_to["name"].startswith("Lakeside")


@pytest.mark.parametrize("off", [-1, 1, -600_000])
def test_any_other_amount_is_refused_and_nothing_moves(session: Session, applied: Applied, off: int) -> None:
    applied.accept()
    with pytest.raises(Invalid) as refusal:
        applied.confirm(the_invoice(session).total_cents + off)
    assert [e.field for e in refusal.value.errors] == ["amount"]
    assert applied.case.state == "awaiting_payment"
    assert session.scalars(select(Payment)).all() == []


def test_the_payment_opens_the_documents_and_fixes_the_edition(session: Session, applied: Applied) -> None:
    applied.pay()
    assert applied.case.state == "documents_open"
    assert applied.case.edition_locked_at == now()
    assert the_invoice(session).state == "paid"
    with pytest.raises(NotOpen):
        record_payment(session, applied.case, the_invoice(session), 1, actor=applied.actor("finance"), at=now())
    assert verify_chain(session, f"case:{applied.case.ref}").sound


def test_nobody_but_finance_confirms_a_payment(session: Session, applied: Applied) -> None:
    applied.accept()
    for who in ("admin", "staff"):
        with pytest.raises(Exception, match="not yours"):
            applied.confirm(650_000, who)


def test_withdrawal_before_desk_review_gives_three_quarters_back(session: Session, applied: Applied) -> None:
    applied.pay()
    total = the_invoice(session).total_cents
    applied.take("withdraw", "admin", reason="We merge with another practice.", **confirmation(applied))
    refund = session.scalars(select(Refund)).one()
    assert (refund.percent, refund.amount_cents) == (75, total * 75 // 100)
    [(listed, _invoice, ref, _name)] = refunds_to_pay(session)
    assert (listed.id, ref) == (refund.id, applied.case.ref)
    with pytest.raises(Invalid):
        pay_refund(
            session, applied.case, refund, paid_on=days_on(1), reference="", actor=applied.actor("finance"), at=now()
        )
    pay_refund(
        session, applied.case, refund, paid_on=None, reference="WIRE 7", actor=applied.actor("finance"), at=now()
    )
    assert refunds_to_pay(session) == []
    with pytest.raises(NotOpen):
        pay_refund(
            session, applied.case, refund, paid_on=None, reference="WIRE 7", actor=applied.actor("finance"), at=now()
        )


def test_withdrawal_from_desk_review_gives_half_back(session: Session, applied: Applied) -> None:
    applied.pay()
    applied.cover_all()
    applied.take("send_documents", "admin")
    applied.take("withdraw", "admin", reason="We merge with another practice.", **confirmation(applied))
    assert session.scalars(select(Refund)).one().percent == 50


def test_withdrawal_before_payment_cancels_the_invoice(session: Session, applied: Applied) -> None:
    applied.accept()
    applied.take("withdraw", "admin", reason="We merge with another practice.", **confirmation(applied))
    assert the_invoice(session).state == "cancelled"
    assert session.scalars(select(Refund)).all() == []


def confirmation(applied: Applied) -> dict[str, bool]:
    from certify.core.rulebook.current import current

    transition = next(
        t for t in current().machine("certification").leaving(applied.case.state) if t.trigger == "withdraw"
    )
    return {one.key: True for one in transition.inputs if one.kind == "checkbox"}


def test_other_fees_stand_in_the_way_of_what_they_are_for(session: Session, applied: Applied) -> None:
    applied.pay()
    finance = applied.actor("finance")
    late = charge_late_reschedule(session, applied.case, actor=finance, at=now())
    repeat = charge_repeat_survey(session, applied.case, travel_cents=80_000, actor=finance, at=now())
    assert (late.total_cents, repeat.total_cents) == (100_000, 330_000)
    facts = facts_for(session, applied.case, finance, now())
    assert len(fees_settled(facts)) == 2
    assert len(repeat_fee_paid(facts)) == 1
    record_payment(session, applied.case, repeat, 330_000, reference="WIRE 2", actor=finance, at=now())
    cancel_invoice(session, applied.case, late, "Moved by the program.", actor=finance, at=now())
    facts = facts_for(session, applied.case, finance, now())
    assert fees_settled(facts) == []
    assert repeat_fee_paid(facts) == []


def test_numbers_run_without_gaps_within_a_year(session: Session, applied: Applied) -> None:
    numbers = [
        issue_invoice(
            session, applied.case, "repeat_survey", [Line("Visit", 100)], actor=applied.actor("staff"), at=now()
        ).number
        for _ in range(3)
    ]
    later = issue_invoice(
        session,
        applied.case,
        "repeat_survey",
        [Line("Visit", 100)],
        actor=applied.actor("staff"),
        at=now() + timedelta(days=90),
    )
    assert numbers == ["INV-2026-00001", "INV-2026-00002", "INV-2026-00003"]
    assert later.number == "INV-2027-00001"


def test_an_invoice_without_lines_is_not_issued(session: Session, applied: Applied) -> None:
    with pytest.raises(Invalid):
        issue_invoice(session, applied.case, "repeat_survey", [], actor=applied.actor("staff"), at=now())
    assert session.scalars(select(InvoiceLine)).all() == []


def test_invoices_are_seen_by_those_whom_they_concern(session: Session, applied: Applied) -> None:
    applied.accept()
    other = apply(session)
    number = the_invoice(session).number
    at = now()
    assert invoice_for(session, applied.actor("admin"), number)[0].id == applied.case.id
    for stranger in (other.actor("admin"), applied.actor("surveyor")):
        with pytest.raises(NotFound):
            invoice_for(session, stranger, number)
    assert [r.ref for r in list_invoices(session, applied.actor("finance"), at)] == [applied.case.ref]
    assert list_invoices(session, other.actor("admin"), at) == []
    assert list_invoices(session, applied.actor("finance"), at, text=number.lower()) != []
    assert list_invoices(session, applied.actor("finance"), at, text="nobody") == []


def test_a_step_that_needs_payment_names_the_invoice(session: Session, applied: Applied) -> None:
    applied.accept()
    for invoice in session.scalars(select(Invoice)):
        cancel_invoice(session, applied.case, invoice, "Wrong.", actor=applied.actor("finance"), at=now())
    with pytest.raises(RulesUnmet) as refusal:
        applied.confirm(650_000)
    assert "No certification fee has been invoiced yet." in str(refusal.value)
    kinds = [e.kind for e in list_events(session, f"case:{applied.case.ref}", kind="invoice")]
    assert kinds == ["invoice.cancelled", "invoice.issued"]


def requires_visit(applied: Applied) -> Invoice:
    """Let another visit be required now, with its invoice, whatever way leads there."""
    applied.case.state, applied.case.state_since = "repeat_survey", now()
    return charge_repeat_survey(applied.session, applied.case, actor=SYSTEM, at=now())


def fee_paid(applied: Applied) -> bool:
    return not repeat_fee_paid(facts_for(applied.session, applied.case, applied.actor("finance"), now()))


def test_the_invoice_of_a_repeat_survey_is_issued_anew_with_travel_until_it_is_paid(
    session: Session, applied: Applied
) -> None:
    """Process.md, section 6: 2,500 and travel."""
    first, finance = requires_visit(applied), applied.actor("finance")
    with pytest.raises(Invalid, match="Travel"):
        invoice_repeat_survey_anew(session, applied.case, travel_cents=10**8, actor=finance, at=now())
    second = invoice_repeat_survey_anew(session, applied.case, travel_cents=64_050, actor=finance, at=now())
    assert (first.state, first.ended_reason) == ("cancelled", f"Replaced by invoice {second.number}.")
    assert second.total_cents == 314_050
    cancel_invoice(session, applied.case, second, "The sum was wrong.", actor=finance, at=now())
    assert not fee_paid(applied)
    third = invoice_repeat_survey_anew(session, applied.case, travel_cents=None, actor=finance, at=now())
    assert third.total_cents == 250_000
    record_payment(session, applied.case, third, 250_000, reference="WIRE 2", actor=finance, at=now())
    assert fee_paid(applied)
    with pytest.raises(NotOpen):
        invoice_repeat_survey_anew(session, applied.case, travel_cents=1, actor=finance, at=now())


def test_what_paid_for_the_first_repeat_visit_does_not_pay_for_the_second(
    session: Session, applied: Applied, clock: FixedClock
) -> None:
    first, finance = requires_visit(applied), applied.actor("finance")
    record_payment(session, applied.case, first, 250_000, reference="WIRE 2", actor=finance, at=now())
    assert fee_paid(applied)
    clock.move(by=timedelta(days=60))
    second = requires_visit(applied)
    assert not fee_paid(applied)
    cancel_invoice(session, applied.case, second, "Wrong.", actor=finance, at=now())
    assert not fee_paid(applied)


def test_no_repeat_survey_is_invoiced_where_none_is_required(session: Session, applied: Applied) -> None:
    with pytest.raises(NotOpen):
        invoice_repeat_survey_anew(session, applied.case, travel_cents=None, actor=applied.actor("finance"), at=now())


def test_a_refund_that_another_paid_out_meanwhile_is_not_paid_again(session: Session, applied: Applied) -> None:
    applied.pay()
    applied.take("withdraw", "admin", reason="We merge.", **confirmation(applied))
    refund = session.scalars(select(Refund)).one()
    elsewhere = update(Refund).values(paid_on=now().date(), paid_reference="OUT 1")
    session.execute(elsewhere.execution_options(synchronize_session=False))
    with pytest.raises(NotOpen):
        pay_refund(
            session, applied.case, refund, paid_on=None, reference="OUT 2", actor=applied.actor("finance"), at=now()
        )
    assert refund.paid_reference == "OUT 1"
    assert not list_events(session, f"case:{applied.case.ref}", kind="refund.paid")


def test_the_days_left_are_counted_where_the_practice_is(session: Session, applied: Applied, clock: FixedClock) -> None:
    applied.accept()
    # Half past ten in the evening in Chicago, when it is the next day in Greenwich.
    clock.move(
        to=datetime.combine(the_invoice(session).due_on, time(22, 30), ZoneInfo("America/Chicago")).astimezone(UTC)
    )
    (row,) = list_invoices(session, applied.actor("finance"), now())
    assert row.days_left == 0
