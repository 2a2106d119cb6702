"""The pages of the report, as each of its people meets them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.reports.models import Finding, Objection, Report, ReportComment
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock
from certify.platform.audit.queries import list_events
from tests.builders import make_person, make_practice, sign_in
from tests.support.surveyed import Surveyed, surveyed

URL = "/cases/LO-2026-001/report"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    return surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("2.1.a", 1)])


@pytest.fixture
def as_(world: Surveyed, new_client: Callable[[], FlaskClient]) -> Callable[[str], FlaskClient]:
    return lambda who: world.sign_in(new_client(), who)


def test_before_issue_the_practice_sees_that_it_will_come_and_no_draft(as_: Callable[[str], FlaskClient]) -> None:
    page = as_("admin").get(URL)
    assert page.status_code == 200
    assert "No survey report yet" in page.text
    assert "7.3.b" not in page.text


def test_the_surveyor_writes_domain_by_domain(
    session: Session, world: Surveyed, as_: Callable[[str], FlaskClient]
) -> None:
    surveyor = as_("surveyor")
    summary = surveyor.get(URL)
    assert "2 of 37 applicable standards are not met" in summary.text
    page = surveyor.get(f"{URL}?standard=7.3")
    assert "Domain 7" in page.text
    assert 'id="e7.3.b"' in page.text
    assert 'id="e2.1.a"' not in page.text
    saved = surveyor.post(
        f"{URL}/requirements/7.3.b", data={"text": "Two people check."}, headers={"Accept": "application/json"}
    )
    assert saved.status_code == 200
    assert saved.json is not None
    stale = {"text": "Other.", "version": saved.json["version"] - 1}
    assert (
        surveyor.post(f"{URL}/requirements/7.3.b", data=stale, headers={"Accept": "application/json"}).status_code
        == 409
    )
    assert surveyor.post(f"{URL}/summary", data={"summary": "A good visit."}).status_code == 302
    added = surveyor.post(f"{URL}/remarks", data={"kind": "strength", "standard": "7.3", "text": "A calm pharmacy."})
    assert added.location.startswith(URL)
    row = session.query(Finding).filter_by(kind="strength").one()
    assert surveyor.post(f"{URL}/remarks/{row.id}", data={"text": "A very calm pharmacy."}).status_code == 302
    assert "A very calm pharmacy." in surveyor.get(f"{URL}?domain=7").text
    assert surveyor.post(f"{URL}/remarks/{row.id}/drop").status_code == 302
    assert "calm pharmacy" not in surveyor.get(f"{URL}?domain=7").text


def test_reviewers_comment_and_pass_it_on(session: Session, world: Surveyed, as_: Callable[[str], FlaskClient]) -> None:
    surveyor, staff, council = as_("surveyor"), as_("staff"), as_("council")
    assert surveyor.post("/cases/LO-2026-001/do/submit_report").status_code == 302
    page = staff.get(URL)
    assert "The program reviews it" in page.text
    finding = session.query(Finding).filter_by(element="7.3.b").one()
    assert staff.post(f"{URL}/comments", data={"finding": finding.id, "text": "Name the shift."}).status_code == 302
    assert staff.post(f"{URL}/comments", data={"text": " "}).status_code == 422
    assert staff.post("/cases/LO-2026-001/do/send_back_report", data={"comments": "One question."}).status_code == 302
    assert "Name the shift." in surveyor.get(f"{URL}?domain=7").text
    comment = session.query(ReportComment).one()
    assert surveyor.post(f"{URL}/comments/{comment.id}/settle").status_code == 302
    assert "Name the shift." not in surveyor.get(f"{URL}?domain=7").text
    surveyor.post("/cases/LO-2026-001/do/submit_report")
    assert staff.post("/cases/LO-2026-001/do/pass_report").status_code == 302
    page = council.get(URL).text
    # Until it is answered, the question is the one next step: in the main column, before what is to be judged.
    assert page.index("<h1>") < page.index("Do you have a conflict of interest") < page.index("On one page")
    assert page.index("Do you have a conflict of interest") < page.index('<aside class="with-rail__rail"')
    assert page.count("button--filled") == 1
    assert "do/approve_report" not in page
    assert "Do you have a conflict of interest" not in staff.get(URL).text
    assert council.post(f"{URL}/conflict", data={"conflict": "none"}).status_code == 302
    page = council.get(URL).text
    assert page.index('<aside class="with-rail__rail"') < page.index("Change your answer")
    assert 'name="conflict" value="none"' in page
    assert council.post("/cases/LO-2026-001/do/approve_report", data={"conflict": "none"}).status_code == 302
    session.refresh(world.case)
    assert world.case.state == "plan_due"


def test_an_issued_report_is_read_and_each_reading_is_logged(
    session: Session, world: Surveyed, as_: Callable[[str], FlaskClient]
) -> None:
    world.to_issued()
    for who in ("admin", "nurse", "surveyor", "staff", "council"):
        page = as_(who).get(URL)
        assert page.status_code == 200, who
        assert "R1" in page.text
    readings = [e for e in list_events(session, "case:LO-2026-001") if e.kind == "report.read"]
    assert len(readings) == 5
    assert {e.actor_name for e in readings} == {
        f"{w.title()} Person" for w in ("admin", "nurse", "surveyor", "staff", "council")
    }


def test_an_objection_is_made_and_answered_and_both_versions_stay_readable(
    session: Session, world: Surveyed, as_: Callable[[str], FlaskClient]
) -> None:
    first = world.to_issued()
    admin, staff = as_("admin"), as_("staff")
    assert "Object to a fact" in admin.get(URL).text
    assert admin.post(f"{URL}/objections", data={"item": "R9", "text": ""}).status_code == 422
    assert admin.post(f"{URL}/objections", data={"item": "R1", "text": "Not our charts."}).status_code == 302
    objection = session.query(Objection).one()
    answer = f"{URL}/objections/{objection.id}/answer"
    assert admin.post(answer, data={"outcome": "withdrawn", "answer": "Yes."}).status_code == 403
    assert "withdraw the requirement" in staff.get(URL).text
    assert staff.post(answer, data={"outcome": "withdrawn", "answer": "Shown."}).status_code == 302
    newest = admin.get(URL).text
    assert "Version 2" in newest
    assert "Why this version was made" in newest
    old = admin.get(f"{URL}?version={first.id}").text
    assert "An earlier version" in old
    assert session.query(Report).count() == 2


def test_what_is_not_yours_is_not_there(
    world: Surveyed, as_: Callable[[str], FlaskClient], client: FlaskClient, session: Session
) -> None:
    assert client.get(URL).status_code == 302
    stranger = sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=make_practice(session)))
    assert stranger.get(URL).status_code == 404
    assert stranger.post(f"{URL}/objections", data={"item": "R1", "text": "x"}).status_code == 404
    admin = as_("admin")
    for path in ("/summary", "/requirements/7.3.b", "/remarks", "/comments", "/conflict"):
        assert admin.post(f"{URL}{path}", data={"text": "x"}).status_code == 403, path


def test_what_keeps_the_surveyor_from_reviewing_is_not_shown_to_her_as_missing(
    world: Surveyed, as_: Callable[[str], FlaskClient]
) -> None:
    world.take("submit_report", "surveyor")
    world.session.commit()
    told = "so another member of staff must review it"
    assert told not in as_("surveyor").get("/cases/LO-2026-001").text
    assert told in as_("everything").get("/cases/LO-2026-001").text  # who also works for the program is told why not
