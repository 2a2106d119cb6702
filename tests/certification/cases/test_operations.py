"""The spine: one door for every step, its deadlines, its people."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify import resources, wiring
from certify.certification.cases import jobs
from certify.certification.cases.inputs import read_inputs
from certify.certification.cases.jobs import run_clock
from certify.certification.cases.models import CaseDeadline
from certify.certification.cases.operations import (
    add_member,
    choose_edition,
    end_member,
    extend_deadline,
    lock_edition,
    open_case,
    record_on,
    take,
)
from certify.certification.cases.queries import CaseFilter, actor_before, case_for, header_for, list_cases, openings_for
from certify.core.access.policy import Permission
from certify.core.access.roles import SYSTEM, Actor, Grant, Role
from certify.core.catalogue.deadlines import due_on
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Conflict, Invalid, NotAllowed, NotFound, NotOpen, RulesUnmet, Stale
from certify.core.rulebook.current import current, use
from certify.core.rulebook.loading import load_rulebook
from certify.core.workflow.machine import Input
from certify.platform.audit.queries import list_events, verify_chain
from tests.builders import make_actor, make_practice
from tests.support.applied import apply
from tests.support.surveyed import surveyed


def test_every_missing_thing_is_named_and_nothing_changes(session: Session) -> None:
    world = apply(session)
    events = len(list_events(session, f"case:{world.case.ref}"))
    with pytest.raises(RulesUnmet) as refusal:
        world.take("submit", "admin")
    assert {"questionnaire_complete", "agreement_signed", "webinar_attended"} <= {u.guard for u in refusal.value.unmet}
    assert all(
        u.link.startswith(f"/cases/{world.case.ref}") or u.link.startswith("/practices") for u in refusal.value.unmet
    )
    assert world.case.state == "draft"
    assert len(list_events(session, f"case:{world.case.ref}")) == events


def test_what_a_page_offers_is_what_the_server_takes(session: Session) -> None:
    world = apply(session)
    world.complete()
    for who in ("admin", "physician", "nurse", "staff", "finance", "auditor", "council"):
        actor = world.actor(who)
        for step in openings_for(session, world.case, actor, now()):
            if step.allowed or step.opening.automatic or step.opening.clock:
                continue
            with session.begin_nested() as nested, pytest.raises((NotAllowed, RulesUnmet, Invalid)):
                take(session, world.case, step.trigger, {}, actor=actor, at=now())
            assert not nested.is_active or world.case.state == "draft"
    assert world.take("submit", "admin").target == "submitted"


def test_a_second_open_case_is_refused(session: Session) -> None:
    world = apply(session)
    with pytest.raises(Conflict, match=world.case.ref):
        open_case(session, world.practice.id, "X", zone="America/Chicago", actor=world.actor("admin"), at=now())


def test_a_stale_version_names_who_was_faster(session: Session) -> None:
    world = apply(session)
    seen = world.case.version
    world.submit()
    with pytest.raises(Stale, match=world.people["admin"].name):
        take(
            session,
            world.case,
            "withdraw",
            {"reason": "x", "confirmed": True},
            actor=world.actor("admin"),
            at=now(),
            version=seen,
        )


def test_who_is_late_hears_of_the_step_not_of_what_the_program_keeps_to_itself(session: Session) -> None:
    world = apply(session)
    seen = world.case.version
    world.submit()
    staff, at = world.actor("staff"), now()
    record_on(session, world.case, "case.noted", "doubts that they are eligible", actor=staff, at=at, internal=True)
    record_on(session, world.case, "case.exported", "downloaded the whole case file", actor=staff, at=at)
    with pytest.raises(Stale, match="sent the application on") as refusal:
        take(session, world.case, "withdraw", {"reason": "x"}, actor=world.actor("admin"), at=at, version=seen)
    assert "doubts" not in str(refusal.value)


def test_a_step_that_is_not_open_says_where_the_case_stands(session: Session) -> None:
    world = apply(session)
    with pytest.raises(NotOpen, match="Application in preparation"):
        world.take("award", "council")
    with pytest.raises(NotOpen, match="There is no step"):
        world.take("dance", "council")


def test_another_practice_sees_nothing_and_a_surveyor_only_while_on_the_case(
    session: Session, clock: FixedClock
) -> None:
    world = apply(session)
    stranger = make_actor(session, Role.PRACTICE_ADMIN, practice=make_practice(session))
    with pytest.raises(NotFound):
        case_for(session, stranger, world.case.ref)
    surveyor = world.actor("surveyor")
    with pytest.raises(NotFound):
        case_for(session, surveyor, world.case.ref)
    assert surveyor.user_id is not None
    add_member(session, world.case, surveyor.user_id, "proposed_surveyor", at=now())
    with pytest.raises(NotFound):
        case_for(session, surveyor, world.case.ref)
    add_member(session, world.case, surveyor.user_id, "surveyor", at=now())
    assert case_for(session, surveyor, world.case.ref) is world.case
    with pytest.raises(NotAllowed):
        case_for(session, surveyor, world.case.ref, Permission.EDIT_APPLICATION)
    assert [r.ref for r in list_cases(session, surveyor, CaseFilter())] == [world.case.ref]
    end_member(session, world.case, surveyor.user_id, "surveyor", at=now() + timedelta(days=90))
    clock.move(by=timedelta(days=89))
    assert case_for(session, surveyor, world.case.ref) is world.case
    clock.move(by=timedelta(days=2))
    with pytest.raises(NotFound):
        case_for(session, surveyor, world.case.ref)
    assert not list_cases(session, surveyor, CaseFilter())


def test_deadlines_can_be_recomputed_from_what_is_stored(session: Session) -> None:
    world = apply(session)
    world.accept()
    rows = session.scalars(select(CaseDeadline).where(CaseDeadline.case_id == world.case.id)).all()
    assert {r.key for r in rows} == {"application_check_business_days", "payment_days"}
    for row in rows:
        rule = current().deadlines[row.key]
        assert due_on(rule, {rule.anchor: date.fromisoformat(row.rule["anchor_on"])}) == row.due_on
    assert [r.key for r in rows if r.ended_at] == ["application_check_business_days"]
    assert world.case.due_key == "payment_days"


def test_more_time_is_given_once_with_a_reason_within_bounds(session: Session) -> None:
    world = apply(session)
    world.accept()
    before = world.case.due_on
    staff = world.actor("staff")
    with pytest.raises(Invalid) as wrong:
        extend_deadline(session, world.case, "payment_days", 99, " ", actor=staff, at=now())
    assert {e.field for e in wrong.value.errors} == {"reason", "days"}
    extend_deadline(session, world.case, "payment_days", 10, "The bank holiday.", actor=staff, at=now())
    assert before is not None
    assert world.case.due_on == before + timedelta(days=10)
    with pytest.raises(Invalid, match="1 time"):
        extend_deadline(session, world.case, "payment_days", 5, "Again.", actor=staff, at=now())
    with pytest.raises(NotOpen):
        extend_deadline(session, world.case, "cap_business_days", 5, "No.", actor=staff, at=now())


def test_the_clock_closes_what_nobody_paid_once(session: Session, clock: FixedClock) -> None:
    world = apply(session)
    world.accept()
    clock.move(by=timedelta(days=30))
    assert run_clock(session, clock) == 0
    clock.move(by=timedelta(days=1))
    assert (run_clock(session, clock), world.case.state) == (1, "withdrawn")
    assert run_clock(session, clock) == 0
    assert (world.case.open, world.case.due_on, world.case.step) == (False, None, 1)
    assert list_events(session, f"case:{world.case.ref}", kind="case.advanced")[0].actor_name == SYSTEM.name
    assert verify_chain(session).sound


def test_a_case_that_is_not_ready_hides_none_behind_it(
    session: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = apply(session), apply(session)
    second.accept()
    clock.move(by=timedelta(days=20))
    first.accept()
    over = now() - timedelta(days=1)
    session.add(
        CaseDeadline(case_id=first.case.id, key="objection", due_on=over.date(), due_at=over, rule={}, set_at=over)
    )
    session.flush()
    clock.move(by=timedelta(days=15))
    monkeypatch.setattr(jobs, "BATCH", 1)
    monkeypatch.setattr(jobs, "LOOKED_AT", 1)
    monkeypatch.setattr(jobs, "PERIODS", {})  # so that any date that is over leads here, as with a guard of one's own
    assert (run_clock(session, clock), first.case.state, second.case.state) == (1, "awaiting_payment", "withdrawn")


def test_the_edition_is_chosen_until_it_is_fixed(session: Session) -> None:
    world = apply(session)
    admin = world.actor("admin")
    choose_edition(session, world.case, "2021", actor=admin, at=now())
    with pytest.raises(NotOpen, match="offered"):
        choose_edition(session, world.case, "1999", actor=admin, at=now())
    lock_edition(session, world.case, actor=admin, at=now())
    with pytest.raises(NotOpen, match="fixed"):
        choose_edition(session, world.case, "2025", actor=admin, at=now())


def test_the_header_says_step_holder_date_and_what_is_missing(session: Session) -> None:
    world = apply(session)
    mine = header_for(session, world.case, world.actor("admin"), now())
    theirs = header_for(session, world.case, world.actor("staff"), now())
    assert (mine.step, mine.waiting_for_me, mine.holder_label) == (1, True, "Waiting for you")
    assert (theirs.waiting_for_me, theirs.holder_label) == (False, "Waiting for the practice")
    assert mine.primary is not None
    assert mine.primary.trigger == "submit"
    assert mine.missing == theirs.missing
    assert [s.status for s in mine.steps] == ["current", *["todo"] * 5]


def test_a_rule_changed_in_yaml_changes_the_product_without_code(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "workflows"
    shutil.copytree(resources.WORKFLOWS, folder)
    deadlines = folder / "deadlines.yaml"
    text = deadlines.read_text()
    changed = text.replace("kind: business\n    days: 10\n", "kind: business\n    days: 3\n", 1)
    assert changed != text
    deadlines.write_text(changed)
    machine = folder / "machines/certification/1-application.yaml"
    machine.write_text(machine.read_text().replace("webinar_attended, ", "", 1))
    before = current()
    try:
        use(load_rulebook(folder, guards=wiring.guard_keys()))
        world = apply(session)
        world.answer()
        world.sign()
        world.take("submit", "admin")  # nobody attended the webinar, and nobody asks any more
        assert world.case.due_on == date(2026, 11, 5)
    finally:
        use(before)


ONE = Input("reason", "Reason", "longtext")


@pytest.mark.parametrize(
    ("one", "raw", "value"),
    [
        (ONE, "  why \r\n not ", "why \n not"),
        (replace(ONE, kind="date"), "2026-03-05", date(2026, 3, 5)),
        (replace(ONE, kind="money"), "$9,500.50", 950050),
        (replace(ONE, kind="money"), 950050, 950050),
        (replace(ONE, kind="checkbox"), "yes", True),
        (replace(ONE, kind="person"), "12", 12),
        (replace(ONE, kind="standards"), ["1.1", "7.3"], ["1.1", "7.3"]),
        (
            replace(ONE, kind="questions"),
            [{"field": "emr", "question": "Which?"}],
            [{"field": "emr", "question": "Which?"}],
        ),
        (replace(ONE, kind="choice", choices=(("a", "A"),)), "a", "a"),
    ],
)
def test_inputs_are_read_by_their_kind(one: Input, raw: object, value: object) -> None:
    assert read_inputs([one], {"reason": raw}) == {"reason": value}


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("longtext", 5), ("longtext", "a\x00b"), ("longtext", "x" * 20_001), ("date", "5 March"), ("money", "9.999"), ("money", "a lot"),
        ("money", True), ("money", "NaN"), ("money", "1e400"), ("money", "1e999990"), ("money", "9e999999"), ("money", "-1"), ("number", "1.5"), ("number", "9" * 30), ("checkbox", "maybe"), ("standards", {"a": 1}),
        ("standards", [[1]]), ("questions", [1]), ("records", [{"evidence": ["3f1c"]}]), ("records", [{"evidence": {"uuid": "3f1c"}}]), ("choice", "b"), ("person", "me"),
    ],
)  # fmt: skip
def test_a_wrong_input_is_named(kind: str, raw: object) -> None:
    with pytest.raises(Invalid) as wrong:
        read_inputs([replace(ONE, kind=kind, choices=(("a", "A"),))], {"reason": raw})
    assert [e.field for e in wrong.value.errors] == ["reason"]


def test_what_is_missing_and_what_is_not_asked_for_are_named_together() -> None:
    with pytest.raises(Invalid) as wrong:
        read_inputs([ONE], {"reasn": "typo"})
    assert sorted(e.field for e in wrong.value.errors) == ["reasn", "reason"]


def test_what_is_said_for_the_program_alone_stays_out_of_the_practices_timeline(
    session: Session, clock: FixedClock
) -> None:
    world = surveyed(session, clock.now(), not_met=[("2.1.a", 0)])
    world.take("submit_report", "surveyor")
    world.take("send_back_report", "staff", comments="Too harsh on their director.")
    world.take("submit_report", "surveyor")
    world.take("pass_report", "staff", comments="A difficult practice.")
    world.take("approve_report", "council", conflict="none", conflict_detail="", comments="I had my doubts.")
    stream = f"case:{world.case.ref}"
    told = list_events(session, stream, internal=False)
    words = ("Too harsh", "difficult practice", "my doubts", '"conflict"')
    everything = json.dumps([[e.reason, e.data] for e in told])
    assert not any(word in everything for word in words)
    assert [e.summary for e in told if e.data.get("trigger") == "send_back_report"] == [
        "sent the report back to the surveyor"
    ]
    inside = json.dumps([[e.reason, e.data] for e in list_events(session, stream)])
    assert all(word in inside for word in words)
    assert verify_chain(session, stream).sound


def test_whose_part_a_guard_looks_at_follows_the_roles_that_the_files_name(session: Session, tmp_path: Path) -> None:
    case = apply(session).case
    surveyor, council = (Actor(7, grants=frozenset({Grant(role)})) for role in (Role.SURVEYOR, Role.COUNCIL))
    assert [actor_before(case, who, "decider_uninvolved") for who in (surveyor, council)] == [None, 7]
    folder = Path(shutil.copytree(resources.WORKFLOWS, tmp_path / "workflows"))
    decision = folder / "machines/certification/4-decision.yaml"
    decision.write_text(decision.read_text().replace("roles: [council]", "roles: [council, surveyor]"))
    before = current()
    try:
        use(load_rulebook(folder, guards=wiring.guard_keys()))
        assert actor_before(case, surveyor, "decider_uninvolved") == 7
    finally:
        use(before)
