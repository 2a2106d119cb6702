"""The page of plan and corrections, as each side meets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.reports.queries import requirements_of
from certify.core.foundation.clock import FixedClock
from tests.support.surveyed import Surveyed, surveyed

URL = "/cases/LO-2026-001/corrections"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("2.1.a", 1)])
    made.to_issued()
    clock.move(to=made.at)
    return made


def test_the_whole_way_through_the_pages(
    session: Session, world: Surveyed, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    admin, staff, surveyor = (world.sign_in(new_client(), who) for who in ("admin", "staff", "surveyor"))
    one, two = (r.id for r in requirements_of(session, world.case.id))
    page = admin.get(URL)
    assert f'id="r{one}-action"' in page.text
    assert page.text.count("say what you will do") >= 2
    plan = {"action": "Train.", "owner": "A. Nurse", "due_on": "2026-12-18", "evidence": "Log"}
    saved = admin.post(f"{URL}/{one}/plan", data=plan, headers={"Accept": "application/json"})
    assert saved.status_code == 200
    assert admin.post(f"{URL}/{two}/plan", data={**plan, "due_on": "soon"}).status_code == 422
    assert admin.post(f"{URL}/{two}/plan", data=plan).status_code == 302
    assert admin.post("/cases/LO-2026-001/do/submit_plan").status_code == 302
    assert "Is the plan for R1 adequate?" in staff.get(URL).text
    assert "Is the plan for R1 adequate?" not in admin.get(URL).text
    assert "Is the plan for R1 adequate?" not in surveyor.get(URL).text
    assert staff.post(f"{URL}/{one}/plan/judge", data={"verdict": "accept"}).status_code == 302
    assert staff.post(f"{URL}/{two}/plan/judge", data={"verdict": "return"}).status_code == 422
    staff.post(f"{URL}/{two}/plan/judge", data={"verdict": "return", "comment": "Which shift?"})
    assert "Which shift?" not in admin.get(URL).text
    assert staff.post("/cases/LO-2026-001/do/return_plan", data={"comments": "One part."}).status_code == 302
    page = admin.get(URL).text
    assert "Which shift?" in page
    assert f'id="r{two}-action"' in page
    assert f'id="r{one}-action"' not in page
    clock.move(by=timedelta(hours=1))
    assert admin.post(f"{URL}/{two}/plan", data={**plan, "action": "Train the night shift."}).status_code == 302
    assert admin.post("/cases/LO-2026-001/do/submit_plan").status_code == 302
    staff.post(f"{URL}/{two}/plan/judge", data={"verdict": "accept"})
    assert staff.post("/cases/LO-2026-001/do/approve_plan").status_code == 302
    document = world.document()
    page = admin.get(URL).text
    assert "Training log" in page
    for finding in (one, two):
        added = admin.post(f"{URL}/{finding}/evidence", data={"document": document.uuid, "pages": "p. 2"})
        assert added.status_code == 302
    admin.post(f"{URL}/{one}/note", data={"note": "Everyone is trained."})
    assert admin.post("/cases/LO-2026-001/do/submit_corrections").status_code == 302
    assert "Is R1 corrected?" in surveyor.get(URL).text
    assert (
        surveyor.post(f"{URL}/{one}/judge", data={"verdict": "closed", "note": "The log proves it."}).status_code == 302
    )
    assert staff.post(f"{URL}/{two}/judge", data={"verdict": "closed", "note": "It does."}).status_code == 302
    assert staff.post("/cases/LO-2026-001/do/close_requirements").status_code == 302
    session.refresh(world.case)
    assert world.case.state == "decision"
    assert "Every requirement is closed." in admin.get(URL).text


def test_two_judges_with_the_same_page_open_do_not_overwrite_each_other(
    session: Session, world: Surveyed, new_client: Callable[[], FlaskClient]
) -> None:
    found = [r.id for r in requirements_of(session, world.case.id)]
    world.take("submit_plan", "admin", items=world.plan_items(found))
    staff, other = (world.sign_in(new_client(), who) for who in ("staff", "everything"))
    url = f"{URL}/{found[0]}/plan/judge"
    form = staff.get(URL).text.split(f'action="{url}"')[1].split("</form>")[0]
    version = form.split('name="version" value="')[1].split('"')[0]
    returned = {"verdict": "return", "comment": "Which shift?", "version": version}
    assert staff.post(url, data=returned).status_code == 302
    assert staff.post(url, data=returned).status_code == 302
    assert other.post(url, data={"verdict": "accept", "version": version}).status_code == 409


def test_the_practice_does_not_judge_and_the_program_does_not_plan(
    world: Surveyed, new_client: Callable[[], FlaskClient], session: Session
) -> None:
    admin, staff = (world.sign_in(new_client(), who) for who in ("admin", "staff"))
    one = requirements_of(session, world.case.id)[0].id
    assert admin.post(f"{URL}/{one}/plan/judge", data={"verdict": "accept"}).status_code == 403
    assert admin.post(f"{URL}/{one}/judge", data={"verdict": "closed", "note": "x"}).status_code == 403
    assert staff.post(f"{URL}/{one}/plan", data={"action": "x"}).status_code == 403
    assert staff.post(f"{URL}/{one}/plan/judge", data={"verdict": "accept"}).status_code == 409
    assert admin.post(f"{URL}/99999/plan", data={"action": "x"}).status_code == 404


def test_before_the_report_the_page_says_what_will_be_here(
    session: Session, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    made = surveyed(session, clock.now(), not_met=[("7.3.b", 0)])
    page = made.sign_in(new_client(), "admin").get(URL)
    assert "No requirements" in page.text
    assert "7.3.b" not in page.text
