"""The sheet that shows which sites are visited and how they were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class SampledSite:
    """A site of the practice and why it is, or is not, visited."""

    name: str
    address: str
    how: str
    visited: bool
    why: str


@dataclass(frozen=True, slots=True)
class SampleSheet:
    """A draw that can be repeated: rule, seed and the sites in the order they were drawn from."""

    case_ref: str
    program: str
    practice: str
    survey_on: date | None
    surveyor: str
    rule: str
    seed: str
    drawn_at: datetime | None
    drawn_by: str
    sites: tuple[SampledSite, ...]
