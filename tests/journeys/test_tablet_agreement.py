"""The tablet judges without a network what the server judges later: both must say the same of any answers there can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from certify.certification.surveys.rules import Said, gaps
from certify.certification.surveys.seal import Sealed, digest
from certify.core.catalogue.standards import Element, Standard
from certify.core.rulebook.loading import load_rulebook
from certify.resources import STATIC, WORKFLOWS

pytestmark = pytest.mark.one_database

RULES = load_rulebook(WORKFLOWS, guards=None).survey
JUDGES = ("events", "store", "photo", "seal", "rules")
# What one side may take for blank and the other not.
BLANKS = st.text(
    st.sampled_from(" \t\n\x0b\x1c\x1f\x85\xa0\u1680\u2003\u200b\u2028\u202f\u205f\u3000\ufeff\u180e"), max_size=3
)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["Zwölf", "防护", '🧪\u2028\\"', "\ue000", "𝛼"]
)


@pytest.fixture(scope="module")
def judge(browser: Browser) -> Iterator[Page]:
    """A page with the tablet's judging scripts alone; what they do needs neither server nor store."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<!DOCTYPE html>", content_type="text/html"))
    page.goto("http://localhost/judge")  # digests are made only where the browser trusts the address
    for name in JUDGES:
        page.add_script_tag(content=(STATIC / "js" / "tablet" / f"{name}.js").read_text(encoding="utf-8"))
    yield page
    context.close()


def row(site: int, element: str, name: str, value: Any, seq: int) -> dict[str, Any]:
    """Return an answer as the tablet keeps it when nothing of it is unsent."""
    return {
        "site": site,
        "element": element,
        "field": name,
        "value": value,
        "seq": seq,
        "open_op": None,
        "standing": None,
    }


@st.composite
def checklists(draw: st.DrawFn) -> dict[str, Any]:
    """Return a small checklist, the rules as declared or changed, and what was said of it."""
    standards = [
        Standard(
            code=f"1.{number}", key=f"s{number}", title="T", requirement="R", evidence=(), critical=draw(st.booleans()),
            elements=tuple(Element(f"1.{number}.{letter}", letter, "Q") for letter in "abc"[: draw(st.integers(1, 3))]),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]  # fmt: skip
    rules = RULES
    if draw(st.booleans()):
        needs = st.sampled_from([None, "note", "na_reason"])
        reviewed = draw(st.sampled_from(["never", "critical", "every"]))
        rules = replace(
            RULES,
            ratings=tuple(
                replace(r, needs=draw(needs), second_reviewer=reviewed if r.key == "na" else "never")
                for r in RULES.ratings
            ),
        )
    visited = {site: draw(st.booleans()) for site in draw(st.permutations([3, 11, 20]))[: draw(st.integers(1, 3))]}
    text = st.none() | BLANKS | ANY_TEXT
    said: list[Said] = []
    favoured = draw(st.sampled_from(["na", "no", "yes", None]))  # whole standards at "na" are rare otherwise
    for site in visited:
        places = [("", "site_note", text)]
        for standard in standards:
            places += [
                (standard.code, "na_agreed", st.sampled_from([True, False, None])),
                (standard.code, "standard_note", text),
            ]
            for element in standard.elements:
                places += [
                    (element.id, "rating", st.sampled_from([favoured, favoured, "yes", "no", "na", None])),
                    (element.id, "note", text), (element.id, "na_reason", text),
                ]  # fmt: skip
        for element_id, name, values in places:
            if draw(st.integers(0, 3)):
                said.append(Said(site, element_id, name, draw(values), 0, draw(st.integers(0, 9)) == 0))
    order = draw(st.permutations(range(1, len(said) + 1)))
    return {
        "rules": rules,
        "standards": standards,
        "visited": visited,
        "said": [replace(s, seq=n) for s, n in zip(said, order, strict=True)],
    }


def told(case: dict[str, Any]) -> list[Any]:
    """Return the same case as the tablet has it: the pack, the answers, the conflicts."""
    standards = [
        {"code": s.code, "title": s.title, "critical": s.critical, "elements": [{"id": e.id} for e in s.elements]}
        for s in case["standards"]
    ]
    pack = {
        "rules": case["rules"].as_json,
        "sites": [{"id": site, "visited": visited} for site, visited in case["visited"].items()],
        "domains": [{"number": 1, "standards": standards}],
    }
    answers = [row(s.site, s.element, s.field, s.value, s.seq) for s in case["said"]]
    clashing = [
        {"site": s.site, "element": s.element, "field": s.field, "values": []} for s in case["said"] if s.conflict
    ]
    return [pack, answers, clashing]


@given(st.lists(checklists(), min_size=1, max_size=4))
def test_tablet_and_server_find_the_same_gaps(judge: Page, cases: list[dict[str, Any]]) -> None:
    found = judge.evaluate(
        "(cases) => cases.map((case_) => Tablet.rules.gaps(...case_).map((g) => [g.site, g.element, g.standard, g.kind, g.message]))",
        [told(case) for case in cases],
    )
    for case, on_tablet in zip(cases, found, strict=True):
        on_server = gaps(case["rules"], case["standards"], case["visited"], case["said"])
        assert on_tablet == [[g.site_id, g.element, g.standard, g.kind, g.text] for g in on_server]


def test_tablet_and_server_read_the_matrix_alike(judge: Page) -> None:
    places = [{"harm": h.key, "scope": s.key} for h in RULES.harm for s in RULES.scope]
    levels = judge.evaluate(
        "([pack, places]) => places.map((place) => Tablet.rules.level(pack, place))", [{"rules": RULES.as_json}, places]
    )
    assert levels == [RULES.level(**place).key for place in places]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["rating", "note", "risk", "signature:leader", "note:𝛼", "note:\ue000", "note:ä"])
ABOUT = st.sampled_from(["", "1.1", "1.1.a", "10.1.a", "2.1.a", "1.10.a"])
SEALED = st.lists(
    st.builds(Sealed, st.integers(1, 12), ABOUT, FIELDS, VALUES, st.booleans()),
    unique_by=lambda a: (a.site, a.element, a.field), max_size=10,
)  # fmt: skip


@given(st.lists(SEALED, min_size=1, max_size=4))
def test_tablet_and_server_seal_with_the_same_digest(judge: Page, cases: list[list[Sealed]]) -> None:
    found = judge.evaluate(
        "(cases) => Promise.all(cases.map(([answers, conflicts]) => Tablet.seal.digest(answers, conflicts)))",
        [
            [
                [row(a.site, a.element, a.field, a.value, 1) for a in case],
                [{"site": a.site, "element": a.element, "field": a.field} for a in case if a.conflict],
            ]
            for case in cases
        ],
    )
    assert found == [digest(case) for case in cases]
