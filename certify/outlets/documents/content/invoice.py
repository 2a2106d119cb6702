"""The invoice of a fee, with lines frozen at issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What is charged: `quantity` times `unit_cents`, `amount_cents` as frozen at issue."""

    text: str
    quantity: int
    unit_cents: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill to a practice; `paid_on` is set once finance has confirmed the payment."""

    number: str
    case_ref: str
    program: str
    sender: tuple[str, ...]
    practice: str
    address: tuple[str, ...]
    issued_on: date
    due_on: date | None
    reference: str
    lines: tuple[InvoiceLine, ...]
    currency: str = "USD"
    total_cents: int = 0
    paid_on: date | None = None
    paid_cents: int = 0
    note: str = ""
    cancelled: bool = False
