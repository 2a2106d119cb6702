"""Sending over a real mail server, with everything that goes wrong there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.core.foundation.clock import FixedClock, now
from certify.db import db, write_intent
from certify.platform.mail import transport
from certify.platform.mail.jobs import claim, send_due
from certify.platform.mail.models import Outbox
from certify.platform.mail.operations import Mail, post_all
from certify.platform.mail.rules import LEASE
from tests.support.smtp import CatchingServer
from tests.support.worlds import LiveServer


@pytest.fixture
def server(smtp: CatchingServer) -> Iterator[CatchingServer]:
    """The catching server, set as the program's."""
    transport.use_smtp(smtp.url)
    yield smtp
    transport.use_smtp(None)


def post(session: Session, *keys: str, **fields: object) -> None:
    """Post a mail per key and commit: a job finds what others have left."""
    mails = [
        Mail(key, "news", f"{key}@people.example", f"About {key}", "You asked.", to_name=key.title(), **fields)
        for key in keys
    ]  # type: ignore[arg-type]
    post_all(session, mails, at=now())
    session.commit()


def row(session: Session, key: str = "dana") -> Outbox:
    """Return the row of a key, as it is now."""
    return session.scalars(
        select(Outbox).where(Outbox.dedupe_key == key).execution_options(populate_existing=True)
    ).one()


def test_what_is_due_leaves_in_text_and_html(session: Session, clock: FixedClock, server: CatchingServer) -> None:
    post(session, "dana", "lee", case_ref="LO-2026-001", context={"lines": ["Hello there."]})
    assert send_due(session, clock) == 2
    assert server.recipients == ["dana@people.example", "lee@people.example"]
    message = server.messages[0]
    assert message["Subject"] == "About dana"
    assert message["To"].addresses[0].display_name == "Dana"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] is not None
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert "Hello there." in text.get_content()
    assert html is not None
    assert "Hello there." in html.get_content()
    sent = row(session)
    assert (sent.state, sent.attempts, sent.sent_at) == ("sent", 1, clock.now())
    assert sent.message_id == message["Message-ID"]
    assert sent.text
    assert sent.html
    assert send_due(session, clock) == 0


def test_nothing_leaves_before_its_time(session: Session, clock: FixedClock, server: CatchingServer) -> None:
    post(session, "dana", due_at=now() + timedelta(hours=1))
    assert send_due(session, clock) == 0
    clock.move(by=timedelta(hours=1))
    assert send_due(session, clock) == 1


def test_without_a_server_mail_waits(session: Session, clock: FixedClock) -> None:
    post(session, "dana")
    assert send_due(session, clock) == 0
    assert row(session).state == "pending"


def test_a_server_that_is_down_costs_no_mail_however_long(
    session: Session, clock: FixedClock, smtp: CatchingServer
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
        post(session, "dana", "lee")
        transport.use_smtp(dead)
        for _ in range(30):
            assert send_due(session, clock) == 0
            clock.move(by=timedelta(hours=1))
    waiting = row(session)
    assert waiting.state == "pending"
    assert "could not be used" in waiting.last_error
    transport.use_smtp(smtp.url)
    try:
        assert send_due(session, clock) == 2
    finally:
        transport.use_smtp(None)


def test_later_means_later_and_ever_later_until_it_failed(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana")
    server.refuse_with = "451 try again later"
    waits = []
    for _ in range(10):
        send_due(session, clock)
        mail = row(session)
        if mail.state == "failed":
            break
        waits.append(mail.due_at - clock.now())
        clock.move(to=mail.due_at)
    assert mail.state == "failed"
    assert "451 try again later" in mail.last_error
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=1)
    assert len(waits) == 5


def test_no_means_no_at_once(session: Session, clock: FixedClock, server: CatchingServer) -> None:
    post(session, "dana")
    server.refuse_with = "550 no such mailbox"
    send_due(session, clock)
    assert (row(session).state, row(session).last_error) == ("failed", "550 no such mailbox")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("NOOP", "421 closing the line"),
        ("MAIL", "421 closing the line"),
        ("RCPT", "421 closing the line"),
        ("DATA", "421 closing the line"),
        ("MAIL", "530 5.7.0 sign in first"),
        ("MAIL", "553 5.7.1 not your address"),
        ("RCPT", "530 5.7.0 sign in first"),
    ],
)
def test_a_server_in_trouble_of_its_own_costs_no_mail_however_often(
    session: Session, clock: FixedClock, server: CatchingServer, command: str, answer: str
) -> None:
    post(session, "dana", "lee", "kim", once_only=True)
    server.refuse_at, server.refuse_with = command, answer
    for _ in range(8):
        assert send_due(session, clock) == 0
        assert {row(session, key).state for key in ("dana", "lee", "kim")} == {"pending"}
        clock.move(by=timedelta(hours=1))
    assert answer[:3] in row(session).last_error
    server.refuse_with = ""
    assert send_due(session, clock) == 3
    assert {row(session, key).attempts for key in ("dana", "lee", "kim")} == {1}


