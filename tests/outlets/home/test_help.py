"""Help is drawn from docs/, safely, and every page of the product points at a heading that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from certify import resources
from certify.outlets.home.help import PAGES, anchor_of, read_page
from certify.outlets.home.navigation import HELP_OF_PATH


@pytest.mark.parametrize("key", sorted(PAGES))
def test_every_page_of_help_has_a_title_headings_and_text(key: str) -> None:
    page = read_page(resources.DOCS, key)

    assert page is not None
    assert page.title.startswith("Help for")
    assert len(page.headings) > 5
    assert "{#" not in page.body
    for anchor, _words in page.headings:
        assert f'id="{anchor}"' in page.body


def test_a_page_that_is_not_listed_is_not_read_even_if_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret", encoding="utf-8")

    assert read_page(tmp_path, "secret") is None
    assert read_page(tmp_path, "../secret") is None


def test_a_listed_page_without_a_file_is_none(tmp_path: Path) -> None:
    assert read_page(tmp_path, "surveyor") is None


def test_html_in_a_text_appears_as_it_is_written(tmp_path: Path) -> None:
    text = '# T\n\n## H\n\n<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror="y">'
    (tmp_path / "practice.md").write_text(text, encoding="utf-8")

    page = read_page(tmp_path, "practice")

    assert page is not None
    assert "<script" not in page.body
    assert "<img" not in page.body
    assert 'href="javascript' not in page.body


def test_two_headings_of_one_page_never_share_an_anchor() -> None:
    for key in PAGES:
        page = read_page(resources.DOCS, key)
        assert page is not None
        anchors = [anchor for anchor, _words in page.headings]
        assert len(anchors) == len(set(anchors)), key


def test_the_help_of_practices_explains_every_page_a_practice_has() -> None:
    page = read_page(resources.DOCS, "practice")
    assert page is not None
    known = {anchor for anchor, _words in page.headings}
    staff_only = {"today", "people", "mail", "surveyors"}

    assert {anchor for _part, anchor in HELP_OF_PATH} - staff_only <= known


def test_the_help_of_staff_explains_every_page_staff_have() -> None:
    page = read_page(resources.DOCS, "program-staff")
    assert page is not None
    known = {anchor for anchor, _words in page.headings}

    assert {anchor for _part, anchor in HELP_OF_PATH} - {"team", "conflict"} <= known


def test_anchors_are_words_of_the_heading_unless_it_names_one() -> None:
    assert anchor_of("Back up and restore {#backup}") == "backup"
    assert re.fullmatch(r"[a-z0-9-]+", anchor_of("What's new, in 2026?"))
