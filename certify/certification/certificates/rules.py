"""What a certificate says of itself: its number, its term, whether it holds today. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from certify.core.foundation.days import add_months


class Standing(StrEnum):
    """What the public may know of a certificate on a day."""

    VALID = "valid"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


def certificate_number(year: int, running: int) -> str:
    """Return a certificate number.

    >>> certificate_number(2026, 42)
    'OMH-2026-0042'
    """
    return f"OMH-{year}-{running:04d}"


def term_end(awarded_on: date, years: int) -> date:
    """Return the last day of a term (process.md, section 5: term_years).

    >>> term_end(date(2026, 3, 5), 3), term_end(date(2028, 2, 29), 3)
    (datetime.date(2029, 3, 5), datetime.date(2031, 2, 28))
    """
    return add_months(awarded_on, 12 * years)


def standing(
    *,
    today: date,
    ends_on: date,
    suspended_on: date | None = None,
    withdrawn_on: date | None = None,
    replaced: bool = False,
) -> Standing:
    """Return how a certificate stands; what ended it for good counts before what may pass."""
    if replaced:
        return Standing.REPLACED
    if withdrawn_on is not None and withdrawn_on <= today:
        return Standing.WITHDRAWN
    if today > ends_on:
        return Standing.EXPIRED
    if suspended_on is not None and suspended_on <= today:
        return Standing.SUSPENDED
    return Standing.VALID
