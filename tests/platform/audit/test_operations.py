"""The chain of events: in one line, unbroken, and honest about tampering."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.clock import now
from certify.platform.audit.models import Event, StreamHead
from certify.platform.audit.operations import record
from certify.platform.audit.queries import list_events, verify_chain
from tests.support.worlds import LiveServer

ANA = Actor(7, name="Ana Brook")


def write(session: Session, stream: str = "case:X-1", kind: str = "case.advanced", **data: Any) -> Event:
    """Add an event, and return it as the same transaction finds it at once."""
    record(session, stream, kind, "did something", actor=ANA, at=now(), data=data)
    return list_events(session, stream, limit=1)[0]


def test_each_event_holds_the_hash_of_the_one_before(session: Session) -> None:
    first, second = write(session, a=1), write(session, b={"x": [1, 2.5, None, "é"]})
    assert (first.seq, second.seq) == (1, 2)
    assert second.prev_hash == first.hash
    assert verify_chain(session).sound


def test_streams_are_chains_of_their_own(session: Session) -> None:
    write(session, "case:X-1")
    assert write(session, "case:X-2").seq == 1
    assert verify_chain(session, "case:X-2").events == 1


@pytest.mark.parametrize("column", ["summary", "reason", "actor_name", "kind"])
def test_a_changed_event_is_found(session: Session, column: str) -> None:
    for _ in range(3):
        write(session)
    session.flush()
    session.execute(update(Event).where(Event.seq == 2).values({column: "something else"}))
    verdict = verify_chain(session)
    assert (verdict.sound, verdict.broken_stream, verdict.broken_seq) == (False, "case:X-1", 2)


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_missing_event_is_found_wherever_it_stood(session: Session, gone: int) -> None:
    for _ in range(3):
        write(session)
    session.flush()
    session.execute(delete(Event).where(Event.seq == gone))
    assert verify_chain(session).broken_seq == gone


def test_a_savepoint_that_is_undone_leaves_no_gap(session: Session) -> None:
    write(session)
    undone = session.begin_nested()
    write(session)
    undone.rollback()
    assert write(session).seq == 2
    assert verify_chain(session).sound


def test_a_savepoint_that_is_kept_is_gone_on_from(session: Session) -> None:
    write(session)
    with session.begin_nested():
        write(session)
        with session.begin_nested():
            write(session)
        assert write(session).seq == 4
    assert write(session).seq == 5
    assert verify_chain(session).sound


def test_a_new_stream_inside_an_undone_savepoint_begins_again(session: Session) -> None:
    undone = session.begin_nested()
    write(session, "case:N-1")
    session.flush()
    undone.rollback()
    assert write(session, "case:N-1").seq == 1
    assert verify_chain(session).sound


def test_internal_lines_are_left_out_for_the_practice(session: Session) -> None:
    record(session, "case:X-1", "report.comment", "wrote a comment", actor=ANA, at=now(), internal=True)
    write(session)
    assert len(list_events(session, "case:X-1")) == 2
    assert [e.kind for e in list_events(session, "case:X-1", internal=False)] == ["case.advanced"]


def test_writers_at_the_same_moment_make_one_line(live_server: LiveServer) -> None:
    def work() -> None:
        for _ in range(10):
            with live_server.session() as session:
                write(session)
                session.commit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with live_server.session() as session:
        verdict = verify_chain(session)
        assert (verdict.sound, verdict.events) == (True, 40)
        assert session.scalar(select(StreamHead.seq)) == 40


def test_reading_the_app_needs_no_event(app: Flask, session: Session) -> None:
    assert app.test_client().get("/sign-in").status_code == 200
    assert verify_chain(session).events == 0
