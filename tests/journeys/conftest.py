"""What the tests of the tablet share: a survey under way, a tablet in it, and a server that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from certify.core.foundation.clock import FixedClock
from tests.support.tablet import SIZE, Faults, Field, NewPage
from tests.support.worlds import LiveServer


@pytest.fixture
def field(live_server: LiveServer, clock: FixedClock) -> Field:
    return Field(live_server, clock)


@pytest.fixture
def tablet(field: Field, new_page: NewPage) -> Page:
    return field.tablet(new_page(**SIZE))


@pytest.fixture
def tried(field: Field, browser: Browser) -> Iterator[Page]:
    """A tablet whose server is made to fail or refuse: that is no fault of the page."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    yield field.tablet(context.new_page())
    context.close()


@pytest.fixture
def faults(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The server, told what to do wrong."""
    made = Faults(live_server.app)
    monkeypatch.setattr(live_server.app, "wsgi_app", made)
    yield made
    made.release.set()
