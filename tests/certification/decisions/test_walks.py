"""Random walks from the finished survey on: whoever tries whatever, the invariants of process.md, section 11, hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from certify.certification.cases.operations import take
from certify.certification.fees.models import Invoice
from certify.certification.reports.models import Approval, Finding, Report
from certify.certification.reports.queries import approvals_of, draft_of, requirements_of, statement_of
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import Refusal
from certify.platform.audit.queries import verify_chain
from tests.support.surveyed import PEOPLE, Surveyed, surveyed

ENDS = {"expired", "withdrawn", "ineligible", "lapsed", "denied"}
TRIGGERS = (
    "submit_report", "send_back_report", "pass_report", "return_report", "approve_report", "submit_plan", "return_plan", "approve_plan",
    "submit_corrections", "return_corrections", "close_requirements", "require_visit", "award", "deny", "withdraw",
)  # fmt: skip
# The straight way; between its steps anyone tries anything, so that every guard is met from every state.
STRAIGHT = (
    ("submit_report", "surveyor"), ("pass_report", "staff"), ("approve_report", "council"), ("submit_plan", "admin"),
    ("approve_plan", "staff"), ("submit_corrections", "admin"), ("close_requirements", "staff"), ("award", "decider"),
)  # fmt: skip
attempts = st.lists(
    st.tuples(
        st.sampled_from(TRIGGERS), st.sampled_from(list(PEOPLE)), st.sampled_from(["none", "conflict"]), st.booleans()
    ),
    max_size=3,
)
walks = st.tuples(*[attempts for _ in STRAIGHT], attempts)


def steps_of(walk: tuple[list[Any], ...]) -> list[tuple[str, str, str, bool]]:
    """Return the straight way with the attempts between its steps."""
    found = []
    for tried, (trigger, who) in zip(walk, STRAIGHT, strict=False):
        found += [*tried, (trigger, who, "none", True)]
    return found + walk[-1]


def data_for(world: Surveyed, trigger: str, conflict: str, whole: bool, document: str) -> dict[str, Any]:
    """Return what the step asks for; not whole: the last requirement is left out or judged against."""
    found = [f.id for f in requirements_of(world.session, world.case.id, open_only=True)]
    some = found if whole else found[:-1]
    bad = [] if whole else found[-1:]
    match trigger:
        case "submit_plan":
            return {"items": world.plan_items(some)}
        case "approve_plan" | "return_plan":
            items = [{"requirement": str(i), "verdict": "accept"} for i in some]
            items += [{"requirement": str(i), "verdict": "return", "comment": "More."} for i in bad]
            return {"items": items, **({"comments": "Note."} if trigger == "return_plan" else {})}
        case "submit_corrections":
            return {"items": [{"requirement": str(i), "evidence": document} for i in some]}
        case "close_requirements" | "return_corrections":
            items = [{"requirement": str(i), "verdict": "closed", "note": "Seen."} for i in some]
            return {"items": items + [{"requirement": str(i), "verdict": "not_enough", "note": "No."} for i in bad]}
        case "approve_report" | "award":
            return {"conflict": conflict, "conflict_detail": "Shares."}
        case "deny":
            return {
                "conflict": conflict,
                "conflict_detail": "Shares.",
                "reasons": [{"standard": "1.1", "reason": "x"}] if whole else [],
            }
        case "send_back_report" | "return_report":
            return {"comments": "Look again."}
        case "require_visit":
            standards = [f.standard for f in requirements_of(world.session, world.case.id, open_only=True)]
            return {"reason": "See it.", "standards": standards, "sites": [str(world.sites[0].id)]}
        case "withdraw":
            return {"reason": "No more."}
    return {}


def check(world: Surveyed, editions: set[str]) -> None:
    """Hold the invariants that can be judged from what is stored."""
    session, case = world.session, world.case
    report = session.query(Report).order_by(Report.id.desc()).first()
    assert report is not None
    assert editions == {case.edition}  # 5
    if case.state == "certified":  # 1
        assert not session.query(Finding).filter_by(case_id=case.id, kind="requirement", status="open").count()
        assert not session.query(Invoice).filter_by(case_id=case.id, state="open").count()
    if report.issued_at is not None:  # 2
        last = {
            a.role: a
            for a in approvals_of(session, report.survey_id)
            if a.action in ("submitted", "passed", "approved")
        }
        people = [last[role].person_id for role in ("surveyor", "program_staff", "council")]
        assert len(set(people)) == 3
        stated = statement_of(session, case.id, last["council"].person_id)
        assert stated is not None
    if report.issued_at is None:  # 3
        elements = {i.element for i in draft_of(session, report).items if i.kind == "requirement"}
    else:
        elements = {f.element for f in requirements_of(session, case.id)}
    assert elements == {"2.1.a", "7.3.b"}
    if case.state == "decision":
        assert not requirements_of(session, case.id, open_only=True)


@pytest.mark.parametrize("unpaid", [False, True])
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_no_walk_breaks_an_invariant(session: Session, clock: FixedClock, unpaid: bool, data: st.DataObject) -> None:
    world = session.info.get("walked")
    if world is None:
        world = session.info["walked"] = surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("2.1.a", 1)])
        session.query(Invoice).one().state = "open" if unpaid else "paid"
        session.info["document"] = world.document().uuid
    steps = steps_of(data.draw(walks))
    example = session.begin_nested()
    try:
        world.at = clock.now()
        for trigger, who, conflict, whole in steps:
            world.at += timedelta(hours=1)
            before, attempt = world.case.state, session.begin_nested()
            given_data = data_for(world, trigger, conflict, whole, session.info["document"])
            try:
                take(session, world.case, trigger, given_data, actor=world.actors[who], at=world.at)
                attempt.commit()
            except Refusal:
                attempt.rollback()
                session.expire_all()
                assert world.case.state == before
            else:
                assert before not in ENDS  # 6
                assert trigger != "award" or not unpaid
                check(world, {"2021"})
        event(f"ends at {world.case.state}")
        assert verify_chain(session, f"case:{world.case.ref}").sound
        assert session.query(Approval).count() == len(approvals_of(session, world.survey.id))
    finally:
        example.rollback()
        session.expire_all()
