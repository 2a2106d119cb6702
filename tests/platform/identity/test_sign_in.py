"""Signing in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.ids import digest
from certify.platform.identity.models import SignIn, SignInAttempt
from certify.platform.identity.passwords import use_hasher
from certify.platform.identity.rules import TRIES_PER_NETWORK
from certify.platform.identity.sign_ins import TooManyTries, note_try
from tests.builders import PASSWORD, make_person, make_practice, sign_in

WRONG = "do not belong together"


def test_who_signs_in_comes_to_the_page_they_wanted(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    assert client.get("/account").location == "/sign-in?next=/account"
    answer = client.post("/sign-in", data={"email": person.email.upper(), "password": PASSWORD, "next": "/account"})
    assert (answer.status_code, answer.location) == (302, "/account")
    assert client.get("/account").status_code == 200


def test_next_never_leads_to_another_site(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    for target in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nX-Evil: 1",
    ):
        answer = client.post("/sign-in", data={"email": person.email, "password": PASSWORD, "next": target})
        assert answer.location == "/", target


def test_unknown_and_wrong_get_one_message(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    unknown = client.post("/sign-in", data={"email": "nobody@people.example", "password": PASSWORD})
    wrong = client.post("/sign-in", data={"email": person.email, "password": "not the one"})
    assert unknown.status_code == wrong.status_code == 422
    assert WRONG in unknown.text
    assert WRONG in wrong.text
    assert unknown.text.replace("nobody@people.example", "X") == wrong.text.replace(person.email, "X")


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(client: FlaskClient, session: Session) -> None:
    from argon2 import PasswordHasher

    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash))
            return super().verify(hash, password)

    person = make_person(session)
    use_hasher(Counting(time_cost=1, memory_cost=8, parallelism=1))
    try:
        client.post("/sign-in", data={"email": "nobody@people.example", "password": "x"})
        client.post("/sign-in", data={"email": person.email, "password": "x"})
    finally:
        use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert len(verified) == 2


def test_repeated_failures_make_an_address_wait_even_with_the_right_password(
    client: FlaskClient, session: Session, clock: FixedClock
) -> None:
    person = make_person(session)
    for _ in range(5):
        assert client.post("/sign-in", data={"email": person.email, "password": "wrong"}).status_code == 422
    refused = client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 15
    clock.move(by=timedelta(seconds=16))
    assert client.post("/sign-in", data={"email": person.email, "password": PASSWORD}).status_code == 302


def test_an_unknown_address_waits_just_the_same(client: FlaskClient, session: Session) -> None:
    for _ in range(5):
        client.post("/sign-in", data={"email": "nobody@people.example", "password": "wrong"})
    assert client.post("/sign-in", data={"email": "nobody@people.example", "password": "wrong"}).status_code == 429


def test_a_network_that_tries_many_addresses_waits(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    for number in range(40):
        client.post("/sign-in", data={"email": f"p{number}@people.example", "password": "wrong"})
    assert client.post("/sign-in", data={"email": person.email, "password": PASSWORD}).status_code == 429


def test_signing_in_forgets_the_failures(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    for _ in range(4):
        client.post("/sign-in", data={"email": person.email, "password": "wrong"})
    sign_in(client, person)
    key = f"mail:{digest(person.email)}"
    assert session.scalar(select(func.count()).select_from(SignInAttempt).where(SignInAttempt.key == key)) == 0


def test_a_closed_account_cannot_sign_in(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    person.active = False
    assert client.post("/sign-in", data={"email": person.email, "password": PASSWORD}).status_code == 422


def test_the_cookie_holds_a_secret_and_the_database_its_digest(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))
    with client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    stored = session.scalars(select(SignIn.id)).one()
    assert stored == digest(secret)
    assert secret not in stored


def test_signing_in_again_ends_the_sign_in_before(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    sign_in(client, person)
    with client.session_transaction() as cookie:
        first = cookie["_user_id"]
    sign_in(client, person)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != first
        cookie["_user_id"] = first
    assert client.get("/account").status_code == 302


def test_after_signing_out_the_old_cookie_opens_nothing(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    assert client.post("/sign-out").status_code == 302
    with client.session_transaction() as cookie:
        cookie.update(kept)
    assert client.get("/account").status_code == 302


def test_a_sign_in_ends_after_twelve_idle_hours(client: FlaskClient, session: Session, clock: FixedClock) -> None:
    sign_in(client, make_person(session))
    clock.move(by=timedelta(hours=11, minutes=59))
    assert client.get("/account").status_code == 200
    clock.move(by=timedelta(hours=12))
    assert client.get("/account").status_code == 302


def test_a_sign_in_ends_after_seven_days_however_busy(client: FlaskClient, session: Session, clock: FixedClock) -> None:
    sign_in(client, make_person(session))
    for _ in range(16):
        clock.move(by=timedelta(hours=10))
        assert client.get("/account").status_code == 200
    clock.move(by=timedelta(hours=8))
    assert client.get("/account").status_code == 302


def test_seen_is_written_at_most_once_a_minute(client: FlaskClient, session: Session, clock: FixedClock) -> None:
    sign_in(client, make_person(session))
    began = clock.now()
    clock.move(by=timedelta(seconds=59))
    client.get("/account")
    assert session.scalars(select(SignIn.seen_at)).one() == began
    clock.move(by=timedelta(seconds=1))
    client.get("/account")
    assert session.scalars(select(SignIn.seen_at)).one() == clock.now()


def test_other_browsers_are_listed_and_can_be_ended(new_client: Callable[[], FlaskClient], session: Session) -> None:
    person = make_person(session)
    here, there = sign_in(new_client(), person), sign_in(new_client(), person)
    assert here.get("/account").text.count('/end"') == 2
    here.post("/account/sign-ins/end-others")
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_nobody_ends_a_sign_in_of_someone_else(new_client: Callable[[], FlaskClient], session: Session) -> None:
    mine, theirs = sign_in(new_client(), make_person(session)), sign_in(new_client(), make_person(session))
    with theirs.session_transaction() as cookie:
        other = digest(cookie["_user_id"])
    assert mine.post(f"/account/sign-ins/{other}/end").status_code == 404
    assert theirs.get("/account").status_code == 200


def test_closing_an_account_ends_its_sign_ins_at_once(new_client: Callable[[], FlaskClient], session: Session) -> None:
    person, boss = make_person(session), make_person(session, Role.ADMINISTRATOR)
    theirs, admin = sign_in(new_client(), person), sign_in(new_client(), boss)
    assert admin.post(f"/people/{person.id}/close").status_code == 302
    assert theirs.get("/account").status_code == 302


def test_what_was_written_before_the_sign_in_ended_can_be_sent_after_it(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    person = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    here = {"Origin": "http://localhost", "Referer": f"http://localhost/practices/{practice.id}/sites/new"}
    late = client.post(f"/practices/{practice.id}/sites/new", data={"name": "A site <typed> late"}, headers=here)
    assert late.status_code == 401
    assert "What you wrote is kept" in late.text
    kept = late.text.split('name="kept" value="')[1].split('"')[0]
    back = client.post("/sign-in", data={"email": person.email, "password": PASSWORD, "kept": kept, "next": "/"})
    assert back.status_code == 200
    assert "A site &lt;typed&gt; late" in back.text
    assert f'action="/practices/{practice.id}/sites/new"' in back.text


def test_another_site_cannot_plant_text_to_send_on(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session)
    planted = client.post(
        f"/practices/{practice.id}/sites/new", data={"name": "Planted"}, headers={"Origin": "https://evil.example"}
    )
    assert planted.status_code == 302
    assert "Planted" not in planted.text
    person = make_person(session)
    forged = client.post("/sign-in", data={"email": person.email, "password": PASSWORD, "kept": "made-up.text"})
    assert forged.status_code == 302


def test_a_password_is_never_kept(client: FlaskClient, session: Session) -> None:
    answer = client.post(
        "/account/password", data={"old": PASSWORD, "password": "x"}, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 302


def test_an_ipv6_network_is_one_however_its_addresses_are_written(session: Session) -> None:
    household = ["2001:db8::1", "2001:db8:0:0:5::1", "2001:0db8:0000:0000:ffff:ffff:ffff:ffff"]
    for number in range(TRIES_PER_NETWORK):
        note_try(session, f"p{number}@people.example", household[number % 3], at=now())
    for address in household:
        with pytest.raises(TooManyTries):
            note_try(session, "last@people.example", address, at=now())
    note_try(session, "last@people.example", "2001:db8:0:1::1", at=now())
