"""After a repeat visit the earlier requirements are judged by what was seen again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.corrections.queries import current_plan, items_of
from certify.certification.decisions.queries import standings_of
from certify.certification.reports.models import Report
from certify.certification.reports.operations import begin_draft
from certify.certification.reports.queries import draft_of, list_issued, requirements_of
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveySite
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import FixedClock
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
