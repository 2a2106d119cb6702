"""Fixtures every test may ask for. Whatever touches a database runs on each kind that CERTIFY_TEST_DATABASE names."""

from __future__ import annotations

import logging
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.orm import Session

from certify.core.foundation.clock import FixedClock, SystemClock, use_clock
from certify.db import db
from certify.platform.identity.passwords import use_hasher
from tests.support import browser as browsers
from tests.support.postgresql import NoPostgres
from tests.support.smtp import CatchingServer, catching_server
from tests.support.worlds import Client, LiveServer, Worlds, empty_tables, rolled_back, wanted_kinds

# A Monday, ten in the morning in New York, with no holiday near and the change of the clocks the day before.
NOW = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)

# The usual run tries the same examples every time, so that a change is blamed only for what it broke; `make explore` looks for
# faults that nobody has seen yet.
EXPLORES = bool(os.environ.get("CERTIFY_TEST_EXPLORE"))
hypothesis_settings.register_profile(
    "house",
    deadline=None,
    derandomize=not EXPLORES,
    max_examples=300 if EXPLORES else 60,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("house")
# Real parameters cost 33 ms a hash; what is tested is who may come in, not how long it takes.
use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
logging.getLogger("werkzeug").setLevel(logging.ERROR)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per wanted database when anything it uses needs one.

    What a tablet does by itself (marked `one_database`) asks the same of either: it runs on the first that is wanted. What a
    browser shows (marked `by_turns`) asks nothing that the same pages are not asked on both without one: of these tests half
    run on each. The stories, the killed servers and the bad networks run on both.
    """
    if "database" in metafunc.fixturenames:
        kinds = wanted_kinds()
        if metafunc.definition.get_closest_marker("one_database") is not None:
            kinds = kinds[:1]
        elif metafunc.definition.get_closest_marker("by_turns") is not None:
            kinds = (kinds[zlib.crc32(metafunc.definition.name.encode()) % len(kinds)],)
        metafunc.parametrize("database", kinds, indirect=True)


@pytest.fixture(autouse=True)
def clock() -> Iterator[FixedClock]:
    """The program's clock, standing at NOW; `clock.move(by=…)` turns it on."""
    fixed = FixedClock(NOW)
    use_clock(fixed)
    yield fixed
    use_clock(SystemClock())


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Worlds]:
    """Every database and app of this test process."""
    # All processes of a run share one PostgreSQL; its folder belongs to the server's own user, so it lies apart.
    run = getattr(request.config, "workerinput", {}).get("testrunuid", f"alone-{os.getpid()}")
    shared = Path(tempfile.gettempdir()) / f"certify-tests-{run}"
    shared.mkdir(mode=0o711, exist_ok=True)
    made = Worlds(folder=tmp_path_factory.mktemp("worlds"), shared=shared)
    yield made
    made.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which kind of database this test runs on: sqlite or postgresql."""
    kind: str = request.param
    return kind


@pytest.fixture
def app(worlds: Worlds, database: str, clock: FixedClock) -> Flask:
    """The program on this test's database."""
    try:
        made = worlds.app_on(database)
    except NoPostgres as none:
        pytest.fail(str(none), pytrace=False)
    use_clock(clock)
    return made


@pytest.fixture
def session(app: Flask, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session whose transaction is undone after the test; requests of `client` take part in it."""
    assert "live_server" not in request.fixturenames, "a live server has its own database: use live_server.session()"
    with rolled_back(app, lambda registry: monkeypatch.setattr(db, "session", registry)) as test_session:
        yield test_session


@pytest.fixture
def client(app: Flask, session: Session) -> FlaskClient:
    """A client of the pages and the API, without CSRF checks (the live server has them)."""
    made = app.test_client()
    assert isinstance(made, Client)
    made.test_session = session
    return made


@pytest.fixture
def new_client(app: Flask, session: Session) -> Callable[[], FlaskClient]:
    """Makes further clients, for a second person in the same test."""

    def make() -> FlaskClient:
        made = app.test_client()
        assert isinstance(made, Client)
        made.test_session = session
        return made

    return make


@pytest.fixture
def smtp() -> Iterator[CatchingServer]:
    """A real SMTP server that keeps what it is sent."""
    with catching_server() as server:
        yield server


@pytest.fixture
def live_server(worlds: Worlds, database: str, clock: FixedClock) -> Iterator[LiveServer]:
    """The program on a real port, with real commits; its database is emptied after the test."""
    try:
        server = worlds.live_on(database)
    except NoPostgres as none:
        pytest.fail(str(none), pytrace=False)
    use_clock(clock)
    yield server
    empty_tables(server.app)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, one for the test process."""
    with sync_playwright() as playwright:
        running = browsers.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens pages in browsers that share nothing; fails the test on script errors, CSP breaches and missing files."""
    complaints: list[str] = []
    contexts = []

    def make(*, width: int = 1280, height: int = 900, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        return browsers.watched_page(context, complaints)

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page in a browser of its own."""
    return new_page()


@pytest.fixture
def barriers() -> Callable[[Page], list[str]]:
    """Looks for barriers on a page: `assert barriers(page) == []`."""
    return browsers.barriers
