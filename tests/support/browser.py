"""A real browser for the journeys, and axe to look for barriers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright, Response

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = (
    "No browser for the tests. Install Chromium (Debian: apt-get install chromium), or name one with "
    "CERTIFY_CHROMIUM=/path/to/chromium."
)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    given = os.environ.get("CERTIFY_CHROMIUM")
    return given or next((path for path in map(shutil.which, NAMES) if path), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser; raises AssertionError saying what to install when there is none."""
    path = find_chromium()
    assert path is not None, HOW
    return playwright.chromium.launch(executable_path=path)


def watched_page(context: BrowserContext, complaints: list[str]) -> Page:
    """Open a page that writes down script errors, breaches of the content policy, missing files and server errors."""
    page = context.new_page()

    def on_console(message: ConsoleMessage) -> None:
        # A refused form is an answer, not a fault; answers are watched below.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(f"console: {message.text}")

    def on_error(error: Error) -> None:
        complaints.append(f"script: {error}")

    def on_response(response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            complaints.append(f"{response.status} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("response", on_response)
    return page


def barriers(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 A and AA on the page, a line for each, with where it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "async () => await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    return [
        f"{violation['id']}: {violation['help']} at {node['target'][0]}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
