"""Reads of certificates: of a case, by number or code, and what their documents say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.certificates.models import Certificate
from certify.certification.certificates.rules import Standing, standing
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.platform.practices.models import Practice

PROGRAM = "Oncology Medical Home certification"


@dataclass(frozen=True)
class CertificateView:
    """A certificate with how it stands on a day."""

    certificate: Certificate
    standing: Standing
    replaced_by: str


def certificate_of(session: Session, case: Case) -> Certificate | None:
    """Return the certificate of a case that is in force: the newest one."""
    return session.scalar(
        select(Certificate).where(Certificate.case_id == case.id).order_by(Certificate.id.desc()).limit(1)
    )


def certificates_of(session: Session, case: Case) -> Sequence[Certificate]:
    """Return every certificate of a case, newest first."""
    return session.scalars(
        select(Certificate).where(Certificate.case_id == case.id).order_by(Certificate.id.desc())
    ).all()


def find_certificate(session: Session, number: str) -> Certificate | None:
    """Return a certificate by its number, whatever the case of its letters."""
    return session.scalar(select(Certificate).where(Certificate.number == number.strip().upper()[:20]))


def find_by_code(session: Session, code: str) -> Certificate | None:
    """Return a certificate by its verification code; spaces, hyphens and small letters do not matter."""
    plain = "".join(c for c in code.upper() if c.isascii() and c.isalnum())[:20]
    grouped = "-".join(plain[i : i + 4] for i in range(0, len(plain), 4))
    return session.scalar(select(Certificate).where(Certificate.code == grouped)) if plain else None


def view_of(session: Session, certificate: Certificate, at: datetime) -> CertificateView:
    """Return a certificate with how it stands today where the practice is."""
    practice = session.get(Practice, certificate.practice_id)
    today = local_date(at, practice.time_zone if practice else "America/New_York")
    replacing = session.get(Certificate, certificate.replaced_by_id) if certificate.replaced_by_id else None
    return CertificateView(certificate, standing_of(certificate, today), replacing.number if replacing else "")


def standing_of(certificate: Certificate, today: date) -> Standing:
    """Return how a certificate stands on a day."""
    return standing(
        today=today,
        ends_on=certificate.ends_on,
        suspended_on=certificate.suspended_on,
        withdrawn_on=certificate.withdrawn_on,
        replaced=certificate.replaced_by_id is not None,
    )


def certificate_content_for(session: Session, case: Case) -> dict[str, Any]:
    """Return what the certificate says, in the shape of the document writers' `Certificate`; the address of its public page is theirs to make.

    Raises: NotFound when there is none.
    """
    certificate = certificate_of(session, case)
    if certificate is None:
        raise NotFound("There is no certificate in this case.")
    return {
        "number": certificate.number,
        "case_ref": case.ref,
        "program": PROGRAM,
        "practice": certificate.practice_name,
        "sites": [site["name"] for site in certificate.sites],
        "edition_title": certificate.edition_title,
        "award_on": certificate.awarded_on.isoformat(),
        "end_on": certificate.ends_on.isoformat(),
        "verification_code": certificate.code,
        "register_url": f"/register/{certificate.number}",
        "signatories": [dict(signatory) for signatory in certificate.signatories],
        "draft": False,
    }
