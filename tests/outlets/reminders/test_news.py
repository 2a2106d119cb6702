"""What happens beside the steps reaches those it concerns."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import open_case
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation import events
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write
from tests.builders import make_person, make_practice
from tests.support.surveyed import surveyed


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


def test_a_critical_standard_that_is_not_met_is_told_at_once_to_those_who_answer_for_it(
    session: Session, clock: FixedClock
) -> None:
    """Process.md, section 10; once for what a survey found, also when its report is replaced."""
    edition = current().editions["2021"]
    critical, plain = (next(s for s in edition.standards.values() if s.critical is kind) for kind in (True, False))
    world = surveyed(session, clock.now(), not_met=[(critical.elements[0].id, 0), (plain.elements[0].id, 0)])
    report = world.to_issued()

    def told() -> list[Outbox]:
        return list(session.scalars(select(Outbox).where(Outbox.kind == "critical").order_by(Outbox.id)))

    roles = {"physician", "staff", "council"}
    assert {world.actors[who].user_id for who in roles} <= {mail.person_id for mail in told()}
    assert not {world.actors[who].user_id for who in ("admin", "nurse", "surveyor")} & {m.person_id for m in told()}
    for words in write(told()[0]):
        assert "A critical standard is not met" in words
        assert f"{critical.code} {critical.title}" in words
        assert plain.title not in words
        assert f"/cases/{world.case.ref}/report" in words
    before = len(told())
    events.publish(
        session,
        ReportIssued(world.case.id, world.case.ref, world.practice.id, report.id, 2, "A date was wrong.", None, now()),
    )
    assert len(told()) == before


def test_nothing_critical_is_told_of_a_report_in_which_nothing_critical_is_missed(
    session: Session, clock: FixedClock
) -> None:
    plain = next(s for s in current().editions["2021"].standards.values() if not s.critical)
    surveyed(session, clock.now(), not_met=[(plain.elements[0].id, 0)]).to_issued()
    assert not session.scalars(select(Outbox).where(Outbox.kind == "critical")).all()
