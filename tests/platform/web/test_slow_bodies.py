"""Whoever sends slowly waits alone: while a body comes, nothing is locked and everyone else saves."""

from __future__ import annotations

import fcntl
import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.platform.identity.queries import actor_as
from certify.platform.identity.tokens import create_token
from tests.builders import make_person, make_practice, sign_in
from tests.support.worlds import LiveServer


class Arriving(io.RawIOBase):
    """A body that notes, each time a piece of it is asked for, whether another could save at that moment."""

    def __init__(self, media_type: str, content: bytes, app: Flask) -> None:
        self._rest = io.BytesIO(content)
        self._head = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(len(content))}
        self._lock = Path(app.instance_path, "write.lock")
        self.others_could_save: list[bool] = []

    def as_sent(self) -> dict[str, Any]:
        """Return what a server knows of it when the first line is here."""
        return {**self._head, "wsgi.input": self}

    def left(self) -> int:
        """Return how much nobody has asked for."""
        return len(self._rest.getbuffer()) - self._rest.tell()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.others_could_save.append(self._nobody_writes())
        piece = self._rest.read(min(len(buffer), 64))
        buffer[: len(piece)] = piece
        return len(piece)

    def _nobody_writes(self) -> bool:
        with open(self._lock, "a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


def multipart(**fields: str) -> tuple[str, bytes]:
    """Return the type and bytes of a form with a file."""
    builder = EnvironBuilder(method="POST", data={**fields, "file": (io.BytesIO(b"%PDF-1.7 slow"), "policy.pdf")})
    environ = builder.get_environ()
    return environ["CONTENT_TYPE"], environ["wsgi.input"].read()


BODIES = {
    "form": ("application/x-www-form-urlencoded", b"name=Dana&time_zone=America%2FNew_York&" + b"x=y&" * 60),
    "files": multipart(elements="7.3.b"),
    "json": ("application/json", json.dumps({"trigger": "submit", "version": 1, "data": {"x": "y" * 300}}).encode()),
    "bytes": ("image/jpeg", b"\xff\xd8" + b"." * 300),
}
CALLS = [
    ("POST", "/account/details", "form"),
    ("POST", "/sign-in", "form"),
    ("POST", "/cases/C-2026-0001/evidence", "files"),
    ("POST", "/api/v1/cases/C-2026-0001/evidence", "files"),
    ("POST", "/api/v1/cases/C-2026-0001/transitions", "json"),
    ("PUT", "/api/v1/surveys/1/attachments/0f0e0d0c-0b0a-4908-8706-050403020100", "bytes"),
]


@pytest.fixture
def live(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> LiveServer:
    """The running program, its forms taken without a token."""
    monkeypatch.setitem(live_server.app.config, "WTF_CSRF_ENABLED", False)
    return live_server


@pytest.mark.parametrize(("method", "path", "kind"), CALLS)
def test_while_a_body_comes_others_save(live: LiveServer, method: str, path: str, kind: str) -> None:
    with live.session() as session:
        person = make_person(session, Role.PRACTICE_ADMIN, Role.SURVEYOR, practice=make_practice(session))
        actor = actor_as(session, person)
        _, token = create_token(session, person.id, name="t", scope="write", days=9, actor=actor, at=now())
        session.expunge_all()
    client = sign_in(live.app.test_client(), person)
    body = Arriving(*BODIES[kind], live.app)
    headers = {"Authorization": f"Bearer {token}"} if path.startswith("/api/") else {}
    client.open(path, method=method, headers=headers, environ_overrides=body.as_sent())
    assert body.left() == 0
    assert body.others_could_save
    assert all(body.others_could_save)


@pytest.mark.parametrize("path", ["/account/details", "/api/v1/cases/C-2026-0001/transitions", "/no/such/page"])
def test_what_nobody_asked_for_is_not_even_read(live: LiveServer, path: str) -> None:
    body = Arriving(*BODIES["form"], live.app)
    answer = live.app.test_client().post(path, environ_overrides=body.as_sent())
    assert answer.status_code in (302, 401, 404)
    assert body.others_could_save == []


def test_a_stranger_may_send_no_more_than_a_form(client: FlaskClient) -> None:
    for media_type in ("multipart/form-data; boundary=x", "image/jpeg", "application/json"):
        answer = client.post(
            "/sign-in",
            data=b"--x--",
            content_type=media_type,
            environ_overrides={"CONTENT_LENGTH": str(6 * 1024 * 1024)},
        )
        assert answer.status_code == 413
