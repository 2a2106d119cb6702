"""Making certificates: on award, and again when what one says has changed; none is ever edited."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on, set_anchor
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.certificates.events import CertificateIssued
from certify.certification.certificates.models import Certificate, CertificateNumber
from certify.certification.certificates.queries import certificate_of
from certify.certification.certificates.rules import certificate_number, term_end
from certify.certification.decisions.operations import name_certificate
from certify.certification.decisions.queries import decision_of
from certify.core.access.roles import SYSTEM, Actor
from certify.core.foundation import events
from certify.core.foundation.days import local_date, written
from certify.core.foundation.errors import Invalid, NotFound, NotOpen
from certify.core.foundation.ids import readable_code
from certify.core.foundation.words import name_key
from certify.core.rulebook.current import current
from certify.platform.practices.models import Practice, Site


def issue_certificate(session: Session, case: Case, *, actor: Actor, at: datetime) -> Certificate:
    """Make the certificate of a case that was awarded just now; a second call gives the one there is."""
    known = certificate_of(session, case)
    if known is not None:
        return known
    today = local_date(at, zone_of(session, case))
    ends_on = term_end(today, int(current().settings["term_years"]))
    certificate = _certificate(session, case, actor=actor, at=at)
    certificate.awarded_on, certificate.ends_on = today, ends_on
    session.add(certificate)
    set_anchor(session, case, "awarded_on", today, at=at)
    set_anchor(session, case, "ends_on", ends_on, at=at)
    session.flush()
    name_certificate(session, case, certificate.number, today, ends_on)
    record_on(
        session, case, "certificate.issued", f"issued certificate {certificate.number}, valid until {written(ends_on)}", actor=actor, at=at,
        subject=f"/register/{certificate.number}", data={"number": certificate.number, "sites": [s["name"] for s in certificate.sites]},
    )  # fmt: skip
    events.publish(session, CertificateIssued(case.id, case.practice_id, certificate.number, "", at))
    return certificate


def reissue_certificate(session: Session, case: Case, reason: str, *, actor: Actor, at: datetime) -> Certificate:
    """Issue a certificate again with the practice's name and sites as they are now; term and award date stay.

    Raises: NotFound when there is none, NotOpen when it has ended, Invalid without a reason.
    """
    old = certificate_of(session, case)
    if old is None:
        raise NotFound("There is no certificate in this case.")
    if old.withdrawn_on is not None or local_date(at, zone_of(session, case)) > old.ends_on:
        raise NotOpen("The certificate has ended and cannot be issued again.")
    if not reason.strip():
        raise Invalid("Say why the certificate is issued again.", "reason")
    new = _certificate(session, case, actor=actor, at=at)
    new.awarded_on, new.ends_on, new.reason, new.signatories = (
        old.awarded_on,
        old.ends_on,
        reason.strip(),
        old.signatories,
    )
    session.add(new)
    session.flush()
    old.replaced_by_id, old.changed_at = new.id, at
    session.flush()
    record_on(
        session, case, "certificate.reissued", f"issued certificate {new.number} in place of {old.number}", actor=actor, at=at,
        reason=reason.strip(), subject=f"/register/{new.number}", data={"before": old.number, "after": new.number},
    )  # fmt: skip
    events.publish(session, CertificateIssued(case.id, case.practice_id, new.number, old.number, at))
    return new


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Make the certificate when the council awards."""
    if event.trigger == "award":
        issue_certificate(session, case_by_id(session, event.case_id), actor=SYSTEM, at=event.at)


def _certificate(session: Session, case: Case, *, actor: Actor, at: datetime) -> Certificate:
    practice = session.get_one(Practice, case.practice_id)
    sites = session.scalars(
        select(Site).where(Site.practice_id == practice.id, Site.closed_on.is_(None)).order_by(Site.id)
    ).all()
    decision = decision_of(session, case.id)
    signed = (
        {"name": decision.decided_by_name, "title": decision.decided_by_title or "Council member"} if decision else None
    )
    return Certificate(
        number=_next_number(session, local_date(at, practice.time_zone).year),
        code=_free_code(session),
        case_id=case.id,
        practice_id=practice.id,
        practice_name=practice.legal_name,
        name_key=name_key(practice.legal_name),
        search_text=search_text(practice.legal_name, *(part for s in sites for part in (s.name, s.city, s.state))),
        sites=[{"name": s.name, "city": s.city, "state": s.state} for s in sites],
        edition=case.edition,
        edition_title=current().editions[case.edition].title,
        signatories=[signed] if signed else [],
        issued_at=at,
        changed_at=at,
    )


def search_text(*parts: str) -> str:
    """Return what the register searches: every name once, without accents, in lower case."""
    return " | ".join(dict.fromkeys(name_key(part) for part in parts if part))


def _free_code(session: Session) -> str:
    code = readable_code()
    while session.scalar(select(Certificate.id).where(Certificate.code == code)) is not None:
        code = readable_code()
    return code


def _next_number(session: Session, year: int) -> str:
    number = session.get(CertificateNumber, year, with_for_update=True, populate_existing=True)
    if number is None:
        number = CertificateNumber(year=year, last=0)
        session.add(number)
    number.last += 1
    session.flush()
    return certificate_number(year, number.last)
