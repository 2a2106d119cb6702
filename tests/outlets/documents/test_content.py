"""What documents say: sentences, words for dates and counts, and JSON there and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from certify.outlets.documents.content.agreement import Clause, clauses_of
from certify.outlets.documents.content.decision_letter import Outcome
from certify.outlets.documents.content.letter_words import closing, facts, opening
from certify.outlets.documents.content.reading import read
from certify.outlets.documents.content.survey_report import Finding, FindingKind, SurveyReport
from certify.outlets.documents.content.survey_words import (
    front_facts,
    met_of,
    requirements_intro,
    shortened,
    sites_sentence,
)
from certify.outlets.documents.content.wording import Rating, clean, plain_data
from certify.outlets.documents.picture import compliance_picture, compliance_words
from tests.outlets.documents import examples


def test_the_headline_counts_applicable_standards_only() -> None:
    assert examples.survey_report().headline == "Three of 36 applicable standards are not met."


def test_a_report_without_a_fault_says_so_and_names_the_next_step() -> None:
    report = examples.survey_report(requirements=False)
    assert report.headline == "All 36 applicable standards are met at every site visited."
    assert report.consequence == "No requirement is open; the council can decide on certification."


def test_a_standard_not_assessed_is_said_before_anything_else() -> None:
    report = examples.survey_report()
    first = report.domains[0]
    left_open = replace(
        first, standards=(replace(first.standards[0], rating=Rating.NOT_ASSESSED), *first.standards[1:])
    )
    assert (
        replace(report, domains=(left_open, *report.domains[1:])).headline == "One standard of 37 is not yet assessed."
    )


def test_the_consequence_names_critical_standards_and_the_day_the_plan_is_due() -> None:
    assert examples.survey_report().consequence == (
        "Of these, standards 7.3 and 7.9 are critical. The practice answers three requirements with a corrective action plan "
        "by Friday, December 4, 2026; certification is decided once all are closed."
    )


def earlier(count: int) -> tuple[Finding, ...]:
    """Return requirements that stand since an earlier survey."""
    return tuple(
        Finding(f"R{n}", FindingKind.REQUIREMENT, "7.3", "Two people check.", "7.3.b", ("Harbor North",))
        for n in range(1, count + 1)
    )


@pytest.mark.parametrize(
    ("count", "own", "said"),
    [
        (1, False, "one requirement, which has been open since an earlier survey, with"),
        (2, False, "two requirements, all open since an earlier survey, with"),
        (1, True, "four requirements, one of them open since an earlier survey, with"),
    ],
)
def test_a_repeat_report_does_not_call_for_the_decision_while_an_earlier_requirement_is_open(
    count: int, own: bool, said: str
) -> None:
    report = replace(examples.survey_report(requirements=own), earlier=earlier(count), survey_kind="repeat")
    assert said in report.consequence
    assert "the council can decide" not in report.consequence
    assert "since an earlier survey: this visit did not reach every site" in requirements_intro(report)


def test_the_lines_under_the_title_say_when_where_and_which_paper() -> None:
    assert front_facts(examples.survey_report()) == [
        "Survey of October 14–16, 2026, on site · 3 of 3 sites visited: Lakeside Main, Harbor North and Mill Creek",
        "Case LO-2026-014 · version 1, issued November 19, 2026",
    ]
    assert front_facts(examples.survey_report(issued=False))[1] == "Case LO-2026-014 · draft, not issued"


def test_sites_are_named_only_where_they_differ() -> None:
    report = examples.survey_report()
    by_code = {standard.code: standard for standard in report.standards}
    names = [site.name for site in report.visited]
    assert sites_sentence(by_code["1.1"], names) == "at all 3 sites visited"
    assert sites_sentence(by_code["7.3"], names) == "not met at Harbor North; met at Lakeside Main and Mill Creek"


def test_a_domain_counts_its_applicable_standards() -> None:
    assert met_of(examples.survey_report().domains[6]) == "17 of 19 met"


def test_a_report_goes_to_json_and_back_unchanged() -> None:
    report = examples.survey_report(recommendations=1)
    data = plain_data(report)
    assert read(SurveyReport, {**data, "more": {"unknown": 1}}) == report
    assert data["domains"][0]["standards"][0]["rating"] == "met"
    assert data["issued_at"] == "2026-11-19T14:02:00+00:00"


def test_a_missing_field_of_stored_content_is_named() -> None:
    data = plain_data(examples.survey_report())
    del data["practice"]
    with pytest.raises(KeyError, match=r"SurveyReport\.practice"):
        read(SurveyReport, data)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c", "abc"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\ud800broken", "broken"),
        ("tab\tstays", "tab\tstays"),
        ("שלום 😀", "שלום 😀"),
    ],
)
def test_only_characters_that_no_file_may_hold_are_taken_out(text: str, kept: str) -> None:
    assert clean(text) == kept


def test_long_text_is_cut_at_a_word() -> None:
    assert shortened("one two three", 20) == "one two three"
    assert shortened("one two three", 9) == "one two …"


def test_the_award_letter_names_sites_and_the_denial_the_way_to_appeal() -> None:
    award, denial = examples.decision_letter(), examples.decision_letter(Outcome.DENIAL)
    assert "three sites: Lakeside Main, Harbor North and Mill Creek" in opening(award)[1]
    assert facts(award)[2] == ("Valid until", "March 8, 2030")
    assert facts(denial) == []
    assert "two standards" in opening(denial)[1]
    assert "may appeal until Thursday, April 8, 2027" in closing(denial)[0]


def test_an_agreement_is_cut_into_its_clauses() -> None:
    text = "Participation agreement\nVersion 2026-1\n\n1. Use of data\n\nThe program uses it.\nWell.\n\nAnd keeps it.\n\n2. Fees\n\nThey are due.\n"
    assert clauses_of(text) == (
        "Participation agreement",
        (Clause("Use of data", ("The program uses it.\nWell.", "And keeps it.")), Clause("Fees", ("They are due.",))),
    )
    assert clauses_of("Only words.") == ("", (Clause("", ("Only words.",)),))


def test_the_picture_says_in_words_what_it_shows() -> None:
    report = examples.survey_report()
    picture = compliance_picture(report)
    assert picture.alt == compliance_words(report)
    assert (
        "2 Availability and access to care: Lakeside Main 2 of 3, Harbor North 2 of 3, Mill Creek 2 of 3."
        in picture.alt
    )
    assert 'role="img"' in picture.svg
    assert "style=" not in picture.svg


def test_names_that_look_like_markup_stay_text_in_the_picture() -> None:
    report = examples.survey_report()
    site = replace(report.sites[0], name='<script>"&')
    picture = compliance_picture(replace(report, sites=(site, *report.sites[1:])))
    assert "<script>" not in picture.svg
    assert "&lt;script&gt;" in picture.svg


def test_requirements_keep_the_order_of_the_standards() -> None:
    found = examples.survey_report().findings(FindingKind.REQUIREMENT)
    assert [(f.number, f.element, f.due_on) for f in found] == [
        ("R1", "2.1.c", date(2027, 7, 16)),
        ("R2", "7.3.b", date(2027, 7, 16)),
        ("R3", "7.9.d", date(2027, 7, 16)),
    ]
