"""The program on a database of its own: made once per test process and kind of database."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from certify.config import Settings
from certify.db import db
from certify.platform.audit.operations import HELD
from tests.support.postgresql import create_database, drop_database, start_server

KINDS = ("sqlite", "postgresql")


def wanted_kinds() -> tuple[str, ...]:
    """Return the databases this run is on, from CERTIFY_TEST_DATABASE: sqlite (default), postgresql or both."""
    wanted = os.environ.get("CERTIFY_TEST_DATABASE", "sqlite")
    if wanted == "both":
        return KINDS
    if wanted not in KINDS:
        raise ValueError(f"CERTIFY_TEST_DATABASE={wanted!r}: must be sqlite, postgresql or both")
    return (wanted,)


class Client(FlaskClient):
    """A test client that shares the test's transaction: sees what the test has added, and lets it see what changed."""

    test_session: Session | None = None

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if self.test_session is not None:
            self.test_session.flush()
        kwargs.setdefault("buffered", True)  # read to the end and closed, as a browser does
        try:
            return super().open(*args, **kwargs)
        finally:
            if self.test_session is not None:
                self.test_session.expire_all()
                # The request wrote on the same connection, where no other session ever writes outside of tests.
                self.test_session.info.pop(HELD, None)


@dataclass
class LiveServer:
    """The program as a browser or another program meets it: a real port, real commits, a database emptied after the test."""

    url: str
    app: Flask

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session that commits at the end."""
        with self.app.app_context():
            session: Session = db.session()
            yield session
            session.commit()


@dataclass
class Worlds:
    """All databases and apps of this test process; built when first asked for, taken down at its end."""

    folder: Path
    shared: Path
    stack: ExitStack = field(default_factory=ExitStack)
    apps: dict[tuple[str, bool], Flask] = field(default_factory=dict)
    live: dict[str, LiveServer] = field(default_factory=dict)
    _server_url: str | None = None

    def empty_database(self, kind: str) -> str:
        """Return the URL of a new database without any table."""
        if kind == "sqlite":
            number = len(list(self.folder.glob("*.db")))
            path = self.folder / f"test-{number}.db"
            path.touch()
            return f"sqlite:///{path}"
        if self._server_url is None:
            self._server_url, stop = start_server(self.shared)
            self.stack.callback(stop)
        server_url = self._server_url
        url = create_database(server_url)
        self.stack.callback(drop_database, server_url, url)
        return url

    def new_app(self, url: str, *, testing: bool = True) -> Flask:
        """Build the program on that database; all apps of a test process share one instance folder."""
        # Imported here: a test of a pure rule starts without the whole program.
        from certify.app import create_app

        instance = self.folder / "instance"
        instance.mkdir(exist_ok=True)
        app = create_app(
            Settings(instance=instance, database_url=url, secret_key="only-for-tests-" * 4, testing=testing)
        )
        app.test_client_class = Client
        self.stack.callback(self._close, app)
        return app

    def app_on(self, kind: str, *, live: bool = False) -> Flask:
        """Return this process's app on that kind of database, with all tables."""
        if (kind, live) not in self.apps:
            app = self.new_app(self.empty_database(kind), testing=not live)
            app.config["WTF_CSRF_ENABLED"] = live
            with app.app_context():
                if kind == "sqlite":
                    sa.event.listen(db.engine, "connect", _hurry)
                db.create_all()
            self.apps[kind, live] = app
        return self.apps[kind, live]

    def live_on(self, kind: str) -> LiveServer:
        """Return this process's running server on that kind of database."""
        if kind not in self.live:
            app = self.app_on(kind, live=True)
            server = make_server("127.0.0.1", 0, app, threaded=True)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()

            def stop() -> None:
                server.shutdown()
                thread.join()
                server.server_close()

            self.stack.callback(stop)
            self.live[kind] = LiveServer(f"http://localhost:{server.port}", app)
        return self.live[kind]

    def close(self) -> None:
        """Take everything down."""
        self.stack.close()

    @staticmethod
    def _close(app: Flask) -> None:
        with app.app_context():
            db.engine.dispose()


def _hurry(dbapi: Any, _record: object) -> None:
    """Wait for no disk, as the tests' PostgreSQL does not: a power cut is not tested here, `test_kill.py` kills real servers."""
    dbapi.execute("PRAGMA synchronous=OFF")


@contextmanager
def rolled_back(app: Flask, replace: Callable[[Any], None]) -> Iterator[Session]:
    """Give the test's session on one connection that is rolled back; requests get sessions on the same connection.

    A request's own commit releases its savepoint and no more, so that nothing outlives the test. `replace` puts the
    given session registry in the place of `db.session`.
    """
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        outer = connection.begin()
        make = sessionmaker(bind=connection, join_transaction_mode="create_savepoint")
        # Flask-SQLAlchemy's own session class picks the app's engine and would step out of the transaction.
        registry = scoped_session(make, scopefunc=db.session.registry.scopefunc)
        replace(registry)
        session = make()
        try:
            yield session
        finally:
            session.close()
            outer.rollback()


def empty_tables(app: Flask) -> None:
    """Delete every row of the app's database."""
    with app.app_context():
        tables = list(db.metadata.tables.values())
        if db.engine.dialect.name == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            with db.engine.begin() as connection:
                connection.execute(sa.text(f"truncate {names} restart identity cascade"))
            return
        with db.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    for table in tables:
                        connection.execute(sa.delete(table))
            finally:
                raw.execute("PRAGMA foreign_keys=ON")
