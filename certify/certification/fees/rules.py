"""What is owed, what goes back, and which invoices stand in the way; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from certify.core.catalogue.model import FeeBand, RefundRule
from certify.core.foundation.errors import FieldError, Unmet

APPLICATION = "application"
REPEAT_SURVEY = "repeat_survey"
LATE_RESCHEDULE = "late_reschedule"
KIND_TITLES = {
    APPLICATION: "Certification fee",
    REPEAT_SURVEY: "Repeat survey",
    LATE_RESCHEDULE: "Late change of the survey date",
}
MOST_CENTS = 10**11
MOST_TRAVEL_CENTS = 10**7


@dataclass(frozen=True)
class Line:
    """One line of an invoice, amounts in cents."""

    text: str
    unit_cents: int
    quantity: int = 1

    @property
    def amount_cents(self) -> int:
        return self.unit_cents * self.quantity


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice as far as the guards look at it."""

    number: str
    kind: str
    state: str  # open | paid | cancelled
    total_cents: int
    due_on: date
    this_visit: bool = True  # of a repeat survey: for the visit that is asked for now, not an earlier one


@dataclass(frozen=True)
class FeesFacts:
    """The invoices of one case, oldest first."""

    ref: str
    invoices: tuple[InvoiceFacts, ...] = ()
    visit_required: bool = False  # a repeat survey waits for its fee

    def of(self, kind: str) -> list[InvoiceFacts]:
        """Return the invoices of a kind that were not cancelled."""
        return [i for i in self.invoices if i.kind == kind and i.state != "cancelled"]

    def of_this_visit(self) -> list[InvoiceFacts]:
        """Return those for the repeat survey that is asked for now; what paid for an earlier visit is not among them."""
        return [i for i in self.of(REPEAT_SURVEY) if i.this_visit]

    @property
    def link(self) -> str:
        return f"/cases/{self.ref}/fees"


def fee_paid(facts: FeesFacts) -> list[Unmet]:
    """Guard of `confirm_payment`: the certification fee is invoiced and paid in full (process.md, transition 6)."""
    invoices = facts.of(APPLICATION)
    if not invoices:
        return [Unmet("fee_paid", "No certification fee has been invoiced yet.", facts.link)]
    return [_unpaid("fee_paid", i, facts) for i in invoices if i.state == "open"]


def repeat_fee_paid(facts: FeesFacts) -> list[Unmet]:
    """Guard of `start_repeat_survey`: the invoice for this repeat survey is paid (process.md, transition 30)."""
    invoices = facts.of_this_visit()
    if not invoices:
        return [Unmet("repeat_fee_paid", "The repeat survey is not invoiced. Finance issues the invoice.", facts.link)]
    return [_unpaid("repeat_fee_paid", i, facts) for i in invoices if i.state == "open"]


def repeat_may_be_invoiced(facts: FeesFacts) -> bool:
    """Whether finance may issue the invoice of a repeat survey anew: one is required, and nothing is paid for it yet."""
    return facts.visit_required and not any(i.state == "paid" for i in facts.of_this_visit())


def fees_settled(facts: FeesFacts) -> list[Unmet]:
    """Guard of `award`: the certification fee is paid and no invoice is open (process.md, transition 32)."""
    if not any(i.state == "paid" for i in facts.of(APPLICATION)):
        return [Unmet("fees_settled", "The certification fee has not been paid.", facts.link)]
    return [_unpaid("fees_settled", i, facts) for i in facts.invoices if i.state == "open"]


def band_of(bands: Sequence[FeeBand], physician_fte: Decimal) -> FeeBand:
    """Return the band a practice falls in; bands rise, the last has no upper end.

    >>> bands = [FeeBand("1-5", Decimal(5), 600000), FeeBand("over 5", None, 900000)]
    >>> band_of(bands, Decimal("5.0")).cents, band_of(bands, Decimal("5.1")).cents
    (600000, 900000)
    """
    return next((b for b in bands if b.up_to_fte is None or physician_fte <= b.up_to_fte), bands[-1])


