"""What a page shows after it saved by itself is what was saved last, in whatever order the network answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from certify import resources

HERE = "http://localhost:9/plan"
PAGE = """<!DOCTYPE html><title>Plan</title><main>
<form data-autosave="/save"><input name="version" value="1"><label>What <input name="what"></label><p data-saved></p></form>
<div id="next" data-fresh>{}</div></main><script src="/saving.js"></script>"""
CHANGE = "(form) => form.dispatchEvent(new CustomEvent('certify:change', {bubbles: true, detail: {url: '/save'}}))"
NewPage = Callable[..., Page]


class Slow:
    """A server that saves at once, and whose looks at the page are answered when the test says so, with what stood when asked."""

    def __init__(self, page: Page) -> None:
        self.saved = 0
        self.looks = 0
        self.held: list[tuple[Route, str]] | None = []
        page.route("http://localhost:9/**", self._answer)

    def _answer(self, route: Route, request: Request) -> None:
        if request.url.endswith("/saving.js"):
            route.fulfill(path=resources.STATIC / "js" / "saving.js", content_type="text/javascript")
        elif request.method == "POST":
            self.saved += 1
            body: Any = {"version": self.saved + 1, "saved_at": "2026-11-22T14:00:00Z"}
            route.fulfill(json=body)
        elif request.resource_type == "document":
            route.fulfill(body=PAGE.format("2 things are missing"), content_type="text/html")
        else:
            words = "<button>Send the plan</button>" if self.saved > 1 else "1 thing is missing"
            self.looks += 1
            if self.held is None:
                route.fulfill(body=PAGE.format(words), content_type="text/html")
            else:
                self.held.append((route, PAGE.format(words)))

    def answer(self) -> None:
        """Answer the looks that wait, in the order in which they were asked, and later ones at once."""
        waiting, self.held = self.held or [], None
        for route, body in waiting:
            route.fulfill(body=body, content_type="text/html")


@pytest.mark.one_database
def test_the_last_save_is_in_what_the_page_shows_however_late_an_earlier_look_is_answered(new_page: NewPage) -> None:
    page = new_page()
    server = Slow(page)
    page.goto(HERE)
    form = page.locator("form")
    with page.expect_request(lambda r: r.method == "GET" and r.resource_type == "fetch"):
        form.evaluate(CHANGE)
    with page.expect_response(lambda r: r.request.method == "POST"):
        form.evaluate(CHANGE)
    expect(page.locator("[name=version]")).to_have_value("3")
    server.answer()
    expect(page.get_by_role("button", name="Send the plan")).to_be_visible()
    assert server.looks == 2
