"""The matrix of severity and scope, signatures and differences, in Word and PDF."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import docx
import pytest
from pypdf import PdfReader

from certify.outlets.documents.content.survey_report import FindingKind, Signature, SurveyReport
from certify.outlets.documents.content.survey_words import in_cell, method_paragraphs
from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.pdf_writer.survey_report import survey_report_pdf
from tests.outlets.documents import examples

MATRIX = [
    ["Likelihood of harm", "Limited", "Pattern", "Widespread"],
    ["High", "Moderate risk\n–", "High risk\nR3", "High risk\nR1"],
    ["Moderate", "Low risk\nR2", "Moderate risk\n–", "High risk\n–"],
    ["Low", "Low risk\n–", "Low risk\n–", "Moderate risk\n–"],
]


@pytest.fixture
def report(app: object) -> SurveyReport:
    return examples.placed_report(examples.survey_report())


def tables_of(report: SurveyReport) -> list[list[list[str]]]:
    document = docx.Document(io.BytesIO(survey_report_docx(report)))
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]


def pages_of(report: SurveyReport) -> list[str]:
    pages = PdfReader(io.BytesIO(survey_report_pdf(report))).pages
    return [" ".join(page.extract_text().split()) for page in pages]


def test_word_holds_the_matrix_as_a_table_with_words_and_colours(report: SurveyReport) -> None:
    assert tables_of(report)[0] == MATRIX
    body = docx.Document(io.BytesIO(survey_report_docx(report))).element.body.xml
    for fill in ("F2C4CC", "FDF1E0"):
        assert f'w:fill="{fill}"' in body


def test_the_first_page_of_the_pdf_holds_the_matrix(report: SurveyReport) -> None:
    first = pages_of(report)[0]
    assert "Severity and scope" in first
    assert "High Moderate risk – High risk R3 High risk R1 Moderate Low risk R2" in first
    assert "High risk asks more of the plan of correction: what leadership does and how it is prevented" in first
    assert "Strengths" in first


def test_every_finding_says_its_place(report: SurveyReport) -> None:
    words = "high likelihood of harm, widespread"
    required = next(
        table
        for table in tables_of(report)
        if table[0][:3] == ["No.", "Element", "What is required"] and "Risk" in table[0]
    )
    assert required[1][required[0].index("Risk")] == f"High risk: {words}"
    assert words in " ".join(pages_of(report)[3:])
    document = docx.Document(io.BytesIO(survey_report_docx(report)))
    (finding,) = [p.text for p in document.paragraphs if p.text.startswith("Requirement R1")]
    assert words in finding


def test_without_a_placed_finding_there_is_no_matrix(app: object) -> None:
    plain = examples.survey_report()
    assert all(table[0][0] != "Likelihood of harm" for table in tables_of(plain))
    assert "Severity and scope" not in pages_of(plain)[0]


def test_two_hundred_findings_leave_the_story_on_page_one(app: object) -> None:
    """The cells count what does not fit; each finding's own place stands in the list of requirements."""
    many = examples.placed_report(examples.many_requirements(200))
    assert len(many.findings(FindingKind.REQUIREMENT)) == 200
    pages = pages_of(many)
    assert "Strengths" in pages[0]
    assert "Contents" in pages[1]
    assert any("R200" in page for page in pages)


def test_numbers_of_a_cell_are_joined_and_counted() -> None:
    assert in_cell(["R1", "R2", "R3", "R5"]) == "R1–R3, R5"
    assert in_cell([f"R{n}" for n in range(1, 60, 2)], 3) == "R1, R3, R5 and 27 more"


def test_the_method_says_who_signed_and_whether_it_still_holds(report: SurveyReport) -> None:
    at = datetime(2026, 10, 16, 20, 30, tzinfo=UTC)
    signed = (
        Signature("Practice leader", "Pat Leader", "Administrator", at, True, "Lakeside Main"),
        Signature("Surveyor", "Dana Whitfield", "", at, False, "", ("7.3.b at Mill Creek",)),
    )
    said = method_paragraphs(replace(report, signatures=signed, differed=2))
    assert (
        "Two answers first differed between the surveyors. Both values are kept; the team settled which one stands."
        in said
    )
    assert (
        "Signed for Lakeside Main by Pat Leader, Administrator (practice leader) on October 16, 2026, 20:30. "
        "The answers are those that were signed."
    ) in said
    assert said[-1].endswith("Answers changed after signing: 7.3.b at Mill Creek.")
