"""What the surveyors room tells whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FurtherSurveyorProposed:
    """Both sides are asked about one more surveyor for a visit."""

    case_id: int
    case_ref: str
    practice_id: int
    proposal_id: int
    person_id: int
    name: str
    actor_id: int | None
    at: datetime
