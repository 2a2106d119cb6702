"""The tablet's app itself, in a real browser: it starts without a network, outlives a killed browser, renews itself, says when it is full."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from certify.outlets.tablet import shell
from tests.support.browser import HOW, find_chromium
from tests.support.tablet import ALL_SENT, SIZE, Field, NewPage, until

pytestmark = pytest.mark.by_turns


def test_the_app_starts_without_a_network_in_a_new_tab(field: Field, tablet: Page) -> None:
    field.record(tablet, "7.9.a", "yes")
    until(tablet, ALL_SENT)
    context = tablet.context
    context.set_offline(True)
    tablet.close()
    page = context.new_page()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto(f"{field.server.url}/tablet#/{field.survey}")
    field.again(page)
    assert field.shown(page) == {("7.9.a", "rating"): "yes"}
    faces = page.evaluate("async () => { await document.fonts.ready; return [...document.fonts].filter((f) => f.status === 'error').length; }")  # fmt: skip
    assert faces == 0
    assert [url for url in failed if "/static/" in url or url.endswith("/tablet")] == []
    field.record(page, "7.9.b", "no")
    assert field.waiting(page)["answers"] == 1


def test_a_page_that_cannot_open_without_a_network_leads_to_the_tablet(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    tablet.goto(f"{field.server.url}/surveys/{field.survey}")
    assert tablet.url == f"{field.server.url}/tablet#/{field.survey}"


def test_what_was_entered_goes_out_in_the_background_when_no_page_is_open(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    until(tablet, "(await (await navigator.serviceWorker.ready).sync.getTags()).length === 1")
    context = tablet.context
    tablet.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"{field.server.url}/healthz")  # the browser lives on; no page of the app does
    page.evaluate(
        """async (address) => { for (;;) {
          const found = await (await fetch(address)).json();
          if (found.answers.length) return;
          await new Promise((done) => requestAnimationFrame(done));
        } }""",
        f"/surveys/{field.survey}/checklist.json",
    )
    assert field.standing() == {("7.9.a", "rating"): "yes"}


def browsers_on(profile: Path) -> list[int]:
    """Return the processes of browsers that this test started on its own profile."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"--user-data-dir={profile}".encode() in words and not any(w.startswith(b"--type=") for w in words):
            found.append(int(entry.name))
    return found


