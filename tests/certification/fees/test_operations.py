"""Invoices, payments and refunds in the database: frozen, whole, and with an event each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.fees.models import Invoice, InvoiceLine, Payment, Refund
from certify.certification.fees.operations import (
    cancel_invoice,
    charge_late_reschedule,
    charge_repeat_survey,
    issue_invoice,
    pay_refund,
    record_payment,
)
from certify.certification.fees.queries import facts_for, invoice_for, invoices_of, list_invoices, refunds_to_pay
from certify.certification.fees.rules import Line, fees_settled, repeat_fee_paid
from certify.core.foundation.clock import now
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
    today = now().date()
    assert invoice_for(session, applied.actor("admin"), number)[0].id == applied.case.id
    for stranger in (other.actor("admin"), applied.actor("surveyor")):
        with pytest.raises(NotFound):
            invoice_for(session, stranger, number)
    assert [r.ref for r in list_invoices(session, applied.actor("finance"), today)] == [applied.case.ref]
    assert list_invoices(session, other.actor("admin"), today) == []
    assert list_invoices(session, applied.actor("finance"), today, text=number.lower()) != []
    assert list_invoices(session, applied.actor("finance"), today, text="nobody") == []


def test_a_step_that_needs_payment_names_the_invoice(session: Session, applied: Applied) -> None:
    applied.accept()
    for invoice in session.scalars(select(Invoice)):
        cancel_invoice(session, applied.case, invoice, "Wrong.", actor=applied.actor("finance"), at=now())
    with pytest.raises(RulesUnmet) as refusal:
        applied.confirm(650_000)
    assert "No certification fee has been invoiced yet." in str(refusal.value)
    kinds = [e.kind for e in list_events(session, f"case:{applied.case.ref}", kind="invoice")]
    assert kinds == ["invoice.cancelled", "invoice.issued"]
