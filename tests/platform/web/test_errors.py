"""Every refusal is one clear answer, as a page or as a problem document."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import MethodNotAllowed, RequestEntityTooLarge, TooManyRequests

from certify.core.access.roles import Role
from certify.core.foundation.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotAllowed,
    NotFound,
    NotOpen,
    RulesUnmet,
    Stale,
    Unmet,
)
from certify.platform.web.errors import problem_body, problem_of
from tests.builders import make_person, make_practice, sign_in

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound("x"), 404), (NotAllowed("x"), 403), (NotOpen("x"), 409), (Stale("x"), 409), (Conflict("x"), 409),
        (RulesUnmet([Unmet("g", "m", "/l")]), 422), (Invalid("x", "f"), 422),
    ],
)  # fmt: skip
def test_each_refusal_has_its_status(refusal: Exception, status: int) -> None:
    assert problem_of(refusal).status == status  # type: ignore[arg-type]


def test_a_problem_names_fields_rows_and_unmet_rules() -> None:
    invalid = problem_body(
        problem_of(Invalid([FieldError("sites.name", "Too long."), FieldError("days", "Not a number.", row=7)]))
    )
    assert invalid["errors"] == [
        {"pointer": "/sites/name", "field": "sites.name", "message": "Too long."},
        {"row": 7, "field": "days", "message": "Not a number."},
    ]
    unmet = problem_body(problem_of(RulesUnmet([Unmet("has_site", "No site yet.", "/practices/1")])))
    assert unmet["errors"] == [
        {"pointer": "", "field": "has_site", "guard": "has_site", "message": "No site yet.", "link": "/practices/1"}
    ]
    assert {"type", "title", "status", "detail", "errors"} <= unmet.keys()


@pytest.fixture
def failing(app: Flask, monkeypatch: pytest.MonkeyPatch, client: FlaskClient) -> object:
    """Lets the health page fail in a given way, and asks it."""

    def ask(error: Exception, **headers: str) -> object:
        def fail() -> str:
            raise error

        monkeypatch.setitem(app.view_functions, "health.healthz", fail)
        return client.get("/healthz", headers=headers)

    return ask


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StaleDataError("rows"), 409),
        (IntegrityError("insert", {}, Exception("unique")), 409),
        (OperationalError("select", {}, Exception("gone")), 503),
        (RuntimeError("secret detail"), 500),
        (RequestEntityTooLarge(), 413),
        (TooManyRequests(), 429),
        (MethodNotAllowed(["GET", "POST"]), 405),
    ],
)
def test_failures_become_a_page_or_a_problem_and_say_nothing_of_our_insides(
    failing: object, error: Exception, status: int
) -> None:
    page = failing(error)  # type: ignore[operator]
    assert page.status_code == status
    assert page.mimetype == "text/html"
    assert "secret detail" not in page.text
    assert "Traceback" not in page.text
    problem = failing(error, **JSON)  # type: ignore[operator]
    assert problem.status_code == status
    assert problem.mimetype == "application/problem+json"
    assert problem.json["status"] == status
    assert problem.json["title"]
    assert problem.json["detail"]
    assert "secret detail" not in problem.text
    if status == 405:
        assert set(problem.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_an_unknown_page_is_a_page(client: FlaskClient) -> None:
    assert client.get("/no/such/page").status_code == 404
    assert client.get("/api/v1/no-such-thing").mimetype == "application/problem+json"
    assert client.delete("/sign-in").status_code == 405


def test_a_refused_action_leads_back_to_the_page_it_was_on(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    page = client.post(
        f"/practices/{practice.id}/sites/{10**6}/reopen",
        data={"version": "1"},
        headers={"Referer": f"http://localhost/practices/{practice.id}"},
    )
    assert page.status_code == 404
    assert f'href="/practices/{practice.id}"' in page.text


def test_a_form_that_is_sent_to_its_own_page_leads_back_to_it(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    edit = f"/practices/{practice.id}/edit"
    form = {
        "version": str(practice.version),
        "legal_name": "Lakeside",
        "setting": "community",
        "time_zone": "America/Chicago",
    }
    assert client.post(edit, data=form).status_code == 302
    page = client.post(edit, data={**form, "legal_name": "Seaside"}, headers={"Referer": f"http://localhost{edit}"})
    assert page.status_code == 409
    assert f'href="{edit}">Back to the page' in page.text

    reopen = f"/practices/{practice.id}/sites/1/reopen"
    page = client.post(reopen, data={"version": "x"}, headers={"Referer": f"http://localhost{reopen}"})
    assert f'href="{reopen}"' not in page.text, "an address that only takes forms cannot be opened again"


def test_a_form_without_its_version_is_told_so(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    sign_in(client, make_person(session, Role.PRACTICE_ADMIN, practice=practice))
    for version in ({}, {"version": "x"}, {"version": "-1"}, {"version": "9" * 30}):
        answer = client.post(f"/practices/{practice.id}/sites/1/reopen", data=version)
        assert answer.status_code == 422
        assert "Reload it" in answer.text


def test_htmx_is_told_to_go_to_the_sign_in_page(client: FlaskClient) -> None:
    answer = client.get("/account", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/account"


def test_too_much_is_refused_before_it_is_read(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))
    answer = client.post("/account/details", data={"name": "x" * (6 * 1024 * 1024)})
    assert answer.status_code == 413
