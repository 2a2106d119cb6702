"""The public register shows what it may and nothing else, and only with consent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.certificates.models import Certificate
from certify.certification.certificates.operations import reissue_certificate
from certify.certification.certificates.queries import certificate_of
from certify.core.foundation.clock import FixedClock
from certify.outlets.register.queries import list_register
from tests.support.surveyed import Surveyed, surveyed


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now())
    made.to_issued()
    made.take("award", "decider", conflict="none")
    return made


def test_anyone_finds_a_certified_practice_by_name_site_or_town(world: Surveyed, client: FlaskClient) -> None:
    for query in ("", "lakeside", "NORTH", "duluth", "main duluth"):
        page = client.get("/register", query_string={"q": query})
        assert page.status_code == 200
        assert "Lakeside Oncology" in page.text, query
    assert "No practice found" in client.get("/register?q=harbor").text


def test_the_certificate_page_says_until_when_it_holds(
    world: Surveyed, client: FlaskClient, clock: FixedClock, session: Session
) -> None:
    page = client.get("/register/OMH-2026-0001").text
    for words in ("Lakeside Oncology", "VALID", "2 November 2029", "Lakeside Main (Duluth, MN)", "OMH-2026-0001"):
        assert words in page
    for secret in ("LO-2026-001", "12-3456789", "requirement"):
        assert secret not in page
    clock.move(by=timedelta(days=1097))
    assert "EXPIRED" in client.get("/register/OMH-2026-0001").text
    certificate = session.query(Certificate).one()
    certificate.ends_on += timedelta(days=100)
    certificate.suspended_on = certificate.awarded_on
    assert "SUSPENDED" in client.get("/register/OMH-2026-0001").text


def test_a_replaced_certificate_leads_to_the_one_in_its_place(
    world: Surveyed, client: FlaskClient, session: Session
) -> None:
    reissue_certificate(session, world.case, "New name.", actor=world.actors["staff"], at=world.at)
    page = client.get("/register/OMH-2026-0001").text
    assert "REPLACED" in page
    assert "/register/OMH-2026-0002" in page
    listed = client.get("/register").text
    assert "OMH-2026-0002" in listed
    assert "OMH-2026-0001" not in listed


def test_without_consent_nothing_is_shown_but_to_the_holder_of_the_code(
    world: Surveyed, client: FlaskClient, session: Session
) -> None:
    """Invariant 7 of process.md, section 11."""
    world.practice.register_consent = False
    certificate = certificate_of(session, world.case)
    assert certificate is not None
    assert "Lakeside" not in client.get("/register").text
    hidden = client.get(f"/register/{certificate.number}")
    unknown = client.get("/register/OMH-2026-9999")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.text.replace(certificate.number, "") == unknown.text.replace("OMH-2026-9999", "")
    found = client.get("/register", query_string={"q": certificate.code})
    assert found.status_code == 302
    assert "VALID" in client.get(found.location).text
    assert client.get(f"/register/{certificate.number}?code=2222-2222-2222").status_code == 404


def test_a_number_or_a_code_typed_into_the_search_leads_to_the_certificate(
    world: Surveyed, client: FlaskClient, session: Session
) -> None:
    assert client.get("/register?q=omh-2026-0001").location == "/register/OMH-2026-0001"


def test_pages_go_on_by_name(world: Surveyed, session: Session, client: FlaskClient) -> None:
    first = session.query(Certificate).one()
    for number in range(45):
        session.add(
            Certificate(
                number=f"OMH-2025-{number:04d}", code=f"CODE-{number:04d}", case_id=first.case_id, practice_id=first.practice_id,
                practice_name=f"Harbor {number:02d}", name_key=f"harbor {number:02d}", search_text=f"harbor {number:02d}", sites=[], edition="2021",
                edition_title="x", awarded_on=first.awarded_on, ends_on=first.ends_on, signatories=[], issued_at=world.at, changed_at=world.at,
            )
        )  # fmt: skip
    session.flush()
    page, seen = client.get("/register").text, 0
    for _ in range(3):
        seen += page.count('<th scope="row">')
        if 'rel="next"' not in page:
            break
        page = client.get(page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")).text
    assert seen == 46
    assert client.get("/register?cursor=rubbish").status_code == 422


def test_others_ask_what_changed_since(world: Surveyed, session: Session) -> None:
    assert [e.number for e in list_register(session, "", world.at, changed_since=world.at - timedelta(days=1))] == [
        "OMH-2026-0001"
    ]
    assert list_register(session, "", world.at, changed_since=world.at + timedelta(days=1)) == []
