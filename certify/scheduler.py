"""The clock's hand: one short tick every few seconds, in one process of all; it knows only functions of jobs.py."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from apscheduler.events import EVENT_SCHEDULER_SHUTDOWN
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from certify.certification.cases.jobs import run_clock
from certify.core.foundation.clock import Clock, SystemClock, now
from certify.db import db, write_intent
from certify.outlets.reminders.jobs import remind
from certify.platform.identity.jobs import clear_ended
from certify.platform.mail.jobs import send_due
from certify.platform.storage.jobs import sweep_parts
from certify.platform.web.jobs import clear_once_keys
from certify.platform.web.models import Heartbeat

log = logging.getLogger(__name__)

Job = Callable[[Session, Clock], int]

EVERY_SECONDS = 5
# One number of this program's own, so that its lock meets no other's.
LOCK_KEY = 0x63657274

# In this order: what the clock changes may call for reminders, and both for mail.
JOBS: tuple[tuple[str, Job, timedelta], ...] = (
    ("cases", run_clock, timedelta(seconds=30)),
    ("reminders", remind, timedelta(seconds=60)),
    ("mail", send_due, timedelta(0)),
    ("sign-ins", clear_ended, timedelta(hours=1)),
    ("form keys", clear_once_keys, timedelta(hours=1)),
    ("parts", sweep_parts, timedelta(hours=6)),
)


class ProgramClock:
    """The program's clock, which a setting may have stopped; the scheduler's own rhythm goes by the machine's."""

    def now(self) -> datetime:
        return now()


def start(app: Flask) -> BackgroundScheduler:
    """Start the scheduler of this process and return it; `shutdown(wait=True)` ends it.

    Every process may start one; they settle among themselves which one works, and another takes over when it dies.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    ticker = Ticker(app)
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    # At once, then every few seconds: what waited while nothing ran is not made to wait longer.
    scheduler.add_job(
        ticker.tick, "interval", seconds=EVERY_SECONDS, jitter=1, next_run_time=datetime.now(tz=scheduler.timezone)
    )
    scheduler.add_listener(lambda _event: ticker.lead.give_up(), EVENT_SCHEDULER_SHUTDOWN)
    scheduler.start()
    return scheduler


def run_once(clock: Clock) -> dict[str, int]:
    """Do once what the scheduler does, in the present application context; returns what each job did."""
    return {name: run_job(job, clock) for name, job, _ in JOBS}


def run_job(job: Job, clock: Clock) -> int:
    """Run one job in a session and transaction of its own."""
    intent = write_intent.set(True)
    session = db.session()
    try:
        done = job(session, clock)
        session.commit()
        return done
    finally:
        session.rollback()
        db.session.remove()
        write_intent.reset(intent)


class Ticker:
    """What this process does at each tick, if it leads."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        settings = app.extensions["certify_settings"]
        self.lead: FileLead | PostgresLead = (
            FileLead(settings.instance / "scheduler.lock") if settings.sqlite else PostgresLead(settings.database_url)
        )
        self.last: dict[str, datetime] = {}

    def tick(self) -> None:
        """Run the jobs whose time has come; a job that fails is logged and does not hold up the others."""
        try:
            if not self.lead.holds():
                return
        except (OSError, SQLAlchemyError) as trouble:
            log.warning("cannot tell who leads: %s", trouble)
            return
        with self.app.app_context():
            at = SystemClock().now()
            for name, job, every in JOBS:
                if name in self.last and at - self.last[name] < every:
                    continue
                self.last[name] = at
                try:
                    done = run_job(job, ProgramClock())
                except Exception:
                    log.exception("the job %s failed", name)
                else:
                    if done:
                        log.info("job %s: %d", name, done)
            try:
                beat(at)
            except SQLAlchemyError:
                log.exception("no heartbeat could be written")


def beat(at: datetime) -> None:
    """Write that the scheduler lives; readyz reads it."""
    intent = write_intent.set(True)
    session = db.session()
    try:
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        worker = f"{socket.gethostname()[:80]}:{os.getpid()}"
        session.execute(
            insert(Heartbeat)
            .values(name="scheduler", at=at, worker=worker)
            .on_conflict_do_update(index_elements=["name"], set_={"at": at, "worker": worker})
        )
        session.commit()
    finally:
        session.rollback()
        db.session.remove()
        write_intent.reset(intent)


class FileLead:
    """Who holds a lock on a file leads; the system drops the lock when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: IO[str] | None = None
        self._guard = threading.Lock()

    def holds(self) -> bool:
        """Whether this process leads, trying to if nobody does."""
        with self._guard:
            if self._handle is not None:
                return True
            handle = open(self.path, "a")  # noqa: SIM115 - held open as long as this process leads
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return False
            self._handle = handle
            return True

    def give_up(self) -> None:
        """Let another process lead."""
        with self._guard:
            if self._handle is not None:
                self._handle.close()
                self._handle = None


class PostgresLead:
    """Who holds an advisory lock on its own open connection leads; a lost connection is a lost lead."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15000,
            },
        )
        self._connection: sa.Connection | None = None
        self._guard = threading.Lock()

    def holds(self) -> bool:
        """Whether this process leads, trying to if nobody does."""
        with self._guard:
            if self._connection is not None:
                try:
                    self._connection.execute(sa.text("SELECT 1"))
                    return True
                except SQLAlchemyError:
                    self._drop()
            connection = self._engine.connect()
            if connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
                self._connection = connection
                return True
            connection.close()
            return False

    def give_up(self) -> None:
        """Let another process lead."""
        with self._guard:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
