"""People who use the HTTP API with a token, and nothing else."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from certify.certification.surveyors.operations import Profile, save_surveyor
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from certify.platform.identity.tokens import create_token
from certify.platform.practices.models import Practice
from tests.builders import make_person, make_practice
from tests.support.worlds import Client


@dataclass
class Caller:
    """One person with a token."""

    client: FlaskClient
    token: str
    person: Person

    def ask(self, method: str, path: str, *, status: int = 200, **sent: Any) -> Any:
        """Send a call below /api/v1 and return its JSON; the status must be the one expected."""
        answer = self.raw(method, path, **sent)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:800]}"
        return answer.get_json() if answer.is_json else answer.data

    def raw(self, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any) -> TestResponse:
        """Send a call and return the whole answer."""
        given = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.client.open(f"/api/v1/{path}", method=method, headers=given, **sent)

    def step(self, ref: str, trigger: str, *, status: int = 200, **data: Any) -> Any:
        """Take a step of a case with the version it has now."""
        version = self.ask("GET", f"cases/{ref}")["version"]
        body = {"trigger": trigger, "version": version, "data": data}
        return self.ask("POST", f"cases/{ref}/transitions", status=status, json=body)

    def upload(self, ref: str, content: bytes, elements: list[str], name: str = "policies.pdf") -> Any:
        """Send a file as evidence for these elements."""
        data = {"file": (io.BytesIO(content), name), "elements": elements, "title": "Policies"}
        return self.ask("POST", f"cases/{ref}/evidence", status=201, data=data, content_type="multipart/form-data")


def make_caller(
    app: Flask, session: Session, *roles: Role, practice: Practice | None = None, scope: str = "write", **fields: Any
) -> Caller:
    """Return a new person with these roles and a token."""
    person = make_person(session, *roles, practice=practice, **fields)
    _token, secret = create_token(
        session, person.id, name="test", scope=scope, days=366, actor=actor_as(session, person), at=now()
    )
    client = app.test_client()
    assert isinstance(client, Client)
    client.test_session = session
    return Caller(client, secret, person)


def make_program(app: Flask, session: Session) -> tuple[Practice, dict[str, Caller]]:
    """Return a two-site practice that agreed to be listed, and one caller for each part."""
    practice = make_practice(session, sites=2)
    practice.register_consent = True
    callers = {
        "admin": make_caller(app, session, Role.PRACTICE_ADMIN, practice=practice),
        "lead": make_caller(app, session, Role.PHYSICIAN_LEAD, practice=practice),
        "staff": make_caller(app, session, Role.PROGRAM_STAFF),
        "staff2": make_caller(app, session, Role.PROGRAM_STAFF),
        "finance": make_caller(app, session, Role.FINANCE),
        "surveyor": make_caller(app, session, Role.SURVEYOR),
        "council": make_caller(app, session, Role.COUNCIL),
        "council2": make_caller(app, session, Role.COUNCIL),
    }
    today = now().date()
    profile = Profile(
        qualification="ocn", qualified_until=today + timedelta(days=900), oncology_years=9, home_state="OH", licence="OH-1",
        trained=dict.fromkeys(current().editions, today), shadowed_surveys=2, max_load=4,
    )  # fmt: skip
    save_surveyor(
        session, callers["surveyor"].person.id, profile, actor=actor_as(session, callers["staff"].person), at=now()
    )
    session.flush()
    return practice, callers
