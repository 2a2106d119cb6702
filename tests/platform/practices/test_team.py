"""The team of a practice, as its administrator looks after it."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import now
from certify.platform.identity.operations import grant_role
from certify.platform.web.paging import PAGE
from tests.builders import make_person, make_practice, sign_in

NAME = re.compile(r'<th scope="row">([^<]+)</th>')
NEXT = re.compile(r'href="(/practices/\d+/team\?cursor=[^"]+)"')


def test_a_large_team_comes_page_by_page_with_its_own_roles_only(client: FlaskClient, session: Session) -> None:
    practice, other = make_practice(session), make_practice(session)
    admin = make_person(session, Role.PRACTICE_ADMIN, practice=practice, name="Aa Admin")
    names = [f"Nurse {number:02}" for number in range(PAGE + 3)]
    people = [make_person(session, Role.PRACTICE_STAFF, practice=practice, name=name) for name in names]
    grant_role(session, people[0].id, Role.PHYSICIAN_LEAD, other.id, actor=SYSTEM, at=now())
    make_person(session, Role.PRACTICE_STAFF, practice=other, name="Of Another")
    sign_in(client, admin)

    first = client.get(f"/practices/{practice.id}/team").text
    assert NAME.findall(first) == ["Aa Admin", *names[: PAGE - 1]]
    assert "Physician lead" not in first.partition("Invite someone of your practice")[0]
    onward = NEXT.search(first)
    assert onward is not None
    assert NAME.findall(client.get(onward[1]).text) == names[PAGE - 1 :]
    last = people[-1]
    assert client.post(f"/practices/{practice.id}/team/{last.id}/invitation").status_code != 404
    assert client.post(f"/practices/{other.id}/team/{last.id}/invitation").status_code == 404
