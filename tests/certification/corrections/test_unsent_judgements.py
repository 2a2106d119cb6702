"""What the program thinks of plan and evidence is its draft until it answers: the practice reads none of it before."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import take
from certify.certification.corrections.models import Correction, CorrectionJudgement, PlanItem
from certify.certification.corrections.operations import judge_correction, judge_item
from certify.certification.evidence.models import EvidenceVersion
from certify.certification.reports.queries import requirements_of
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import FixedClock
from certify.outlets.belongings.queries import pack_practice
from certify.platform.storage.operations import store
from tests.support.surveyed import Surveyed, surveyed

REF = "LO-2026-001"
PAGES = ("", "/corrections", "/report", "/history", "/decision", "/messages")


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now(), not_met=[("2.1.a", 1), ("7.3.b", 0)])
    made.to_issued()
    return made


def ids(world: Surveyed) -> list[int]:
    return [f.id for f in requirements_of(world.session, world.case.id)]


def plan_sent(world: Surveyed) -> list[int]:
    found = ids(world)
    world.take("submit_plan", "admin", items=world.plan_items(found))
    world.at += timedelta(hours=1)
    return found


def evidence_sent(world: Surveyed) -> list[int]:
    found, document = plan_sent(world), world.document()
    version = world.session.scalars(select(EvidenceVersion)).one()
    version.file_key = store(b"%PDF-1.4 a log")
    world.session.flush()
    world.take("approve_plan", "staff", items=[{"requirement": str(i), "verdict": "accept"} for i in found])
    world.take("submit_corrections", "admin", items=[{"requirement": str(i), "evidence": document.uuid} for i in found])
    world.at += timedelta(hours=1)
    return found


def told(world: Surveyed, client: FlaskClient) -> str:
    """Return everything the practice's manager can lay hands on."""
    texts = [client.get(f"/cases/{REF}{page}").text for page in PAGES]
    texts.append(client.get("/").text)
    with client.get(f"/cases/{REF}/documents/case-file.zip") as case_file:
        assert case_file.status_code == 200
        packed = case_file.data
    own = io.BytesIO()
    pack_practice(world.session, world.practice.id, own)
    for pack in (io.BytesIO(packed), own):
        with zipfile.ZipFile(pack) as archive:
            texts += [archive.read(n).decode() for n in archive.namelist() if n.endswith((".json", ".csv", ".html"))]
    return "\n".join(texts)


def taken_along(world: Surveyed, table: str) -> list[dict[str, object]]:
    own = io.BytesIO()
    pack_practice(world.session, world.practice.id, own)
    with zipfile.ZipFile(own) as archive:
        rows: list[dict[str, object]] = json.loads(archive.read(f"json/{table}.json"))
    return rows


