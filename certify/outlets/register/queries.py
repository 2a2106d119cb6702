"""Reads of the public register: nothing but name, sites, towns, status and dates, and only with the practice's consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.certificates.models import Certificate
from certify.certification.certificates.queries import find_by_code, find_certificate, standing_of
from certify.certification.certificates.rules import Standing
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.foundation.words import name_key
from certify.platform.practices.models import Practice
from certify.platform.web.paging import Key, keyset


@dataclass(frozen=True)
class RegisterEntry:
    """What anyone may know of a certificate (process.md, section 8)."""

    number: str
    practice: str
    sites: tuple[tuple[str, str, str], ...]  # name, city, state
    standing: Standing
    edition: str
    awarded_on: date
    ends_on: date
    replaced_by: str
    changed_at: datetime
    key: tuple[str, int]

    @property
    def towns(self) -> str:
        """Return the towns of the sites, each once."""
        return "; ".join(
            dict.fromkeys(", ".join(part for part in (city, state) if part) for _, city, state in self.sites if city)
        )


def list_register(
    session: Session,
    query: str,
    at: datetime,
    *,
    key: Key | None = None,
    back: bool = False,
    limit: int = 20,
    changed_since: datetime | None = None,
) -> Sequence[RegisterEntry]:
    """Return certificates in force of practices that agreed to be listed, by name; each word of `query` must occur.

    Those that were replaced or withdrawn are left out; suspended and expired ones say so.
    """
    beyond, order = keyset((Certificate.name_key, Certificate.id), key, back=back)
    rows = (
        select(Certificate, Practice.time_zone)
        .join(Practice, Practice.id == Certificate.practice_id)
        .where(
            Practice.register_consent.is_(True),
            Certificate.replaced_by_id.is_(None),
            Certificate.withdrawn_on.is_(None),
            beyond,
        )
        .order_by(*order)
        .limit(limit)
    )
    for word in name_key(query).split()[:8]:
        rows = rows.where(Certificate.search_text.contains(word, autoescape=True))
    if changed_since is not None:
        rows = rows.where(Certificate.changed_at >= changed_since)
    return [_entry(certificate, zone, at) for certificate, zone in session.execute(rows)]


def count_listed(session: Session) -> int:
    """Return how many certificates the register lists."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Certificate)
            .join(Practice, Practice.id == Certificate.practice_id)
            .where(
                Practice.register_consent.is_(True),
                Certificate.replaced_by_id.is_(None),
                Certificate.withdrawn_on.is_(None),
            )
        )
        or 0
    )


def register_entry(session: Session, number: str, at: datetime, *, code: str = "") -> RegisterEntry:
    """Return the public page of a certificate.

    Without the practice's consent only who holds its verification code is answered: the practice gave it to them.
    Raises: NotFound, in the same words whether there is no such certificate or no consent.
    """
    certificate = find_certificate(session, number)
    practice = session.get(Practice, certificate.practice_id) if certificate else None
    holds_code = certificate is not None and code != "" and find_by_code(session, code) is certificate
    if certificate is None or practice is None or not (practice.register_consent or holds_code):
        raise NotFound("There is no certificate of this number in the register.")
    replacing = session.get(Certificate, certificate.replaced_by_id) if certificate.replaced_by_id else None
    return _entry(certificate, practice.time_zone, at, replacing.number if replacing else "")


def number_of(session: Session, typed: str) -> tuple[str, str] | None:
    """Return (number, code) when what was typed is a certificate's number or verification code; code empty for a number."""
    certificate = find_certificate(session, typed)
    if certificate is not None:
        return certificate.number, ""
    certificate = find_by_code(session, typed)
    return (certificate.number, certificate.code) if certificate is not None else None


def _entry(certificate: Certificate, zone: str, at: datetime, replaced_by: str = "") -> RegisterEntry:
    return RegisterEntry(
        number=certificate.number,
        practice=certificate.practice_name,
        sites=tuple((s["name"], s["city"], s["state"]) for s in certificate.sites),
        standing=standing_of(certificate, local_date(at, zone)),
        edition=certificate.edition_title,
        awarded_on=certificate.awarded_on,
        ends_on=certificate.ends_on,
        replaced_by=replaced_by,
        changed_at=certificate.changed_at,
        key=(certificate.name_key, certificate.id),
    )
