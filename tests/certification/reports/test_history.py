"""How a report came about: notes it tells, conflicts it can account for, signatures that hold or are broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member
from certify.certification.reports.history import count_settled, differences_of
from certify.certification.reports.models import ReportNote
from certify.certification.reports.operations import begin_draft, tell_note
from certify.certification.reports.queries import content_for, newest_report
from certify.certification.surveys.sync import sync
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import NotFound, NotOpen
from certify.core.foundation.ids import new_uuid
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from tests.builders import make_person, sign_in
from tests.certification.surveys.visits import OTHER_TABLET, TABLET, Visit, visit_under_way

NOTE = "note:0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


@pytest.fixture
def second(session: Session, visit: Visit, clock: FixedClock) -> Person:
    person = make_person(session, Role.SURVEYOR, name="Sam Second")
    add_member(session, visit.case, person.id, "surveyor", at=now())
    clock.move(by=timedelta(minutes=1))
    return person


def drafted(session: Session, visit: Visit) -> None:
    """Finish the survey as it stands and begin its report."""
    visit.survey.finished_at = now()
    visit.case.state, visit.case.step = "report_drafting", 3
    session.flush()
    begin_draft(session, visit.case, actor=visit.actor("surveyor"), at=now())


def noted(visit: Visit) -> None:
    value = {
        "kind": "tracer",
        "text": "Waited an hour for the dose",
        "about": ["7.3.b", "2.1"],
        "pseudonym": "Journey A",
    }
    answer = visit.send(visit.op(None, NOTE, value))
    assert [ack["status"] for ack in answer["acks"]] == ["applied"]


def test_a_note_stands_beside_each_standard_it_is_about_and_is_told_where_the_surveyor_wants(
    session: Session, visit: Visit, new_client: Callable[[], FlaskClient]
) -> None:
    noted(visit)
    drafted(session, visit)
    url = f"/cases/{visit.case.ref}/report"
    client = sign_in(new_client(), visit.surveyor)
    for standard in ("7.3", "2.1"):
        page = client.get(f"{url}?standard={standard}").text
        assert "Waited an hour for the dose" in page
        assert "Journey A" in page
    assert "Waited an hour" not in client.get(f"{url}?standard=1.1").text
    uuid = NOTE.removeprefix("note:")
    told = client.post(f"{url}/notes/{uuid}", data={"standard": "7.3", "told": "yes"})
    assert told.status_code == 302
    seen = {
        s["code"]: s["seen"] for d in content_for(session, visit.case, draft=True)["domains"] for s in d["standards"]
    }
    assert [(s["mode"], s["text"]) for s in seen["7.3"]] == [("tracer", "b) Journey A: Waited an hour for the dose.")]
    assert seen["2.1"] == []
    client.post(f"{url}/notes/{uuid}", data={"standard": "7.3", "told": "no"})
    assert session.query(ReportNote).count() == 0


def test_a_note_is_told_only_where_it_belongs_and_while_the_draft_is_open(session: Session, visit: Visit) -> None:
    noted(visit)
    drafted(session, visit)
    actor, uuid = visit.actor("surveyor"), NOTE.removeprefix("note:")
    for note, standard in ((uuid, "1.1"), (new_uuid(), "7.3"), (uuid, "99.9")):
        with pytest.raises(NotFound):
            tell_note(session, visit.case, note, standard, told=True, actor=actor, at=now())
    report = newest_report(session, visit.case.id)
    assert report is not None
    report.state = "in_review"
    with pytest.raises(NotOpen):
        tell_note(session, visit.case, uuid, "7.3", told=True, actor=actor, at=now())


def test_both_values_of_a_conflict_stay_readable_with_who_settled_it(
    session: Session, visit: Visit, second: Person, clock: FixedClock, new_client: Callable[[], FlaskClient]
) -> None:
    survey, other = visit.survey, actor_as(session, second)
    photo = f"attachment:{new_uuid()}"
    visit.send(visit.op("7.3.b", value="yes"), visit.op("7.3.b", photo, {"caption": "The log"}))
    clock.move(by=timedelta(minutes=1))
    body = {"device": OTHER_TABLET, "since": 0, "ops": [visit.op("7.3.b", value="no")]}
    answer = sync(session, survey.id, body, actor=other, at=now())
    assert [ack["status"] for ack in answer["acks"]] == ["conflict"]
    (open_one,) = differences_of(session, survey)
    assert open_one.settled is None
    clock.move(by=timedelta(minutes=1))
    visit.send(visit.op("7.3.b", value="no", base=answer["seq"]), device=TABLET)
    (found,) = differences_of(session, survey)
    assert [(v.value, v.by) for v in found.values] == [("yes", "Robin Surveyor"), ("no", "Sam Second")]
    assert [p.caption for p in found.values[0].photos] == ["The log"]
    assert found.values[1].photos == ()
    assert found.settled is not None
    assert (found.settled.value, found.settled.by) == ("no", "Robin Surveyor")
    assert count_settled(session, survey.id) == 1
    drafted(session, visit)
    assert content_for(session, visit.case, draft=True)["differed"] == 1
    for person in (visit.staff, second):
        page = sign_in(new_client(), person).get(f"/cases/{visit.case.ref}/report/audit").text
        for said in ("7.3.b", "Robin Surveyor", "Sam Second", "The log", "Yes"):
            assert said in page
    assert sign_in(new_client(), visit.head).get(f"/cases/{visit.case.ref}/report/audit").status_code == 403


def test_a_second_clash_on_the_same_answer_is_an_entry_of_its_own(
    session: Session, visit: Visit, second: Person, clock: FixedClock
) -> None:
    survey, other = visit.survey, actor_as(session, second)

    def theirs(value: str, base: int | None) -> int:
        body = {"device": OTHER_TABLET, "since": 0, "ops": [visit.op("1.1.a", value=value, base=base)]}
        clock.move(by=timedelta(minutes=1))
        return int(sync(session, survey.id, body, actor=other, at=now())["seq"])

    first = visit.send(visit.op("1.1.a", value="yes"))["seq"]
    clash = theirs("no", None)
    clock.move(by=timedelta(minutes=1))
    visit.send(visit.op("1.1.a", value="yes", base=clash))
    theirs("na", first)
    found = differences_of(session, survey)
    assert [one.settled is not None for one in found] == [True, False]
    assert {v.value for v in found[1].values} == {"yes", "na"}


def test_the_method_section_says_whether_the_signed_answers_still_stand(
    session: Session, visit: Visit, new_client: Callable[[], FlaskClient]
) -> None:
    from certify.certification.surveys.queries import signatures_of
    from certify.certification.surveys.seal import digest

    visit.send(visit.op("1.1.a", value="yes"))
    value = {"name": "Pat Leader", "title": "Administrator", "strokes": "", "digest": digest([])}
    visit.send(visit.op(None, "signature:leader", value))
    assert [one.intact for one in signatures_of(session, visit.survey.id)] == [False]
    drafted(session, visit)
    (signed,) = content_for(session, visit.case, draft=True)["signatures"]
    assert (signed["name"], signed["role"], signed["intact"]) == ("Pat Leader", "Practice leader", False)
    page = sign_in(new_client(), visit.staff).get(f"/cases/{visit.case.ref}/report/audit").text
    assert "Broken: answers changed after signing" in page


def test_a_finding_can_be_placed_while_the_report_is_written(
    session: Session, visit: Visit, new_client: Callable[[], FlaskClient]
) -> None:
    site = visit.site_ids[0]
    visit.send(visit.op("7.3.b", value="no", site=site), visit.op("7.3.b", "note", "Half of the charts.", site=site))
    drafted(session, visit)
    client = sign_in(new_client(), visit.surveyor)
    url = f"/cases/{visit.case.ref}/report"
    assert client.post(f"{url}/requirements/7.3.b/place", data={"place": "high/pattern"}).status_code == 302
    assert "High risk" in client.get(f"{url}?standard=7.3").text
    assert client.post(f"{url}/requirements/7.3.b/place", data={"place": "huge/pattern"}).status_code == 422
    assert client.post(f"{url}/requirements/7.3.a/place", data={"place": "low/limited"}).status_code == 404
    assert client.post(f"{url}/requirements/7.3.b/place", data={"place": ""}).status_code == 302
    assert content_for(session, visit.case, draft=True)["matrix"] is None
