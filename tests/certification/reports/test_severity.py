"""Severity and scope: from the surveyor's place to the report's matrix and what the plan then owes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.corrections.operations import write_item
from certify.certification.corrections.queries import requirements_for
from certify.certification.reports.drafting import Answer, Visit, draft_requirements, standards_in
from certify.certification.reports.models import Finding
from certify.certification.reports.objections import answer_objection, object_to
from certify.certification.reports.queries import content_for, requirements_of, risk_of
from certify.certification.reports.severity import Risk, grid, placed, read_risk
from certify.certification.surveys.models import SurveyAnswer
from certify.core.catalogue.survey import SurveyRules
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import RulesUnmet
from certify.core.rulebook.current import current
from tests.support.surveyed import Surveyed, surveyed

HIGH, LOW = Risk("high", "widespread"), Risk("low", "limited")


@pytest.fixture
def rules(app: object) -> SurveyRules:
    return current().survey


def place(world: Surveyed, element: str, risk: Risk | None, *, site: int = 0) -> None:
    """Place an element in the matrix, as the checklist does."""
    survey = world.survey
    survey.seq += 1
    value = {"harm": risk.harm, "scope": risk.scope} if risk else None
    world.session.add(
        SurveyAnswer(
            survey_id=survey.id, site_id=world.sites[site].id, element=element, field="risk", value=value, seq=survey.seq,
            by_name="S", at=world.at,
        )
    )  # fmt: skip
    world.session.flush()


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    return surveyed(session, clock.now(), not_met=[("1.1.a", 0), ("2.1.a", 1), ("7.3.b", 0), ("7.3.b", 1)])


def test_the_worst_harm_and_the_widest_scope_of_all_sites_count(rules: SurveyRules) -> None:
    edition = current().editions["2021"]
    standards = standards_in(edition, ["7.3"])
    visit = Visit(
        {1: "Main", 2: "North"},
        standards,
        {(site, "7.3.b"): Answer("no", "Half.") for site in (1, 2)},
        rules=rules,
        risks={(1, "7.3.b"): Risk("high", "limited"), (2, "7.3.b"): Risk("low", "pattern"), (2, "7.3.a"): HIGH},
    )
    (requirement,) = draft_requirements(visit)
    assert requirement.risk == Risk("high", "pattern")


def test_what_is_no_place_of_the_matrix_is_no_place(rules: SurveyRules) -> None:
    wrong: list[Any] = [
        None,
        "high",
        {},
        {"harm": "high"},
        {"harm": "huge", "scope": "limited"},
        {"harm": ["high"], "scope": 1},
    ]
    assert [read_risk(rules, value) for value in wrong] == [None] * len(wrong)
    assert read_risk(rules, {"harm": "low", "scope": "limited"}) == LOW


def test_the_matrix_names_every_cell_and_what_is_not_placed(rules: SurveyRules) -> None:
    found = grid(rules, [("R1", HIGH), ("R2", LOW), ("R3", None), ("R4", HIGH)])
    assert found is not None
    assert [row["harm"] for row in found["rows"]] == ["high", "moderate", "low"]
    assert found["rows"][0]["cells"][2]["findings"] == ["R1", "R4"]
    assert found["rows"][2]["cells"][0]["findings"] == ["R2"]
    assert found["unplaced"] == ["R3"]
    assert grid(rules, [("R1", None)]) is None
    said = placed(rules, HIGH)
    assert said is not None
    assert said["words"] == "High likelihood of harm, widespread"
    assert said["demands"] == ["leadership", "prevention"]


def test_the_report_holds_the_matrix_and_each_findings_place(session: Session, world: Surveyed) -> None:
    place(world, "7.3.b", Risk("moderate", "limited"), site=0)
    place(world, "7.3.b", Risk("low", "widespread"), site=1)
    place(world, "2.1.a", LOW, site=1)
    draft = content_for(session, world.case, draft=True)
    assert draft["matrix"]["rows"][1]["cells"][2]["findings"] == ["R3"]
    report = world.to_issued()
    assert report.content is not None
    assert report.content["matrix"] == draft["matrix"]
    found = {f["element"]: f["risk"] for d in report.content["domains"] for s in d["standards"] for f in s["findings"]}
    assert (found["7.3.b"]["harm"], found["7.3.b"]["scope"], found["7.3.b"]["level"]) == (
        "moderate",
        "widespread",
        "high",
    )
    assert found["1.1.a"] is None
    stored = session.scalars(select(Finding).where(Finding.element == "7.3.b")).one()
    assert risk_of(stored) == Risk("moderate", "widespread")


def test_a_place_of_what_is_met_says_nothing(session: Session, world: Surveyed) -> None:
    place(world, "1.1.b", HIGH)
    assert content_for(session, world.case, draft=True)["matrix"] is None


def test_what_is_placed_anew_after_sending_holds_the_report_back(session: Session, world: Surveyed) -> None:
    place(world, "1.1.a", LOW)
    world.take("submit_report", "surveyor")
    row = session.scalars(select(SurveyAnswer).where(SurveyAnswer.field == "risk")).one()
    row.value = {"harm": "high", "scope": "pattern"}
    session.flush()
    with pytest.raises(RulesUnmet, match="changed after"):
        world.take("pass_report", "staff")


def test_a_new_version_after_an_objection_keeps_the_places(session: Session, world: Surveyed) -> None:
    place(world, "7.3.b", HIGH)
    world.to_issued()
    objection = object_to(session, world.case, "R1", "It was there.", actor=world.actors["admin"], at=world.at)
    answer_objection(
        session,
        world.case,
        objection,
        "withdrawn",
        "Seen.",
        actor=world.actors["staff"],
        at=world.at + timedelta(hours=1),
    )
    content = content_for(session, world.case)
    assert content["version"] == 2
    assert content["matrix"]["rows"][0]["cells"][2]["findings"] == ["R3"]


def test_a_high_risk_owes_statements_of_leadership_and_prevention(session: Session, world: Surveyed) -> None:
    place(world, "7.3.b", HIGH)
    place(world, "2.1.a", LOW, site=1)
    world.to_issued()
    ids = {f.element: f.id for f in requirements_of(session, world.case.id)}
    with pytest.raises(RulesUnmet) as refusal:
        world.take("submit_plan", "admin", items=world.plan_items(ids.values()))
    assert [(u.guard, u.link.rpartition("#")[2]) for u in refusal.value.unmet] == [
        ("plan_complete", f"r{ids['7.3.b']}-leadership"),
        ("plan_complete", f"r{ids['7.3.b']}-prevention"),
    ]
    assert "high risk demands it" in refusal.value.unmet[0].message
    items = world.plan_items(ids.values())
    for item in items:
        if item["requirement"] == str(ids["7.3.b"]):
            item |= {
                "leadership": "The medical director reads the log each week.",
                "prevention": "Two names before the pump runs.",
            }
    world.take("submit_plan", "admin", items=items)
    assert world.case.state == "plan_review"
    found = {r.finding.element: r for r in requirements_for(session, world.case)}
    plan = found["7.3.b"].plan
    assert plan is not None
    assert plan.prevention == "Two names before the pump runs."
    assert found["1.1.a"].risk is None


def test_the_statements_are_kept_with_who_wrote_them(session: Session, world: Surveyed) -> None:
    from certify.platform.audit.queries import list_events

    place(world, "7.3.b", HIGH)
    world.to_issued()
    finding = next(f for f in requirements_of(session, world.case.id) if f.element == "7.3.b")
    write_item(session, world.case, finding.id, {"leadership": "I lead it."}, actor=world.actors["nurse"], at=world.at)
    event = list_events(session, f"case:{world.case.ref}")[0]
    assert (event.kind, event.data["after"]) == ("correction.planned", {"leadership": "I lead it."})
