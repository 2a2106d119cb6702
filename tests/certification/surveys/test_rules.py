"""Guards of the survey, and how an agenda is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from certify.certification.surveys.agenda import DAY, default_agenda, read_agenda
from certify.certification.surveys.rules import (
    Said,
    SiteGaps,
    SurveyFacts,
    all_sites_rated,
    date_far_enough,
    evidence_locked,
    gaps,
    repeat_scope_named,
    reschedules_left,
    sites_sampled,
    visit_date_reached,
)
from certify.core.foundation.errors import Invalid
from certify.core.rulebook.loading import load_rulebook
from certify.resources import WORKFLOWS

TODAY = date(2026, 11, 2)
RULES = load_rulebook(WORKFLOWS, guards=None).survey
FACTS = SurveyFacts(
    "LO-2026-001",
    TODAY,
    rules=RULES,
    survey_id=7,
    starts_on=TODAY + timedelta(days=45),
    asked_on=TODAY,
    sampled=True,
    visited_sites=2,
)


def test_a_visit_needs_45_days_notice_unless_the_practice_agrees_to_less() -> None:
    assert date_far_enough(FACTS) == []
    near = replace(FACTS, starts_on=TODAY + timedelta(days=44))
    assert "44 days ahead" in date_far_enough(near)[0].message
    assert date_far_enough(replace(near, short_notice=True)) == []
    assert date_far_enough(replace(FACTS, starts_on=None)) == []


def test_the_sites_are_chosen_before_the_date_is_agreed() -> None:
    assert sites_sampled(FACTS) == []
    assert sites_sampled(replace(FACTS, sampled=False))
    assert sites_sampled(replace(FACTS, visited_sites=0))


def test_a_date_can_be_moved_twice() -> None:
    assert reschedules_left(replace(FACTS, reschedules=1)) == []
    assert reschedules_left(replace(FACTS, reschedules=2))


def test_check_in_waits_for_the_day_and_the_lock() -> None:
    assert visit_date_reached(FACTS)
    assert visit_date_reached(replace(FACTS, starts_on=None))
    assert visit_date_reached(replace(FACTS, today=TODAY + timedelta(days=45))) == []
    lock_on = TODAY + timedelta(days=31)
    assert evidence_locked(replace(FACTS, evidence_lock_on=lock_on))
    assert evidence_locked(replace(FACTS, evidence_lock_on=lock_on, today=lock_on)) == []
    assert evidence_locked(FACTS)


def test_a_repeat_visit_names_standards_and_sites() -> None:
    assert repeat_scope_named(replace(FACTS, round=1, scope_named=True))
    assert repeat_scope_named(replace(FACTS, round=2))
    assert repeat_scope_named(replace(FACTS, round=2, scope_named=True)) == []


def test_the_finish_says_everything_that_is_open_with_a_link_to_the_site() -> None:
    counted = (SiteGaps(1, "Site A"), SiteGaps(2, "Site B", unrated=3, without_note=1, without_reason=2, conflicts=1))
    unmet = all_sites_rated(replace(FACTS, gaps=counted))
    assert [u.message for u in unmet] == [
        "Site B: 3 elements are not rated.",
        "Site B: 1 “No” has no note.",
        "Site B: 2 “Not applicable” have no reason.",
        "Site B: 1 conflict is not settled.",
    ]
    assert {u.link for u in unmet} == {"/surveys/7#site-2"}
    assert all_sites_rated(replace(FACTS, gaps=counted[:1])) == []
    assert all_sites_rated(FACTS)


def test_an_agenda_gives_each_site_a_business_day() -> None:
    friday = date(2027, 1, 8)
    lines = default_agenda(friday, [(1, "A"), (2, "B")])
    assert {line["on"] for line in lines} == {"2027-01-08", "2027-01-11"}
    assert len(lines) == 2 * len(DAY)


def test_a_wrong_line_of_an_agenda_is_named() -> None:
    good = {"on": "2027-01-08", "from": "09:00", "to": "10:00", "site": "1", "what": "Records"}
    assert read_agenda([good, {"on": "2027-01-08", "from": "", "to": "", "site": "1", "what": ""}], {1})[0]["site"] == 1
    for wrong in (
        {"to": "08:00"},
        {"site": "2"},
        {"on": "soon"},
        {"site": "x"},
        {"from": "25:00"},
        {"to": "10:00+02:00"},
    ):
        with pytest.raises(Invalid) as refusal:
            read_agenda([good, good | wrong], {1})
        assert refusal.value.errors[0].row == 2


STANDARDS = list(load_rulebook(WORKFLOWS, guards=None).editions["2021"].standards.values())
CRITICAL = next(s for s in STANDARDS if s.critical)


def everything(rating: str, **texts: str) -> list[Said]:
    """Every element of one visited site with this rating and these texts."""
    return [
        Said(1, e.id, field, value, seq)
        for seq, e in enumerate((e for s in STANDARDS for e in s.elements), start=1)
        for field, value in {"rating": rating, **texts}.items()
    ]


def test_nothing_is_open_once_every_element_has_what_its_rating_needs() -> None:
    visited = {1: True, 2: False}
    assert gaps(RULES, STANDARDS, visited, everything("yes")) == []
    assert gaps(RULES, STANDARDS, visited, everything("no", note="Half of the charts.")) == []
    elements = sum(len(s.elements) for s in STANDARDS)
    assert len(gaps(RULES, STANDARDS, visited, [])) == elements
    for rating, kind in (("no", "note"), ("na", "na_reason")):
        found = [g for g in gaps(RULES, STANDARDS, visited, everything(rating, **{kind: "  "})) if g.kind == kind]
        assert len(found) == elements
        assert found[0].text == RULES.gaps[kind].message


def test_a_critical_standard_set_aside_waits_for_a_second_reviewer_newer_than_its_ratings() -> None:
    aside = everything("na", na_reason="No infusion here.")
    asked = {g.standard for g in gaps(RULES, STANDARDS, {1: True}, aside)}
    assert asked == {s.code for s in STANDARDS if s.critical}
    agreed = [*aside, *(Said(1, s.code, "na_agreed", True, 10_000) for s in STANDARDS if s.critical)]
    assert gaps(RULES, STANDARDS, {1: True}, agreed) == []
    older = [*aside, Said(1, CRITICAL.code, "na_agreed", True, 0)]
    assert CRITICAL.code in {g.standard for g in gaps(RULES, STANDARDS, {1: True}, older)}


def test_a_conflict_on_any_field_is_open_also_at_a_site_that_is_not_visited() -> None:
    first = STANDARDS[0].elements[0].id
    said = [*everything("yes"), Said(1, first, "seen_data", True, 3, conflict=True), Said(2, "", "remote_interview", "x", 4, conflict=True)]  # fmt: skip
    found = gaps(RULES, STANDARDS, {1: True, 2: False}, said)
    assert [(g.site_id, g.element, g.standard, g.kind) for g in found] == [
        (1, first, STANDARDS[0].code, "conflict"),
        (2, "", "", "conflict"),
    ]


def test_what_a_rating_needs_is_what_the_program_declares() -> None:
    ratings = tuple(
        replace(r, needs="note" if r.key == "yes" else None, second_reviewer="never") for r in RULES.ratings
    )
    stricter = replace(RULES, ratings=ratings)
    assert gaps(stricter, STANDARDS, {1: True}, everything("na")) == []
    assert {g.kind for g in gaps(stricter, STANDARDS, {1: True}, everything("yes"))} == {"note"}
