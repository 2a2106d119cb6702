"""A person's dates in their own calendar: theirs alone, told again when they change, and called off when they are dropped."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import extend_deadline
from certify.certification.cases.queries import deadlines_of
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.platform.audit.models import Event
from certify.platform.identity.models import Person
from tests.builders import make_person, make_practice, sign_in
from tests.certification.surveys.visits import Visit, accepted_case
from tests.support.statements import counting

Dates = dict[str, Any]


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return accepted_case(session)


def address_of(client: FlaskClient, person: Person) -> str:
    """Sign the person in, ask for a calendar, and return its path."""
    sign_in(client, person)
    client.post("/account/calendar")
    page = client.get("/account/calendar").text
    return "/calendar/" + page.partition("/calendar/")[2].partition("<")[0].partition('"')[0]


def dates_at(client: FlaskClient, path: str) -> Dates:
    """Return the entries of a calendar by their lasting name, read by a library as other programs do."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    calendar = icalendar.Calendar.from_ical(answer.text)
    return {str(entry["uid"]): entry for entry in calendar.walk("VEVENT")}


def day(entry: Any) -> date:
    found = entry["dtstart"].dt
    assert not isinstance(found, datetime)  # whole days, which no time zone can shift
    return date.fromisoformat(found.isoformat())


def test_a_practice_finds_its_deadlines_and_its_visit(visit: Visit, client: FlaskClient) -> None:
    starts_on = now().date() + timedelta(days=61)
    visit.take("agree_date", "surveyor", starts_on=starts_on.isoformat())
    found = dates_at(client, address_of(client, visit.head))
    survey = found[f"{visit.case.ref}-visit-1@certify"]
    assert day(survey) == starts_on
    assert str(survey["summary"]) == f"Site survey: {visit.practice.legal_name}"
    assert str(survey["url"]).endswith(f"/cases/{visit.case.ref}/survey")
    for due in deadlines_of(visit.session, visit.case, now()):
        assert day(found[f"{visit.case.ref}-{due.key}@certify"]) == due.on


def test_a_moved_deadline_keeps_its_name_and_says_that_it_changed(
    visit: Visit, client: FlaskClient, clock: FixedClock
) -> None:
    path = address_of(client, visit.head)
    name = f"{visit.case.ref}-pending_days@certify"
    before = dates_at(client, path)[name]
    clock.move(by=timedelta(hours=3))
    assert dates_at(client, path)[name].to_ical() == before.to_ical()
    extend_deadline(visit.session, visit.case, "pending_days", 10, "A flood.", actor=visit.actor("staff"), at=now())
    after = dates_at(client, path)[name]
    assert day(after) == day(before) + timedelta(days=10)
    assert int(after["sequence"]) > int(before["sequence"])
    assert after["last-modified"].dt == now() > before["last-modified"].dt
    assert str(after["status"]) == "CONFIRMED"


def test_a_day_given_back_is_called_off_and_the_next_stands_under_the_same_name(
    visit: Visit, client: FlaskClient, clock: FixedClock
) -> None:
    path, name = address_of(client, visit.head), f"{visit.case.ref}-visit-1@certify"
    first = now().date() + timedelta(days=61)
    visit.take("agree_date", "surveyor", starts_on=first.isoformat())
    agreed = dates_at(client, path)[name]
    clock.move(by=timedelta(days=1))
    visit.take("reschedule", "head", reason="Our pharmacy moves.")
    dropped = dates_at(client, path)[name]
    assert (str(dropped["status"]), day(dropped)) == ("CANCELLED", first)
    second = first + timedelta(days=14)
    clock.move(by=timedelta(days=1))
    visit.take("agree_date", "surveyor", starts_on=second.isoformat())
    stands = dates_at(client, path)[name]
    assert (str(stands["status"]), day(stands)) == ("CONFIRMED", second)
    sequences = [int(entry["sequence"]) for entry in (agreed, dropped, stands)]
    assert sequences == sorted(set(sequences))


def test_a_withdrawn_case_calls_off_every_date_to_come(visit: Visit, client: FlaskClient, clock: FixedClock) -> None:
    path = address_of(client, visit.head)
    visit.take("agree_date", "surveyor", starts_on=(now().date() + timedelta(days=61)).isoformat())
    clock.move(by=timedelta(days=1))
    visit.take("withdraw", "head", reason="We merge with another practice.", confirmed=True)
    assert {str(entry["status"]) for entry in dates_at(client, path).values()} == {"CANCELLED"}
    clock.move(by=timedelta(days=61))
    assert dates_at(client, path) == {}


def test_each_sees_only_their_own_cases(visit: Visit, client: FlaskClient, session: Session) -> None:
    names = {f"{visit.case.ref}-visit-1@certify"}
    visit.take("agree_date", "surveyor", starts_on=(now().date() + timedelta(days=61)).isoformat())
    elsewhere = make_practice(session)
    stranger = make_person(session, Role.PRACTICE_ADMIN, practice=elsewhere)
    assert names <= dates_at(client, address_of(client, visit.surveyor)).keys()
    for person in (stranger, make_person(session, Role.SURVEYOR), visit.staff):
        assert dates_at(client, address_of(client, person)) == {}
    visit.case.staff_id = visit.staff.id
    session.flush()
    assert names <= dates_at(client, address_of(client, visit.staff)).keys()


def test_the_address_ends_when_it_is_renewed_stopped_or_its_owner_has_no_account(
    visit: Visit, client: FlaskClient, session: Session
) -> None:
    first = address_of(client, visit.head)
    second = address_of(client, visit.head)
    assert second != first
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    visit.head.active = False
    session.flush()
    assert client.get(second).status_code == 404
    visit.head.active = True
    session.flush()
    client.post("/account/calendar/stop")
    assert client.get(second).status_code == 404
    assert "was stopped" in client.get("/account/calendar").text
    assert client.post("/account/calendar/stop").status_code == 404
    third = address_of(client, visit.head)
    assert client.get(second).status_code == 404
    assert client.get(third).status_code == 200
    kinds = session.scalars(
        select(Event.kind).where(Event.stream == f"person:{visit.head.id}", Event.kind.like("cal%")).order_by(Event.seq)
    )
    assert list(kinds) == ["calendar.renewed", "calendar.renewed", "calendar.stopped", "calendar.renewed"]


@pytest.mark.parametrize("secret", ["x", "WzEsMV0.AAAA", "e30", "%00", "WzEsMV0"])
def test_a_guessed_address_leads_nowhere(client: FlaskClient, session: Session, secret: str) -> None:
    assert client.get(f"/calendar/{secret}.ics").status_code == 404


def test_no_more_questions_are_asked_for_many_cases_than_for_one(
    visit: Visit, client: FlaskClient, session: Session
) -> None:
    path = address_of(client, visit.surveyor)
    with counting(session) as sent:
        dates_at(client, path)
    assert len(sent) <= 6
