"""When the last open requirement is withdrawn, nobody is asked for an empty plan or for evidence of nothing."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from certify.certification.corrections.operations import judge_correction
from certify.certification.evidence.models import Evidence
from certify.certification.reports.objections import answer_objection, object_to
from certify.certification.reports.queries import requirements_of
from certify.core.foundation.clock import FixedClock
from certify.platform.audit.queries import list_events, verify_chain
from certify.platform.mail.models import Outbox
from tests.support.surveyed import Surveyed, surveyed


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now(), not_met=[("2.1.a", 1), ("7.3.b", 0)])
    made.to_issued()
    return made


def withdrawn(world: Surveyed, number: str) -> None:
    staff, admin = world.actors["staff"], world.actors["admin"]
    objection = object_to(world.session, world.case, number, "It was met.", actor=admin, at=world.at)
    answer_objection(world.session, world.case, objection, "withdrawn", "It was.", actor=staff, at=world.at)


def sent(world: Surveyed, document: Evidence, *, as_far_as: str) -> None:
    """Bring plan and evidence of what is open to the state named."""
    found = [f.id for f in requirements_of(world.session, world.case.id, open_only=True)]
    steps = (
        ("submit_plan", "admin", world.plan_items(found)),
        ("approve_plan", "staff", [{"requirement": str(i), "verdict": "accept"} for i in found]),
        ("submit_corrections", "admin", [{"requirement": str(i), "evidence": document.uuid} for i in found]),
    )
    for trigger, who, items in steps:
        if world.case.state == as_far_as:
            return
        world.take(trigger, who, items=items)
    assert world.case.state == as_far_as


@pytest.mark.parametrize("state", ["plan_due", "plan_review", "correction_open"])
def test_the_case_goes_on_to_the_council_by_itself_once_the_last_requirement_is_withdrawn(
    session: Session, world: Surveyed, state: str
) -> None:
    sent(world, world.document(), as_far_as=state)
    withdrawn(world, "R1")
    assert world.case.state == state
    withdrawn(world, "R2")
    assert (world.case.state, world.case.holder) == ("decision", "council")
    newest = list_events(session, f"case:{world.case.ref}", kind="case.advanced")[0]
    assert newest.summary == "passed the case to the council, because no requirement is open"
    assert {m.to_email for m in session.query(Outbox).filter_by(kind="proceed_to_decision")} >= {"decider@example.org"}
    assert verify_chain(session, f"case:{world.case.ref}").sound


def test_a_review_with_nothing_left_to_judge_is_closed_by_the_program_with_one_press(
    session: Session, world: Surveyed
) -> None:
    sent(world, world.document(), as_far_as="correction_review")
    withdrawn(world, "R1")
    withdrawn(world, "R2")
    assert world.case.state == "correction_review"
    world.take("close_requirements", "staff")
    assert world.case.state == "decision"


def test_a_requirement_that_is_only_found_enough_still_waits_for_the_answer(session: Session, world: Surveyed) -> None:
    sent(world, world.document(), as_far_as="correction_review")
    one = requirements_of(session, world.case.id)[0].id
    judge_correction(session, world.case, one, "closed", "Seen.", actor=world.actors["staff"], at=world.at)
    withdrawn(world, "R2")
    assert world.case.state == "correction_review"
    world.take("close_requirements", "staff")
    assert world.case.state == "decision"
