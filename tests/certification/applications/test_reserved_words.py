"""No section of a questionnaire can stand where another page of the application does."""

from __future__ import annotations

import re

from flask import Flask

from certify.core.catalogue.loading import FIELD_WORDS, SECTION_WORDS
from certify.platform.web.transactions import FORM_KEY
from certify.resources import TEMPLATES


def test_the_words_no_section_may_be_called_are_those_of_the_routes(app: Flask) -> None:
    beside = {
        found[1]
        for rule in app.url_map.iter_rules()
        if (found := re.fullmatch(r"/cases/<ref>/application/([^<>/]+)", rule.rule))
    }
    assert beside == SECTION_WORDS


def test_the_words_no_field_may_be_called_are_those_of_the_form() -> None:
    names = {"add", FORM_KEY}
    for name in ("certification/applications/section.html", "layout/macros.html"):
        names |= set(re.findall(r'name="([a-z_]+)"', (TEMPLATES / name).read_text("utf-8")))
    assert names == FIELD_WORDS
