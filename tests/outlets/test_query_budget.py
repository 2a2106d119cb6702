"""Pages of a case and lists send the database at most twenty statements, whoever looks and however much there is."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.operations import open_case
from certify.certification.surveys.models import Survey, SurveySite
from certify.core.access.roles import PRACTICE_ROLES, SYSTEM, Role
from certify.core.foundation.clock import now
from certify.demo.load import load_demo
from certify.demo.people import PASSWORD
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice
from tests.builders import make_person, make_practice, sign_in
from tests.support.statements import counting

BUDGET = 20
PRACTICES = 25  # as many as give a case in every state
OF_A_CASE = (
    "", "/application", "/agreement", "/webinar", "/evidence", "/evidence/new", "/survey", "/survey/sites", "/report",
    "/corrections", "/decision", "/certificate", "/fees", "/messages", "/history",
)  # fmt: skip
LISTS = (
    "/", "/today", "/cases", "/my-surveys", "/invoices", "/practices", "/people", "/mail", "/surveyors", "/search?q=Lakeside",
    "/account", "/register", "/api/v1/cases", "/api/v1/practices",
)  # fmt: skip


def statements_of(client: FlaskClient, session: Session, page: str) -> int:
    """Return how many statements a page sends; one that is not this person's is not counted."""
    session.flush()
    with counting(session) as sent:
        answer = client.get(page)
    assert answer.status_code < 500, page
    return len(sent) if answer.status_code == 200 else 0


def pages_of(session: Session, case: Case) -> list[str]:
    """Return every page there is of a case."""
    pages = [f"/cases/{case.ref}{tab}" for tab in OF_A_CASE]
    pages += [f"/api/v1/cases/{case.ref}", f"/api/v1/cases/{case.ref}/requirements", f"/practices/{case.practice_id}"]
    survey = session.scalar(select(Survey).where(Survey.case_id == case.id).order_by(Survey.round.desc()).limit(1))
    if survey is not None:
        site = session.scalar(select(SurveySite.site_id).where(SurveySite.survey_id == survey.id, SurveySite.visited))
        pages += [f"/surveys/{survey.id}", f"/api/v1/surveys/{survey.id}"]
        pages += [f"/surveys/{survey.id}/sites/{site}/standards/1.1"] if site else []
    return pages


def readers_of(session: Session, case: Case) -> list[str]:
    """Return the addresses of those who look at a case most: its administrator, its staff, its surveyor, the council."""
    query = select(Person.email).join(RoleGrant, RoleGrant.person_id == Person.id)
    roles = (Role.PROGRAM_STAFF.value, Role.COUNCIL.value)
    found = [session.scalar(query.where(RoleGrant.role == role).order_by(Person.id).limit(1)) for role in roles]
    found.append(
        session.scalar(
            query.where(RoleGrant.role == Role.PRACTICE_ADMIN.value, RoleGrant.practice_id == case.practice_id)
        )
    )
    team = select(Person.email).join(CaseMember, CaseMember.person_id == Person.id)
    found.append(session.scalar(team.where(CaseMember.case_id == case.id, CaseMember.role == "surveyor").limit(1)))
    return [email for email in found if email]


def test_no_page_of_a_case_in_any_state_needs_more_than_twenty(app: Flask, session: Session) -> None:
    """Slow because it walks a case into every state, and opens every page of each."""
    with app.app_context():
        load_demo(practices=PRACTICES, seed=1, progress=False)
    clients: dict[str, FlaskClient] = {}
    over: list[str] = []
    by_state = {case.state: case for case in session.scalars(select(Case).order_by(Case.id))}
    assert len(by_state) > 20
    for state, case in by_state.items():
        pages = pages_of(session, case)
        for email in readers_of(session, case):
            if email not in clients:
                clients[email] = app.test_client()
                assert (
                    clients[email].post("/sign-in", data={"email": email, "password": PASSWORD}).status_code == 302
                ), email
            for page in (*pages, "/"):
                if (number := statements_of(clients[email], session, page)) > BUDGET:
                    over.append(f"{state}: {page} as {email}: {number}")
    assert not over


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_lists_need_as_many_for_thirty_rows_as_for_three(client: FlaskClient, session: Session, role: Role) -> None:
    own = make_practice(session)
    sign_in(client, make_person(session, role, practice=own if role in PRACTICE_ROLES else None))
    _open_cases(session, 3)
    _open_case(session, own)
    for page in LISTS:
        client.get(page)  # what a process reads once is read
    few = {page: statements_of(client, session, page) for page in LISTS}
    _open_cases(session, 27)
    many = {page: statements_of(client, session, page) for page in LISTS}
    assert many == few
    assert max(few.values()) <= BUDGET


def _open_cases(session: Session, number: int) -> None:
    for _ in range(number):
        _open_case(session, make_practice(session, sites=2))
        make_person(session, Role.SURVEYOR)


def _open_case(session: Session, practice: Practice) -> None:
    open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=now())
