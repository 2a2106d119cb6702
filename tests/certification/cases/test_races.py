"""A practice has one open case, whoever begins one at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases import operations
from certify.certification.cases.models import Case
from certify.certification.cases.operations import open_case
from certify.core.access.roles import SYSTEM
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Conflict
from tests.builders import make_practice
from tests.support.worlds import LiveServer


def test_two_who_begin_at_the_same_moment_get_one_case_and_its_name(live_server: LiveServer) -> None:
    with live_server.session() as session:
        practice, other = make_practice(session), make_practice(session)
        open_case(session, other.id, other.legal_name, zone=other.time_zone, actor=SYSTEM, at=now())
        session.expunge_all()
    gate = threading.Barrier(4)

    def begin() -> str:
        gate.wait()
        try:
            with live_server.session() as session:
                zone, name = practice.time_zone, practice.legal_name
                return open_case(session, practice.id, name, zone=zone, actor=SYSTEM, at=now()).ref
        except Conflict as refusal:
            return str(refusal)

    with ThreadPoolExecutor(4) as pool:
        answers = [begun.result() for begun in [pool.submit(begin) for _ in range(4)]]
    (ref,) = (answer for answer in answers if " " not in answer)
    assert answers.count(f"The practice has an open case already: {ref}. Go on with that one.") == 3
    with live_server.session() as session:
        count = select(func.count()).select_from(Case).where(Case.practice_id == practice.id)
        assert session.scalar(count) == 1


def test_who_looked_before_the_other_wrote_is_told_which_case_is_open(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = make_practice(session)
    first = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=now())
    look, looks = operations._open_already, iter([None])
    monkeypatch.setattr(operations, "_open_already", lambda *asked: next(looks, look(*asked)))
    with pytest.raises(Conflict, match=first.ref):
        open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=now())
