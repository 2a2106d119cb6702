"""No award with anything open; no decision by someone involved; no denial without reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from certify.certification.decisions import rules
from certify.certification.decisions.rules import DecisionFacts, StandardStanding

FACTS = DecisionFacts(
    "LO-2026-001", date(2026, 11, 2), report_issued=True, agreement_current=True, actor_id=3, statement="none"
)
standings = st.builds(
    StandardStanding,
    code=st.sampled_from(["1.1", "1.2", "7.3"]),
    title=st.just("Title"),
    critical=st.booleans(),
    rating=st.sampled_from(["met", "not_met", "not_applicable", "not_assessed"]),
    open_requirements=st.integers(0, 2),
    requirements=st.integers(0, 3),
)


@given(st.lists(standings, max_size=4, unique_by=lambda s: s.code))
def test_no_award_with_an_open_requirement_or_a_standard_unmet(found: list[StandardStanding]) -> None:
    """Invariant 1 of process.md, section 11."""
    facts = replace(FACTS, standards=tuple(found))
    fine = all(
        s.open_requirements == 0
        and (s.rating in ("met", "not_applicable") or (s.rating == "not_met" and s.requirements > 0))
        for s in found
    )
    assert (rules.all_standards_met(facts) == []) == fine
    assert len(rules.no_open_critical(facts)) == sum(s.critical and not s.met for s in found)


def test_no_award_without_an_issued_report() -> None:
    assert rules.all_standards_met(replace(FACTS, report_issued=False))[0].link == "/cases/LO-2026-001/report"


def test_no_award_without_a_signed_agreement() -> None:
    assert rules.agreement_valid(FACTS) == []
    assert rules.agreement_valid(replace(FACTS, agreement_current=False))[0].link == "/cases/LO-2026-001/agreement"


@given(
    st.integers(1, 4),
    st.frozensets(st.integers(1, 4)),
    st.frozensets(st.integers(1, 4)),
    st.sampled_from(["", "none", "conflict"]),
)
def test_who_surveyed_or_reviewed_or_has_a_stake_does_not_decide(
    actor: int, surveyors: frozenset[int], reviewers: frozenset[int], statement: str
) -> None:
    facts = replace(FACTS, actor_id=actor, surveyor_ids=surveyors, reviewer_ids=reviewers, statement=statement)
    assert (rules.decider_uninvolved(facts) == []) == (actor not in surveyors | reviewers and statement == "none")


def test_a_denial_gives_a_reason_for_each_unmet_standard_and_at_least_one() -> None:
    unmet = StandardStanding("7.3", "Double check", True, "not_met", 1, 1)
    facts = replace(FACTS, standards=(unmet,))
    assert rules.reasons_given(facts)[0].link == "/cases/LO-2026-001/decision#reason-7.3"
    assert rules.reasons_given(replace(facts, reasons={"7.3": "Not shown."})) == []
    assert rules.reasons_given(replace(FACTS, reasons={"7.3": " "}))
    assert rules.reasons_given(replace(FACTS, reasons={"1.1": "False statement."})) == []
