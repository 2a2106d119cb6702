"""What happens beside the steps reaches those it concerns."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import open_case
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation import events
from certify.core.foundation.clock import now
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write
from tests.builders import make_person, make_practice


def test_a_report_is_replaced_objected_to_and_answered(session: Session) -> None:
    practice = make_practice(session)
    admin = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    staff = make_person(session, Role.PROGRAM_STAFF)
    case = open_case(session, practice.id, practice.legal_name, zone="America/Chicago", actor=SYSTEM, at=now())
    about = (case.id, case.ref, practice.id)

    def told() -> list[tuple[int | None, str]]:
        rows = session.scalars(select(Outbox).where(Outbox.case_ref == case.ref).order_by(Outbox.id)).all()
        return [(row.person_id, row.subject.split(" (")[0]) for row in rows]

    events.publish(session, ReportIssued(*about, 1, 1, "", staff.id, now()))
    assert told() == []
    events.publish(session, ObjectionMade(*about, 5, "1.1.a", admin.id, now()))
    events.publish(session, ObjectionAnswered(*about, 5, True, "You are right about the date.", staff.id, now()))
    events.publish(session, ReportIssued(*about, 2, 2, "A date was wrong.", staff.id, now()))
    assert told() == [
        (staff.id, "The practice objects to a fact of its survey report"),
        (admin.id, "Your objection is accepted; the report is corrected"),
        (admin.id, "Version 2 of your survey report"),
    ]
    text, _ = write(session.scalars(select(Outbox).where(Outbox.subject.startswith("Version 2"))).one())
    assert "A date was wrong." in text
    assert f"/cases/{case.ref}/report" in text
