"""What monitors ask."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import SystemClock, now
from certify.platform.identity.tokens import create_token
from certify.platform.web import health
from certify.platform.web.models import Heartbeat
from tests.builders import make_person


def test_alive_asks_nothing_of_the_database(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "alive"}


def test_ready_tells_of_database_migrations_and_scheduler(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "current_revision", lambda: "x")
    monkeypatch.setattr(health, "head_revision", lambda: "x")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready",
        "database": True,
        "migrations": True,
        "scheduler": False,
        "scheduler_age_seconds": None,
    }
    session.add(Heartbeat(name="scheduler", at=SystemClock().now(), worker="x"))
    answer = client.get("/readyz")
    assert answer.json is not None
    assert answer.json["scheduler"]
    assert answer.json["scheduler_age_seconds"] < 30


def test_not_ready_while_migrations_are_behind(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "current_revision", lambda: "older")
    monkeypatch.setattr(health, "head_revision", lambda: "newer")
    assert client.get("/readyz").status_code == 503


def test_figures_are_for_this_machine_or_an_operators_token(client: FlaskClient, session: Session, app: Flask) -> None:
    here = client.get("/metrics")
    assert here.status_code == 200
    assert "certify_requests_total" in here.text
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    for role, status in ((Role.ADMINISTRATOR, 200), (Role.PROGRAM_STAFF, 403)):
        _, secret = create_token(
            session, make_person(session, role).id, name="x", scope="read", days=1, actor=SYSTEM, at=now()
        )
        answer = client.get("/metrics", environ_base=elsewhere, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == status


def test_a_method_that_a_caller_makes_up_is_no_figure_of_its_own(client: FlaskClient) -> None:
    client.open("/healthz", method="MADEUP7")
    figures = client.get("/metrics").text
    assert "MADEUP7" not in figures
    assert 'certify_requests_total{endpoint="none",method="other",status="405"}' in figures
