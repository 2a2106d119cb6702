"""Who suits a case, with every reason (process.md, section 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.surveyors.rules import (
    Candidate,
    Limits,
    Setting,
    SurveyorFacts,
    Tie,
    both_declared_none,
    judge,
    rank,
    refusals_left,
    surveyor_free_of_conflict,
    surveyor_within_load,
)

TODAY = date(2026, 11, 2)
LIMITS = Limits()
WINDOWS = tuple((date(2027, 1, day), date(2027, 1, day + 4)) for day in (4, 11, 18))
SETTING = Setting(frozenset({"IL"}), WINDOWS, "2021")
FIT = Candidate(1, 11, "Robin", "ocn", date(2030, 1, 1), 12, "OH", date(2026, 9, 1), 2, 1, 3)


def bars(candidate: Candidate, setting: Setting = SETTING) -> list[str]:
    return [p.key for p in judge(candidate, setting, TODAY, LIMITS).points if p.kind == "bar"]


def test_a_fitting_surveyor_has_only_reasons_for() -> None:
    ranked = judge(FIT, SETTING, TODAY, LIMITS)
    assert {p.kind for p in ranked.points} == {"good"}
    assert not ranked.barred
    assert {p.key for p in ranked.points} == {"qualification", "experience", "training", "market", "load", "presence"}


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"qualified_until": TODAY - timedelta(days=1)}, "qualification"),
        ({"qualified_until": None}, "qualification"),
        ({"oncology_years": 4}, "experience"),
        ({"shadowed_surveys": 1}, "shadowed"),
        ({"home_state": "IL"}, "market"),
        ({"load": 3}, "load"),
        ({"active": False}, "inactive"),
        ({"surveyed_before": True}, "earlier_work"),
        ({"conflict_declared": True}, "declared"),
        ({"of_practice": True}, "employment"),
        ({"ties": (Tie("employment"),)}, "tie"),
        ({"ties": (Tie("employment", TODAY - timedelta(days=900)),)}, "tie"),
        ({"absences": ((date(2027, 1, 1), date(2027, 2, 1)),)}, "presence"),
    ],
)
def test_each_of_these_forbids_the_choice(changed: dict[str, object], key: str) -> None:
    assert bars(replace(FIT, **changed)) == [key]  # type: ignore[arg-type]


def test_a_tie_that_ended_more_than_three_years_ago_no_longer_counts() -> None:
    assert bars(replace(FIT, ties=(Tie("employment", TODAY - timedelta(days=1200)),))) == []


@pytest.mark.parametrize("ended_on", [date(9999, 12, 31), TODAY + timedelta(days=40), TODAY - timedelta(days=3 * 366)])
def test_a_tie_counts_from_its_last_day_on_however_late_that_is(ended_on: date) -> None:
    assert bars(replace(FIT, ties=(Tie("employment", ended_on),))) == ["tie"]


def test_training_and_a_single_window_only_weigh() -> None:
    weak = judge(
        replace(FIT, trained_on=None, absences=((date(2027, 1, 4), date(2027, 1, 8)),)), SETTING, TODAY, LIMITS
    )
    assert {p.key for p in weak.points if p.kind == "weak"} == {"training", "presence"}
    assert not weak.barred


def test_the_surveyor_of_the_first_visit_may_make_the_repeat_visit() -> None:
    assert bars(replace(FIT, surveyed_before=True), replace(SETTING, repeat_of=11)) == []


@given(
    st.permutations(
        [
            FIT,
            replace(FIT, surveyor_id=2, name="Ann", load=2),
            replace(FIT, surveyor_id=3, name="Zoe", load=3),
            replace(FIT, surveyor_id=4, name="Bo"),
        ]
    )
)
def test_the_ranking_lists_everyone_the_least_busy_first_and_those_forbidden_last(candidates: list[Candidate]) -> None:
    assert [r.candidate.surveyor_id for r in rank(candidates, SETTING, TODAY, LIMITS)] == [4, 1, 2, 3]


def test_guards_name_the_surveyor_and_separate_conflict_from_load() -> None:
    facts = SurveyorFacts("LO-2026-001", judge(replace(FIT, home_state="IL", load=3), SETTING, TODAY, LIMITS))
    assert [u.guard for u in surveyor_free_of_conflict(facts)] == ["surveyor_free_of_conflict"]
    assert "3 of 3" in surveyor_within_load(facts)[0].message
    assert (
        surveyor_free_of_conflict(SurveyorFacts("LO-2026-001"))
        == surveyor_within_load(SurveyorFacts("LO-2026-001"))
        == []
    )


def test_a_practice_may_refuse_two_and_a_surveyor_may_always_step_back() -> None:
    assert refusals_left(SurveyorFacts("X", refusals=1, refusing=True)) == []
    assert [u.guard for u in refusals_left(SurveyorFacts("X", refusals=2, refusing=True))] == ["refusals_left"]
    assert refusals_left(SurveyorFacts("X", refusals=2, refusing=False)) == []


def test_both_sides_have_to_declare_none() -> None:
    assert len(both_declared_none(SurveyorFacts("X"))) == 2
    assert len(both_declared_none(SurveyorFacts("X", declared={"surveyor": True}))) == 1
    assert len(both_declared_none(SurveyorFacts("X", declared={"surveyor": True, "practice": False}))) == 1
    assert both_declared_none(SurveyorFacts("X", declared={"surveyor": True, "practice": True})) == []
