"""A server that is killed while a tablet sends to it, and started again: the tablet goes on by itself, and everything is there once."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.test_kill import Instance, made_instance
from tests.support.fault_proxy import Answer, FaultProxy
from tests.support.tablet import ALL_SENT, SIZE, until
from tests.support.worlds import Worlds

DEMO_PASSWORD = "open-the-case-file"
SURVEYOR = "surveyor4@demo.example"
QUEUED = 40
RECORD = """async ([survey, count, words]) => {
  const { pack } = await Tablet.store.pack(survey);
  const site = pack.sites.find((s) => s.visited).id;
  const elements = pack.domains.flatMap((d) => d.standards.flatMap((s) => s.elements.map((e) => e.id))).slice(0, count);
  const made = [];
  for (const element of elements) made.push((await Tablet.journal.record(survey, { site, element, field: "note", value: `${words} ${element}` })).op);
  return made;
}"""


class Deadly(FaultProxy):
    """Kills the server once: with half of the request, or at the first byte of its answer."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(f"http://127.0.0.1:{instance.port}")
        self.instance = instance
        self.at: str | None = None
        self.killed = threading.Event()

    def ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Pass on, unless this is the call to die at."""
        if self.at is None or not path.endswith("/sync"):
            return super().ask(method, path, headers, body)
        at, self.at = self.at, None
        host, _, port = self.target.partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as link:
            lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
            head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode("latin-1")
            link.sendall(head + (body[: len(body) // 2] if at == "request" else body))
            if at == "answer":
                assert link.recv(1) == b"H"
            self.instance.kill()
        self.killed.set()
        raise ConnectionResetError


@pytest.fixture
def instance(tmp_path: Path, database: str, worlds: Worlds) -> Iterator[Instance]:
    made = made_instance(tmp_path, worlds.empty_database(database))
    yield made
    made.kill()


@pytest.fixture
def deadly(instance: Instance) -> Iterator[Deadly]:
    instance.start()
    made = Deadly(instance)
    yield made
    made.close()


@pytest.fixture
def tablet(deadly: Deadly, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{deadly.url}/sign-in?next=/tablet")
    page.locator("[name=email]").fill(SURVEYOR)
    page.locator("[name=password]").fill(DEMO_PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/tablet")
    page.evaluate("() => Tablet.shell.ready")
    yield page
    context.close()


def test_a_tablet_goes_on_by_itself_after_the_server_was_killed(
    instance: Instance, deadly: Deadly, tablet: Page
) -> None:
    """Slow because real servers are started and killed; nothing smaller can show it."""
    survey = instance.command("case", "list", "--state", "survey_in_progress")[0]["survey"]
    token = instance.command("token", "create", SURVEYOR, "--name", "kill")["token"]
    tablet.evaluate("(survey) => Tablet.offline.take(survey)", survey)
    tablet.evaluate("() => { Tablet.sender.start(); }")
    entered: list[str] = []
    for at in ("answer", "request"):
        tablet.context.set_offline(True)
        entered += tablet.evaluate(RECORD, [survey, QUEUED, f"Killed at its {at}."])
        deadly.at = at
        deadly.killed.clear()
        tablet.context.set_offline(False)
        assert deadly.killed.wait(60), "nothing was sent"
        assert tablet.evaluate("() => Tablet.sender.now()")["problem"] == "offline"
        assert tablet.evaluate("() => Tablet.store.unsent()")["answers"] == QUEUED
        instance.start()
        until(tablet, ALL_SENT)
    stored: list[Any] = []
    since = 0
    while True:
        answer = instance.call(
            "POST", f"surveys/{survey}/sync", token, {"device": str(uuid4()), "since": since, "ops": []}
        )
        stored += [change["op"] for change in answer["changes"]]
        if not answer["changes"] or answer["changes"][-1]["seq"] >= answer["seq"]:
            break
        since = max(change["seq"] for change in answer["changes"])
    times = Counter(stored)
    assert len(entered) == 2 * QUEUED
    assert {op: times[op] for op in entered} == dict.fromkeys(entered, 1)
    assert instance.command("audit", "verify")["sound"] is True
