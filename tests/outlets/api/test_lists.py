"""Lists of the HTTP API: each goes on where it stopped, and holds what it says."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.foundation.clock import FixedClock
from tests.support.surveyed import Surveyed, surveyed


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    """A case whose report was issued with three requirements."""
    made = surveyed(session, clock.now(), not_met=[("7.3.b", 0), ("2.1.a", 1), ("1.1.a", 0)])
    made.to_issued()
    clock.move(to=made.at)
    return made


def test_requirements_come_page_by_page(world: Surveyed, client: FlaskClient) -> None:
    admin = world.sign_in(client, "admin")
    address = f"/api/v1/cases/{world.case.ref}/requirements"
    whole = admin.get(address).get_json()
    assert [item["number"] for item in whole["items"]] == ["R1", "R2", "R3"]
    assert whole["next"] is None
    first = admin.get(f"{address}?limit=2").get_json()
    rest = admin.get(f"{address}?limit=2&cursor={first['next']}").get_json()
    assert [*first["items"], *rest["items"]] == whole["items"]
    assert rest["next"] is None
    for wrong in ("limit=0", "limit=201", "cursor=forged"):
        assert admin.get(f"{address}?{wrong}").status_code == 422
