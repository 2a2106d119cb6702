"""What a practice fills in, signs and pays, and who is told what: the shapes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property


@dataclass(frozen=True)
class Field:
    """One question of the questionnaire. Kinds: see `FIELD_KINDS` in loading.py."""

    key: str
    label: str
    kind: str
    required: bool = True
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    autocomplete: str = ""


@dataclass(frozen=True)
class Section:
    """A page of the questionnaire."""

    key: str
    title: str
    intro: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Questionnaire:
    """One version of the questionnaire; never edited once practices have answered it."""

    key: str
    version: str
    title: str
    sections: tuple[Section, ...]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return all fields by key, in order."""
        return {f.key: f for s in self.sections for f in s.fields}


@dataclass(frozen=True)
class Clause:
    """A part of the agreement."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """One version of the participation agreement."""

    key: str
    version: str
    title: str
    signers: tuple[str, ...]
    sections: tuple[Clause, ...]

    @cached_property
    def text(self) -> str:
        """Return the whole text as it is hashed: title, then each clause with its paragraphs."""
        parts = [self.title, *(line for c in self.sections for line in (c.title, *c.paragraphs))]
        return "\n\n".join(parts) + "\n"

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the whole text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class FeeBand:
    """A base fee for practices of up to so many physicians (full-time equivalents; None: no upper end)."""

    label: str
    up_to_fte: Decimal | None
    cents: int


@dataclass(frozen=True)
class RefundRule:
    """The share of the fee that goes back on withdrawal, until the case reaches one of these states."""

    key: str
    until: tuple[str, ...]
    percent: int


@dataclass(frozen=True)
class FeeSchedule:
    """One version of the fees (process.md, section 6), in cents."""

    version: str
    currency: str
    payment_days: int
    bands: tuple[FeeBand, ...]
    site_cents: int
    repeat_survey_cents: int
    late_reschedule_cents: int
    annual_cents: int
    appeal_cents: int
    refunds: tuple[RefundRule, ...]


@dataclass(frozen=True)
class Notice:
    """Who is told by mail when a step is taken, and with which words (process.md, section 10)."""

    trigger: str
    template: str
    to: tuple[str, ...]  # role keys of the practice or program, or `surveyor` (those on the case), `contact`
    subject: str
    resend: str = "ask"  # repeat: send again after a doubtful hand-over | ask: staff decide


@dataclass(frozen=True)
class MessageNotice:
    """Who is told by mail of a new message for an audience; never its author, nor anyone who may not read it."""

    audience: str
    template: str
    to: tuple[str, ...]  # as in a notice, and `writers`: those who wrote to the same audience of the case before
    subject: str
    resend: str = "repeat"


@dataclass(frozen=True)
class Reminder:
    """When people are reminded of a deadline: days before (positive) and after (negative) it."""

    deadline: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    kind: str  # calendar | business
    to: tuple[str, ...]
    late_to: tuple[str, ...]
