"""Reminders go out once each, in the morning, to those the rules name, and they end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.deadlines import refresh_deadlines
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import open_case
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.days import end_of_day
from certify.core.rulebook.current import current
from certify.outlets.reminders.jobs import remind
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write
from tests.builders import make_person, make_practice
from tests.support.applied import apply

DUE = date(2026, 12, 18)


def make_deadline(
    session: Session,
    *,
    key: str = "documents_window_days",
    due_on: date = DUE,
    zone: str = "America/Chicago",
    people: bool = True,
) -> CaseDeadline:
    """Return a running deadline of a new case, set long ago."""
    practice = make_practice(session, time_zone=zone)
    if people:
        make_person(session, Role.PRACTICE_ADMIN, practice=practice, email=f"admin{practice.id}@people.example")
    case = open_case(session, practice.id, practice.legal_name, zone=zone, actor=SYSTEM, at=now())
    row = CaseDeadline(
        case_id=case.id, key=key, due_on=due_on, due_at=end_of_day(due_on, zone), rule={}, set_at=now() - timedelta(days=300)
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def test_each_reminder_goes_out_once_on_its_day_and_then_it_ends(session: Session, clock: FixedClock) -> None:
    make_deadline(session)
    staff = make_person(session, Role.PROGRAM_STAFF)
    days: list[tuple[int, int]] = []
    for _ in range(80):
        posted = remind(session, clock)
        assert remind(session, clock) == 0
        if posted:
            days.append(((DUE - clock.now().date()).days, posted))
        clock.move(by=timedelta(days=1))
    assert days == [(14, 1), (7, 1), (2, 1), (0, 1), (-1, 2), (-7, 2)]
    assert session.scalar(select(sa.func.count()).select_from(Outbox).where(Outbox.person_id == staff.id)) == 2


def test_it_says_what_is_due_when_and_why_it_was_sent(session: Session, clock: FixedClock) -> None:
    row = make_deadline(session)
    clock.move(to=datetime(2026, 12, 4, 15, 0, tzinfo=UTC))
    assert remind(session, clock) == 1
    mail = session.scalars(select(Outbox)).one()
    assert mail.subject.startswith("Documents for each standard: due in 14 days")
    text, html = write(mail)
    for words in (text, html):
        assert "Friday 18 December 2026" in words
        assert "in 14 days" in words
    assert "Reminders of this date go to that role" in text
    assert f"/cases/{session.get_one(Case, row.case_id).ref}" in text


def test_the_last_one_says_that_it_is_the_last(session: Session, clock: FixedClock) -> None:
    make_deadline(session)
    clock.move(to=datetime(2026, 12, 25, 15, 0, tzinfo=UTC))
    assert remind(session, clock) == 1
    text, _ = write(session.scalars(select(Outbox)).one())
    assert "was due on Friday 18 December 2026 (7 days ago)" in text
    assert "last reminder" in text


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Pacific/Honolulu", datetime(2026, 12, 4, 11, 0, tzinfo=UTC)),  # one in the morning there
        ("Pacific/Guam", datetime(2026, 12, 3, 15, 0, tzinfo=UTC)),  # already the fourth there
    ],
)
def test_a_day_is_the_practices_own_and_mail_is_read_in_the_morning(
    session: Session, clock: FixedClock, zone: str, instant: datetime
) -> None:
    make_deadline(session, zone=zone)
    clock.move(to=instant - timedelta(hours=12))
    assert remind(session, clock) == 0
    clock.move(to=instant)
    assert remind(session, clock) == 1
    due_at = session.scalars(select(Outbox.due_at)).one()
    assert due_at == datetime(2026, 12, 4, 8, 0, tzinfo=UTC) - timedelta(
        hours={"Pacific/Honolulu": -10, "Pacific/Guam": 10}[zone]
    )


def test_what_was_done_in_time_is_not_reminded_of(session: Session, clock: FixedClock) -> None:
    row = make_deadline(session)
    row.ended_at = now()
    session.flush()
    clock.move(to=datetime(2026, 12, 4, 15, 0, tzinfo=UTC))
    assert remind(session, clock) == 0


def test_more_time_moves_the_reminders_with_it(session: Session, clock: FixedClock) -> None:
    row = make_deadline(session)
    clock.move(to=datetime(2026, 12, 4, 15, 0, tzinfo=UTC))
    assert remind(session, clock) == 1
    row.due_on, row.due_at = DUE + timedelta(days=14), end_of_day(DUE + timedelta(days=14), "America/Chicago")
    session.flush()
    clock.move(by=timedelta(days=7))
    assert remind(session, clock) == 0
    clock.move(by=timedelta(days=7))
    assert remind(session, clock) == 1


def test_a_night_without_power_loses_no_reminder(session: Session, clock: FixedClock) -> None:
    make_deadline(session)
    clock.move(to=datetime(2026, 12, 6, 15, 0, tzinfo=UTC))
    assert remind(session, clock) == 1
    assert "in 12 days" in session.scalars(select(Outbox.subject)).one()


def test_many_deadlines_cost_no_more_questions_than_few(session: Session, clock: FixedClock) -> None:
    clock.move(to=datetime(2026, 12, 4, 15, 0, tzinfo=UTC))

    def questions() -> int:
        asked: list[str] = []

        def listen(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            asked.append(statement)

        connection = session.connection()
        sa.event.listen(connection, "before_cursor_execute", listen)
        try:
            assert remind(session, clock) > 0
        finally:
            sa.event.remove(connection, "before_cursor_execute", listen)
        return sum(1 for s in asked if s.lstrip().upper().startswith("SELECT"))

    make_deadline(session)
    few = questions()
    for _ in range(10):
        make_deadline(session)
    assert questions() == few


@pytest.mark.parametrize("end", ["denied", "ineligible"])
def test_the_physician_lead_is_reminded_before_the_time_to_appeal_ends(
    session: Session, clock: FixedClock, end: str
) -> None:
    """Process.md, section 10: 10 and 3 days before; the case itself has ended."""
    world = apply(session)
    world.case.state, world.case.open = end, False
    machine, anchors = current().machine("certification"), {**world.case.anchors, "entered": now().date().isoformat()}
    world.case.anchors = anchors
    refresh_deadlines(session, world.case, machine, zone="America/Chicago", at=now(), entered=True)
    session.flush()
    told = []
    for day in range(40):
        if remind(session, clock):
            told.append(day)
        clock.move(by=timedelta(days=1))
    assert told == [20, 27]
    first, last = session.scalars(select(Outbox).where(Outbox.kind == "reminder").order_by(Outbox.id))
    assert {first.person_id, last.person_id} == {world.people["physician"].id}
    assert first.subject.startswith("Appeal against the decision: the time ends in 10 days")
    for words in write(first):
        assert "Appeal against the decision is possible until" in words
        assert "Wednesday 2 December 2026" in words
        assert "is due" not in words
