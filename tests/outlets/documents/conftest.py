"""A case of a practice with an issued report, a decision, a certificate, an invoice and one document of evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.applications.models import AgreementSignature
from certify.certification.cases.models import Case
from certify.certification.cases.operations import add_member, open_case
from certify.certification.certificates.operations import issue_certificate
from certify.certification.decisions.letter import letter_of
from certify.certification.decisions.models import Decision
from certify.certification.evidence.models import Evidence, EvidenceUse, EvidenceVersion
from certify.certification.fees.models import Invoice
from certify.certification.fees.operations import issue_invoice
from certify.certification.fees.rules import Line
from certify.certification.reports.models import Report
from certify.certification.surveys.models import Survey, SurveySite
from certify.core.access.roles import SYSTEM, Actor, Grant, Role
from certify.core.foundation.ids import digest, new_uuid
from certify.outlets.documents.content.wording import plain_data
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.identity.passwords import hash_password
from certify.platform.practices.models import Practice, Site
from certify.platform.storage.operations import store
from tests.outlets.documents import examples

PASSWORD = "a long and quiet password"
AGREEMENT = "Participation agreement\nVersion 1\n\n1. Use of data\n\nThe program uses what the practice sends.\n"


@dataclass(frozen=True)
class Paperwork:
    """The case with everyone who stands to it in some way."""

    session: Session
    case: Case
    practice: Practice
    report: Report
    invoice: Invoice
    people: dict[str, Person]
    actors: dict[str, Actor]
    at: datetime

    @property
    def ref(self) -> str:
        return self.case.ref


@pytest.fixture
def paperwork(session: Session, clock: Any) -> Paperwork:
    """Return the case, flushed."""
    at: datetime = clock.now()
    practice, other = (
        Practice(
            legal_name=name, name_key=name.lower(), tax_ids=[], setting="community", address="1200 Shore Drive", city="Duluth",
            state="MN", postal_code="55802", time_zone="America/Chicago", created_at=at,
        )
        for name in ("Lakeside Oncology", "Mesa Cancer Center")
    )  # fmt: skip
    session.add_all([practice, other])
    session.flush()
    sites = [Site(practice_id=practice.id, name=name, city="Duluth", state="MN") for name in examples.SITES]
    session.add_all(sites)
    people, actors = _people(session, practice.id, other.id, at)
    case = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=at)
    add_member(session, case, people["surveyor"].id, "surveyor", at=at)
    survey = Survey(
        case_id=case.id, round=1, edition="2021", lead_id=people["surveyor"].id, mode="on_site", starts_on=at.date(), seed="seed-7",
        sampled_at=at, finished_at=at, created_at=at,
    )  # fmt: skip
    session.add(survey)
    session.flush()
    session.add_all(
        SurveySite(survey_id=survey.id, site_id=s.id, visited=True, reasons=["all"], position=n)
        for n, s in enumerate(sites)
    )
    report = add_report(session, case, survey, at=at)
    invoice = issue_invoice(session, case, "application", [Line("Certification fee", 900_000)], actor=SYSTEM, at=at)
    _evidence(session, case, practice.id, at)
    session.add(
        AgreementSignature(
            case_id=case.id, agreement="participation-1", agreement_version="1", text=AGREEMENT, text_sha256=digest(AGREEMENT),
            signer_id=people["physician_lead"].id, signer_name="Samuel Ortega, MD", signer_title="Physician lead",
            signer_role="physician_lead", signed_at=at, address="203.0.113.7",
        )
    )  # fmt: skip
    session.flush()
    return Paperwork(session, case, practice, report, invoice, people, actors, at)


def add_report(
    session: Session, case: Case, survey: Survey, *, at: datetime, number: int = 1, issued: bool = True
) -> Report:
    """Add one version of the report, frozen when issued."""
    content = {
        **plain_data(examples.survey_report(issued=issued)),
        "case_ref": case.ref,
        "version": number,
        "more": {"site_ids": []},
    }
    report = Report(
        case_id=case.id, survey_id=survey.id, number=number, state="issued" if issued else "draft", content=content,
        issued_at=at if issued else None, created_at=at,
    )  # fmt: skip
    session.add(report)
    session.flush()
    return report


def decide(paperwork: Paperwork, outcome: str = "award") -> Decision:
    """Add the council's decision, and the certificate of an award."""
    session, case, at = paperwork.session, paperwork.case, paperwork.at
    reasons = [] if outcome == "award" else [{"standard": "7.3", "reason": "The second check is not recorded."}]
    decision = Decision(
        case_id=case.id, outcome=outcome, reasons=reasons, facts={"practice": "Lakeside Oncology", "sites": list(examples.SITES)},
        decided_by_name="Priya Raman, MD", decided_by_title="Chair", decided_at=at, decided_on=at.date(),
    )  # fmt: skip
    decision.letter = letter_of(session, case, decision)
    session.add(decision)
    session.flush()
    if outcome == "award":
        issue_certificate(session, case, actor=SYSTEM, at=at)
    session.flush()
    return decision


def _people(
    session: Session, practice_id: int, other_id: int, at: datetime
) -> tuple[dict[str, Person], dict[str, Actor]]:
    roles = {
        "practice_admin": (Role.PRACTICE_ADMIN, practice_id),
        "physician_lead": (Role.PHYSICIAN_LEAD, practice_id),
        "stranger": (Role.PRACTICE_ADMIN, other_id),
        "surveyor": (Role.SURVEYOR, None),
        "other_surveyor": (Role.SURVEYOR, None),
        "staff": (Role.PROGRAM_STAFF, None),
        "council": (Role.COUNCIL, None),
        "finance": (Role.FINANCE, None),
        "auditor": (Role.AUDITOR, None),
    }
    hashed = hash_password(PASSWORD)
    people = {
        key: Person(email=f"{key}@example.org", name=key.replace("_", " ").title(), password_hash=hashed, created_at=at)
        for key in roles
    }
    session.add_all(people.values())
    session.flush()
    actors = {}
    for key, (role, place) in roles.items():
        session.add(RoleGrant(person_id=people[key].id, role=role, practice_id=place, granted_at=at))
        actors[key] = Actor(people[key].id, frozenset({Grant(role, place)}), people[key].name, people[key].email)
    session.flush()
    return people, actors


def _evidence(session: Session, case: Case, practice_id: int, at: datetime) -> None:
    evidence = Evidence(uuid=new_uuid(), practice_id=practice_id, title="Triage policy", created_at=at)
    session.add(evidence)
    session.flush()
    key = store(b"%PDF-1.7 triage policy")
    session.add(
        EvidenceVersion(
            evidence_id=evidence.id, number=1, file_key=key, original_sha256=key, file_name="../Triage policy (final).pdf",
            media_type="application/pdf", size=22, state="clear", uploaded_at=at,
        )
    )  # fmt: skip
    session.add(
        EvidenceUse(
            case_id=case.id, evidence_id=evidence.id, standard="2.1", element="2.1.c", pages="p. 4", added_at=at
        )
    )
    session.flush()


@pytest.fixture
def sign_in(client: FlaskClient) -> Callable[[str], FlaskClient]:
    """Signs one of the people in by the page."""

    def enter(key: str) -> FlaskClient:
        answer = client.post("/sign-in", data={"email": f"{key}@example.org", "password": PASSWORD})
        assert answer.status_code in (302, 303), answer.get_data(as_text=True)[:400]
        return client

    return enter
