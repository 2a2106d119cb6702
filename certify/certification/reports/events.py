"""What the report tells whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ReportIssued:
    """A version of a report was issued and frozen; `number` above 1 means it replaces an earlier one, for `reason`."""

    case_id: int
    case_ref: str
    practice_id: int
    report_id: int
    number: int
    reason: str
    actor_id: int | None
    at: datetime


@dataclass(frozen=True)
class ObjectionMade:
    """The practice objected to a fact of its report."""

    case_id: int
    case_ref: str
    practice_id: int
    objection_id: int
    item: str
    actor_id: int | None
    at: datetime


@dataclass(frozen=True)
class ObjectionAnswered:
    """The program answered an objection; `accepted` ones come with a new version of the report."""

    case_id: int
    case_ref: str
    practice_id: int
    objection_id: int
    accepted: bool
    answer: str
    actor_id: int | None
    at: datetime
