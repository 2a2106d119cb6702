"""One process of all works by the clock, another takes over when it dies, and a failing job holds up no other."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify import scheduler
from certify.core.foundation.clock import Clock, FixedClock
from certify.db import db
from certify.platform.web.models import Heartbeat
from certify.scheduler import FileLead, PostgresLead, Ticker, run_once
from tests.support.worlds import LiveServer


def test_only_one_holds_the_lead_and_it_passes_on(tmp_path: Path) -> None:
    first, second = FileLead(tmp_path / "lock"), FileLead(tmp_path / "lock")
    assert first.holds()
    assert first.holds()
    assert not second.holds()
    first.give_up()
    assert second.holds()
    assert not first.holds()
    second.give_up()


def test_the_lead_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = f"import sys; from pathlib import Path; from certify.scheduler import FileLead; lead = FileLead(Path({str(path)!r})); print(lead.holds(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "True"
        mine = FileLead(path)
        assert not mine.holds()
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert mine.holds()
        mine.give_up()


def test_the_lead_on_the_database_is_one_too(live_server: LiveServer) -> None:
    url = live_server.app.extensions["certify_settings"].database_url
    if url.startswith("sqlite"):
        assert isinstance(Ticker(live_server.app).lead, FileLead)
        return
    first, second = PostgresLead(url), PostgresLead(url)
    assert first.holds()
    assert first.holds()
    assert not second.holds()
    first.give_up()
    assert second.holds()
    second.give_up()


def test_a_tick_does_every_job_and_leaves_a_heartbeat(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def job(name: str) -> scheduler.Job:
        def work(_session: Session, _clock: Clock) -> int:
            done.append(name)
            if name == "bad":
                raise RuntimeError("this job fails")
            return 1

        return work

    no_wait = scheduler.JOBS[2][2]
    monkeypatch.setattr(scheduler, "JOBS", tuple((name, job(name), no_wait) for name in ("a", "bad", "b")))
    ticker = Ticker(live_server.app)
    try:
        ticker.tick()
        ticker.tick()
    finally:
        ticker.lead.give_up()
    assert done == ["a", "bad", "b"] * 2
    with live_server.session() as session:
        assert session.scalars(select(Heartbeat.name)).all() == ["scheduler"]


def test_started_it_ticks_by_itself_and_stops_cleanly(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ticked = threading.Event()

    def work(_session: Session, _clock: Clock) -> int:
        ticked.set()
        return 0

    monkeypatch.setattr(scheduler, "JOBS", (("a", work, scheduler.JOBS[0][2]),))
    running = scheduler.start(live_server.app)
    try:
        assert ticked.wait(timeout=20)
    finally:
        running.shutdown(wait=True)
    free = Ticker(live_server.app).lead
    assert free.holds()
    free.give_up()


def test_all_real_jobs_run_on_an_empty_database_and_do_nothing(live_server: LiveServer, clock: FixedClock) -> None:
    with live_server.app.app_context():
        assert run_once(clock) == {"cases": 0, "reminders": 0, "mail": 0, "sign-ins": 0, "form keys": 0, "parts": 0}
        db.session.remove()