def application_lines(bands: Sequence[FeeBand], site_cents: int, physician_fte: Decimal, sites: int) -> list[Line]:
    """Return the lines of the certification fee: the base by physician FTE, and each site after the first."""
    band = band_of(bands, physician_fte)
    lines = [Line(f"Certification fee, {band.label} ({_number(physician_fte)} physician FTE)", band.cents)]
    if sites > 1:
        lines.append(Line("Each site after the first", site_cents, sites - 1))
    return lines


def payment_errors(amount_cents: int | None, due_cents: int, received_on: date | None, today: date) -> list[FieldError]:
    """Return what is wrong with a payment: it must be the whole amount, and received by today."""
    errors = []
    if amount_cents is None:
        errors.append(FieldError("amount", f"Enter the amount received: {_dollars(due_cents)}."))
    elif amount_cents < due_cents:
        missing = _dollars(due_cents - amount_cents)
        errors.append(
            FieldError(
                "amount",
                f"The invoice is for {_dollars(due_cents)}: {missing} is missing. A part payment cannot be recorded.",
            )
        )
    elif amount_cents > due_cents:
        errors.append(
            FieldError(
                "amount",
                f"The invoice is for {_dollars(due_cents)}, not {_dollars(amount_cents)}. Return what was paid too much, then record the rest.",
            )
        )
    if received_on is not None and received_on > today:
        errors.append(FieldError("received_on", "The day of receipt lies ahead. Enter the day the money arrived."))
    return errors


def travel_errors(travel_cents: int | None) -> list[FieldError]:
    """Return what is wrong with the travel on an invoice; none is none."""
    if travel_cents is None or 0 <= travel_cents <= MOST_TRAVEL_CENTS:
        return []
    return [FieldError("travel", f"Travel costs between nothing and {_dollars(MOST_TRAVEL_CENTS)}.")]


def refund_percent(steps: Sequence[RefundRule], reached: Collection[str]) -> tuple[str, int]:
    """Return the rule and the share of the fee that goes back to a practice that withdraws.

    Args:
        steps: in the order in which they are tried; one ends once the case has been in any of its states.
        reached: every state the case has been in.

    >>> steps = [RefundRule("before_desk_review", ("desk_review",), 75), RefundRule("before_survey_scheduled", ("survey_scheduled",), 50)]
    >>> refund_percent(steps, {"documents_open"}), refund_percent(steps, {"desk_review"}), refund_percent(steps, {"desk_review", "survey_scheduled"})
    (('before_desk_review', 75), ('before_survey_scheduled', 50), ('after', 0))
    """
    for step in steps:
        if not set(step.until) & set(reached):
            return step.key, step.percent
    return "after", 0


def share(cents: int, percent: int) -> int:
    """Return a share of an amount, half a cent rounded up.

    >>> share(950050, 75)
    712538
    """
    return (cents * percent + 50) // 100


def line_errors(lines: Sequence[Line]) -> list[FieldError]:
    """Return what is wrong with the lines of an invoice."""
    if not lines:
        return [FieldError("lines", "An invoice needs at least one line.")]
    wrong = [
        i
        for i, line in enumerate(lines)
        if line.unit_cents <= 0 or line.quantity < 1 or line.amount_cents > MOST_CENTS or not line.text.strip()
    ]
    return [
        FieldError(f"lines-{i}", "Each line needs words, a quantity of at least 1 and an amount above zero.")
        for i in wrong
    ]


def _unpaid(guard: str, invoice: InvoiceFacts, facts: FeesFacts) -> Unmet:
    what = KIND_TITLES.get(invoice.kind, "The invoice")
    return Unmet(guard, f"{what}: invoice {invoice.number} of {_dollars(invoice.total_cents)} is not paid.", facts.link)


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
