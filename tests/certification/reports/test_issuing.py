"""From the finished survey to an issued report, and on to a new version, through the one door of every step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from certify.certification.corrections.operations import write_item
from certify.certification.reports.composition import sealed
from certify.certification.reports.models import Finding, Report
from certify.certification.reports.objections import answer_objection, object_to
from certify.certification.reports.operations import add_remark, drop_remark, write_requirement
from certify.certification.reports.queries import content_for, draft_of, facts_for, requirements_of
from certify.certification.reports.reviewing import state_conflict
from certify.certification.surveys.models import SurveyAnswer
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound, NotOpen, RulesUnmet, Stale
from certify.platform.audit.queries import list_events, verify_chain
from tests.support.surveyed import Surveyed, surveyed


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    return surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("7.3.b", 1), ("2.1.a", 1)])


def test_the_draft_holds_one_requirement_for_each_not_met_element(session: Session, world: Surveyed) -> None:
    assert world.report is not None
    draft = draft_of(session, world.report)
    main, north = (site.id for site in world.sites)
    assert [(i.number, i.element, i.site_ids) for i in draft.items] == [
        ("R1", "2.1.a", (north,)),
        ("R2", "7.3.b", (main, north)),
    ]
    assert "Lakeside North: half of the charts." in draft.items[0].text


def test_the_draft_follows_the_answers_and_keeps_what_a_person_wrote(session: Session, world: Surveyed) -> None:
    assert world.report is not None
    write_requirement(
        session, world.case, "7.3.b", "Two people check, always.", actor=world.actors["surveyor"], at=world.at
    )
    world.answer("2.1.a", "yes", site=1)
    world.answer("1.1.a", "no", site=0)
    items = draft_of(session, world.report).items
    assert [(i.element, i.edited) for i in items] == [("1.1.a", False), ("7.3.b", True)]
    world.take("submit_report", "surveyor")
    stored = session.query(Finding).order_by(Finding.element).all()
    assert [(f.element, f.text[:16]) for f in stored] == [("1.1.a", "Make sure, at La"), ("7.3.b", "Two people check")]


def test_an_emptied_text_follows_the_answers_again(session: Session, world: Surveyed) -> None:
    surveyor = world.actors["surveyor"]
    written = write_requirement(session, world.case, "2.1.a", "Mine.", actor=surveyor, at=world.at)
    assert (written.text, written.edited) == ("Mine.", True)
    write_requirement(session, world.case, "2.1.a", "", actor=surveyor, at=world.at)
    assert not written.edited
    assert "half of the charts" in written.text


def test_two_people_do_not_overwrite_each_other(session: Session, world: Surveyed) -> None:
    surveyor = world.actors["surveyor"]
    row = write_requirement(session, world.case, "2.1.a", "First.", actor=surveyor, at=world.at)
    with pytest.raises(Stale):
        write_requirement(session, world.case, "2.1.a", "Second.", actor=surveyor, at=world.at, version=row.version - 1)


def test_there_is_no_requirement_to_write_for_a_met_element(session: Session, world: Surveyed) -> None:
    with pytest.raises(NotFound):
        write_requirement(session, world.case, "1.1.b", "No.", actor=world.actors["surveyor"], at=world.at)


def test_remarks_from_the_checklist_appear_can_be_reworded_and_dropped(session: Session, world: Surveyed) -> None:
    assert world.report is not None
    main = world.sites[0].id
    session.add(
        SurveyAnswer(
            survey_id=world.survey.id,
            site_id=main,
            element="1.1",
            field="strength",
            value="A fine handbook.",
            seq=9999,
            by_name="S",
            at=world.at,
        )
    )
    added = add_remark(
        session,
        world.case,
        "recommendation",
        "1.2",
        [main],
        "Print it larger.",
        actor=world.actors["surveyor"],
        at=world.at,
    )
    kinds = [(i.kind, i.text) for i in draft_of(session, world.report).items if i.kind != "requirement"]
    assert kinds == [("strength", "A fine handbook."), ("recommendation", "Print it larger.")]
    drop_remark(session, world.case, added.id, actor=world.actors["surveyor"], at=world.at)
    from_checklist = session.query(Finding).filter_by(kind="strength").one()
    drop_remark(session, world.case, from_checklist.id, actor=world.actors["surveyor"], at=world.at)
    assert [i for i in draft_of(session, world.report).items if i.kind != "requirement"] == []


def test_a_report_is_not_sent_while_a_rating_says_not_what_it_rests_on(session: Session, world: Surveyed) -> None:
    world.answer("1.1.a", "yes", site=0, note="")
    with pytest.raises(RulesUnmet) as refusal:
        world.take("submit_report", "surveyor")
    assert [u.guard for u in refusal.value.unmet] == ["each_rating_has_note"]


def test_three_different_people_whatever_roles_they_hold(session: Session, world: Surveyed) -> None:
    world.take("submit_report", "surveyor")
    with pytest.raises(NotAllowed):
        world.take("pass_report", "council")
    with pytest.raises(RulesUnmet, match="surveyed this practice"):
        world.take("pass_report", "everything")
    world.take("pass_report", "staff")
    with pytest.raises(RulesUnmet, match="surveyed this practice"):
        world.take("approve_report", "everything", conflict="none")
    world.take("approve_report", "council", conflict="none")
    assert world.case.state == "plan_due"


def test_a_reviewer_who_is_also_in_the_council_does_not_approve(session: Session, world: Surveyed) -> None:
    staff, council = world.actors["staff"], world.actors["council"]
    world.actors["staff"] = replace(staff, grants=staff.grants | council.grants)
    world.take("submit_report", "surveyor")
    world.take("pass_report", "staff")
    with pytest.raises(RulesUnmet, match="reviewed this report"):
        world.take("approve_report", "staff", conflict="none")


def test_a_council_member_with_a_conflict_does_not_approve(session: Session, world: Surveyed) -> None:
    world.take("submit_report", "surveyor")
    world.take("pass_report", "staff")
    with pytest.raises(Invalid):
        state_conflict(session, world.case, "conflict", "", actor=world.actors["council"], at=world.at)
    with pytest.raises(RulesUnmet) as refusal:
        world.take("approve_report", "council", conflict="conflict", conflict_detail="I own shares.")
    assert [u.guard for u in refusal.value.unmet] == ["approver_free_of_conflict"]


def test_the_same_answer_to_the_conflict_question_again_changes_nothing(session: Session, world: Surveyed) -> None:
    council, said = world.actors["council"], []
    for answer, detail in (("none", ""), ("none", " "), ("conflict", "Shares."), ("none", "")):
        said.append(state_conflict(session, world.case, answer, detail, actor=council, at=world.at).id)
    assert said[0] == said[1]
    assert len(set(said)) == 3
    events = list_events(session, f"case:{world.case.ref}")
    assert [e.kind for e in events].count("report.conflict_stated") == 3


def test_what_changed_after_it_was_sent_is_not_passed_on(session: Session, world: Surveyed) -> None:
    world.take("submit_report", "surveyor")
    world.answer("1.1.a", "no", site=0)
    with pytest.raises(RulesUnmet) as refusal:
        world.take("pass_report", "staff")
    assert [u.guard for u in refusal.value.unmet] == ["answers_unchanged"]
    world.take("send_back_report", "staff", comments="Please look at 1.1.a again.")
    world.take("submit_report", "surveyor")
    world.take("pass_report", "staff")
    assert world.case.state == "report_council_review"


def test_issue_freezes_the_report_and_opens_its_requirements(session: Session, world: Surveyed) -> None:
    report = world.to_issued()
    assert (report.state, report.number, report.content_sha256) == ("issued", 1, sealed(report.content or {}))
    requirements = requirements_of(session, world.case.id)
    assert [(r.number, r.element, r.status) for r in requirements] == [(1, "2.1.a", "open"), (2, "7.3.b", "open")]
    pending_on = world.case.anchors["pending_on"]
    due_on = datetime.fromisoformat(pending_on).date() + timedelta(days=365 - 28)
    assert {r.due_on for r in requirements} == {due_on}
    before = dict(report.content or {})
    world.answer("1.1.a", "no", site=0)
    assert content_for(session, world.case) == before
    with pytest.raises(NotOpen):
        write_requirement(session, world.case, "7.3.b", "Later.", actor=world.actors["surveyor"], at=world.at)
    assert verify_chain(session, f"case:{world.case.ref}").sound


def test_the_content_names_who_passed_it_on_and_both_kinds_of_dates(session: Session, world: Surveyed) -> None:
    content = world.to_issued().content or {}
    assert [(a["step"], a["name"]) for a in content["approvals"]] == [
        ("Written by", "Surveyor Person"), ("Reviewed by", "Staff Person"), ("Approved by", "Council Person"),
    ]  # fmt: skip
    assert content["plan_due_on"] == "2026-11-17"  # ten business days on, without Veterans Day
    assert content["objection_until"] == "2026-11-17"
    assert [v["number"] for v in content["versions"]] == [1]
    assert [s["name"] for s in content["sites"]] == ["Lakeside Main", "Lakeside North"]


def test_a_report_without_requirements_goes_straight_to_the_decision(session: Session, clock: FixedClock) -> None:
    world = surveyed(session, clock.now())
    world.to_issued()
    assert world.case.state == "decision"
    assert facts_for(session, world.case, world.actors["staff"], world.at).open_requirements == 0


def test_an_accepted_objection_withdraws_the_requirement_in_a_new_version(session: Session, world: Surveyed) -> None:
    first = world.to_issued()
    frozen = dict(first.content or {})
    objection = object_to(
        session, world.case, "R1", "The charts were of another practice.", actor=world.actors["admin"], at=world.at
    )
    answer_objection(
        session, world.case, objection, "withdrawn", "The charts prove it.", actor=world.actors["staff"], at=world.at
    )
    assert objection.new_report_id is not None
    second = session.get_one(Report, objection.new_report_id)
    assert (first.state, second.state, second.number, second.reason) == (
        "replaced",
        "issued",
        2,
        "R1 (2.1.a): The charts prove it.",
    )
    assert first.content == frozen
    content = second.content or {}
    standard = next(s for d in content["domains"] for s in d["standards"] if s["code"] == "2.1")
    assert (standard["rating"], standard["findings"]) == ("met", [])
    assert (content["plan_due_on"], content["objection_until"]) == (frozen["plan_due_on"], frozen["objection_until"])
    assert [v["number"] for v in content["versions"]] == [1, 2]
    assert content["settled"] == ["R1 (2.1.a): The charts prove it."]
    assert [r.element for r in requirements_of(session, world.case.id, open_only=True)] == ["7.3.b"]
    assert content_for(session, world.case, report_id=first.id) == frozen


def test_a_reworded_finding_keeps_its_number_and_its_plan(session: Session, world: Surveyed) -> None:
    world.to_issued()
    requirement = requirements_of(session, world.case.id)[1]
    write_item(session, world.case, requirement.id, {"action": "Train."}, actor=world.actors["admin"], at=world.at)
    objection = object_to(session, world.case, "R2", "It was one chart.", actor=world.actors["admin"], at=world.at)
    answer_objection(
        session,
        world.case,
        objection,
        "reworded",
        "One chart it was.",
        actor=world.actors["staff"],
        at=world.at,
        new_text="One chart lacked it.",
    )
    assert (requirement.number, requirement.text, requirement.status) == (2, "One chart lacked it.", "open")


def test_a_declined_objection_changes_nothing_but_is_answered(session: Session, world: Surveyed) -> None:
    first = world.to_issued()
    objection = object_to(
        session, world.case, "sites", "We have three sites.", actor=world.actors["physician"], at=world.at
    )
    with pytest.raises(Invalid):
        answer_objection(session, world.case, objection, "declined", " ", actor=world.actors["staff"], at=world.at)
    answer_objection(
        session, world.case, objection, "declined", "You named two.", actor=world.actors["staff"], at=world.at
    )
    assert (objection.state, first.state) == ("declined", "issued")
    with pytest.raises(NotOpen):
        answer_objection(session, world.case, objection, "noted", "Well.", actor=world.actors["staff"], at=world.at)


def test_objections_end_after_ten_business_days(session: Session, world: Surveyed) -> None:
    world.to_issued()
    last = datetime.fromisoformat("2026-11-17T23:00:00-06:00")
    object_to(session, world.case, "other", "The name is misspelt.", actor=world.actors["admin"], at=last)
    with pytest.raises(NotOpen):
        object_to(
            session, world.case, "other", "And another.", actor=world.actors["admin"], at=last + timedelta(hours=2)
        )


def test_every_act_on_a_report_leaves_an_event(session: Session, world: Surveyed) -> None:
    world.to_issued()
    kinds = [e.kind for e in list_events(session, f"case:{world.case.ref}")]
    assert {"report.issued", "report.conflict_stated", "case.advanced"} <= set(kinds)
