"""The participation agreement as signed, with proof of who signed which text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered part of the agreement."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedAgreement:
    """An agreement; the signature fields are empty until it is signed. `text_sha256` is the digest of the text signed."""

    case_ref: str
    program: str
    practice: str
    title: str
    version: str
    clauses: tuple[Clause, ...]
    text_sha256: str
    signer: str = ""
    signer_title: str = ""
    signed_at: datetime | None = None
    signed_from: str = ""

    @property
    def draft(self) -> bool:
        """Whether nobody has signed yet."""
        return self.signed_at is None
