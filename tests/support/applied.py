"""A practice that applies, with the people of step 1; walks the real steps up to the documents window and beyond."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.applications.operations import put_answers, record_webinar, sign_agreement
from certify.certification.applications.queries import agreement_of
from certify.certification.applications.review import find_integrated
from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import open_case, take
from certify.certification.evidence.models import Evidence, EvidenceVersion
from certify.certification.evidence.operations import add_file, state_not_applicable
from certify.certification.fees.queries import open_invoice_of
from certify.core.access.roles import Actor, Role
from certify.core.foundation.clock import now
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from certify.platform.practices.models import Practice
from tests.builders import make_person, make_practice

PEOPLE = {
    "admin": Role.PRACTICE_ADMIN,
    "physician": Role.PHYSICIAN_LEAD,
    "nurse": Role.PRACTICE_STAFF,
    "staff": Role.PROGRAM_STAFF,
    "second_staff": Role.PROGRAM_STAFF,
    "finance": Role.FINANCE,
    "council": Role.COUNCIL,
    "auditor": Role.AUDITOR,
    "surveyor": Role.SURVEYOR,
}
WINDOWS = [
    {"from": "2027-02-01", "to": "2027-02-05"},
    {"from": "2027-02-15", "to": "2027-02-19"},
    {"from": "2027-03-01", "to": "2027-03-05"},
]
ANSWERS: dict[str, Any] = {
    "ownership_type": "physician_owned",
    "new_patients_per_year": 900,
    "change_expected": False,
    "common_tax_id": True,
    "common_address": True,
    "shared_policies": True,
    "rotating_staff": True,
    "common_record": True,
    "policy_owner": "The medical director",
    "emr": "Charts 5",
    "pathway_tool": "none",
    "patient_survey_vendor": "ourselves",
    "patient_survey_frequency": "quarterly",
    "earlier_survey": False,
    "primary_contact_name": "Ana Brook",
    "primary_contact_email": "ana@practice.example.org",
    "primary_contact_phone": "312-555-0100",
    "billing_contact_name": "Bo Chen",
    "billing_contact_email": "bo@practice.example.org",
    "survey_windows": WINDOWS,
    "survey_mode": "on_site",
    "attestation": True,
}


@dataclass
class Applied:
    """The world of one practice that applies."""

    session: Session
    practice: Practice
    case: Case
    people: dict[str, Person] = field(default_factory=dict)

    def actor(self, who: str) -> Actor:
        """Return one of the people as an actor."""
        return actor_as(self.session, self.people[who])

    def take(self, trigger: str, who: str, **data: Any) -> CaseAdvanced:
        """Take a step of the case."""
        return take(self.session, self.case, trigger, data, actor=self.actor(who), at=now())

    def answer(self, **changes: Any) -> None:
        """Give all answers, with these changed."""
        put_answers(self.session, self.case, {**ANSWERS, **changes}, actor=self.actor("admin"), at=now())

    def sign(self, who: str = "physician") -> None:
        """Sign the agreement."""
        sign_agreement(
            self.session, self.case, name="Dr. Lee Ray", title="Medical director", agreed=True,
            shown_sha256=agreement_of(self.case).sha256, address="192.0.2.7", actor=self.actor(who), at=now(),
        )  # fmt: skip

    def attend(self, days_ago: int = 20) -> None:
        """Record the webinar."""
        on = now().date() - timedelta(days=days_ago)
        record_webinar(
            self.session, self.case, person_name="Ana Brook", attended_on=on, actor=self.actor("admin"), at=now()
        )

    def complete(self) -> None:
        """Fill in everything that sending the application needs."""
        self.answer()
        self.sign()
        self.attend()

    def submit(self) -> None:
        """Send the application."""
        self.complete()
        self.take("submit", "admin")

    def accept(self) -> None:
        """Bring the case to where the fee is to be paid."""
        self.submit()
        find_integrated(self.session, self.case, basis="common_tax_id", note="", actor=self.actor("staff"), at=now())
        self.take("accept", "staff")

    def pay(self) -> None:
        """Bring the case to where documents are to be sent."""
        self.accept()
        invoice = open_invoice_of(self.session, self.case, "application")
        assert invoice is not None
        self.confirm(invoice.total_cents)

    def confirm(self, cents: int, who: str = "finance") -> CaseAdvanced:
        """Confirm a payment of that amount."""
        return self.take("confirm_payment", who, amount=cents, received_on=now().date(), payment_reference="WIRE 1")

    def add(
        self, *items: str, content: bytes = b"Our policy.", name: str = "policy.txt", who: str = "nurse", **more: Any
    ) -> tuple[Evidence, EvidenceVersion]:
        """Add a file as evidence for these items."""
        return add_file(
            self.session,
            self.case,
            file_name=name,
            content=content,
            elements=items,
            actor=self.actor(who),
            at=now(),
            **more,
        )

    def cover_all(self) -> None:
        """Settle every standard: a document for the first, a reason for the others."""
        codes = list(current().editions[self.case.edition].standards)
        self.add(codes[0])
        for code in codes[1:]:
            state_not_applicable(
                self.session, self.case, code, "Not part of what we do here.", actor=self.actor("admin"), at=now()
            )


def apply(session: Session, *, sites: int = 2) -> Applied:
    """Return a practice with a case in its first state, and its people."""
    practice = make_practice(session, sites=sites)
    people = {
        who: make_person(session, role, practice=practice, name=f"{who.replace('_', ' ').title()} One")
        for who, role in PEOPLE.items()
    }
    admin = actor_as(session, people["admin"])
    case = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=admin, at=now())
    return Applied(session, practice, case, people)


def picture(form: str = "JPEG") -> bytes:
    """Return a small picture that carries a camera and a place."""
    from PIL import Image

    made, out = Image.new("RGB", (40, 30), "teal"), io.BytesIO()
    exif = made.getexif()
    exif[0x010F] = "Camera Maker"
    exif.get_ifd(0x8825)[1] = "N"
    made.save(out, form, exif=exif)
    return out.getvalue()


def days_on(days: int) -> date:
    """Return the day so many days from the test's today."""
    return now().date() + timedelta(days=days)
