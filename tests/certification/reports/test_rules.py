"""Three people, and nothing passed on that is not whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from certify.certification.reports import rules
from certify.certification.reports.rules import ReportFacts

FACTS = ReportFacts(
    "LO-2026-001",
    exists=True,
    survey_id=4,
    surveyor_ids=frozenset({1}),
    reviewer_ids=frozenset({2}),
    statement="none",
    actor_id=3,
)
people = st.integers(1, 5)


@given(people, st.frozensets(people), st.frozensets(people), st.sampled_from(["", "none", "conflict"]))
def test_nobody_approves_what_they_surveyed_or_reviewed_or_have_a_stake_in(
    actor: int, surveyors: frozenset[int], reviewers: frozenset[int], statement: str
) -> None:
    """Invariant 2 of process.md, section 11, for people with any roles."""
    facts = replace(FACTS, actor_id=actor, surveyor_ids=surveyors, reviewer_ids=reviewers, statement=statement)
    may_approve = not rules.approver_is_third_person(facts) and not rules.approver_free_of_conflict(facts)
    assert may_approve == (actor not in surveyors | reviewers and statement == "none")
    assert bool(rules.reviewer_is_not_surveyor(facts)) == (actor in surveyors)


@given(
    st.dictionaries(st.sampled_from(["1.1.a", "1.1.b", "7.3.c"]), st.just((11,))),
    st.dictionaries(st.sampled_from(["1.1.a", "1.1.b", "7.3.c"]), st.sampled_from(["", " ", "Do it."])),
)
def test_a_report_goes_on_only_with_one_written_requirement_per_not_met_element(
    not_met: dict[str, tuple[int, ...]], written: dict[str, str]
) -> None:
    facts = replace(FACTS, not_met=not_met, requirements=written, requirement_sites=dict.fromkeys(written, (11,)))
    whole = set(not_met) == set(written) and all(text.strip() for text in written.values())
    assert bool(rules.each_not_met_has_requirement(facts)) == (not whole)


def test_a_requirement_that_names_the_wrong_sites_is_refused() -> None:
    facts = replace(
        FACTS, not_met={"1.1.a": (11, 12)}, requirements={"1.1.a": "Do it."}, requirement_sites={"1.1.a": (11,)}
    )
    (unmet,) = rules.each_not_met_has_requirement(facts)
    assert unmet.link == "/cases/LO-2026-001/report?standard=1.1#e1.1.a"


def test_there_is_nothing_to_submit_before_the_survey_is_finished() -> None:
    (unmet,) = rules.each_not_met_has_requirement(ReportFacts("LO-2026-001"))
    assert unmet.link == "/cases/LO-2026-001/survey"


def test_each_rating_without_a_note_is_named_with_a_link_to_the_checklist() -> None:
    facts = replace(FACTS, unnoted={(11, "7.3"): ("7.3.a", "7.3.c")}, site_names={11: "Main"})
    (unmet,) = rules.each_rating_has_note(facts)
    assert unmet.message == "7.3 at Main: say what was seen for a, c."
    assert unmet.link == "/surveys/4/sites/11/standards/7.3"


def test_requirements_decide_where_an_issued_report_leads() -> None:
    for count in (0, 1, 7):
        facts = replace(FACTS, open_requirements=count)
        assert bool(rules.no_open_requirement(facts)) != bool(rules.has_open_requirement(facts))


def test_changed_answers_stop_a_report_that_was_sent() -> None:
    assert rules.answers_unchanged(FACTS) == []
    assert rules.answers_unchanged(replace(FACTS, answers_changed=True))[0].link == "/cases/LO-2026-001/report"


def test_objections_end_with_their_last_day() -> None:
    until = date(2026, 12, 4)
    assert rules.objection_open(until, until)
    assert not rules.objection_open(date(2026, 12, 5), until)
    assert not rules.objection_open(until, None)
