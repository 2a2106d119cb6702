"""What the tablet keeps and sends, in a real browser: nothing entered is lost, whatever happens to network, page, browser, session or server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from certify.certification.surveys.queries import answers_of
from certify.core.foundation.clock import FixedClock
from tests.builders import PASSWORD
from tests.certification.surveys.visits import visit_under_way
from tests.support.worlds import LiveServer

TABLET = {"width": 820, "height": 1180}
NewPage = Callable[..., Page]
PATIENCE = 30_000  # milliseconds until something that must happen by itself counts as not happening
UNTIL = """(patience) => new Promise((done, failed) => {
  const look = async () => { if (await (async () => CONDITION)()) end(done); };
  const end = (how, what) => {
    clearTimeout(late);
    for (const type of ["changed", "state"]) Tablet.events.removeEventListener(type, look);
    how(what);
  };
  const late = setTimeout(() => end(failed, new Error(JSON.stringify(Tablet.sender.state()))), patience);
  for (const type of ["changed", "state"]) Tablet.events.addEventListener(type, look);
  look();
})"""


def until(page: Page, condition: str) -> None:
    """Wait until an expression over Tablet holds; it is asked again at each of the app's own events."""
    page.evaluate(UNTIL.replace("CONDITION", condition), PATIENCE)


ALL_SENT = "(({answers, photos}) => answers + photos === 0)(await Tablet.store.unsent())"


class Field:
    """A survey under way on the live server, and what a surveyor does with a tablet there."""

    def __init__(self, server: LiveServer, clock: FixedClock) -> None:
        self.server = server
        with server.session() as session:
            visit = visit_under_way(session, clock)
            self.survey, self.site = visit.survey.id, visit.site_ids[0]
            self.surveyor, self.staff = visit.surveyor.email, visit.staff.email

    def sign_in(self, page: Page, email: str = "", to: str = "/account") -> None:
        """Sign a person in on a page."""
        page.goto(f"{self.server.url}/sign-in?next={to}")
        page.locator("[name=email]").fill(email or self.surveyor)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url(f"**{to}")

    def open(self, page: Page) -> None:
        """Open the app and wait until it would start without a network."""
        page.goto(f"{self.server.url}/tablet")
        page.evaluate("() => Tablet.shell.ready")

    def take(self, page: Page) -> Any:
        """Take the survey along."""
        return page.evaluate(
            """async (survey) => {
              const me = await (await fetch("/tablet/me.json")).json();
              const list = await (await fetch(`/surveys/${survey}/checklist.json`)).json();
              await Tablet.store.savePack(survey, { ...list, me, survey: { id: survey, edition: list.edition } }, {});
            }""",
            self.survey,
        )

    def tablet(self, page: Page) -> Page:
        """Make a page into a tablet that is ready to leave the network."""
        self.sign_in(page)
        self.open(page)
        self.take(page)
        return page

    def record(self, page: Page, element: str, value: object, field: str = "rating") -> Any:
        """Enter one answer; returns when the tablet has confirmed it."""
        entry = {"site": self.site, "element": element, "field": field, "value": value}
        return page.evaluate("([survey, entry]) => Tablet.journal.record(survey, entry)", [self.survey, entry])

    def send(self, page: Page) -> Any:
        """Press the button; gives the state after the attempt."""
        return page.evaluate("() => Tablet.sender.now()")

    def waiting(self, page: Page) -> Any:
        """Return what the tablet holds unsent."""
        return page.evaluate("() => Tablet.store.unsent()")

    def shown(self, page: Page) -> dict[tuple[str, str], object]:
        """Return the answers that the tablet shows."""
        rows = page.evaluate("(survey) => Tablet.store.answers(survey)", self.survey)
        return {(r["element"], r["field"]): r["value"] for r in rows}

    def standing(self) -> dict[tuple[str | None, str], object]:
        """Return what stands on the server."""
        with self.server.session() as session:
            return {(a.element, a.field): a.value for a in answers_of(session, self.survey)}


@pytest.fixture
def field(live_server: LiveServer, clock: FixedClock) -> Field:
    return Field(live_server, clock)


def test_answers_entered_without_a_network_are_there_after_a_reload_and_go_out_by_themselves(
    field: Field, new_page: NewPage
) -> None:
    page = field.tablet(new_page(**TABLET))
    page.context.set_offline(True)
    field.record(page, "7.9.a", "no")
    field.record(page, "7.9.a", "Kit expired.", "note")
    page.reload()
    page.wait_for_function("() => window.Tablet && Tablet.sender")
    assert field.shown(page) == {("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired."}
    assert field.waiting(page) == {"answers": 2, "photos": 0, "rejected": 0}
    assert field.standing() == {}
    page.context.set_offline(False)
    until(page, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired."}
