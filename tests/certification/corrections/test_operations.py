"""The plan, its rounds, the evidence, its judgement, and the repeat visit, through the one door of every step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from certify.certification.corrections.operations import (
    judge_correction,
    judge_item,
    link_evidence,
    unlink_evidence,
    write_correction,
    write_item,
)
from certify.certification.corrections.planning import requirement_id
from certify.certification.corrections.queries import current_plan, items_of, newest_visit, requirements_for
from certify.certification.fees.models import Invoice
from certify.certification.reports.issuing import judge_earlier
from certify.certification.reports.queries import requirements_of
from certify.certification.reports.visits import visit_of
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import Invalid, NotFound, NotOpen, RulesUnmet, Stale
from certify.platform.audit.queries import list_events, verify_chain
from tests.support.surveyed import Surveyed, surveyed

THREE = [("1.1.a", 0), ("2.1.a", 1), ("7.3.b", 0)]


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now(), not_met=THREE)
    made.to_issued()
    return made


def ids(world: Surveyed) -> list[int]:
    return [r.id for r in requirements_of(world.session, world.case.id)]


def test_a_plan_names_each_missing_field_and_is_sent_when_whole(session: Session, world: Surveyed) -> None:
    first, *others = ids(world)
    write_item(session, world.case, first, {"action": "Train.", "owner": ""}, actor=world.actors["nurse"], at=world.at)
    with pytest.raises(RulesUnmet) as refusal:
        world.take("submit_plan", "admin")
    links = [u.link for u in refusal.value.unmet]
    assert f"/cases/LO-2026-001/corrections#r{first}-owner" in links
    assert f"/cases/LO-2026-001/corrections#r{first}-action" not in links
    assert len(links) == 3 + 4 * len(others)
    world.take("submit_plan", "admin", items=world.plan_items([first, *others]))
    assert world.case.state == "plan_review"


def test_only_the_returned_item_is_open_for_writing_and_has_its_own_date(session: Session, world: Surveyed) -> None:
    """Story 8."""
    one, two, three = ids(world)
    world.take("submit_plan", "admin", items=world.plan_items([one, two, three]))
    staff, admin = world.actors["staff"], world.actors["admin"]
    with pytest.raises(NotOpen):
        write_item(session, world.case, three, {"action": "Now?"}, actor=admin, at=world.at)
    judge_item(session, world.case, one, "accept", "", actor=staff, at=world.at)
    judge_item(session, world.case, two, "accept", "", actor=staff, at=world.at)
    with pytest.raises(RulesUnmet):
        world.take("return_plan", "staff", comments="See below.")
    with pytest.raises(Invalid):
        judge_item(session, world.case, three, "return", " ", actor=staff, at=world.at)
    judge_item(session, world.case, three, "return", "Who trains the night shift?", actor=staff, at=world.at)
    with pytest.raises(RulesUnmet) as refusal:
        world.take("approve_plan", "staff")
    assert [u.guard for u in refusal.value.unmet] == ["all_items_accepted"]
    world.take("return_plan", "staff", comments="One part is missing.")
    plans = {r.finding.id: r.plan for r in requirements_for(session, world.case)}
    assert [plans[i].state for i in (one, two, three)] == ["accepted", "accepted", "returned"]  # type: ignore[union-attr]
    assert [plans[i].answer_due_on for i in (one, two)] == [None, None]  # type: ignore[union-attr]
    assert plans[three].answer_due_on == world.case.due_on  # type: ignore[union-attr]
    for accepted in (one, two):
        with pytest.raises(NotOpen):
            write_item(session, world.case, accepted, {"action": "Other."}, actor=admin, at=world.at)
    with pytest.raises(RulesUnmet, match="change it before"):
        world.take("submit_plan", "admin")
    world.at += timedelta(hours=1)
    write_item(session, world.case, three, {"action": "Train both shifts."}, actor=admin, at=world.at)
    world.take("submit_plan", "admin")
    world.take("approve_plan", "staff", items=[{"requirement": str(three), "verdict": "accept"}])
    assert world.case.state == "correction_open"


def test_a_plan_is_returned_twice_and_no_more(session: Session, world: Surveyed) -> None:
    all_of_them = ids(world)
    world.take("submit_plan", "admin", items=world.plan_items(all_of_them))
    for _ in range(2):
        world.take(
            "return_plan",
            "staff",
            comments="No.",
            items=[{"requirement": str(all_of_them[0]), "verdict": "return", "comment": "More."}],
        )
        again = world.plan_items(all_of_them[:1])
        again[0]["action"] += f" {world.at}"
        world.take("submit_plan", "admin", items=again)
    judged = [{"requirement": str(all_of_them[0]), "verdict": "return", "comment": "Still no."}]
    with pytest.raises(RulesUnmet, match="returned 2 times"):
        world.take("return_plan", "staff", comments="No.", items=judged)
    plan = current_plan(session, world.case.id)
    assert plan is not None
    assert plan.rounds == 2


def test_two_browsers_do_not_overwrite_each_other_silently(session: Session, world: Surveyed) -> None:
    first = ids(world)[0]
    item = write_item(session, world.case, first, {"action": "A."}, actor=world.actors["admin"], at=world.at)
    with pytest.raises(Stale):
        write_item(
            session,
            world.case,
            first,
            {"action": "B."},
            actor=world.actors["nurse"],
            at=world.at,
            version=item.version - 1,
        )


@pytest.mark.parametrize("given", [{"due_on": "next week"}, {"owner": "x" * 201}, {"action": "x" * 5001}])
def test_wrong_input_is_named_and_nothing_is_saved(session: Session, world: Surveyed, given: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        write_item(session, world.case, ids(world)[0], given, actor=world.actors["admin"], at=world.at)
    assert refusal.value.errors[0].field == f"r{ids(world)[0]}-{next(iter(given))}"


def test_a_requirement_of_another_case_is_not_found(session: Session, world: Surveyed) -> None:
    with pytest.raises(NotFound):
        write_item(session, world.case, 999_999, {"action": "A."}, actor=world.actors["admin"], at=world.at)


def correcting(world: Surveyed) -> list[int]:
    found = ids(world)
    world.take("submit_plan", "admin", items=world.plan_items(found))
    world.take("approve_plan", "staff", items=[{"requirement": str(i), "verdict": "accept"} for i in found])
    return found


def test_evidence_is_asked_for_each_requirement(session: Session, world: Surveyed) -> None:
    found = correcting(world)
    document, held = world.document(), world.document("With names", state="quarantined")
    for one in found[:2]:
        link_evidence(session, world.case, one, document.uuid, "p. 4", actor=world.actors["nurse"], at=world.at)
    with pytest.raises(RulesUnmet) as refusal:
        world.take("submit_corrections", "admin")
    assert [u.link for u in refusal.value.unmet] == [f"/cases/LO-2026-001/corrections#r{found[2]}-documents"]
    link_evidence(session, world.case, found[2], held.uuid, "", actor=world.actors["nurse"], at=world.at)
    with pytest.raises(RulesUnmet, match="held back"):
        world.take("submit_corrections", "admin")
    unlink_evidence(session, world.case, found[2], held.uuid, actor=world.actors["nurse"], at=world.at)
    world.take(
        "submit_corrections",
        "admin",
        items=[{"requirement": str(found[2]), "note": "Done.", "evidence": document.uuid}],
    )
    assert world.case.state == "correction_review"
    assert {r.correction.state for r in requirements_for(session, world.case) if r.correction} == {"sent"}


def test_a_document_of_another_practice_cannot_be_given(session: Session, world: Surveyed) -> None:
    found = correcting(world)
    with pytest.raises(NotFound):
        link_evidence(
            session,
            world.case,
            found[0],
            "00000000-0000-4000-8000-000000000000",
            "",
            actor=world.actors["nurse"],
            at=world.at,
        )


def reviewed(world: Surveyed) -> list[int]:
    found, document = correcting(world), world.document()
    world.take("submit_corrections", "admin", items=[{"requirement": str(i), "evidence": document.uuid} for i in found])
    return found


def test_closing_every_requirement_leads_to_the_decision(session: Session, world: Surveyed) -> None:
    found = reviewed(world)
    for one in found[:2]:
        judge_correction(
            session, world.case, one, "closed", "The log proves it.", actor=world.actors["surveyor"], at=world.at
        )
    with pytest.raises(RulesUnmet) as refusal:
        world.take("close_requirements", "staff")
    assert [u.guard for u in refusal.value.unmet] == ["all_requirements_closed"]
    world.take(
        "close_requirements", "staff", items=[{"requirement": str(found[2]), "verdict": "closed", "note": "Seen."}]
    )
    assert world.case.state == "decision"
    closed = requirements_of(session, world.case.id)
    assert {(f.status, f.closed_how) for f in closed} == {("closed", "evidence")}
    assert all(f.closed_on for f in closed)
    assert verify_chain(session, f"case:{world.case.ref}").sound


def test_what_is_not_enough_comes_back_with_a_reason_and_must_change(session: Session, world: Surveyed) -> None:
    found = reviewed(world)
    staff = world.actors["staff"]
    judge_correction(session, world.case, found[0], "closed", "Fine.", actor=staff, at=world.at)
    judge_correction(session, world.case, found[1], "closed", "Fine.", actor=staff, at=world.at)
    with pytest.raises(RulesUnmet):
        world.take("return_corrections", "staff")
    with pytest.raises(Invalid):
        judge_correction(session, world.case, found[2], "not_enough", "", actor=staff, at=world.at)
    judge_correction(session, world.case, found[2], "not_enough", "One shift is missing.", actor=staff, at=world.at)
    world.take("return_corrections", "staff")
    assert world.case.state == "correction_open"
    with pytest.raises(NotOpen):
        write_correction(session, world.case, found[0], "More.", actor=world.actors["admin"], at=world.at)
    with pytest.raises(RulesUnmet, match="not enough"):
        world.take("submit_corrections", "admin")
    world.at += timedelta(hours=1)
    write_correction(session, world.case, found[2], "Both shifts now.", actor=world.actors["admin"], at=world.at)
    world.take("submit_corrections", "admin")
    judge_correction(session, world.case, found[2], "closed", "Now it is.", actor=staff, at=world.at)
    world.take("close_requirements", "staff")
    assert world.case.state == "decision"


def test_closing_can_be_taken_back_until_the_case_goes_on(session: Session, world: Surveyed) -> None:
    found = reviewed(world)
    judge_correction(session, world.case, found[0], "closed", "Fine.", actor=world.actors["staff"], at=world.at)
    judge_correction(
        session, world.case, found[0], "not_enough", "I misread it.", actor=world.actors["staff"], at=world.at
    )
    finding = requirements_of(session, world.case.id)[0]
    assert (finding.status, finding.closed_at, finding.closed_how) == ("open", None, "")


def test_a_repeat_visit_is_limited_to_standards_with_a_requirement_and_sites_of_the_practice(
    session: Session, world: Surveyed
) -> None:
    reviewed(world)
    site = str(world.sites[0].id)
    for standards, sites in (
        (["1.2"], [site]),
        (["7.3"], ["999999"]),
        (["7.3"], []),
        (["7.3"], ["9" * 5000]),
        (["7.3"], ["²"]),
    ):
        with pytest.raises(Invalid):
            world.take("require_visit", "staff", reason="Must be seen.", standards=standards, sites=sites)
    world.take("require_visit", "staff", reason="Must be seen.", standards=["7.3"], sites=[site])
    visit = newest_visit(session, world.case.id)
    assert visit is not None
    assert (visit.standards, visit.site_ids, visit.reason) == (["7.3"], [world.sites[0].id], "Must be seen.")
    assert world.case.state == "repeat_survey"
    assert session.query(Invoice).filter_by(case_id=world.case.id, kind="repeat_survey").count() == 1


def test_a_repeat_survey_closes_what_is_met_now_and_carries_on_what_is_not(session: Session, world: Surveyed) -> None:
    one, two, three = requirements_of(session, world.case.id)
    world.answer("1.1.a", "yes", site=0)
    seen = visit_of(session, world.survey)
    judge_earlier(session, world.case, seen, survey_id=world.survey.id + 1, actor=world.actors["council"], at=world.at)
    assert (one.status, one.closed_how) == ("closed", "repeat_survey")
    assert (two.status, three.status) == ("open", "open")


def test_the_practice_does_not_read_a_judgement_before_it_is_sent(session: Session, world: Surveyed) -> None:
    world.take("submit_plan", "admin", items=world.plan_items(ids(world)))
    judge_item(
        session, world.case, ids(world)[0], "return", "Secret for now.", actor=world.actors["staff"], at=world.at
    )
    for_practice = list_events(session, f"case:{world.case.ref}", internal=False)
    assert not any("Secret" in e.reason for e in for_practice)


@pytest.mark.parametrize("named", ["", "R1", "²", "9" * 5000, "-1"])
def test_a_record_that_names_no_requirement_is_refused(named: str) -> None:
    with pytest.raises(Invalid, match="by its id"):
        requirement_id({"requirement": named})


def test_a_judgement_does_not_replace_one_that_was_not_seen(session: Session, world: Surveyed) -> None:
    found = ids(world)
    world.take("submit_plan", "admin", items=world.plan_items(found))
    staff, other = world.actors["staff"], world.actors["everything"]
    plan = items_of(session, current_plan(session, world.case.id))[found[0]]
    shown = plan.version
    judge_item(session, world.case, found[0], "accept", "Good.", actor=staff, at=world.at, version=shown)
    with pytest.raises(Stale, match="Staff Person judged R1"):
        judge_item(session, world.case, found[0], "return", "No.", actor=other, at=world.at, version=shown)
    assert (plan.state, plan.comment) == ("accepted", "Good.")
    judge_item(session, world.case, found[0], "accept", "Good.", actor=staff, at=world.at, version=shown)
    judge_item(session, world.case, found[0], "return", "No.", actor=other, at=world.at, version=plan.version)
    assert plan.state == "returned"


def test_a_verdict_on_evidence_does_not_replace_one_that_was_not_seen(session: Session, world: Surveyed) -> None:
    found = reviewed(world)
    staff, surveyor = world.actors["staff"], world.actors["surveyor"]
    correction = requirements_for(session, world.case)[0].correction
    assert correction is not None
    shown = correction.version
    judge_correction(session, world.case, found[0], "closed", "Seen.", actor=surveyor, at=world.at, version=shown)
    with pytest.raises(Stale, match="Surveyor Person judged R1"):
        judge_correction(session, world.case, found[0], "not_enough", "No.", actor=staff, at=world.at, version=shown)
    again = judge_correction(session, world.case, found[0], "closed", "Seen.", actor=staff, at=world.at, version=shown)
    assert (again.state, again.judged_by_name) == ("closed", "Surveyor Person")