def test_a_recipient_at_whom_the_server_hangs_up_lets_the_others_go_first(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana", "lee")
    server.refuse_at, server.refuse_with = "RCPT", "421 too many for this one"
    send_due(session, clock)
    assert row(session, "dana").due_at > row(session, "lee").due_at > clock.now()


def test_a_mail_too_large_is_refused_and_the_others_leave(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana")
    server.refuse_at, server.refuse_with = "MAIL", "552 5.3.4 too large"
    send_due(session, clock)
    assert row(session).state == "failed"


def test_one_refused_mail_does_not_hold_up_the_others(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana", template="no-such-template")
    post(session, "lee")
    assert send_due(session, clock) == 1
    assert row(session).state == "failed"
    assert "could not be written" in row(session).last_error


def test_a_claim_of_a_sender_that_died_is_taken_over(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana")
    _, ids = claim(session, clock.now())
    assert len(ids) == 1
    assert send_due(session, clock) == 0
    clock.move(by=LEASE + timedelta(seconds=1))
    assert send_due(session, clock) == 1
    assert len(server.messages) == 1


def test_after_a_crash_in_the_hand_over_a_reminder_goes_again_and_a_decision_waits_for_a_person(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    post(session, "dana")
    post(session, "lee", once_only=True)
    session.execute(update(Outbox).values(state="handed", lease_token="gone", lease_until=clock.now() + LEASE))
    session.commit()
    clock.move(by=LEASE + timedelta(seconds=1))
    assert send_due(session, clock) == 1
    assert server.recipients == ["dana@people.example"]
    assert row(session, "lee").state == "handed"


def test_a_link_that_lets_in_is_forgotten_once_it_has_left(
    session: Session, clock: FixedClock, server: CatchingServer
) -> None:
    context = {
        "action_path": "/invitation/very-secret",
        "action_label": "Go",
        "days": 7,
        "inviter": "",
        "role": "",
        "place": "",
    }
    post_all(
        session,
        [Mail("i", "invitation", "dana@people.example", "Come", "why", template="invitation", context=context)],
        at=now(),
    )
    session.commit()
    assert send_due(session, clock) == 1
    body = server.messages[0].get_body(("plain",))
    assert body is not None
    assert "very-secret" in body.get_content()
    left = row(session, "i")
    assert left.context == {}
    assert left.text is None
    assert left.html is None


def test_two_senders_at_once_send_each_mail_once(
    live_server: LiveServer, clock: FixedClock, server: CatchingServer
) -> None:
    app: Flask = live_server.app
    with live_server.session() as session:
        post(session, *(f"p{n}" for n in range(60)))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with app.app_context():
                write_intent.set(True)
                send_due(db.session(), clock)
        except BaseException as failure:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(server.recipients) == sorted(f"p{n}@people.example" for n in range(60))
    with live_server.session() as session:
        assert set(session.scalars(select(Outbox.state))) == {"sent"}
