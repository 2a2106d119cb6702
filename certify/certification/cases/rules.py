"""The spine's own guards: what the clock decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from certify.core.foundation.days import written
from certify.core.foundation.errors import Unmet


@dataclass(frozen=True)
class CaseClockFacts:
    """What the clock guards judge: the instant, the case's running deadlines, its edition."""

    ref: str
    at: datetime
    edition: str
    due_at: Mapping[str, datetime] = field(default_factory=dict)  # running deadlines: key -> last second
    due_on: Mapping[str, date] = field(default_factory=dict)


# Which deadline each of the clock's guards speaks of; the clock looks for cases by these.
PERIODS = {
    "pending_period_over": "pending_days",
    "answer_period_over": "answer_days",
    "payment_period_over": "payment_days",
}


def pending_period_over(facts: CaseClockFacts) -> list[Unmet]:
    """Guard of `expire`: the pending period has run out (process.md, transition 38)."""
    return _over(facts, "pending_period_over", "The certification pending period")


def answer_period_over(facts: CaseClockFacts) -> list[Unmet]:
    """Guard of `close_unanswered`: no answer came in the time given (process.md, transition 3)."""
    return _over(facts, "answer_period_over", "The time to answer the program's questions")


def payment_period_over(facts: CaseClockFacts) -> list[Unmet]:
    """Guard of `close_unpaid`: no payment came in the time given (process.md, transition 6)."""
    return _over(facts, "payment_period_over", "The time to pay")


def edition_chosen(facts: CaseClockFacts) -> list[Unmet]:
    """The case names the standards edition it is judged by (process.md, step 1)."""
    if facts.edition:
        return []
    return [Unmet("edition_chosen", "Choose the edition of the standards.", f"/cases/{facts.ref}/application")]


def _over(facts: CaseClockFacts, guard: str, what: str) -> list[Unmet]:
    deadline = PERIODS[guard]
    due_at, due_on = facts.due_at.get(deadline), facts.due_on.get(deadline)
    if due_at is None or due_on is None:
        return [Unmet(guard, f"{what} is not running.", f"/cases/{facts.ref}")]
    if facts.at > due_at:
        return []
    return [Unmet(guard, f"{what} runs until {written(due_on)}.", f"/cases/{facts.ref}")]
