"""Each role's front page: what it says first, what it leads to, and whose cases it never shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import add_member, open_case
from certify.certification.surveys.models import Survey
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.outlets.home.queries import QueueFilter, count_queue, find_current_case, find_current_ref, list_queue
from certify.platform.identity.models import Person
from certify.platform.identity.operations import grant_role
from certify.platform.practices.models import Practice
from certify.platform.web.paging import write_cursor
from tests.builders import make_actor, make_person, make_practice, sign_in

# 23:59:59 on 6 November 2026 in Chicago.
FRIDAY = date(2026, 11, 6)


def make_case(
    session: Session, practice: Practice | None = None, *, due_on: date | None = None, **columns: object
) -> Case:
    """Return a case of a new practice; columns are set as they are, for pages that only read them."""
    practice = practice or make_practice(session)
    case = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=now())
    if due_on is not None:
        ends = datetime.combine(due_on, time(5, 59, 59), tzinfo=UTC) + timedelta(days=1)
        columns |= {"due_on": due_on, "due_at": ends, "due_key": "application_check_business_days"}
    if columns:
        session.flush()
        session.execute(update(Case).where(Case.id == case.id).values(**columns))
        session.expire_all()
    return case


def submitted(session: Session, *, due_on: date | None = None, practice: Practice | None = None) -> Case:
    return make_case(session, practice, due_on=due_on, state="submitted", step=1, holder="program")


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.PROGRAM_STAFF, "/today"),
        (Role.COUNCIL, "/today"),
        (Role.FINANCE, "/today"),
        (Role.AUDITOR, "/today"),
        (Role.SURVEYOR, "/my-surveys"),
    ],
)
def test_the_front_page_of_a_role_is_where_its_work_waits(
    client: FlaskClient, session: Session, role: Role, place: str
) -> None:
    sign_in(client, make_person(session, role))

    answer = client.get("/")

    assert answer.status_code == 302
    assert answer.headers["Location"] == place
    assert client.get(place).status_code == 200


def test_the_administrators_front_page_leads_to_people_and_mail(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.ADMINISTRATOR))

    page = client.get("/").text

    assert 'href="/people"' in page
    assert 'href="/mail"' in page
    assert 'href="/today"' not in page


def test_a_person_without_any_role_is_told_who_gives_one(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))

    assert "You have no role in a case yet" in client.get("/").text


@pytest.mark.parametrize("path", ["/", "/today", "/my-surveys", "/search"])
def test_nobody_sees_a_front_page_without_signing_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("path", ["/today", "/search?q=Lake"])
def test_a_practice_has_no_part_in_the_programs_queue(client: FlaskClient, session: Session, path: str) -> None:
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=make_practice(session)))

    assert client.get(path).status_code == 403


# ---------- practice ----------


def test_the_practices_page_names_step_holder_and_the_first_missing_things(
    client: FlaskClient, session: Session
) -> None:
    practice = make_practice(session, sites=2)
    case = make_case(session, practice)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))

    page = client.get("/").text

    assert "Step 1 of 6, application: <strong>waiting for you</strong>" in re.sub(r"\s+", " ", page)
    assert "2 sites" in page
    assert "Still missing" in page
    assert f'href="/cases/{case.ref}/agreement' in page
    assert page.count("button--filled") == 1


def test_the_practices_page_shows_readiness_by_all_seven_domains(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    make_case(session, practice)
    sign_in(client, make_person(session, Role.PRACTICE_STAFF, practice=practice))

    page = client.get("/").text

    assert "Your readiness by domain" in page
    assert len(re.findall(r'class="bars__title"', page)) == 7


@pytest.mark.parametrize("days_ahead", [0, 20, 200])
def test_the_agreed_survey_day_stands_on_the_practices_page_however_far_ahead(
    client: FlaskClient, session: Session, days_ahead: int
) -> None:
    practice = make_practice(session)
    case = make_case(session, practice)
    on = local_date(now(), practice.time_zone) + timedelta(days=days_ahead)
    survey = Survey(case_id=case.id, round=1, edition=case.edition, seed="seed", created_at=now())
    session.add(survey)
    session.flush()
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    assert "Site survey begins" not in client.get("/").text
    survey.starts_on = survey.ends_on = on
    session.flush()
    page = client.get("/").text
    assert "Site survey begins" in page
    assert f'datetime="{on.isoformat()}"' in page


def test_a_practice_without_a_case_is_shown_how_to_begin(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))

    page = client.get("/").text
    assert "No application yet" in page
    assert "Start the application" in page

    answer = client.post("/cases", data={"practice": str(practice.id)})
    assert answer.status_code == 302
    assert "Fill in and send your application" in client.get("/").text


def test_practice_staff_who_may_not_start_are_told_who_does(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.PRACTICE_STAFF, practice=make_practice(session)))

    page = client.get("/").text

    assert "once your practice administrator has started it" in page
    assert "Start the application</button>" not in page


def test_a_person_of_two_practices_chooses_between_them(client: FlaskClient, session: Session) -> None:
    first, second = make_practice(session), make_practice(session)
    make_case(session, first)
    make_case(session, second)
    person = make_person(session, Role.PRACTICE_ADMIN, practice=first)
    grant_role(session, person.id, Role.PRACTICE_ADMIN, second.id, actor=SYSTEM, at=now())
    sign_in(client, person)

    page = client.get(f"/?practice={second.id}").text

    assert f"<title>{second.legal_name}" in page
    assert f'href="/?practice={first.id}"' in page


def test_another_practices_number_in_the_address_shows_nothing_of_it(client: FlaskClient, session: Session) -> None:
    own, other = make_practice(session), make_practice(session, legal_name="Someone Else Oncology")
    make_case(session, own)
    make_case(session, other)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=own))

    assert "Someone Else" not in client.get(f"/?practice={other.id}").text


def test_an_ended_case_stays_on_the_front_page_until_there_is_a_new_one(session: Session) -> None:
    practice = make_practice(session)
    ended = make_case(session, practice, open=False, state="withdrawn", holder="none")
    actor = make_actor(session, Role.PRACTICE_ADMIN, practice=practice)

    assert find_current_ref(session, actor) == ended.ref
    fresh = make_case(session, practice)
    found = find_current_case(session, actor)

    assert found is not None
    assert found.ref == fresh.ref
    assert find_current_ref(session, actor) == fresh.ref


# ---------- program ----------


def test_the_queue_shows_the_most_urgent_first_and_undated_cases_last(session: Session) -> None:
    undated = submitted(session)
    later = submitted(session, due_on=FRIDAY + timedelta(days=7))
    late = submitted(session, due_on=date(2026, 10, 30))
    staff = make_actor(session, Role.PROGRAM_STAFF)

    page = list_queue(session, staff, QueueFilter(), now(), cursor=None, limit=20)

    assert [row.ref for row in page.items] == [late.ref, later.ref, undated.ref]
    assert [row.days_left for row in page.items] == [-3, 11, 0]


def test_late_today_this_week_and_waiting_for_others_are_counted(session: Session) -> None:
    today = date(2026, 11, 2)
    for due_on in (today - timedelta(days=1), today, today, today + timedelta(days=6), today + timedelta(days=30)):
        submitted(session, due_on=due_on)
    make_case(session)  # a draft: waits for its practice
    staff = make_actor(session, Role.PROGRAM_STAFF)

    counts = count_queue(session, staff, QueueFilter(), now())

    assert (counts.late, counts.today, counts.week, counts.all, counts.others) == (1, 2, 3, 5, 1)
    for bucket, number in [("late", 1), ("today", 2), ("week", 3), ("all", 5), ("others", 1)]:
        page = list_queue(session, staff, QueueFilter(bucket=bucket), now(), cursor=None, limit=20)
        assert len(page.items) == number, bucket


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_the_queue_show_every_case_once_forwards_and_backwards(session: Session, limit: int) -> None:
    refs = {submitted(session, due_on=FRIDAY + timedelta(days=n // 2)).ref for n in range(5)}
    refs |= {submitted(session).ref for _ in range(3)}
    staff = make_actor(session, Role.PROGRAM_STAFF)

    page = list_queue(session, staff, QueueFilter(), now(), cursor=None, limit=limit)
    forwards = [row.ref for row in page.items]
    while page.next:
        page = list_queue(session, staff, QueueFilter(), now(), cursor=page.next, limit=limit)
        forwards += [row.ref for row in page.items]
    backwards = [row.ref for row in page.items]
    while page.previous:
        page = list_queue(session, staff, QueueFilter(), now(), cursor=page.previous, limit=limit)
        backwards = [row.ref for row in page.items] + backwards

    assert forwards == backwards
    assert len(forwards) == len(refs)
    assert set(forwards) == refs


def test_finance_and_council_see_what_waits_for_them(client: FlaskClient, session: Session) -> None:
    paid = make_case(session, state="awaiting_payment", holder="finance")
    decided = make_case(session, state="decision", step=4, holder="council")

    sign_in(client, make_person(session, Role.FINANCE))
    page = client.get("/today").text

    assert paid.ref in page
    assert decided.ref not in page


def test_filters_stand_in_the_address_and_are_kept_by_the_links(client: FlaskClient, session: Session) -> None:
    wanted = submitted(session, due_on=date(2026, 10, 30))
    submitted(session, due_on=FRIDAY)
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    page = client.get("/today?show=late&step=1").text

    assert wanted.ref in page
    assert page.count("data-row-link") == 1
    assert re.search(r'href="/today\?show=late&amp;step=1&amp;open=' + wanted.ref, page)


def test_a_search_by_the_beginning_of_a_name_or_by_number(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session, legal_name="Quarry Hill Hematology")
    case = submitted(session, practice=practice)
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    assert case.ref in client.get("/search?q=quarry h").text
    assert f"/practices/{practice.id}" in client.get("/search?q=QUARRY").text
    assert client.get(f"/search?q={case.ref.lower()}").headers["Location"] == f"/cases/{case.ref}"
    assert "Nothing found" in client.get("/search?q=zzz").text
    assert "Nothing found" in client.get("/search?q=%25").text


def test_only_those_who_manage_people_find_people(client: FlaskClient, session: Session) -> None:
    make_person(session, Role.COUNCIL, name="Zelda Quist")
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    assert "Zelda" not in client.get("/search?q=zel").text.split("<main")[1].replace("value", "")


def test_the_case_beside_the_list_shows_what_can_be_done_with_what_it_lacks(
    client: FlaskClient, session: Session
) -> None:
    case = submitted(session, due_on=FRIDAY)
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    quick = client.get("/today").text
    full = client.get(f"/today?open={case.ref}").text

    assert "data-panel-more" in quick
    assert "data-panel-more" not in full
    assert f"/cases/{case.ref}/" in full.split("data-panel")[1]


@pytest.mark.parametrize("address", ["/today?open=NO-2026-999", "/today?step=abc", "/today?show=nonsense&holder=x"])
def test_an_address_that_makes_no_sense_shows_the_plain_queue(
    client: FlaskClient, session: Session, address: str
) -> None:
    submitted(session)
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    assert client.get(address).status_code == 200


def test_a_cursor_of_our_own_shape_with_nonsense_in_it_is_refused_or_empty(
    client: FlaskClient, session: Session
) -> None:
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))

    assert client.get("/today?cursor=garbage").status_code == 422
    assert client.get(f"/today?cursor={write_cursor(('soon', 1))}").status_code == 200
    assert client.get(f"/today?cursor={write_cursor((None, 'x'))}").status_code == 422


def test_the_queue_takes_few_queries_however_many_cases(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    case = submitted(session)
    client.get("/today")
    few = _queries(session, lambda: client.get(f"/today?open={case.ref}"))
    for _ in range(12):
        submitted(session, due_on=FRIDAY)
    many = _queries(session, lambda: client.get(f"/today?open={case.ref}"))

    assert few <= 20
    assert many <= few + 1  # the case chosen may stand on another page


# ---------- surveyor ----------


def test_a_surveyor_sees_her_surveys_and_what_is_asked(client: FlaskClient, session: Session) -> None:
    mine = make_case(session, state="scheduling", step=2, holder="surveyor")
    others = make_case(session, state="scheduling", step=2, holder="surveyor")
    surveyor = make_person(session, Role.SURVEYOR)
    add_member(session, mine, surveyor.id, "surveyor", at=now())
    sign_in(client, surveyor)

    page = client.get("/my-surveys").text

    assert mine.ref in page
    assert others.ref not in page
    assert "no date yet" in page


def test_a_proposed_surveyor_sees_the_question_but_not_the_case(client: FlaskClient, session: Session) -> None:
    case = make_case(session, state="surveyor_proposed", step=2, holder="program")
    surveyor = make_person(session, Role.SURVEYOR)
    add_member(session, case, surveyor.id, "proposed_surveyor", at=now())
    sign_in(client, surveyor)

    page = client.get("/my-surveys").text

    assert "Declare conflicts of interest" in page
    assert f'href="/cases/{case.ref}"' not in page


def test_a_surveyor_whose_time_on_the_case_is_over_no_longer_sees_it(client: FlaskClient, session: Session) -> None:
    case = make_case(session, state="certified", step=5, holder="none")
    surveyor = make_person(session, Role.SURVEYOR)
    add_member(session, case, surveyor.id, "surveyor", at=now() - timedelta(days=200), until=now() - timedelta(days=1))
    sign_in(client, surveyor)

    page = client.get("/my-surveys").text

    assert case.ref not in page
    assert "No surveys yet" in page


# ---------- help and the way through the site ----------


@pytest.mark.parametrize("page", ["practice", "surveyor", "program-staff", "operator"])
def test_help_can_be_read_without_signing_in(client: FlaskClient, session: Session, page: str) -> None:
    assert client.get(f"/help/{page}").status_code == 200


def test_there_is_no_help_page_of_another_name(client: FlaskClient, session: Session) -> None:
    assert client.get("/help/secrets").status_code == 404


@pytest.mark.parametrize(
    ("role", "page"),
    [(Role.PRACTICE_ADMIN, "practice"), (Role.SURVEYOR, "surveyor"), (Role.PROGRAM_STAFF, "program-staff")],
)
def test_help_opens_at_what_the_page_is_about(
    client: FlaskClient, session: Session, role: Role, page: str, who: Callable[[Role], Person]
) -> None:
    sign_in(client, who(role))

    assert f'href="/help/{page}#account"' in client.get("/account").text


def test_the_header_offers_what_the_role_may_open(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    case = make_case(session, practice)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))

    header = client.get("/account").text.split("</header>")[0]

    assert f'href="/cases/{case.ref}/evidence"' in header
    assert 'href="/today"' not in header
    assert 'href="/mail"' not in header


@pytest.fixture
def who(session: Session) -> Callable[[Role], Person]:
    """Makes a person of a role, at a practice where the role needs one."""

    def make(role: Role) -> Person:
        practice = make_practice(session) if role is Role.PRACTICE_ADMIN else None
        return make_person(session, role, practice=practice)

    return make


def _queries(session: Session, run: Callable[[], object]) -> int:
    """Count the statements that a request sends."""
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.upper().startswith(("SAVEPOINT", "RELEASE", "BEGIN", "ROLLBACK")):
            statements.append(statement)

    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(statements)