def test_a_plan_is_judged_out_of_the_practices_sight_until_it_is_answered(
    session: Session, world: Surveyed, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    one, two = plan_sent(world)
    staff = world.actors["staff"]
    judge_item(session, world.case, one, "accept", "A fine plan.", actor=staff, at=world.at)
    judge_item(session, world.case, two, "return", "Who trains the night shift?", actor=staff, at=world.at)
    clock.move(to=world.at)
    admin = world.sign_in(new_client(), "admin")
    seen = told(world, admin)
    for word in ("night shift", "A fine plan", "Plan accepted", "Plan returned", "Staff Person, "):
        assert word not in seen
    assert {(r["state"], r["comment"], r["judged_at"]) for r in taken_along(world, "plan_item")} == {("sent", "", None)}
    assert "Who trains the night shift?" in world.sign_in(new_client(), "staff").get(f"/cases/{REF}/corrections").text
    world.take("return_plan", "staff", comments="One part.")
    page = admin.get(f"/cases/{REF}/corrections").text
    assert "Who trains the night shift?" in page
    assert {r["state"] for r in taken_along(world, "plan_item")} == {"accepted", "returned"}


def test_a_requirement_is_closed_for_the_practice_only_when_the_review_is_answered(
    session: Session, world: Surveyed, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    one, two = evidence_sent(world)
    judge_correction(
        session, world.case, one, "closed", "The log proves it.", actor=world.actors["surveyor"], at=world.at
    )
    judge_correction(
        session, world.case, two, "not_enough", "One shift lacks.", actor=world.actors["staff"], at=world.at
    )
    clock.move(to=world.at)
    admin = world.sign_in(new_client(), "admin")
    seen = told(world, admin)
    for word in ("The log proves it", "One shift lacks", "Evidence is enough", "More evidence needed", "Closed "):
        assert word not in seen
    assert "2 requirements open of 2" in admin.get(f"/cases/{REF}/corrections").text
    assert {f.status for f in requirements_of(session, world.case.id)} == {"open"}
    assert {(r["state"], r["judgement"]) for r in taken_along(world, "correction")} == {("sent", "")}
    assert taken_along(world, "correction_judgement") == [
        row for row in taken_along(world, "correction_judgement") if row["about"] == "plan"
    ]
    assert "Evidence is enough" in world.sign_in(new_client(), "surveyor").get(f"/cases/{REF}/corrections").text
    world.take("return_corrections", "staff")
    page = admin.get(f"/cases/{REF}/corrections").text
    for word in ("The log proves it", "One shift lacks", "More evidence needed", "1 requirement open of 2"):
        assert word in page
    assert {f.id: f.status for f in requirements_of(session, world.case.id)} == {one: "closed", two: "open"}
    assert "Closed R1 (2.1.a)" in admin.get(f"/cases/{REF}/history").text


def test_the_api_calls_a_requirement_open_until_the_review_is_answered(
    session: Session, world: Surveyed, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    one, two = evidence_sent(world)
    for requirement in (one, two):
        judge_correction(session, world.case, requirement, "closed", "Seen.", actor=world.actors["staff"], at=world.at)
    clock.move(to=world.at)
    admin = world.sign_in(new_client(), "admin")
    url = f"/api/v1/cases/{REF}"
    assert [item["open"] for item in admin.get(f"{url}/requirements").json["items"]] == [True, True]  # type: ignore[index]
    actions = {a["trigger"]: a["unmet"] for a in admin.get(url).json["actions"]}  # type: ignore[index]
    assert actions["close_requirements"] == []
    world.take("close_requirements", "staff")
    assert [item["open"] for item in admin.get(f"{url}/requirements").json["items"]] == [False, False]  # type: ignore[index]


def test_what_is_enough_is_closed_when_another_visit_is_required_for_the_rest(
    session: Session, world: Surveyed
) -> None:
    one, two = evidence_sent(world)
    judge_correction(session, world.case, one, "closed", "Seen.", actor=world.actors["staff"], at=world.at)
    site = str(world.sites[0].id)
    world.take("require_visit", "staff", reason="Must be seen.", standards=["7.3"], sites=[site])
    assert {f.id: f.status for f in requirements_of(session, world.case.id)} == {one: "closed", two: "open"}


def test_no_verdict_is_dropped_when_another_visit_is_required_and_who_requires_it_is_told_before(
    session: Session, world: Surveyed, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    one, two = evidence_sent(world)
    staff = world.actors["staff"]
    judge_correction(session, world.case, one, "closed", "The log proves it.", actor=staff, at=world.at)
    judge_correction(session, world.case, two, "not_enough", "One shift lacks.", actor=staff, at=world.at)
    clock.move(to=world.at)
    page = world.sign_in(new_client(), "staff").get(f"/cases/{REF}/do/require_visit").text
    assert "gives the practice what you have answered to its evidence so far" in page
    world.take("require_visit", "staff", reason="Must be seen.", standards=["7.3"], sites=[str(world.sites[0].id)])
    read = world.sign_in(new_client(), "admin").get(f"/cases/{REF}/corrections").text
    for word in ("The log proves it", "One shift lacks", "More evidence needed", "1 requirement open of 2"):
        assert word in read


def test_a_verdict_taken_back_never_reaches_the_practice(session: Session, world: Surveyed) -> None:
    one, two = evidence_sent(world)
    staff = world.actors["staff"]
    judge_correction(session, world.case, one, "not_enough", "I misread it.", actor=staff, at=world.at)
    for requirement in (one, two):
        judge_correction(session, world.case, requirement, "closed", "Fine.", actor=staff, at=world.at)
    world.take("close_requirements", "staff")
    texts = [str(row["text"]) for row in taken_along(world, "correction_judgement") if row["about"] == "evidence"]
    assert texts == ["Fine.", "Fine."]


@pytest.mark.parametrize("ending", ["withdraw", "expire"])
@pytest.mark.parametrize("reviewed", ["plan", "evidence"])
def test_a_review_that_is_never_answered_leaves_no_verdict_behind(
    session: Session, world: Surveyed, ending: str, reviewed: str
) -> None:
    staff = world.actors["staff"]
    if reviewed == "plan":
        one, two = plan_sent(world)
        judge_item(session, world.case, one, "return", "Unsaid.", actor=staff, at=world.at)
        judge_item(session, world.case, two, "accept", "", actor=staff, at=world.at)
    else:
        one, two = evidence_sent(world)
        judge_correction(session, world.case, one, "closed", "Unsaid.", actor=staff, at=world.at)
        judge_correction(session, world.case, two, "not_enough", "Unsaid.", actor=staff, at=world.at)
    if ending == "withdraw":
        world.take("withdraw", "admin", reason="We merge.", confirmed="yes")
    else:
        take(session, world.case, "expire", {}, actor=SYSTEM, at=world.at + timedelta(days=400))
    assert not world.case.open
    model, text = (PlanItem, PlanItem.comment) if reviewed == "plan" else (Correction, Correction.judgement)
    assert {(row[0], row[1]) for row in session.execute(select(model.state, text))} == {("sent", "")}
    assert {f.status for f in requirements_of(session, world.case.id)} == {"open"}
    about = select(func.count()).where(CorrectionJudgement.about == reviewed)
    assert session.scalar(about) == 0
    assert not any("Unsaid." in str(row) for row in taken_along(world, "event"))
