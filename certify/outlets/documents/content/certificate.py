"""The certificate: who holds the award, for which sites, until when, and how to check it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Signatory:
    """One name under the certificate."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as issued; it is re-issued, never edited. `register_url` opens its public page."""

    number: str
    case_ref: str
    program: str
    practice: str
    sites: tuple[str, ...]
    edition_title: str
    award_on: date
    end_on: date
    verification_code: str
    register_url: str
    signatories: tuple[Signatory, ...]
    draft: bool = False
