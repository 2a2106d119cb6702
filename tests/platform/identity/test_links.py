"""Invitations and new passwords by single-use links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import FixedClock, now
from certify.platform.audit.queries import list_events
from certify.platform.identity.links import LinkGone, ask_for_reset, person_of_link, send_link
from certify.platform.identity.models import MailedLink
from certify.platform.identity.operations import invite
from certify.platform.identity.tokens import create_token, list_tokens
from certify.platform.mail.models import Outbox
from tests.builders import PASSWORD, make_person, make_practice, sign_in

NEW = "nine loud magpies"


def test_an_invitation_leads_to_a_password_and_straight_in(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    person, secret = invite(
        session, email="New@people.example", name="New Person", role=Role.PRACTICE_STAFF, practice_id=practice.id, place=practice.legal_name, actor=SYSTEM, at=now()
    )  # fmt: skip
    mail = session.scalars(select(Outbox)).one()
    assert mail.to_email == "new@people.example"
    assert mail.context["action_path"] == f"/invitation/{secret}"
    assert "Welcome" in client.get(f"/invitation/{secret}").text
    answer = client.post(f"/invitation/{secret}", data={"password": NEW, "again": NEW})
    assert answer.status_code == 302
    assert client.get(f"/practices/{practice.id}").status_code == 200
    assert person.password_hash is not None


def test_a_link_used_twice_says_so_clearly(new_client: Callable[[], FlaskClient], session: Session) -> None:
    person = make_person(session)
    secret = send_link(session, person, "reset", at=now())
    assert new_client().post(f"/reset/{secret}", data={"password": NEW, "again": NEW}).status_code == 302
    again = new_client()
    for answer in (again.get(f"/reset/{secret}"), again.post(f"/reset/{secret}", data={"password": NEW, "again": NEW})):
        assert answer.status_code == 410
        assert "no longer works" in answer.text


def test_opening_a_link_does_not_use_it_up(client: FlaskClient, session: Session) -> None:
    secret = send_link(session, make_person(session), "reset", at=now())
    for _ in range(3):
        assert client.get(f"/reset/{secret}").status_code == 200


def test_a_weak_password_does_not_use_the_link_up(client: FlaskClient, session: Session) -> None:
    secret = send_link(session, make_person(session), "reset", at=now())
    refused = client.post(f"/reset/{secret}", data={"password": "passwordpassword", "again": "passwordpassword"})
    assert refused.status_code == 422
    assert "first that are tried" in refused.text
    assert client.post(f"/reset/{secret}", data={"password": NEW, "again": NEW}).status_code == 302


def test_two_passwords_that_differ_are_refused(client: FlaskClient, session: Session) -> None:
    secret = send_link(session, make_person(session), "reset", at=now())
    assert "differ" in client.post(f"/reset/{secret}", data={"password": NEW, "again": NEW + "x"}).text


@pytest.mark.parametrize(("kind", "life"), [("reset", timedelta(hours=2)), ("invitation", timedelta(days=7))])
def test_a_link_runs_out(session: Session, clock: FixedClock, kind: str, life: timedelta) -> None:
    person = make_person(session)
    secret = send_link(session, person, kind, at=now())
    assert person_of_link(session, secret, kind, at=now() + life - timedelta(seconds=1)).id == person.id
    with pytest.raises(LinkGone):
        person_of_link(session, secret, kind, at=now() + life)


def test_a_link_of_one_kind_does_not_open_the_other(session: Session) -> None:
    secret = send_link(session, make_person(session), "invitation", at=now())
    with pytest.raises(LinkGone):
        person_of_link(session, secret, "reset", at=now())


def test_a_newer_link_ends_the_one_before(session: Session) -> None:
    person = make_person(session)
    first, second = send_link(session, person, "reset", at=now()), send_link(session, person, "reset", at=now())
    with pytest.raises(LinkGone):
        person_of_link(session, first, "reset", at=now())
    assert person_of_link(session, second, "reset", at=now(), use=True)
    with pytest.raises(LinkGone):
        person_of_link(session, second, "reset", at=now(), use=True)


def test_asking_for_a_reset_says_the_same_for_every_address(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    known = client.post("/reset", data={"email": person.email})
    unknown = client.post("/reset", data={"email": "nobody@people.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(person.email, "X") == unknown.text.replace("nobody@people.example", "X")
    assert session.scalar(select(func.count()).select_from(Outbox)) == 1


def test_a_second_wish_within_two_minutes_sends_nothing(session: Session, clock: FixedClock) -> None:
    person = make_person(session)
    for _ in range(3):
        ask_for_reset(session, person, at=now())
    assert session.scalar(select(func.count()).select_from(MailedLink)) == 1
    clock.move(by=timedelta(minutes=3))
    ask_for_reset(session, person, at=now())
    assert session.scalar(select(func.count()).select_from(MailedLink)) == 2


def test_a_new_password_signs_out_everywhere_else_and_ends_open_links(
    new_client: Callable[[], FlaskClient], session: Session
) -> None:
    person = make_person(session)
    elsewhere = sign_in(new_client(), person)
    secret = send_link(session, person, "reset", at=now())
    here = new_client()
    here.post(f"/reset/{secret}", data={"password": NEW, "again": NEW})
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert new_client().post("/sign-in", data={"email": person.email, "password": PASSWORD}).status_code == 422
    assert new_client().post("/sign-in", data={"email": person.email, "password": NEW}).status_code == 302


def test_a_closed_account_gets_no_link(session: Session) -> None:
    person = make_person(session)
    person.active = False
    ask_for_reset(session, person, at=now())
    assert session.scalar(select(func.count()).select_from(Outbox)) == 0


def test_a_new_password_by_link_ends_every_token_and_says_so(client: FlaskClient, session: Session) -> None:
    person, other = make_person(session), make_person(session)
    for owner in (person, person, other):
        create_token(session, owner.id, name="Export", scope="write", days=9, actor=SYSTEM, at=now())
    secret = send_link(session, person, "reset", at=now())
    assert "API tokens" in client.get(f"/reset/{secret}").text
    client.post(f"/reset/{secret}", data={"password": NEW, "again": NEW})
    assert list_tokens(session, person.id) == []
    assert len(list_tokens(session, other.id)) == 1
    told = [e for e in list_events(session, f"person:{person.id}", limit=9) if e.kind == "token.revoked"]
    assert [e.data for e in told] == [{"tokens": ["Export", "Export"]}]


def test_changing_the_password_keeps_tokens_and_says_so(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    create_token(session, person.id, name="Export", scope="write", days=9, actor=SYSTEM, at=now())
    sign_in(client, person)
    answer = client.post(
        "/account/password", data={"old": PASSWORD, "password": NEW, "again": NEW}, follow_redirects=True
    )
    assert "Your API tokens still work" in answer.text
    assert len(list_tokens(session, person.id)) == 1
    mail = session.scalars(select(Outbox).where(Outbox.kind == "password_changed")).one()
    assert "API tokens of yours still work" in mail.context["lines"][0]
