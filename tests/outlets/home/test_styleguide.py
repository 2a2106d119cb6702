"""The style guide shows every macro, passes axe in light and dark, and keeps its measures at three widths."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page

from certify import resources
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

OPEN_ALL = "document.querySelectorAll('main details').forEach(d => { d.open = true })"
TOO_SMALL = """() => [...document.querySelectorAll('button, summary, select, textarea, .usa-button, input:not([type=hidden])')]
  .filter(e => { const r = e.getBoundingClientRect(); return r.width && r.height < 43.5 })
  .filter(e => !e.matches('.usa-radio__input, .usa-checkbox__input'))
  .map(e => e.outerHTML.slice(0, 120))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_every_macro_is_shown_or_is_part_of_one_that_is() -> None:
    macros = (resources.TEMPLATES / "layout" / "macros.html").read_text(encoding="utf-8")
    guide = (resources.TEMPLATES / "outlets" / "home" / "styleguide.html").read_text(encoding="utf-8")
    names = re.findall(r"{%-? macro (\w+)\(", macros)
    inside = set(re.findall(r"(?<![\w.])(\w+)\(", re.sub(r"macro \w+\(", "", macros)))
    drawn_by_type = {"form_field"}

    missing = [name for name in names if f"m.{name}(" not in guide and name not in inside | drawn_by_type]
    assert missing == []


def test_every_symbol_that_a_template_names_is_in_the_sheet() -> None:
    sheet = (resources.STATIC / "img" / "symbols.svg").read_text(encoding="utf-8")
    known = set(re.findall(r'<symbol id="([\w-]+)"', sheet))
    used: set[str] = set()
    for path in Path(resources.TEMPLATES).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'\bicon\("([\w-]+)"', text)) | set(re.findall(r'mark="([\w-]+)"', text))

    assert used - {"step-", "domain-", "none"} <= known
    assert {f"step-{n}" for n in range(1, 7)} | {f"domain-{n}" for n in range(1, 8)} <= known


def test_no_template_breaks_the_content_policy() -> None:
    for path in Path(resources.TEMPLATES).rglob("*.html"):
        if path.parent.name == "mail" or "mail" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|<script(?![^>]*\bsrc=)|\son[a-z]+=\"|\|\s*safe\b", text), path


def test_the_style_guide_is_there_in_development(client: FlaskClient) -> None:
    assert client.get("/styleguide").status_code == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_all_pieces_are_without_barriers(
    live_server: LiveServer,
    new_page: Callable[..., Page],
    barriers: Callable[[Page], list[str]],
    scheme: str,
    width: int,
) -> None:
    page = new_page(width=width, color_scheme=scheme)
    page.goto(f"{live_server.url}/styleguide")
    page.evaluate(OPEN_ALL)

    assert barriers(page) == []
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(TOO_WIDE) == 0


def test_the_pieces_hold_in_forced_colours(live_server: LiveServer, new_page: Callable[..., Page]) -> None:
    page = new_page(forced_colors="active")
    page.goto(f"{live_server.url}/styleguide")

    borders = page.evaluate("getComputedStyle(document.querySelector('.badge--late')).borderTopStyle")
    assert borders == "solid"


def test_the_focus_can_be_seen_and_the_content_reached_first(live_server: LiveServer, page: Page) -> None:
    page.goto(f"{live_server.url}/styleguide")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
