"""Messages through their page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.builders import sign_in
from tests.support.applied import Applied, apply

NewClient = Callable[[], FlaskClient]


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    session.commit()
    return made


def url(applied: Applied) -> str:
    return f"/cases/{applied.case.ref}/messages"


def test_a_message_is_written_read_and_then_no_longer_new(new_client: NewClient, applied: Applied) -> None:
    staff, admin = sign_in(new_client(), applied.people["staff"]), sign_in(new_client(), applied.people["admin"])
    sent = staff.post(
        url(applied), data={"body": "Please <b>call</b> us.", "audience": "practice_and_program", "item": ""}
    )
    assert sent.status_code == 302
    page = admin.get(url(applied)).text
    assert "Please &lt;b&gt;call&lt;/b&gt; us." in page
    assert ">new<" in page
    assert "Read by the practice, the program and the survey team" in page
    assert ">new<" not in admin.get(url(applied)).text


def test_an_internal_message_reaches_the_practice_by_no_route(new_client: NewClient, applied: Applied) -> None:
    staff, admin = sign_in(new_client(), applied.people["staff"]), sign_in(new_client(), applied.people["admin"])
    staff.post(url(applied), data={"body": "They look weak.", "audience": "program_only", "item": "standard:7.3"})
    assert "They look weak." in staff.get(url(applied)).text
    base = f"/cases/{applied.case.ref}"
    for path in (url(applied), f"{url(applied)}?item=standard:7.3", f"{base}/history", base, f"{base}/evidence"):
        page = admin.get(path).text
        assert "They look weak." not in page
        assert "Program only" not in page
        assert "program only" not in page


@pytest.mark.parametrize(
    "data",
    [
        {"body": ""},
        {"body": "x" * 10_001},
        {"body": "x", "item": "nonsense"},
        {"body": "x", "audience": "program_only"},
    ],
)
def test_a_refused_message_keeps_what_was_typed(client: FlaskClient, applied: Applied, data: dict[str, str]) -> None:
    sign_in(client, applied.people["admin"])
    answer = client.post(url(applied), data={"audience": "practice_and_program", "item": "", **data})
    assert answer.status_code == 422
    assert "error-summary" in answer.text


def test_the_auditor_reads_and_does_not_write(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["auditor"])
    assert 'name="body"' not in client.get(url(applied)).text
    assert client.post(url(applied), data={"body": "x", "audience": "program_only"}).status_code == 403


def test_strangers_find_no_messages(new_client: NewClient, applied: Applied) -> None:
    other = apply(applied.session)
    applied.session.commit()
    assert sign_in(new_client(), other.people["admin"]).get(url(applied)).status_code == 404
    assert sign_in(new_client(), applied.people["surveyor"]).get(url(applied)).status_code == 404
    assert sign_in(new_client(), applied.people["finance"]).get(url(applied)).status_code == 403
