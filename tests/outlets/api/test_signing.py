"""Who may sign what through the API."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from certify.certification.cases.queries import team_of
from certify.certification.surveyors.further import propose_further
from certify.certification.surveyors.rules import QUESTIONS
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import now
from certify.platform.identity.operations import grant_role
from certify.platform.identity.queries import actor_as
from certify.platform.identity.tokens import create_token
from tests.builders import make_practice
from tests.certification.surveys.visits import accepted_case, make_surveyor, pending_case
from tests.outlets.api.callers import Caller, make_caller
from tests.support.worlds import Client


def test_the_conflict_question_is_answered_by_who_it_is_put_to_whatever_they_are_elsewhere(
    app: Flask, session: Session
) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    elsewhere = make_practice(session)
    body = {"signed_name": "Signed Name", "answers": {key: False for key, _ in QUESTIONS}}
    address = f"cases/{visit.case.ref}/conflict-declarations"

    helper = make_caller(app, session, Role.PHYSICIAN_LEAD, practice=elsewhere)
    grant_role(session, helper.person.id, Role.PRACTICE_STAFF, visit.practice.id, actor=SYSTEM, at=now())
    helper.ask("POST", address, status=404, json=body)
    stranger = make_caller(app, session, Role.PHYSICIAN_LEAD, practice=elsewhere)
    stranger.ask("POST", address, status=404, json=body)

    grant_role(session, visit.surveyor.id, Role.PRACTICE_STAFF, elsewhere.id, actor=SYSTEM, at=now())
    _token, secret = create_token(
        session,
        visit.surveyor.id,
        name="test",
        scope="write",
        days=9,
        actor=actor_as(session, visit.surveyor),
        at=now(),
    )
    client = app.test_client()
    assert isinstance(client, Client)
    client.test_session = session
    assert Caller(client, secret, visit.surveyor).ask("POST", address, json=body)["state"] == "surveyor_proposed"


def test_a_further_surveyor_and_the_practice_answer_about_her_by_the_same_call(app: Flask, session: Session) -> None:
    visit = accepted_case(session)
    person, _ = make_surveyor(session, name="Sam Second")
    propose_further(session, visit.case, person.id, "Two sites", actor=visit.actor("staff"), at=now())
    body = {"signed_name": "Signed Name", "answers": {key: False for key, _ in QUESTIONS}}
    address = f"cases/{visit.case.ref}/conflict-declarations"
    client = app.test_client()
    assert isinstance(client, Client)
    client.test_session = session
    for who in (person, visit.head):
        actor = actor_as(session, who)
        _token, secret = create_token(session, who.id, name="test", scope="write", days=9, actor=actor, at=now())
        assert Caller(client, secret, who).ask("POST", address, json=body)["state"] == "scheduling"
    assert person.id in team_of(session, visit.case, now())
