"""A survey under way on the live server, a tablet in a browser beside it, and a server that can be made to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete, func, select

from certify.certification.evidence.operations import add_file
from certify.certification.surveys.models import SurveyOp
from certify.certification.surveys.queries import answers_of
from certify.core.foundation.clock import FixedClock, now
from certify.platform.identity.models import SignIn
from tests.builders import PASSWORD
from tests.certification.surveys.visits import accepted_case
from tests.support.worlds import LiveServer

POLICY = b"Our policy on emergencies."
SIZE = {"width": 820, "height": 1180}
NewPage = Callable[..., Page]
PATIENCE = 40_000  # milliseconds until something that must happen by itself counts as not happening
UNTIL = """(patience) => new Promise((done, failed) => {
  const types = ["changed", "state", "update", "pack", "draft"];
  const look = async () => { if (await (async () => CONDITION)()) end(done); };
  const end = (how, what) => {
    clearTimeout(late);
    for (const type of types) Tablet.events.removeEventListener(type, look);
    how(what);
  };
  const late = setTimeout(() => end(failed, new Error(JSON.stringify(Tablet.sender.state()))), patience);
  for (const type of types) Tablet.events.addEventListener(type, look);
  look();
})"""
ALL_SENT = "(({answers, photos}) => answers + photos === 0)(await Tablet.store.unsent())"
# Keeps a small photo of 7.9.a; given [survey, site].
PHOTO = """async ([survey, site]) => {
  const canvas = new OffscreenCanvas(64, 48);
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  await Tablet.journal.addPhoto(survey, {site, about: ["7.9.a"], file: await canvas.convertToBlob(), caption: ""});
}"""
START = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], START], Iterable[bytes]]


def until(page: Page, condition: str) -> None:
    """Wait until an expression over Tablet holds; it is asked again at each of the app's own events."""
    page.evaluate(UNTIL.replace("CONDITION", condition), PATIENCE)


def item(page: Page, element: str) -> Locator:
    """Return an element's, or a whole standard's, part of the screen."""
    return page.locator(f'[data-element="{element}"]')


class Field:
    """What a surveyor does with a tablet at a survey under way."""

    def __init__(self, server: LiveServer, clock: FixedClock) -> None:
        self.server = server
        with server.session() as session:
            visit = accepted_case(session)
            add_file(
                session, visit.case, file_name="policy.txt", content=POLICY, elements=("7.9.a", "7.9.b"), actor=visit.actor("head"), at=now()
            )  # fmt: skip
            visit.take("agree_date", "surveyor", starts_on=(now().date() + timedelta(days=61)).isoformat())
            clock.move(by=timedelta(days=61))
            visit.take("check_in", "surveyor")
            self.survey, self.site = visit.survey.id, visit.site_ids[0]
            self.surveyor, self.staff = visit.surveyor.email, visit.staff.email

    def sign_in(self, page: Page, email: str = "", to: str = "/account") -> None:
        """Sign a person in on a page."""
        page.goto(f"{self.server.url}/sign-in?next={to}")
        page.locator("[name=email]").fill(email or self.surveyor)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url(f"**{to}")

    def end_sessions(self) -> None:
        """End every sign-in on the server, as time does."""
        with self.server.session() as session:
            session.execute(delete(SignIn))

    def open(self, page: Page) -> None:
        """Open the app and wait until it would start without a network."""
        page.goto(f"{self.server.url}/tablet")
        page.evaluate("() => Tablet.shell.ready")

    def take(self, page: Page) -> Any:
        """Take the survey along."""
        return page.evaluate("(survey) => Tablet.offline.take(survey)", self.survey)

    def tablet(self, page: Page) -> Page:
        """Make a page into a tablet that is ready to leave the network, and that sends by itself."""
        self.sign_in(page)
        self.open(page)
        self.take(page)
        page.evaluate("() => Tablet.sender.start()")
        return page

    def back(self, page: Page) -> None:
        """Load the app anew and let it send by itself."""
        page.goto(f"{self.server.url}/tablet")
        self.again(page)

    def show(self, page: Page, path: str) -> None:
        """Go to a screen of the survey and wait until it stands."""
        page.evaluate("(path) => { location.hash = path; }", f"#/{self.survey}/{path}")
        expect(page.locator("#tablet")).to_have_attribute("data-ready", f"#/{self.survey}/{path}")

    def again(self, page: Page) -> None:
        """Wait until the app is there after a reload, and let it send by itself."""
        page.wait_for_function("() => window.Tablet && Tablet.shell && Tablet.sender")
        page.evaluate("() => { Tablet.sender.start(); }")

    def entry(self, element: str | None, value: object, name: str = "rating") -> dict[str, object]:
        """Return one entry as the journal takes it."""
        return {"site": self.site, "element": element, "field": name, "value": value}

    def record(self, page: Page, element: str | None, value: object, name: str = "rating") -> Any:
        """Enter one answer; returns when the tablet has confirmed it."""
        entry = self.entry(element, value, name)
        return page.evaluate("([survey, entry]) => Tablet.journal.record(survey, entry)", [self.survey, entry])

    def send(self, page: Page) -> Any:
        """Press the button; gives the state after the attempt."""
        return page.evaluate("() => Tablet.sender.now()")

    def waiting(self, page: Page) -> Any:
        """Return what the tablet holds unsent."""
        return page.evaluate("() => Tablet.store.unsent()")

    def row(self, page: Page, element: str, name: str = "rating") -> Any:
        """Return one answer's row on the tablet."""
        return page.evaluate(
            "([survey, site, element, name]) => Tablet.store.answer(survey, site, element, name)",
            [self.survey, self.site, element, name],
        )

    def shown(self, page: Page) -> dict[tuple[str, str], object]:
        """Return the answers that the tablet shows."""
        rows = page.evaluate("(survey) => Tablet.store.answers(survey)", self.survey)
        return {(r["element"], r["field"]): r["value"] for r in rows}

    def standing(self) -> dict[tuple[str | None, str], object]:
        """Return what stands on the server."""
        with self.server.session() as session:
            return {(a.element, a.field): a.value for a in answers_of(session, self.survey)}

    def stored_ops(self) -> int:
        """Return how many entries the server's journal holds."""
        with self.server.session() as session:
            return session.scalar(select(func.count()).where(SurveyOp.survey_id == self.survey)) or 0


