"""Each requirement says what it still lacks, and nothing else leads on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.corrections import rules
from certify.certification.corrections.rules import CorrectionFacts, RequirementState

TODAY, DUE = date(2026, 11, 2), date(2027, 6, 1)
WHOLE = RequirementState(
    3, "R1 (7.3.b)", "7.3", action="Train", owner="A. Nurse", due_on=date(2026, 12, 1), evidence="Log",
    plan_state="sent", correction_state="sent", documents=1,
)  # fmt: skip


def facts(*items: RequirementState, **more: object) -> CorrectionFacts:
    return replace(CorrectionFacts("LO-2026-001", TODAY, open=items, correction_due_on=DUE), **more)  # type: ignore[arg-type]


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_each_missing_field_is_named_with_a_link_to_it(action: bool, owner: bool, due: bool, evidence: bool) -> None:
    item = replace(
        WHOLE,
        action="x" if action else " ",
        owner="x" if owner else "",
        due_on=TODAY if due else None,
        evidence="x" if evidence else "",
    )
    unmet = rules.plan_complete(facts(item))
    missing = [k for k, ok in (("action", action), ("owner", owner), ("due_on", due), ("evidence", evidence)) if not ok]
    assert [u.link for u in unmet] == [f"/cases/LO-2026-001/corrections#r3-{key}" for key in missing]


def test_a_plan_cannot_promise_a_day_after_all_evidence_is_due() -> None:
    assert "after 1 June 2027" in rules.plan_complete(facts(replace(WHOLE, due_on=date(2027, 6, 2))))[0].message


def test_what_was_returned_must_change_before_it_is_sent_again() -> None:
    returned = replace(WHOLE, plan_state="returned", plan_changed=False)
    assert "returned" in rules.plan_complete(facts(returned))[0].message
    assert rules.plan_complete(facts(replace(returned, plan_changed=True))) == []


def test_what_was_accepted_is_not_asked_again() -> None:
    assert rules.plan_complete(facts(RequirementState(3, "R1", "7.3", plan_state="accepted"))) == []


@given(st.lists(st.sampled_from(["draft", "sent", "accepted", "returned"]), max_size=5))
def test_a_plan_is_approved_when_all_is_accepted_and_returned_when_any_is_not(states: list[str]) -> None:
    items = [replace(WHOLE, id=n, plan_state=state) for n, state in enumerate(states)]
    assert (rules.all_items_accepted(facts(*items)) == []) == all(s == "accepted" for s in states)
    assert (rules.an_item_returned(facts(*items)) == []) == ("returned" in states)


@pytest.mark.parametrize(("rounds", "left"), [(0, True), (1, True), (2, False)])
def test_a_plan_is_returned_twice_at_most(rounds: int, left: bool) -> None:
    assert (rules.plan_rounds_left(facts(rounds=rounds)) == []) == left


def test_every_open_requirement_needs_evidence_that_can_be_read() -> None:
    bare, held = replace(WHOLE, documents=0), replace(WHOLE, unreadable=1)
    assert rules.correction_evidence_for_each(facts(WHOLE)) == []
    assert rules.correction_evidence_for_each(facts(bare))[0].link.endswith("#r3-documents")
    assert "held back" in rules.correction_evidence_for_each(facts(held))[0].message
    assert rules.correction_evidence_for_each(
        facts(replace(WHOLE, correction_state="not_enough", correction_changed=False))
    )


def test_more_evidence_can_be_asked_for_until_the_last_day() -> None:
    assert rules.inside_correction_deadline(facts(WHOLE, today=DUE)) == []
    assert rules.inside_correction_deadline(facts(WHOLE, today=date(2027, 6, 2)))


@given(st.integers(0, 4))
def test_closing_every_requirement_is_the_only_way_past_the_review(count: int) -> None:
    """Invariant 3 of process.md, section 11, second half."""
    items = [replace(WHOLE, id=n) for n in range(count)]
    assert len(rules.all_requirements_closed(facts(*items))) == count
