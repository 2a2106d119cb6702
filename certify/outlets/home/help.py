"""Help pages: docs/*.md drawn as pages, so that what a developer reads and what a user reads is one text."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

PAGES: dict[str, str] = {
    "practice": "For practices",
    "surveyor": "For surveyors",
    "program-staff": "For program staff",
    "operator": "For operators",
}


@dataclass(frozen=True)
class HelpPage:
    """A page of help: its title, its headings (anchor, words), and its body, which holds nothing but our own text."""

    key: str
    title: str
    headings: tuple[tuple[str, str], ...]
    body: Markup


@lru_cache(maxsize=16)
def read_page(folder: Path, key: str) -> HelpPage | None:
    """Return a page of help, or None when there is none of that name."""
    if key not in PAGES:
        return None
    path = folder / f"{key}.md"
    if not path.is_file():
        return None
    # "js-default" lets no HTML through: what is written in < > appears as it is.
    markdown = MarkdownIt("js-default", {"html": False, "linkify": False})
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    headings = _name_headings(tokens)
    title = next((words for level, _, words in headings if level == 1), PAGES[key])
    shown = tuple((anchor, words) for level, anchor, words in headings if level == 2)
    body = markdown.renderer.render(_without_title(tokens), markdown.options, {})
    return HelpPage(key, title, shown, Markup(body))  # noqa: S704 - made from files of the product, with HTML switched off


def anchor_of(words: str) -> str:
    """Return the anchor of a heading: an explicit {#name} at its end, else its words.

    >>> anchor_of("Send your plan {#corrections}"), anchor_of("Fees & invoices")
    ('corrections', 'fees-invoices')
    """
    named = re.search(r"\{#([a-z0-9-]+)\}\s*$", words)
    return named.group(1) if named else re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _name_headings(tokens: list[Token]) -> list[tuple[int, str, str]]:
    found = []
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        anchor = anchor_of(inline.content)
        words = re.sub(r"\s*\{#[a-z0-9-]+\}\s*$", "", inline.content)
        if inline.children:
            last = inline.children[-1]
            last.content = re.sub(r"\s*\{#[a-z0-9-]+\}\s*$", "", last.content)
        opening.attrSet("id", anchor)
        found.append((int(opening.tag[1]), anchor, words))
    return found


def _without_title(tokens: list[Token]) -> list[Token]:
    """The page's frame shows the title itself."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens
