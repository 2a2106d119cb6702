"""What the survey tells whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SurveyDateAgreed:
    """A date for the visit stands."""

    case_id: int
    case_ref: str
    survey_id: int
    at: datetime
