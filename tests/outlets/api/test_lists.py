"""Lists of the HTTP API: each goes on where it stopped, and holds what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.cases.models import CaseNumber
from certify.core.foundation.clock import FixedClock
from certify.outlets.api.schemas import CaseItem
from tests.support.applied import apply
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


def test_mine_is_the_own_practice_the_own_team_and_who_is_the_contact(
    world: Surveyed, session: Session, new_client: Callable[[], FlaskClient]
) -> None:
    session.add(CaseNumber(year=2026, last=1))  # the case of this world is the first
    other = apply(session).case
    clients = {who: world.sign_in(new_client(), who) for who in ("admin", "surveyor", "staff", "council")}

    def refs(who: str, path: str = "/api/v1/cases?mine=true") -> list[str]:
        return [case["ref"] for case in clients[who].get(path).get_json()["items"]]

    assert refs("staff", "/api/v1/cases") == [other.ref, world.case.ref]
    assert {who: refs(who) for who in clients} == {
        "admin": [world.case.ref],
        "surveyor": [world.case.ref],
        "staff": [],
        "council": [],
    }
    other.staff_id = world.actors["staff"].user_id
    assert refs("staff") == [other.ref]
    page = clients["staff"].get("/cases?mine=1").text
    assert other.ref in page
    assert world.case.ref not in page


def test_a_line_of_the_list_is_the_case_as_its_own_address_shows_it(world: Surveyed, client: FlaskClient) -> None:
    admin = world.sign_in(client, "admin")
    (line,) = admin.get("/api/v1/cases").get_json()["items"]
    whole = admin.get(f"/api/v1/cases/{world.case.ref}").get_json()
    assert line["due"]["on"] == world.case.due_on.isoformat()
    assert set(line) == set(CaseItem().fields)
    assert line == {key: whole[key] for key in line}
