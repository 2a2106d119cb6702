"""What browsers are told, and whom forms are taken from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.config import Settings
from certify.core.access.roles import Role
from certify.platform.web.access import safe_next
from tests.builders import PASSWORD, make_person, make_practice, sign_in


@pytest.fixture
def checked(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client whose forms are checked as in production."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    return client


def test_every_answer_carries_the_headers(client: FlaskClient) -> None:
    for address in ("/sign-in", "/no/such/page", "/account", "/healthz"):
        headers = client.get(address).headers
        csp = headers["Content-Security-Policy"]
        assert "default-src 'none'" in csp, address
        assert "unsafe" not in csp, address
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Permissions-Policy" in headers
        assert "Strict-Transport-Security" not in headers


def test_pages_of_people_are_not_kept_by_browsers_nor_caches(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))
    assert client.get("/account").headers["Cache-Control"] == "no-store, private"


def test_static_addresses_change_with_their_content_and_may_be_kept(client: FlaskClient) -> None:
    page = client.get("/sign-in").text
    address = next(a for a in re.findall(r'href="(/static/[^"]+)"', page) if "site.css" in a)
    assert re.search(r"\?v=[0-9a-f]{12}$", address)
    with client.get(address) as named, client.get(address.split("?")[0]) as bare:
        assert "immutable" in named.headers["Cache-Control"]
        assert "immutable" not in bare.headers["Cache-Control"]


def test_a_form_without_the_pages_token_is_refused_with_a_friendly_page(checked: FlaskClient, session: Session) -> None:
    person = make_person(session)
    refused = checked.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert refused.status_code == 400
    assert "too old" in refused.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', checked.get("/sign-in").text)
    assert token is not None
    taken = checked.post("/sign-in", data={"email": person.email, "password": PASSWORD, "csrf_token": token[1]})
    assert taken.status_code == 302


def test_a_call_of_our_own_page_is_known_by_its_origin(
    checked: FlaskClient, app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = make_practice(session)
    person = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    sign_in(checked, person)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    address = f"/practices/{practice.id}/register"
    assert checked.post(address, json={}, headers={"Origin": "https://evil.example"}).status_code == 400
    assert (
        checked.post(
            address, json={}, headers={"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}
        ).status_code
        == 400
    )
    assert checked.post(address, json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302
    assert checked.post(address, data={"consent": "y"}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 400


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    cookie = client.post("/sign-in", data={"email": person.email, "password": PASSWORD}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_production_speaks_only_encrypted(tmp_path: Path) -> None:
    from certify.app import create_app

    app = create_app(
        Settings(
            instance=tmp_path, database_url=f"sqlite:///{tmp_path / 'x.db'}", secret_key="k" * 40, base_url="https://certify.example", env="production", testing=True
        )
    )  # fmt: skip
    answer = app.test_client().get("/healthz", base_url="https://certify.example")
    assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_NAME"] == "__Host-certify"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:x",
        "evil",
        "",
        None,
        "/a\nb",
        "\\/evil.example",
        "/%0a\r",
    ],
)
def test_a_link_never_leads_off_this_site(target: str | None) -> None:
    assert safe_next(target) == "/"
