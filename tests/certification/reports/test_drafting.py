"""The draft follows the answers: what is promised holds for every possible checklist."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.reports.composition import Frame, compose, counts_by_domain, headline, sealed
from certify.certification.reports.drafting import (
    Answer,
    Rating,
    Remark,
    Visit,
    combined,
    draft_requirements,
    fingerprint,
    not_met_elements,
    rated_without_note,
    rating_of,
    seen_in,
)
from certify.certification.reports.models import Finding
from certify.certification.reports.queries import followed_items
from certify.core.catalogue.standards import Domain, Edition, Element, Standard

SITES = {11: "Lakeside Main", 12: "Lakeside North", 13: "Lakeside South"}


def standard(code: str, letters: str, *, critical: bool = False) -> Standard:
    elements = tuple(Element(f"{code}.{letter}", letter, f"Is {code}.{letter} in place?") for letter in letters)
    return Standard(code, f"key-{code}", f"Standard {code}", "What is asked.", ("documentation",), elements, critical)


EDITION = Edition(
    "2021", "Standards, 2021", None, None, None,
    (
        Domain(1, "one", "Domain one", "Aim.", (standard("1.1", "ab"), standard("1.2", "a"))),
        Domain(7, "seven", "Domain seven", "Aim.", (standard("7.3", "abc", critical=True),)),
    ),
)  # fmt: skip
STANDARDS = tuple(EDITION.standards.values())


def visit(answers: dict[tuple[int, str], Answer], sites: int = 2, **more: object) -> Visit:
    return Visit(dict(list(SITES.items())[:sites]), STANDARDS, answers, **more)  # type: ignore[arg-type]


texts = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)
answers = st.builds(
    Answer,
    rating=st.sampled_from(["", "yes", "no", "na"]),
    note=texts,
    na_reason=texts,
    seen=st.dictionaries(st.sampled_from(["documentation", "observation", "data"]), texts, max_size=3),
)


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    count = draw(st.integers(1, 3))
    sites = list(SITES)[:count]
    keys = [(site, element) for site in sites for element in EDITION.element_ids]
    given_answers = {key: draw(answers) for key in keys if draw(st.booleans())}
    amended = frozenset((element, site) for site, element in draw(st.sets(st.sampled_from(keys), max_size=3)))
    return visit(given_answers, count, amended=amended)


@given(visits())
def test_there_is_a_requirement_for_each_not_met_element_and_for_nothing_else(seen: Visit) -> None:
    """Invariant 3 of process.md, section 11."""
    drafted = draft_requirements(seen)
    by_hand = {
        element: tuple(
            s for s in seen.sites if seen.answer(s, element).rating == "no" and (element, s) not in seen.amended
        )
        for element in EDITION.element_ids
    }
    assert {d.element: d.site_ids for d in drafted} == {e: s for e, s in by_hand.items() if s}
    assert len({d.element for d in drafted}) == len(drafted)
    assert all(d.text.strip() and d.standard == d.element.rpartition(".")[0] for d in drafted)


@given(visits(), st.dictionaries(st.sampled_from(EDITION.element_ids), texts.filter(str.strip)))
def test_texts_that_people_wrote_are_kept_whatever_the_answers_become(seen: Visit, written: dict[str, str]) -> None:
    rows = [
        Finding(
            kind="requirement",
            element=element,
            standard=element[:3],
            text=text,
            edited=True,
            source="",
            status="draft",
            site_ids=[],
            version=1,
        )
        for element, text in written.items()
    ]
    items = followed_items(rows, seen)
    assert {i.element for i in items} == set(not_met_elements(seen))
    for item in items:
        assert item.text == written.get(item.element, item.fresh_text)


@given(visits())
def test_a_standard_is_met_only_when_every_applicable_element_is_yes_at_every_site(seen: Visit) -> None:
    for one in STANDARDS:
        ratings = [seen.rating(site, e.id) for e in one.elements for site in seen.sites]
        whole = rating_of(seen, one)
        assert (whole is Rating.NOT_MET) == (Rating.NOT_MET in ratings)
        assert (whole is Rating.MET) == (set(ratings) <= {Rating.MET, Rating.NOT_APPLICABLE} and Rating.MET in ratings)
        assert (whole is Rating.NOT_APPLICABLE) == (set(ratings) == {Rating.NOT_APPLICABLE})


@given(visits())
def test_the_content_of_a_report_is_the_same_for_the_same_answers_and_counts_add_up(seen: Visit) -> None:
    frame = Frame("LO-2026-001", "Lakeside", EDITION, 1, "initial", "on_site", None, None, (), {}, (), (), (), (), "")
    items = followed_items([], seen)
    content = compose(frame, seen, items)
    assert sealed(content) == sealed(compose(frame, seen, followed_items([], seen)))
    printed = [
        f["element"]
        for d in content["domains"]
        for s in d["standards"]
        for f in s["findings"]
        if f["kind"] == "requirement"
    ]
    assert printed == list(not_met_elements(seen))
    for row, domain in zip(counts_by_domain(content), EDITION.domains, strict=True):
        assert sum(row[r.value] for r in Rating) == len(domain.standards)
    assert headline(content)


def test_the_text_says_what_to_put_in_place_where_and_what_was_found() -> None:
    no = Answer("no", note="Three of ten charts had no record", seen={"documentation": "seen"})
    text = draft_requirements(visit({(12, "1.2.a"): no, (11, "1.2.a"): Answer("yes", note="fine")}))[0].text
    assert "at Lakeside North" in text
    assert "“Is 1.2.a in place?”" in text
    assert text.endswith("At the survey: Three of ten charts had no record.")
    assert "seen" not in text


def test_different_findings_at_two_sites_are_told_apart() -> None:
    found = {(11, "1.2.a"): Answer("no", note="None."), (12, "1.2.a"): Answer("no", note="Half.")}
    assert draft_requirements(visit(found))[0].text.endswith(
        "At the survey: Lakeside Main: None. Lakeside North: Half."
    )


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], Rating.NOT_ASSESSED),
        ([Rating.MET, Rating.NOT_ASSESSED], Rating.NOT_ASSESSED),
        ([Rating.NOT_MET, Rating.NOT_ASSESSED], Rating.NOT_MET),
        ([Rating.MET, Rating.NOT_APPLICABLE], Rating.MET),
        ([Rating.NOT_APPLICABLE], Rating.NOT_APPLICABLE),
    ],
)
def test_ratings_combine(parts: list[Rating], whole: Rating) -> None:
    assert combined(parts) is whole


def test_a_rating_needs_a_note_or_something_seen() -> None:
    found = {
        (11, "1.1.a"): Answer("yes"),
        (11, "1.1.b"): Answer("yes", seen={"data": "seen"}),
        (12, "1.1.a"): Answer("na", na_reason="No such care is given."),
        (12, "7.3.c"): Answer("no"),
        (12, "7.3.a"): Answer(note="not rated yet"),
    }
    assert rated_without_note(visit(found)) == {(11, "1.1"): ("1.1.a",), (12, "7.3"): ("7.3.c",)}


def test_what_was_seen_is_said_once_for_sites_where_it_is_the_same() -> None:
    seen = Answer("yes", seen={"documentation": "The policy names the number"})
    found = {(site, "1.1.a"): seen for site in (11, 12)} | {(11, "1.1.b"): Answer("yes", seen={"observation": "seen"})}
    assert seen_in(visit(found), STANDARDS[0]) == [
        ("documentation", "a) The policy names the number.", (11, 12)),
        ("observation", "Reviewed for b.", (11,)),
    ]


def test_any_change_of_an_answer_changes_the_fingerprint() -> None:
    before = visit(
        {(11, "1.1.a"): Answer("yes", note="x")},
        remarks=(Remark("11:1.1:strength", "strength", "1.1", (11,), "Good."),),
    )
    assert fingerprint(before) == fingerprint(replace(before, answers=dict(before.answers)))
    assert fingerprint(before) != fingerprint(visit({(11, "1.1.a"): Answer("no", note="x")}, remarks=before.remarks))
    assert fingerprint(before) != fingerprint(replace(before, remarks=()))
