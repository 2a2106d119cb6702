"""Both editions are there whole, and everything is found by code or id."""

from __future__ import annotations

from datetime import date

import pytest

from certify.core.catalogue.standards import MODES, Edition
from certify.core.rulebook.loading import load_rulebook
from certify.resources import WORKFLOWS

EDITIONS = load_rulebook(WORKFLOWS, guards=None).editions
EVERY = pytest.mark.parametrize("edition", EDITIONS.values(), ids=list(EDITIONS))


def test_there_are_two_editions() -> None:
    assert list(EDITIONS) == ["2021", "2025"]
    assert EDITIONS["2021"].in_force_from == date(2021, 7, 13)


@pytest.mark.parametrize(
    ("edition", "counts"),
    [("2021", [5, 3, 2, 3, 2, 2, 20]), ("2025", [5, 3, 2, 5, 3, 2, 22])],
)
def test_seven_domains_hold_the_standards_of_the_catalogue(edition: str, counts: list[int]) -> None:
    found = EDITIONS[edition]
    assert [d.number for d in found.domains] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(d.standards) for d in found.domains] == counts


@EVERY
def test_every_standard_and_element_is_found_by_its_code(edition: Edition) -> None:
    for domain in edition.domains:
        for standard in domain.standards:
            assert edition.standards[standard.code] is standard
            assert edition.domain_of(standard.code) is domain
            for element in standard.elements:
                assert element.id == f"{standard.code}.{element.letter}"
                assert edition.elements[element.id] is element
                assert edition.standard_of[element.id] is standard
    assert len(edition.element_ids) == len(set(edition.element_ids)) == len(edition.elements)


@EVERY
def test_every_standard_has_its_words_modes_and_documents(edition: Edition) -> None:
    for standard in edition.standards.values():
        assert standard.title
        assert standard.requirement.endswith(".")
        assert standard.evidence
        assert set(standard.evidence) <= set(MODES)
        assert standard.suggested_documents
        assert [e.letter for e in standard.elements] == list("abcdefgh"[: len(standard.elements)])
        assert all(e.question.endswith("?") for e in standard.elements), standard.code


@EVERY
def test_chemotherapy_safety_is_critical_and_the_rest_is_not(edition: Edition) -> None:
    assert all(s.critical == (s.domain == 7) for s in edition.standards.values())


@EVERY
def test_the_wording_says_that_it_is_a_paraphrase(edition: Edition) -> None:
    assert "paraphrase" in edition.wording


def test_what_did_not_change_is_the_same_in_both_editions() -> None:
    old, new = EDITIONS["2021"].standards, EDITIONS["2025"].standards
    assert set(new) - set(old) == {"4.4", "4.5", "5.3", "7.21", "7.22"}
    assert old["7.3"] == new["7.3"]
    assert {code for code in old if old[code].requirement != new[code].requirement} == {
        "7.6", "7.9", "7.10", "7.12", "7.19",
    }  # fmt: skip


@EVERY
def test_the_long_domain_is_divided_into_parts_that_hold_each_standard_once(edition: Edition) -> None:
    long = edition.domains[6]
    assert len(long.parts) == 4
    assert sorted(code for part in long.parts for code in part.standards) == sorted(s.code for s in long.standards)
    assert all(domain.parts == () for domain in edition.domains[:6])


def test_an_unknown_code_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        EDITIONS["2021"].domain_of("9.9")
