"""Money through its pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.fees.models import Invoice, Refund
from certify.certification.fees.routes import read_payment
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from tests.builders import sign_in
from tests.support.applied import Applied, apply

NewClient = Callable[[], FlaskClient]


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    session.commit()
    return made


def the_invoice(applied: Applied) -> Invoice:
    return applied.session.scalars(select(Invoice)).one()


def test_the_practice_sees_what_the_fee_will_be_and_then_the_invoice(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["admin"])
    url = f"/cases/{applied.case.ref}/fees"
    assert "$6,500.00" in client.get(url).text
    applied.accept()
    applied.session.commit()
    page = client.get(url).text
    assert the_invoice(applied).reference in page
    assert "How to pay" in page
    assert 'name="amount"' not in page


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"amount": "6,499.99"}, "amount"),
        ({"amount": "6500.001"}, "amount"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"received_on": "2026-11-03"}, "received_on"),
        ({"received_on": "today"}, "received_on"),
        ({"payment_reference": ""}, "payment_reference"),
    ],
)
def test_a_wrong_payment_is_refused_at_its_field_and_nothing_is_recorded(
    client: FlaskClient, applied: Applied, data: dict[str, str], field: str
) -> None:
    applied.accept()
    applied.session.commit()
    sign_in(client, applied.people["finance"])
    body = {
        "amount": "6,500.00",
        "received_on": "2026-11-02",
        "payment_reference": "WIRE 7",
        "version": applied.case.version,
        **data,
    }
    answer = client.post(f"/invoices/{the_invoice(applied).number}/payment", data=body)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert the_invoice(applied).state == "open"
    assert applied.case.state == "awaiting_payment"


def test_the_right_payment_moves_the_case_on_once(client: FlaskClient, applied: Applied) -> None:
    applied.accept()
    applied.session.commit()
    sign_in(client, applied.people["finance"])
    number = the_invoice(applied).number
    body = {
        "amount": "$6,500.00",
        "received_on": "2026-11-02",
        "payment_reference": "WIRE 7",
        "version": applied.case.version,
        "form_key": "k",
    }
    assert client.post(f"/invoices/{number}/payment", data=body).status_code == 302
    assert applied.case.state == "documents_open"
    assert client.post(f"/invoices/{number}/payment", data=body).status_code == 303
    assert client.post(f"/invoices/{number}/payment", data={**body, "form_key": "other"}).status_code == 409
    page = client.get(f"/cases/{applied.case.ref}/fees").text
    assert "received on" in page
    assert "WIRE 7" in page


def test_finance_finds_open_invoices_by_practice_or_reference(new_client: NewClient, applied: Applied) -> None:
    applied.accept()
    applied.session.commit()
    finance = sign_in(new_client(), applied.people["finance"])
    reference = the_invoice(applied).reference
    assert reference in finance.get("/invoices").text
    assert reference in finance.get(f"/invoices?q={reference.lower()}").text
    assert reference not in finance.get("/invoices?q=nobody").text
    assert reference not in finance.get("/invoices?state=paid").text
    assert finance.get("/invoices?cursor=nonsense").status_code == 422
    for who in ("admin", "staff", "council"):
        assert sign_in(new_client(), applied.people[who]).get("/invoices").status_code == 403


def test_who_may_not_see_fees_does_not(new_client: NewClient, applied: Applied) -> None:
    applied.accept()
    other = apply(applied.session)
    applied.session.commit()
    url = f"/cases/{applied.case.ref}/fees"
    assert sign_in(new_client(), other.people["admin"]).get(url).status_code == 404
    assert sign_in(new_client(), applied.people["council"]).get(url).status_code == 403
    payment = f"/invoices/{the_invoice(applied).number}/payment"
    assert sign_in(new_client(), other.people["finance"]).get(url).status_code == 200
    assert sign_in(new_client(), applied.people["admin"]).post(payment, data={"amount": "6500"}).status_code == 403


def test_a_refund_is_paid_out_and_the_page_says_so(client: FlaskClient, applied: Applied) -> None:
    applied.pay()
    inputs = {"reason": "We merge."}
    from certify.core.rulebook.current import current

    transition = next(
        t for t in current().machine("certification").leaving(applied.case.state) if t.trigger == "withdraw"
    )
    inputs |= {one.key: True for one in transition.inputs if one.kind == "checkbox"}  # type: ignore[misc]
    applied.take("withdraw", "admin", **inputs)
    applied.session.commit()
    sign_in(client, applied.people["finance"])
    number = the_invoice(applied).number
    assert "Refunds to pay out" in client.get("/invoices").text
    assert client.post(f"/invoices/{number}/refund", data={"payment_reference": ""}).status_code == 422
    assert (
        client.post(
            f"/invoices/{number}/refund", data={"payment_reference": "OUT 1", "paid_on": "2026-11-02"}
        ).status_code
        == 302
    )
    assert applied.session.scalars(select(Refund)).one().paid_reference == "OUT 1"
    assert "OUT 1" in client.get(f"/cases/{applied.case.ref}/fees").text


@pytest.mark.parametrize("amount", ["9e999999", "1e999990", "NaN", "Infinity", "-1", "0", "1.001", "ten"])
def test_an_amount_that_nobody_can_pay_is_named(amount: str) -> None:
    with pytest.raises(Invalid, match=r"like 9,500\.00"):
        read_payment(amount, "2026-11-20")


def test_finance_issues_the_invoice_of_a_repeat_survey_with_its_travel(client: FlaskClient, applied: Applied) -> None:
    fees, form = f"/cases/{applied.case.ref}/fees", f"/cases/{applied.case.ref}/fees/repeat-survey"
    sign_in(client, applied.people["finance"])
    assert form not in client.get(fees).text
    assert client.post(form, data={"travel": "640.50"}).status_code == 409
    applied.case.state, applied.case.state_since = "repeat_survey", now()
    applied.session.commit()
    wrong = client.post(form, data={"travel": "by train"})
    assert (wrong.status_code, 'href="#travel"' in wrong.text, "by train" in wrong.text) == (422, True, True)
    assert client.post(form, data={"travel": "640.50"}).status_code == 302
    assert the_invoice(applied).total_cents == 314_050
    page = client.get(fees).text
    assert "Travel of the surveyor" in page
    assert form in page
    assert "$640.50" in page


def test_only_finance_issues_the_invoice_of_a_repeat_survey(new_client: NewClient, applied: Applied) -> None:
    applied.case.state, applied.case.state_since = "repeat_survey", now()
    applied.session.commit()
    for who in ("admin", "staff"):
        asked = sign_in(new_client(), applied.people[who])
        assert asked.post(f"/cases/{applied.case.ref}/fees/repeat-survey", data={}).status_code == 403
        assert "fees/repeat-survey" not in asked.get(f"/cases/{applied.case.ref}/fees").text
