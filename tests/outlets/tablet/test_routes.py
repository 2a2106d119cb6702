"""The app's page, worker and manifest hold no data, are open to everyone, and change as soon as one file of the app does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from certify.core.access.roles import Role
from certify.outlets.tablet import shell
from tests.builders import PASSWORD, make_person


def release(client: FlaskClient) -> dict[str, Any]:
    text = client.get("/sw.js").text
    found: dict[str, Any] = json.loads(text.split("const RELEASE = ", 1)[1].split(";\n", 1)[0])
    return found


@pytest.mark.parametrize("address", ["/tablet", "/sw.js", "/tablet/manifest.webmanifest"])
def test_the_app_is_open_to_everyone_and_is_asked_for_each_time(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in answer.headers
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_worker_lies_at_the_root_and_is_a_script(client: FlaskClient) -> None:
    assert client.get("/sw.js").mimetype == "text/javascript"


def test_the_worker_keeps_exactly_what_the_page_names_to_the_byte(client: FlaskClient) -> None:
    kept = {entry["url"]: entry["digest"] for entry in release(client)["kept"]}
    page = client.get("/tablet").text
    named = [part.split('"')[0] for part in page.replace("data-symbols=", "src=").split("/static/")[1:]]
    assert named
    assert [name for name in named if f"/static/{name}" not in kept] == []
    for url, digest in kept.items():
        if digest:
            with client.get(url) as answer:
                assert hashlib.sha256(answer.data).hexdigest().startswith(digest), url
    assert any(url.endswith(".woff2") for url in kept)


def test_a_change_in_any_file_makes_a_new_release(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = release(client)["release"]
    assert release(client)["release"] == before
    real = shell._digest
    monkeypatch.setattr(shell, "_digest", lambda name: "0" * 16 if name.endswith("journal.js") else real(name))
    assert release(client)["release"] != before


def test_scripts_come_in_an_order_in_which_each_finds_what_it_needs(app: Flask) -> None:
    names = shell.scripts()
    assert len(names) == len(set(names))
    assert names.index("js/tablet/store.js") < names.index("js/tablet/sender.js") < names.index("js/tablet/journal.js")
    assert shell.WORKER not in names


def test_the_manifest_names_icons_that_are_there(client: FlaskClient) -> None:
    manifest = client.get("/tablet/manifest.webmanifest").get_json(force=True)
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/tablet", "/", "standalone")
    for icon in manifest["icons"]:
        with client.get(icon["src"]) as answer:
            assert answer.mimetype == "image/png"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


def test_it_says_who_is_signed_in_and_nothing_else(client: FlaskClient, session: Any) -> None:
    assert client.get("/tablet/me.json").get_json() == {"signed_in": False, "id": None, "name": ""}
    person = make_person(session, Role.SURVEYOR, name="Robin Surveyor")
    client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    answer = client.get("/tablet/me.json")
    assert answer.headers["Cache-Control"] == "no-store, private"
    told = answer.get_json()
    assert (told["signed_in"], told["id"], told["name"]) == (True, person.id, "Robin Surveyor")
