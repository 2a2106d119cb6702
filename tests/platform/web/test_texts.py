"""What cannot be kept or read is refused at the door, on every database, with a status that says whose mistake it is."""

from __future__ import annotations

import base64

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.access.roles import Role
from certify.platform.web.texts import storable, unstorable
from tests.builders import make_person, make_practice, sign_in
from tests.outlets.api.callers import make_caller


def test_what_no_database_keeps_is_found_wherever_it_is() -> None:
    assert storable("Übersee – 東京 👩‍⚕️")
    assert not storable("a\x00b")
    assert not storable("a\ud800b")
    body = {"name": "fine", "list": ["fine", {"deep": "a\x00"}], "bad\x00key": 1}
    assert [e.field for e in unstorable(body)] == ["list.1.deep", ""]


@pytest.mark.parametrize(
    "address",
    [
        "/people/9223372036854775808",
        "/mail/9223372036854775808",
        "/practices/9223372036854775808",
        "/practices/9223372036854775808/team",
        "/practices/1/sites/9223372036854775808",
        "/cases/x%00y",
        "/register/%00",
    ],
)
def test_an_address_that_no_row_can_have_is_not_there(client: FlaskClient, session: Session, address: str) -> None:
    sign_in(client, make_person(session, Role.ADMINISTRATOR, Role.PROGRAM_STAFF))
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/cases?step=9223372036854775808",
        "/cases?q=%00",
        "/search?q=a%00",
        "/register?q=%00",
        "/api/v1/register?changed_since=0001-01-01T00:00:00%2B23:59",
        "/api/v1/practices?cursor=" + base64.urlsafe_b64encode(rb'[0,"\ud800",1]').decode().rstrip("="),
    ],
)
def test_a_query_beyond_what_is_kept_is_the_callers_mistake(
    client: FlaskClient, session: Session, address: str
) -> None:
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    assert client.get(address).status_code == 422


def test_a_form_that_cannot_be_kept_is_the_callers_mistake(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    refused = client.post(f"/practices/{practice.id}/providers", data={"name": "A\x00B"})
    assert refused.status_code == 422
    assert "cannot be kept" in refused.text


def test_a_part_of_a_form_without_a_name_is_no_failure(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    body = b"--x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--x--\r\n"
    sent = client.post("/practices/new", data=body, content_type="multipart/form-data; boundary=x")
    assert sent.status_code == 422


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800"])
def test_json_text_that_cannot_be_kept_names_its_field(app: Flask, session: Session, bad: str) -> None:
    staff = make_caller(app, session, Role.PROGRAM_STAFF)
    body = f'{{"legal_name":"A{bad}","setting":"community","sites":[{{"name":"B{bad}"}}]}}'
    refused = staff.raw("POST", "practices", data=body, content_type="application/json")
    assert refused.status_code == 422
    assert {e["field"] for e in refused.get_json()["errors"]} == {"legal_name", "sites.0.name"}


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"legal_name":' + "[" * 5_000 + "]" * 5_000 + "}", '{"a":' + "9" * 5_000 + "}"]
)
def test_json_that_nothing_can_read_is_a_bad_request(app: Flask, session: Session, body: str) -> None:
    staff = make_caller(app, session, Role.PROGRAM_STAFF, Role.SURVEYOR)
    for path in ("practices", "surveys/1/sync"):
        assert staff.raw("POST", path, data=body, content_type="application/json").status_code == 400, path
