"""The participation agreement as signed, with proof of who signed which text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_HEADING = re.compile(r"(?:\d+[.)]\s+)?(?P<words>[^\n]{1,89}[^\n.;:,])")


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


def clauses_of(text: str) -> tuple[str, tuple[Clause, ...]]:
    """Return the title and the clauses of an agreement's text, in which blank lines part paragraphs.

    The first block is the title, as long as it reads like a heading: one short line without a full stop at its end. Such a
    line further on begins a clause, its number if it has one left out, as clauses are counted anew.
    """
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    title, heading = "", ""
    if blocks and _heading(blocks[0].split("\n")[0]):
        title = blocks.pop(0).split("\n")[0]
    paragraphs: list[str] = []
    clauses: list[Clause] = []
    for block in blocks:
        found = _heading(block)
        if not found:
            paragraphs.append(block)
            continue
        if heading or paragraphs:
            clauses.append(Clause(heading, tuple(paragraphs)))
        heading, paragraphs = found, []
    if heading or paragraphs:
        clauses.append(Clause(heading, tuple(paragraphs)))
    return title, tuple(clauses)


def _heading(block: str) -> str:
    """Return the words of a heading without its number, nothing when the block is no heading."""
    found = _HEADING.fullmatch(block)
    return found["words"] if found else ""
