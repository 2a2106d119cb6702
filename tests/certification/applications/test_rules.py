"""Each guard of step 1 over tables of cases; and two browsers that never overwrite each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.applications import rules
from certify.certification.applications.rules import (
    ApplicationFacts,
    FieldFacts,
    Merge,
    QuestionFacts,
    StandardFacts,
    Stored,
    merge,
    merge_whole,
)

TODAY = date(2026, 11, 22)
FIELDS = (
    FieldFacts("emr", "EMR in use", "text", "practice", True),
    FieldFacts("new_patients", "New patients a year", "integer", "practice", True),
    FieldFacts("remarks", "Remarks", "textarea", "practice", False),
    FieldFacts("survey_windows", "Survey windows", "date_windows", "dates", True),
    FieldFacts("attestation", "We attest", "attestation", "attest", True),
)
WINDOWS = [{"from": f"2027-0{m}-01", "to": f"2027-0{m}-05"} for m in (2, 3, 4)]
COMPLETE = ApplicationFacts(
    ref="LO-2026-014",
    today=TODAY,
    fields=FIELDS,
    answers={"emr": "Chart", "new_patients": 0, "survey_windows": WINDOWS, "attestation": True},
    webinar_attended_on=TODAY - timedelta(days=30),
    sites=2,
    agreement_signed=True,
    integration_basis="common_tax_id",
    standards=(StandardFacts("1.1", "Orientation", True),),
)


@pytest.mark.parametrize(
    "guard",
    ["questionnaire_complete", "survey_dates_offered", "attested", "agreement_signed", "webinar_attended", "has_site", "questions_answered", "practice_integrated", "documents_for_each_standard"],
)  # fmt: skip
def test_a_complete_application_meets_every_guard(guard: str) -> None:
    assert getattr(rules, guard)(COMPLETE) == []


def test_every_unanswered_field_is_named_with_a_link_to_the_very_field() -> None:
    unmet = rules.questionnaire_complete(replace(COMPLETE, answers={}))
    assert [u.link for u in unmet] == [
        "/cases/LO-2026-014/application/practice#emr",
        "/cases/LO-2026-014/application/practice#new_patients",
    ]
    assert "EMR in use" in unmet[0].message


@pytest.mark.parametrize(
    ("value", "missing"), [(0, False), (False, False), ("", True), (None, True), ([], True), ("x", False)]
)
def test_no_and_zero_are_answers_and_emptiness_is_not(value: Any, missing: bool) -> None:
    facts = replace(COMPLETE, answers={**COMPLETE.answers, "emr": value})
    assert bool(rules.questionnaire_complete(facts)) is missing


@pytest.mark.parametrize(("days", "holds"), [(0, True), (365, True), (366, False), (-1, False), (None, False)])
def test_the_webinar_counts_for_365_days(days: int | None, holds: bool) -> None:
    on = None if days is None else TODAY - timedelta(days=days)
    assert (rules.webinar_attended(replace(COMPLETE, webinar_attended_on=on)) == []) is holds


@pytest.mark.parametrize(
    ("windows", "holds"),
    [
        (WINDOWS, True),
        (WINDOWS[:2], False),
        ([], False),
        (None, False),
        ([*WINDOWS[:2], {"from": "2026-11-01", "to": "2026-11-21"}], False),
        ([*WINDOWS[:2], {"from": "2026-11-20", "to": "2026-11-22"}], True),
        ("nonsense", False),
    ],
)
def test_three_windows_that_lie_ahead_are_needed(windows: Any, holds: bool) -> None:
    facts = replace(COMPLETE, answers={**COMPLETE.answers, "survey_windows": windows})
    unmet = rules.survey_dates_offered(facts)
    assert (unmet == []) is holds
    assert all(u.link.endswith("/application/dates#survey_windows") for u in unmet)


@pytest.mark.parametrize(("value", "holds"), [(True, True), (False, False), (None, False), ("yes", False)])
def test_only_a_ticked_attestation_counts(value: Any, holds: bool) -> None:
    assert (rules.attested(replace(COMPLETE, answers={**COMPLETE.answers, "attestation": value})) == []) is holds


def test_open_questions_are_listed_each_with_its_field() -> None:
    asked = (
        QuestionFacts(1, "emr", "practice", "Which version?", False),
        QuestionFacts(2, "remarks", "practice", "Why?", True),
    )
    unmet = rules.questions_answered(replace(COMPLETE, questions=asked))
    assert [(u.link, "Which version?" in u.message) for u in unmet] == [
        ("/cases/LO-2026-014/application/practice#emr", True)
    ]


@pytest.mark.parametrize(
    ("proposer", "actor", "holds"), [(None, 5, False), (5, 5, False), (5, 6, True), (5, None, False)]
)
def test_a_rejection_takes_two_people(proposer: int | None, actor: int | None, holds: bool) -> None:
    assert (rules.second_person_agrees(replace(COMPLETE, proposed_by_id=proposer, actor_id=actor)) == []) is holds


@pytest.mark.parametrize(
    ("sites", "basis", "holds"), [(1, "", True), (2, "", False), (2, "shared_governance", True), (0, "", False)]
)
def test_several_sites_must_be_shown_to_be_one_practice(sites: int, basis: str, holds: bool) -> None:
    assert (rules.practice_integrated(replace(COMPLETE, sites=sites, integration_basis=basis)) == []) is holds


def test_each_standard_without_document_or_reason_is_named() -> None:
    standards = (
        StandardFacts("1.1", "Orientation", False),
        StandardFacts("1.2", "Education", True),
        StandardFacts("7.3", "Double check", False),
    )
    unmet = rules.documents_for_each_standard(replace(COMPLETE, standards=standards))
    assert [u.link for u in unmet] == ["/cases/LO-2026-014/evidence#s1.1", "/cases/LO-2026-014/evidence#s7.3"]


def test_progress_counts_only_what_must_be_answered() -> None:
    assert rules.progress(FIELDS, COMPLETE.answers) == (4, 4)
    assert rules.progress(FIELDS, {"remarks": "x", "attestation": False}) == (0, 4)


def test_windows_and_days_leave_out_what_is_neither() -> None:
    assert rules.windows_in(
        [{"from": "2027-03-02", "to": "2027-03-04"}, {"from": "x"}, 3, {"from": "2027-01-02", "to": "2027-01-04"}]
    ) == [
        (date(2027, 1, 2), date(2027, 1, 4)),
        (date(2027, 3, 2), date(2027, 3, 4)),
    ]
    assert rules.days_in(["2027-03-02", "x", None, "2027-01-02"]) == [date(2027, 1, 2), date(2027, 3, 2)]
    assert rules.days_in(None) == []
    assert rules.windows_in({"from": 1}) == []


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(0, 3), st.text(max_size=3), st.lists(st.text(max_size=2), max_size=2)
)


@given(st.data())
def test_two_browsers_never_overwrite_each_other_silently(data: st.DataObject) -> None:
    """Whatever two browsers read and send, in any order: a value is replaced only by someone who had seen it."""
    stored = Stored()
    seen = {"a": Stored(), "b": Stored()}
    for _ in range(data.draw(st.integers(1, 25))):
        who = data.draw(st.sampled_from("ab"))
        if data.draw(st.booleans()):
            seen[who] = stored
            continue
        value = data.draw(VALUES)
        outcome = merge(stored, value, seen[who].rev)
        if outcome is Merge.SAVE:
            assert seen[who] == stored
            stored = Stored(value, stored.rev + 1)
            seen[who] = stored
        elif outcome is Merge.CONFLICT:
            assert seen[who].rev < stored.rev


@given(stored=VALUES, seen=VALUES, value=VALUES, behind=st.integers(0, 2))
def test_a_field_nobody_touched_on_the_page_never_clashes(stored: Any, seen: Any, value: Any, behind: int) -> None:
    now, shown = Stored(stored, 3), Stored(stored if behind == 0 else seen, 3 - behind)
    assert merge_whole(now, shown, shown.value) is Merge.SAME
    if merge_whole(now, shown, value) is Merge.SAVE:
        assert shown.rev == now.rev


def test_true_and_one_are_different_answers() -> None:
    assert merge(Stored(True, 1), 1, 1) is Merge.SAVE
    assert merge(Stored(None, 0), "", 0) is Merge.SAME