class Faults:
    """Stands before the program; each call to an address that matches takes the next fault of the list, then all is well."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.real: Wsgi = app.wsgi_app
        self.faults: list[Callable[[dict[str, Any], START], Iterable[bytes]]] = []
        self.match = "/sync"
        self.met = 0
        self.seen: list[str] = []  # Content-Range of each call that matched, "" for a whole one
        self.release = threading.Event()
        self.held = threading.Event()

    def __call__(self, environ: dict[str, Any], start: START) -> Iterable[bytes]:
        if self.match not in environ["PATH_INFO"] or environ["REQUEST_METHOD"] not in ("POST", "PUT"):
            return self.real(environ, start)
        self.seen.append(environ.get("HTTP_CONTENT_RANGE", ""))
        if not self.faults:
            return self.real(environ, start)
        self.met += 1
        return self.faults.pop(0)(environ, start)

    def well(self) -> Wsgi:
        """Let this call through."""
        return self.real

    def says(self, status: str, body: str = "", kind: str = "text/html", **headers: str) -> Wsgi:
        """Answer without asking the program."""

        def fault(environ: dict[str, Any], start: START) -> Iterable[bytes]:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(status, [("Content-Type", kind), ("Content-Length", str(len(body.encode()))), *headers.items()])
            return [body.encode()]

        return fault

    def cut(self) -> Wsgi:
        """Let the program do its work, and lose the answer in the middle."""

        def fault(environ: dict[str, Any], start: START) -> Iterable[bytes]:
            body = b"".join(self.real(environ, lambda *_: None))
            start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return self._half(body)

        return fault

    def hang(self) -> Wsgi:
        """Say nothing until released."""

        def fault(environ: dict[str, Any], start: START) -> Iterable[bytes]:
            self.release.wait(60)
            return self.says("503 Service Unavailable")(environ, start)

        return fault

    def hold(self) -> Wsgi:
        """Let this call through once released; `held` says that it has come."""

        def fault(environ: dict[str, Any], start: START) -> Iterable[bytes]:
            self.held.set()
            self.release.wait(60)
            return self.real(environ, start)

        return fault

    @staticmethod
    def _half(body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError
