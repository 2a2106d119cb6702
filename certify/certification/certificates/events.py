"""What certificates tell whoever listens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CertificateIssued:
    """A certificate was issued, or issued again in place of another."""

    case_id: int
    practice_id: int
    number: str
    replaces: str
    at: datetime
