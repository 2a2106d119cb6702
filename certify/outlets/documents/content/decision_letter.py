"""The letter that tells a practice what the council decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """What the council decided."""

    AWARD = "award"
    DENIAL = "denial"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one standard stood against an award."""

    standard: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class DecisionLetter:
    """A letter of award or denial; `decided_on` is empty while the decision is only prepared."""

    case_ref: str
    program: str
    practice: str
    address: tuple[str, ...]
    recipient: str
    recipient_title: str
    outcome: Outcome
    decided_on: date | None
    edition_title: str
    sites: tuple[str, ...]
    signatory: str
    signatory_title: str
    survey_days: str = ""
    reasons: tuple[Reason, ...] = ()
    certificate_number: str = ""
    award_on: date | None = None
    end_on: date | None = None
    appeal_until: date | None = None
    contact: str = ""

    @property
    def draft(self) -> bool:
        """Whether the decision is not yet made."""
        return self.decided_on is None
