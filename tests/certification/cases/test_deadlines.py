"""A deadline runs where the rules say so, and time that was given stays given."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.deadlines import refresh_deadlines
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import extend_deadline
from certify.certification.cases.queries import deadlines_of
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Invalid
from certify.core.rulebook.current import current
from tests.support.applied import Applied, apply
from tests.support.surveyed import Surveyed, surveyed

ZONE = "America/Chicago"
EVIDENCE = "correction_new_days_before_anniversary"
GAPS = [{"standard": "1.1", "gap": "The policy is not dated."}]


def stands_in(session: Session, case: Case, state: str, **anchors: date) -> None:
    """Let the case enter a state today, whatever way leads there."""
    case.anchors = {**case.anchors, "entered": local_date(now(), ZONE).isoformat()} | {
        key: on.isoformat() for key, on in anchors.items()
    }
    case.state = state
    refresh_deadlines(session, case, current().machine("certification"), zone=ZONE, at=now(), entered=True)
    session.flush()


def running(session: Session, case: Case) -> dict[str, CaseDeadline]:
    """Return the deadlines that run, by key."""
    rows = select(CaseDeadline).where(CaseDeadline.case_id == case.id, CaseDeadline.ended_at.is_(None))
    return {row.key: row for row in session.scalars(rows)}


def extend(session: Session, case: Case, key: str, days: int, world: Applied | Surveyed) -> CaseDeadline:
    """Give more time, as the program."""
    staff = world.actors["staff"] if isinstance(world, Surveyed) else world.actor("staff")
    return extend_deadline(session, case, key, days, "The flood.", actor=staff, at=now())


def test_more_time_for_documents_is_given_once_however_often_they_are_asked_for(session: Session) -> None:
    """Process.md, transition 7: 28 days, one extension of 14."""
    world = apply(session)
    world.pay()
    extend(session, world.case, "documents_window_days", 14, world)
    world.cover_all()
    world.take("send_documents", "admin")
    world.take("mark_incomplete", "staff", reason="One is missing.", gaps=GAPS)
    assert world.case.due_on == local_date(now(), ZONE) + timedelta(days=28 + 14)
    with pytest.raises(Invalid, match="has been"):
        extend(session, world.case, "documents_window_days", 1, world)


def test_time_given_for_corrections_is_there_again_when_more_evidence_is_asked_for(
    session: Session, clock: FixedClock
) -> None:
    world = surveyed(session, clock.now())
    stands_in(session, world.case, "correction_open")
    given = extend(session, world.case, EVIDENCE, 21, world).due_on
    stands_in(session, world.case, "correction_review")
    assert EVIDENCE not in running(session, world.case)
    stands_in(session, world.case, "correction_open")
    row = running(session, world.case)[EVIDENCE]
    assert (row.due_on, world.case.due_on, row.extensions, row.extended_days) == (given, given, 1, 21)


def test_a_new_term_is_a_term_of_its_own(session: Session, clock: FixedClock) -> None:
    """Process.md, transition 25: a plan that is returned has ten business days, as the first had."""
    world = surveyed(session, clock.now())
    stands_in(session, world.case, "plan_due")
    first = world.case.due_on
    extend(session, world.case, "cap_business_days", 5, world)
    stands_in(session, world.case, "plan_review")
    stands_in(session, world.case, "plan_due")
    assert world.case.due_on == first
    assert running(session, world.case)["cap_business_days"].extensions == 0


def test_a_longer_pending_period_leaves_longer_to_correct(session: Session, clock: FixedClock) -> None:
    """Process.md, section 2, step 4: evidence is due four weeks before the pending period ends."""
    world = surveyed(session, clock.now())
    stands_in(session, world.case, "correction_open")
    before = world.case.due_on
    assert before is not None
    pending = extend(session, world.case, "pending_days", 60, world)
    assert world.case.due_on == before + timedelta(days=60) == pending.due_on - timedelta(days=28)
    extend(session, world.case, EVIDENCE, 21, world)
    stands_in(session, world.case, "correction_review")
    stands_in(session, world.case, "correction_open")
    row = running(session, world.case)[EVIDENCE]
    assert (row.due_on, row.rule["moved_days"]) == (before + timedelta(days=81), 60)


def test_a_conflict_before_a_repeat_visit_does_not_wake_what_the_first_visit_left_behind(
    session: Session, clock: FixedClock
) -> None:
    world = surveyed(session, clock.now())
    long_ago = local_date(now(), ZONE) - timedelta(days=90)
    stands_in(session, world.case, "repeat_survey", survey_starts_on=long_ago, survey_ended_on=long_ago)
    for state in ("surveyor_proposed", "pending", "surveyor_proposed", "scheduling"):
        stands_in(session, world.case, state)
        found = {due.key for due in deadlines_of(session, world.case, now()) if due.overdue}
        assert not found, state


def test_a_right_that_was_not_used_is_over_and_not_late(session: Session, clock: FixedClock) -> None:
    world = surveyed(session, clock.now())
    issued = local_date(now(), ZONE)
    stands_in(session, world.case, "correction_open", report_issued_on=issued)
    assert "objection" in {due.key for due in deadlines_of(session, world.case, now())}
    last = running(session, world.case)["objection"]
    clock.move(to=last.due_at)
    assert "objection" in {due.key for due in deadlines_of(session, world.case, now())}
    clock.move(by=timedelta(seconds=1))
    assert "objection" not in {due.key for due in deadlines_of(session, world.case, now())}


def test_nothing_runs_on_in_a_case_that_has_ended(session: Session) -> None:
    world = apply(session)
    world.accept()
    world.take("withdraw", "admin", reason="We merge.", confirmed=True)
    assert not running(session, world.case)
    assert (world.case.due_key, world.case.due_on, world.case.due_at) == (None, None, None)


def test_notice_of_another_visit_is_given_within_eight_weeks_of_the_evidence(
    session: Session, clock: FixedClock
) -> None:
    """Process.md, transition 29: the program need not ask for one, so it is never late with it."""
    world = surveyed(session, clock.now())
    stands_in(session, world.case, "correction_review")
    row = running(session, world.case)["repeat_survey_notice_days"]
    assert row.due_on == local_date(now(), ZONE) + timedelta(days=56)
    assert world.case.due_key == "correction_review_days"
    clock.move(by=timedelta(days=57))
    assert "repeat_survey_notice_days" not in {due.key for due in deadlines_of(session, world.case, now())}
    stands_in(session, world.case, "repeat_survey")
    assert "repeat_survey_notice_days" not in running(session, world.case)


def test_the_time_to_appeal_runs_in_a_case_that_has_ended(session: Session, clock: FixedClock) -> None:
    """Process.md, transition 34."""
    world = surveyed(session, clock.now())
    stands_in(session, world.case, "denied")
    assert set(running(session, world.case)) == {"appeal_days"}
    assert running(session, world.case)["appeal_days"].due_on == local_date(now(), ZONE) + timedelta(days=30)
    assert world.case.due_key is None
