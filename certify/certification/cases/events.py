"""What the spine tells whoever listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class CaseOpened:
    """A case was begun for a practice."""

    case_id: int
    case_ref: str
    practice_id: int
    actor_id: int | None
    at: datetime


@dataclass(frozen=True)
class CaseAdvanced:
    """A case took one step of its machine; `data` holds the inputs of the step as they were given."""

    case_id: int
    case_ref: str
    practice_id: int
    trigger: str
    source: str
    target: str
    actor_id: int | None
    actor_name: str
    at: datetime
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
