"""What messages tell whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class MessageWritten:
    """Someone wrote a message; who may be told follows from its audience."""

    case_id: int
    case_ref: str
    practice_id: int
    message_id: int
    audience: str
    item: str
    author_id: int | None
    author_name: str
    author_side: str
    at: datetime
