"""After a repeat visit the earlier requirements are judged by what was seen again."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.corrections.queries import current_plan, items_of, requirements_for
from certify.certification.decisions.queries import standings_of
from certify.certification.reports.models import Finding, Report
from certify.certification.reports.objections import answer_objection, object_to
from certify.certification.reports.operations import begin_draft
from certify.certification.reports.queries import content_for, draft_of, list_issued, requirements_of
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveySite
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import RulesUnmet
from certify.core.rulebook.current import current
from tests.support.surveyed import Surveyed, surveyed


def visited_again(world: Surveyed, *, no: set[str]) -> None:
    """Hold a second survey of 7.3 and 2.1 at the first site; elements in `no` are not met."""
    session, site = world.session, world.sites[0]
    survey = Survey(
        case_id=world.case.id, round=2, edition="2021", lead_id=world.survey.lead_id, scope_standards=["2.1", "7.3"], scope_sites=[site.id],
        starts_on=world.at.date(), ends_on=world.at.date(), finished_at=world.at, created_at=world.at,
    )  # fmt: skip
    session.add(survey)
    session.flush()
    session.add(SurveySite(survey_id=survey.id, site_id=site.id, visited=True, reasons=["named"]))
    standards = current().editions["2021"].standards
    for element in (e.id for code in ("2.1", "7.3") for e in standards[code].elements):
        for name, value in (("rating", "no" if element in no else "yes"), ("note", "Seen again.")):
            session.add(
                SurveyAnswer(
                    survey_id=survey.id,
                    site_id=site.id,
                    element=element,
                    field=name,
                    value=value,
                    seq=1,
                    by_name="S",
                    at=world.at,
                )
            )
    # The way to here belongs to the survey's room; this room begins where the second survey is finished.
    case = session.get_one(Case, world.case.id)
    case.state, case.step, case.holder = "report_drafting", 3, "surveyor"
    session.flush()
    begin_draft(session, case, actor=SYSTEM, at=world.at)


def world_of(session: Session, clock: FixedClock) -> Surveyed:
    world = surveyed(session, clock.now(), not_met=[("2.1.a", 0), ("7.3.b", 0), ("7.3.c", 1)])
    world.to_issued()
    found = [f.id for f in requirements_of(session, world.case.id)]
    world.take("submit_plan", "admin", items=world.plan_items(found))
    return world


def test_the_report_of_a_repeat_survey_speaks_of_its_scope_only(session: Session, clock: FixedClock) -> None:
    world = world_of(session, clock)
    visited_again(world, no={"7.3.b"})
    report = session.query(Report).order_by(Report.id.desc()).first()
    assert report is not None
    draft = draft_of(session, report)
    assert [s.code for s in draft.visit.standards] == ["2.1", "7.3"]
    assert [(i.number, i.element) for i in draft.items] == [("R4", "7.3.b")]


def test_met_again_is_closed_not_met_is_carried_on_and_unseen_stays_open(session: Session, clock: FixedClock) -> None:
    world = world_of(session, clock)
    visited_again(world, no={"7.3.b"})
    report = world.to_issued()
    del report
    found = {f"R{f.number}": f for f in requirements_of(session, world.case.id)}
    assert {number: f.status for number, f in found.items()} == {
        "R1": "closed",
        "R2": "carried",
        "R3": "open",
        "R4": "open",
    }
    assert found["R1"].closed_how == "repeat_survey"
    assert found["R2"].carried_to_id == found["R4"].id
    assert world.case.state == "plan_due"
    plan = items_of(session, current_plan(session, world.case.id))
    assert set(plan) == {found["R3"].id, found["R4"].id}
    assert plan[found["R4"].id].action == "Train everyone."
    assert plan[found["R4"].id].due_on is None
    assert len(list_issued(session, world.case.id)) == 2
    standing = {s.code: s for s in standings_of(session, world.case)}
    assert not standing["7.3"].met
    assert standing["2.1"].met


def test_when_all_is_met_again_the_council_decides(session: Session, clock: FixedClock) -> None:
    world = surveyed(session, clock.now(), not_met=[("2.1.a", 0), ("7.3.b", 0)])
    world.to_issued()
    visited_again(world, no=set())
    world.to_issued()
    assert world.case.state == "decision"
    world.take("award", "decider", conflict="none")
    assert world.case.state == "certified"


def half_visited(session: Session, clock: FixedClock, *, no: set[str]) -> tuple[Surveyed, Finding]:
    """Hold a repeat survey at one of the two sites at which 7.3.b was not met; returns the requirement of both."""
    world = surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("7.3.b", 1)])
    world.to_issued()
    visited_again(world, no=no)
    world.to_issued()
    return world, requirements_of(session, world.case.id)[0]


def where(world: Surveyed) -> dict[str, tuple[str, ...]]:
    return {r.number: r.site_names for r in requirements_for(world.session, world.case) if r.open}


def withdraw(world: Surveyed, number: str) -> None:
    """Let the practice object to a requirement, and the program accept that it falls."""
    objection = object_to(world.session, world.case, number, "It was done.", actor=world.actors["admin"], at=world.at)
    answer_objection(
        world.session, world.case, objection, "withdrawn", "The log shows it.", actor=world.actors["staff"], at=world.at
    )


def test_a_site_not_visited_again_keeps_its_requirement_beside_the_new_one(session: Session, clock: FixedClock) -> None:
    world, first = half_visited(session, clock, no={"7.3.b"})
    assert first.status == "open"
    assert where(world) == {"R1": ("Lakeside North",), "R2": ("Lakeside Main",)}
    plan = items_of(session, current_plan(session, world.case.id))
    assert len(plan) == 2


def test_a_no_at_a_site_not_visited_again_outlives_the_withdrawal_of_the_new_one(
    session: Session, clock: FixedClock
) -> None:
    world, first = half_visited(session, clock, no={"7.3.b"})
    withdraw(world, "R2")
    assert first.status == "open"
    assert where(world) == {"R1": ("Lakeside North",)}
    assert world.case.state == "plan_due"
    world.case.state, world.case.step, world.case.holder = "decision", 4, "council"
    with pytest.raises(RulesUnmet) as refusal:
        world.take("award", "decider", conflict="none")
    assert "all_standards_met" in {u.guard for u in refusal.value.unmet}


def test_a_site_seen_to_be_corrected_leaves_the_requirement_open_at_the_other(
    session: Session, clock: FixedClock
) -> None:
    world, first = half_visited(session, clock, no=set())
    assert (first.status, where(world)) == ("open", {"R1": ("Lakeside North",)})
    assert first.site_ids == [site.id for site in world.sites]


def test_what_was_carried_on_is_closed_when_the_new_requirement_falls(session: Session, clock: FixedClock) -> None:
    world = surveyed(session, clock.now(), not_met=[("7.3.b", 0)])
    world.to_issued()
    visited_again(world, no={"7.3.b"})
    world.to_issued()
    withdraw(world, "R2")
    first = requirements_of(session, world.case.id)[0]
    assert (first.status, first.closed_how) == ("closed", "repeat_survey")
    assert world.case.state == "decision"


def test_the_report_of_a_repeat_survey_names_what_stays_open_of_earlier_ones(
    session: Session, clock: FixedClock
) -> None:
    world, _ = half_visited(session, clock, no=set())
    content = list_issued(session, world.case.id)[0].content or {}
    assert [(f["number"], f["element"], f["sites"]) for f in content["earlier"]] == [
        ("R1", "7.3.b", ["Lakeside North"])
    ]
    assert content["plan_due_on"] is not None


def test_the_draft_of_a_repeat_survey_names_what_would_stay_open(session: Session, clock: FixedClock) -> None:
    world = world_of(session, clock)
    visited_again(world, no={"7.3.b"})
    draft = content_for(session, world.case, draft=True)
    assert [(f["number"], f["sites"]) for f in draft["earlier"]] == [("R3", ["Lakeside North"])]


def test_the_page_of_a_repeat_report_lists_what_stays_open_of_earlier_ones(
    session: Session, client: FlaskClient, clock: FixedClock
) -> None:
    world, first = half_visited(session, clock, no=set())
    page = world.sign_in(client, "admin").get(f"/cases/{world.case.ref}/report").text
    assert "Open since an earlier survey" in page
    assert f"/cases/{world.case.ref}/corrections#r{first.id}" in page
    assert "Nothing has to be corrected" not in page