@pytest.fixture
def installed(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens a browser on the same profile each time it is called."""
    path = find_chromium()
    assert path is not None, HOW
    contexts: list[BrowserContext] = []

    def start() -> BrowserContext:
        context = browser.browser_type.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=path,
            viewport=SIZE,  # type: ignore[arg-type]
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context

    yield start
    with contextlib.suppress(Error):
        contexts[-1].close()


def test_a_killed_browser_loses_nothing(field: Field, installed: Any, tmp_path: Path) -> None:
    """Slow because two browsers are started; nothing smaller shows what is on the disk when one is killed."""
    context = installed()
    page = field.tablet(context.new_page())
    field.record(page, "7.9.a", "no")
    until(page, ALL_SENT)
    context.set_offline(True)
    field.record(page, "7.9.a", "Kit expired.", "note")
    last = field.record(page, "7.9.b", "yes")["op"]  # confirmed: from here on it must not be lost
    processes = browsers_on(tmp_path / "profile")
    assert processes
    with context.expect_event("close"):
        for process in processes:
            os.kill(process, signal.SIGKILL)
    (tmp_path / "profile" / "SingletonLock").unlink(missing_ok=True)
    again = installed()
    again.set_offline(True)
    page = again.new_page()
    page.goto(f"{field.server.url}/tablet#/{field.survey}")
    field.again(page)
    assert field.shown(page) == {
        ("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired.", ("7.9.b", "rating"): "yes",
    }  # fmt: skip
    waiting = page.evaluate("(survey) => Tablet.store.ops(survey, {state: 'waiting'})", field.survey)
    assert [op["value"] for op in waiting] == ["Kit expired.", "yes"]
    assert waiting[-1]["op"] == last
    again.set_offline(False)
    until(page, "Tablet.sender.state().problem === 'signed_out'")  # the killed browser took the session with it
    field.sign_in(page, to="/tablet")
    field.again(page)
    until(page, ALL_SENT)
    assert field.standing() == field.shown(page)
    assert field.stored_ops() == 3


# Browsers in tests have no small disks; from `bytes` unwritten on the store behaves as one that is full.
FULL = """(bytes) => {
  const real = { add: IDBObjectStore.prototype.add, put: IDBObjectStore.prototype.put };
  let room = bytes;
  for (const name of ["add", "put"]) {
    IDBObjectStore.prototype[name] = function (value, ...key) {
      const size = value instanceof Blob ? value.size : JSON.stringify(value).length;
      if (size > room) throw new DOMException("The disk is full.", "QuotaExceededError");
      room -= size;
      return real[name].call(this, value, ...key);
    };
  }
  const gone = IDBObjectStore.prototype.delete;
  IDBObjectStore.prototype.delete = function (key) {
    if (key === "reserve") room += 16 * 1024 * 1024;
    return gone.call(this, key);
  };
  window.roomier = (more) => { room += more; };
}"""
TRY = """async ([survey, entry]) => { try { await Tablet.journal.record(survey, entry); return "kept"; }
  catch (error) { return [error.name, error.full]; } }"""


def test_a_tablet_that_fills_up_warns_first_and_then_confirms_nothing_it_did_not_keep(
    field: Field, tablet: Page
) -> None:
    tablet.context.set_offline(True)
    until(tablet, "!Tablet.sender.state().nearlyFull")
    tablet.evaluate(FULL, 10_000)
    note = "x" * 400_000
    assert tablet.evaluate(TRY, [field.survey, field.entry("7.9.a", note, "note")]) == "kept"
    assert tablet.evaluate("async () => (await Tablet.store.estimate()).nearly_full")
    tablet.evaluate("() => window.roomier(-16 * 1024 * 1024)")
    assert tablet.evaluate(TRY, [field.survey, field.entry("7.9.b", note, "note")]) == ["NotKept", True]
    assert tablet.evaluate("() => Tablet.sender.state().problem") == "full"
    assert field.shown(tablet) == {("7.9.a", "note"): note}
    assert field.waiting(tablet)["answers"] == 1
    tablet.evaluate("() => window.roomier(50 * 1024 * 1024)")
    assert tablet.evaluate(TRY, [field.survey, field.entry("7.9.b", "Short.", "note")]) == "kept"
    assert tablet.evaluate("() => Tablet.sender.state().problem") != "full"


def test_a_newer_version_waits_for_what_is_being_written_and_keeps_the_journal(
    field: Field, tablet: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    monkeypatch.setattr(shell, "__version__", "99.0.0")
    tablet.evaluate(
        """() => { window.old = true; window.typing = Promise.withResolvers ? Promise.withResolvers() : null;
        if (!window.typing) { window.typing = {}; window.typing.promise = new Promise((done) => { window.typing.resolve = done; }); }
        Tablet.shell.busy(window.typing.promise); }"""
    )
    tablet.evaluate("() => { Tablet.sender.soon = () => {}; }")
    tablet.context.set_offline(False)
    tablet.evaluate("async () => (await navigator.serviceWorker.ready).update()")
    until(tablet, "Tablet.shell.waiting()")
    tablet.evaluate("() => { window.applied = false; Tablet.shell.apply().then(() => { window.applied = true; }); }")
    field.record(tablet, "7.9.b", "no")
    assert tablet.evaluate("() => window.old && Tablet.shell.waiting() && !window.applied")
    with tablet.expect_navigation():
        tablet.evaluate("() => { window.typing.resolve(); }")
    field.again(tablet)
    assert tablet.locator("body").get_attribute("data-app") == "99.0.0"
    assert field.shown(tablet) == {("7.9.a", "rating"): "yes", ("7.9.b", "rating"): "no"}
    until(tablet, ALL_SENT)
    names = tablet.evaluate("() => caches.keys()")
    assert len([name for name in names if name.startswith("certify-tablet-")]) == 1


def test_a_file_that_is_not_what_the_release_holds_is_not_kept(
    field: Field, new_page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shell.release_of

    def wrong(page: str) -> dict[str, Any]:
        release = real(page)
        release["kept"][-1]["digest"] = "0" * 16
        return release

    monkeypatch.setattr(shell, "release_of", wrong)
    page = new_page(**SIZE)
    page.goto(f"{field.server.url}/tablet")
    page.evaluate("async () => { try { await navigator.serviceWorker.register('/sw.js'); } catch { /* it may fail here */ } }")  # fmt: skip
    state = page.evaluate(
        """async () => { const r = await navigator.serviceWorker.getRegistration(); if (!r) return "none";
        const worker = r.installing || r.waiting || r.active; if (worker.state !== "installing") return worker.state;
        return new Promise((done) => worker.addEventListener("statechange", () => done(worker.state))); }"""
    )
    assert state in ("redundant", "none")
