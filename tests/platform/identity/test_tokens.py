"""API tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotFound
from certify.platform.identity.models import ApiToken
from certify.platform.identity.queries import find_bearer_of_token
from certify.platform.identity.tokens import create_token, list_tokens, revoke_token
from tests.builders import make_person, sign_in


def test_a_token_is_shown_once_and_only_its_digest_is_kept(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session))
    page = client.post("/account/tokens", data={"name": "Nightly export", "scope": "read", "days": "30"})
    secret = page.text.split('<code class="secret">')[1].split("<")[0]
    assert secret.startswith("certify_")
    assert secret not in client.get("/account").text
    stored = session.scalars(select(ApiToken)).one()
    assert stored.digest not in secret
    assert stored.expires_at == now() + timedelta(days=30)


def test_a_token_speaks_for_its_person_until_it_ends(session: Session, clock: FixedClock) -> None:
    person = make_person(session)
    token, secret = create_token(session, person.id, name="x", scope="read", days=1, actor=SYSTEM, at=now())
    bearer = find_bearer_of_token(session, secret, now())
    assert bearer is not None
    assert bearer.person_id == person.id
    assert bearer.scope == "read"
    assert find_bearer_of_token(session, secret + "x", now()) is None
    assert find_bearer_of_token(session, secret, now() + timedelta(days=1)) is None
    revoke_token(session, token.id, person_id=person.id, actor=SYSTEM, at=now())
    assert find_bearer_of_token(session, secret, now()) is None


def test_a_closed_account_has_no_tokens(session: Session) -> None:
    person = make_person(session)
    _, secret = create_token(session, person.id, name="x", scope="write", days=1, actor=SYSTEM, at=now())
    person.active = False
    session.flush()
    assert find_bearer_of_token(session, secret, now()) is None


def test_every_mistake_in_a_token_is_named(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        create_token(session, make_person(session).id, name=" ", scope="all", days=0, actor=SYSTEM, at=now())
    assert {e.field for e in refusal.value.errors} == {"name", "scope", "days"}


def test_nobody_revokes_the_token_of_someone_else(new_client: Callable[[], FlaskClient], session: Session) -> None:
    person = make_person(session)
    token, _ = create_token(session, person.id, name="x", scope="write", days=1, actor=SYSTEM, at=now())
    other = sign_in(new_client(), make_person(session))
    assert other.post(f"/account/tokens/{token.id}/revoke").status_code == 404
    with pytest.raises(NotFound):
        revoke_token(session, token.id, person_id=10**6, actor=SYSTEM, at=now())
    mine = sign_in(new_client(), person)
    assert mine.post(f"/account/tokens/{token.id}/revoke").status_code == 302
    assert list_tokens(session, person.id) == []


def test_a_token_opens_no_pages(client: FlaskClient, session: Session) -> None:
    _, secret = create_token(session, make_person(session).id, name="x", scope="write", days=1, actor=SYSTEM, at=now())
    assert client.get("/account", headers={"Authorization": f"Bearer {secret}"}).status_code == 302


def test_an_api_call_without_or_with_a_wrong_token_is_told_to_sign_in(client: FlaskClient) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
    ):
        answer = client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 401, headers
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
