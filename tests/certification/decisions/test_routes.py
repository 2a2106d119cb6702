"""The page of the decision, and the certificate inside the case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.core.foundation.clock import FixedClock
from tests.support.surveyed import Surveyed, surveyed

URL = "/cases/LO-2026-001/decision"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now())
    made.to_issued()
    return made


def test_the_council_sees_everything_on_one_screen_and_awards(
    session: Session, world: Surveyed, new_client: Callable[[], FlaskClient]
) -> None:
    decider, admin, staff = (world.sign_in(new_client(), who) for who in ("decider", "admin", "staff"))
    assert "Not decided yet" in admin.get(URL).text
    assert "What each action still lacks" in staff.get(URL).text
    page = decider.get(URL).text
    for words in ("All 37 applicable standards are met", "INV-2026-0001", "Physician Person", "Do you have a conflict"):
        assert words in page
    # Until it is answered, the question is the one next step: in the main column, before what is to be judged.
    assert page.index("<h1>") < page.index("Do you have a conflict") < page.index("Survey report</h2>")
    assert page.count("button--filled") == 1
    assert "Award certification" not in page
    assert admin.post(f"{URL}/conflict", data={"conflict": "none"}).status_code == 403
    assert decider.post(f"{URL}/conflict", data={"conflict": "none"}).status_code == 302
    assert "Award certification" in decider.get(URL).text
    assert decider.post("/cases/LO-2026-001/do/award", data={"conflict": "none"}).status_code == 302
    session.refresh(world.case)
    assert world.case.state == "certified"
    assert "Certification awarded" in admin.get(URL).text
    certificate = admin.get("/cases/LO-2026-001/certificate")
    assert "OMH-2026-0001" in certificate.text
    assert "Issue it again" not in certificate.text
    assert "Issue it again" in staff.get("/cases/LO-2026-001/certificate").text
    again = staff.post("/cases/LO-2026-001/certificate/reissue", data={"reason": "A new site."})
    assert again.status_code == 302
    assert "OMH-2026-0002" in admin.get("/cases/LO-2026-001/certificate").text


def test_a_denial_shows_its_reasons_to_the_practice(
    session: Session, world: Surveyed, new_client: Callable[[], FlaskClient]
) -> None:
    decider, admin = (world.sign_in(new_client(), who) for who in ("decider", "admin"))
    decider.post(f"{URL}/conflict", data={"conflict": "none"})
    assert decider.post(f"{URL}/reasons", data={"standard": "1.1", "reason": "Made up."}).status_code == 302
    assert "Made up." in decider.get(URL).text
    assert "Made up." not in admin.get(URL).text
    assert decider.post("/cases/LO-2026-001/do/deny", data={"conflict": "none"}).status_code == 302
    page = admin.get(URL).text
    assert "Certification denied" in page
    assert "Made up." in page
    assert "What the decision rests on" not in page
