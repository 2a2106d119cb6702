"""Edges commit what is good, undo what is refused, and act once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.core.access.roles import Role
from certify.db import db
from certify.platform.identity.queries import actor_as
from certify.platform.practices.models import Practice, Site
from certify.platform.web.access import SignedIn
from certify.platform.web.transactions import commits
from tests.builders import make_person, make_practice, sign_in
from tests.outlets.api.callers import make_caller

NEW_SITE = {"name": "North clinic", "state": "IL"}


@pytest.fixture
def admin(client: FlaskClient, session: Session) -> tuple[FlaskClient, Practice]:
    """A practice administrator who is signed in."""
    practice = make_practice(session)
    return sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice)), practice


def sites(session: Session, practice: Practice) -> int:
    """Return how many sites the practice has."""
    return session.scalar(select(func.count()).select_from(Site).where(Site.practice_id == practice.id)) or 0


def test_a_form_sent_twice_acts_once_and_answers_the_same(
    admin: tuple[FlaskClient, Practice], session: Session
) -> None:
    client, practice = admin
    before = sites(session, practice)
    answers = [
        client.post(f"/practices/{practice.id}/sites/new", data={**NEW_SITE, "form_key": "one-and-the-same"})
        for _ in range(3)
    ]
    assert sites(session, practice) == before + 1
    assert {a.location for a in answers} == {f"/practices/{practice.id}#sites"}
    assert all(a.status_code in (302, 303) for a in answers)


def test_a_refused_form_may_be_corrected_and_sent_with_the_same_key(
    admin: tuple[FlaskClient, Practice], session: Session
) -> None:
    client, practice = admin
    address = f"/practices/{practice.id}/sites/new"
    assert client.post(address, data={**NEW_SITE, "name": "", "form_key": "k"}).status_code == 422
    assert client.post(address, data={**NEW_SITE, "form_key": "k"}).status_code == 302


def test_the_same_form_with_other_content_is_a_new_act_also_back_and_forth(
    admin: tuple[FlaskClient, Practice], session: Session
) -> None:
    client, practice = admin
    site = session.scalars(select(Site).where(Site.practice_id == practice.id)).one()
    for version, city in enumerate(("Evanston", "Joliet", "Evanston"), start=1):
        form = {"name": "Main", "city": city, "form_key": "one-and-the-same", "version": str(version)}
        assert client.post(f"/practices/{practice.id}/sites/{site.id}", data=form).status_code == 302
        session.refresh(site)
        assert site.city == city


@pytest.mark.parametrize("used_before", [False, True])
def test_a_view_that_lets_go_of_its_key_half_way_fails_loudly(
    app: Flask, session: Session, *, used_before: bool
) -> None:
    practice = make_practice(session)
    person = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    who = SignedIn(actor_as(session, person), person.id, person.name, person.email, "UTC")
    session.commit()

    def send(view: Callable[[], str], note: str) -> None:
        with app.test_request_context("/somewhere", method="POST", data={"form_key": "k", "note": note}):
            g.signed_in = who
            commits(view)()

    def lets_go() -> str:
        db.session.rollback()
        return "Done."

    if used_before:
        send(lambda: "Done.", "another note")
    with pytest.raises(RuntimeError, match="let go of its key"):
        send(lets_go, "a note")


def test_keys_of_two_people_do_not_meet(new_client: Callable[[], FlaskClient], session: Session) -> None:
    practice = make_practice(session)
    one = sign_in(new_client(), make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    two = sign_in(new_client(), make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    address = f"/practices/{practice.id}/sites/new"
    assert one.post(address, data={**NEW_SITE, "form_key": "k"}).status_code == 302
    assert two.post(address, data={"name": "South clinic", "form_key": "k"}).status_code == 302
    assert sites(session, practice) == 3


def test_what_is_refused_leaves_nothing_behind(admin: tuple[FlaskClient, Practice], session: Session) -> None:
    client, practice = admin
    before = sites(session, practice)
    assert client.post(f"/practices/{practice.id}/sites/new", data={"name": "X", "state": "ZZ"}).status_code == 422
    assert sites(session, practice) == before


def test_reading_pages_writes_nothing(admin: tuple[FlaskClient, Practice], session: Session) -> None:
    client, practice = admin
    written: list[str] = []

    def listen(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", listen)
    try:
        for address in (
            "/account",
            "/practices",
            f"/practices/{practice.id}",
            f"/practices/{practice.id}/team",
            f"/practices/{practice.id}/edit",
        ):
            assert client.get(address).status_code == 200
    finally:
        sa.event.remove(connection, "before_cursor_execute", listen)
    assert written == []


def test_pages_ask_the_same_number_of_questions_however_much_there_is(
    admin: tuple[FlaskClient, Practice], session: Session
) -> None:
    client, practice = admin

    def queries(address: str) -> int:
        asked: list[str] = []
        connection = session.connection()

        def listen(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                asked.append(statement)

        sa.event.listen(connection, "before_cursor_execute", listen)
        try:
            assert client.get(address).status_code == 200
        finally:
            sa.event.remove(connection, "before_cursor_execute", listen)
        return len(asked)

    addresses = (f"/practices/{practice.id}", f"/practices/{practice.id}/team", "/practices", "/account")
    few = [queries(a) for a in addresses]
    for number in range(12):
        make_person(session, Role.PRACTICE_STAFF, practice=practice, name=f"More {number}")
        client.post(f"/practices/{practice.id}/sites/new", data={"name": f"More {number}"})
    assert [queries(a) for a in addresses] == few
    assert max(few) <= 12


def test_the_same_key_gives_the_same_answer_however_long_it_is(app: Flask, session: Session) -> None:
    staff = make_caller(app, session, Role.PROGRAM_STAFF)
    long = {"address": "é" * 300, "city": "é" * 100}
    body = {
        "legal_name": "Very Long",
        "state": "IL",
        "sites": [{"name": f"{n} " + "é" * 190, **long} for n in range(60)],
    }
    key = {"Idempotency-Key": "made once"}
    first, again = (staff.raw("POST", "practices", headers=key, json=body) for _ in range(2))
    assert len(first.data) > 200_000
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data


def test_a_key_is_for_one_request_with_its_query(app: Flask, session: Session) -> None:
    staff = make_caller(app, session, Role.PROGRAM_STAFF)
    body, key = {"legal_name": "Once", "state": "IL"}, {"Idempotency-Key": "made once"}
    staff.ask("POST", "practices?dry_run=true", status=201, headers=key, json=body)
    refused = staff.ask("POST", "practices?dry_run=false", status=409, headers=key, json=body)
    assert "already used for another request" in refused["detail"]
