"""The time the program gives counts wherever the time to correct is judged or shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from certify.certification.cases.operations import extend_deadline
from certify.certification.corrections.queries import correction_due_on, facts_for, requirements_for
from certify.certification.corrections.rules import inside_correction_deadline, plan_complete
from certify.certification.reports.queries import requirements_of
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import RulesUnmet
from tests.support.surveyed import Surveyed, surveyed

EVIDENCE = "correction_new_days_before_anniversary"
ZONE = "America/Chicago"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    """A practice whose report, with one requirement, has just been issued."""
    made = surveyed(session, clock.now(), not_met=[("1.1.a", 0)])
    made.to_issued()
    return made


def give(world: Surveyed, key: str, days: int) -> None:
    extend_deadline(world.session, world.case, key, days, "The flood.", actor=world.actors["staff"], at=world.at)


def due(world: Surveyed) -> date:
    on = correction_due_on(world.session, world.case, local_date(world.at, ZONE))
    assert on is not None
    return on


def to_review(world: Surveyed, *, days: int) -> None:
    """Plan, give that many days more for the evidence, and send it on the last day that was meant first."""
    (requirement,) = (f.id for f in requirements_of(world.session, world.case.id))
    world.take("submit_plan", "admin", items=world.plan_items([requirement]))
    world.take("approve_plan", "staff", items=[{"requirement": str(requirement), "verdict": "accept", "comment": ""}])
    world.at += timedelta(days=(due(world) - local_date(world.at, ZONE)).days)
    give(world, EVIDENCE, days)
    evidence = [{"requirement": str(requirement), "note": "Done.", "evidence": world.document().uuid}]
    world.take("submit_corrections", "admin", items=evidence)


def send_back(world: Surveyed) -> None:
    """Ask for more evidence, as the program."""
    (requirement,) = (f.id for f in requirements_of(world.session, world.case.id))
    verdict = {"requirement": str(requirement), "verdict": "not_enough", "note": "Add the audit."}
    world.take("return_corrections", "staff", items=[verdict])


def test_evidence_may_be_asked_for_again_until_the_day_that_was_given(world: Surveyed) -> None:
    first = due(world)
    to_review(world, days=21)
    assert due(world) == first + timedelta(days=21)
    world.at += timedelta(days=20)
    send_back(world)
    assert (world.case.state, world.case.due_on) == ("correction_open", first + timedelta(days=21))


def test_after_the_day_that_was_given_it_may_not(world: Surveyed) -> None:
    to_review(world, days=21)
    world.at += timedelta(days=22)
    with pytest.raises(RulesUnmet) as refusal:
        send_back(world)
    assert {u.guard for u in refusal.value.unmet} == {"inside_correction_deadline"}


def test_a_longer_pending_period_lets_a_plan_reach_further(world: Surveyed) -> None:
    first = due(world)
    give(world, "pending_days", 60)
    assert due(world) == first + timedelta(days=60)
    facts = facts_for(world.session, world.case, world.actors["admin"], world.at)
    (item,) = facts.open
    planned = replace(
        item, action="Train.", owner="A. Nurse", evidence="Log", leadership="Yes.", prevention="Yes.",
        due_on=first + timedelta(days=59),
    )  # fmt: skip
    assert not plan_complete(replace(facts, open=(planned,)))
    assert not inside_correction_deadline(replace(facts, today=first + timedelta(days=59)))


def test_a_plan_for_which_no_day_is_left_says_whom_to_ask(world: Surveyed) -> None:
    facts = facts_for(world.session, world.case, world.actors["admin"], world.at)
    (item,) = facts.open
    late = replace(
        facts, today=due(world) + timedelta(days=3), open=(replace(item, due_on=due(world) + timedelta(days=9)),)
    )
    assert any(u.message.endswith("ask the program for more time.") for u in plan_complete(late))


def test_each_open_requirement_shows_the_day_that_was_given(world: Surveyed) -> None:
    first = due(world)
    to_review(world, days=21)
    (requirement,) = requirements_for(world.session, world.case)
    assert (requirement.finding.due_on, requirement.due_on) == (first, first + timedelta(days=21))
