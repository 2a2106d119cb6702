"""Fees, refunds and payments over tables; money never gets lost between cents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.fees import rules
from certify.certification.fees.rules import FeesFacts, InvoiceFacts, Line
from certify.core.catalogue.model import FeeBand

BANDS = [
    FeeBand("1-5 physicians", Decimal(5), 600_000),
    FeeBand("6-20 physicians", Decimal(20), 900_000),
    FeeBand("21-50 physicians", Decimal(50), 1_300_000),
    FeeBand("over 50 physicians", None, 1_800_000),
]
DUE = date(2026, 12, 22)


def invoice(kind: str = "application", state: str = "open") -> InvoiceFacts:
    return InvoiceFacts("INV-2026-00001", kind, state, 950_000, DUE)


@pytest.mark.parametrize(
    ("fte", "sites", "cents"),
    [
        ("0", 1, 600_000),
        ("5", 1, 600_000),
        ("5.25", 1, 900_000),
        ("20", 2, 950_000),
        ("20.5", 3, 1_400_000),
        ("50", 1, 1_300_000),
        ("50.01", 1, 1_800_000),
        ("400", 11, 2_300_000),
    ],
)
def test_the_fee_follows_physicians_and_sites(fte: str, sites: int, cents: int) -> None:
    lines = rules.application_lines(BANDS, 50_000, Decimal(fte), sites)
    assert sum(line.amount_cents for line in lines) == cents
    assert len(lines) == (1 if sites == 1 else 2)


@pytest.mark.parametrize(
    ("guard", "invoices", "holds"),
    [
        ("fee_paid", (), False),
        ("fee_paid", (invoice(),), False),
        ("fee_paid", (invoice(state="paid"),), True),
        ("fee_paid", (invoice(state="cancelled"),), False),
        ("repeat_fee_paid", (invoice(state="paid"),), False),
        ("repeat_fee_paid", (invoice("repeat_survey"),), False),
        ("repeat_fee_paid", (invoice("repeat_survey", "paid"), invoice("repeat_survey")), False),
        ("repeat_fee_paid", (invoice("repeat_survey", "paid"),), True),
        ("fees_settled", (), False),
        ("fees_settled", (invoice(state="paid"),), True),
        ("fees_settled", (invoice(state="paid"), invoice("late_reschedule")), False),
        ("fees_settled", (invoice(state="paid"), invoice("late_reschedule", "cancelled")), True),
    ],
)
def test_the_guards_of_money(guard: str, invoices: tuple[InvoiceFacts, ...], holds: bool) -> None:
    unmet = getattr(rules, guard)(FeesFacts("LO-2026-014", invoices))
    assert (unmet == []) is holds
    assert all(u.guard == guard and u.link == "/cases/LO-2026-014/fees" for u in unmet)


@pytest.mark.parametrize(
    ("amount", "fields"),
    [(950_000, []), (949_999, ["amount"]), (950_001, ["amount"]), (0, ["amount"]), (None, ["amount"])],
)
def test_only_the_whole_amount_is_a_payment(amount: int | None, fields: list[str]) -> None:
    assert [e.field for e in rules.payment_errors(amount, 950_000, DUE, DUE)] == fields


def test_a_payment_is_not_received_tomorrow() -> None:
    assert [e.field for e in rules.payment_errors(1, 1, date(2026, 12, 23), DUE)] == ["received_on"]


@given(cents=st.integers(0, 10**9), percent=st.integers(0, 100))
def test_a_share_and_its_rest_make_the_whole_within_a_cent(cents: int, percent: int) -> None:
    assert 0 <= rules.share(cents, percent) <= cents
    assert abs(rules.share(cents, percent) + rules.share(cents, 100 - percent) - cents) <= 1


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([], ["lines"]),
        ([Line("Fee", 100)], []),
        ([Line("Fee", 100), Line(" ", 100)], ["lines-1"]),
        ([Line("Fee", 0)], ["lines-0"]),
        ([Line("Fee", 100, 0)], ["lines-0"]),
        ([Line("Fee", -100)], ["lines-0"]),
    ],
)
def test_an_invoice_has_lines_that_charge_something(lines: list[Line], wrong: list[str]) -> None:
    assert [e.field for e in rules.line_errors(lines)] == wrong
