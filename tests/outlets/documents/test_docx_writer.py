"""The Word files as python-docx reads them: styles, headings, fields, tables, pictures, the twin, hostile text."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from itertools import pairwise
from typing import Any

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn
from lxml import etree

from certify.outlets.documents.content.certificate import Certificate
from certify.outlets.documents.content.decision_letter import DecisionLetter, Outcome
from certify.outlets.documents.content.reading import read
from certify.outlets.documents.content.survey_report import Finding, FindingKind, SurveyReport
from certify.outlets.documents.content.wording import plain_data
from certify.outlets.documents.docx_writer.letters import certificate_docx, decision_letter_docx
from certify.outlets.documents.docx_writer.package import JSON_PART
from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.pdf_writer.survey_report import survey_report_data
from tests.outlets.documents import examples

HOSTILE = "{{ x }} {% for %} <w:p/> & ]]> \"'\x00\x07 😀 שלום مرحبا \\end #typst $1 \n second line\tTab " + "long" * 400


def opened(content: bytes) -> Document:
    return docx.Document(io.BytesIO(content))


def headings(document: Document, level: int) -> list[str]:
    return [p.text for p in document.paragraphs if p.style is not None and p.style.name == f"Heading {level}"]


def fields(document: Document) -> list[str]:
    return [(node.text or "").strip() for node in document.element.body.iter(qn("w:instrText"))]


def twin(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read(JSON_PART.lstrip("/")))


@pytest.fixture(scope="module")
def report() -> SurveyReport:
    return examples.survey_report(recommendations=1)


@pytest.fixture(scope="module")
def report_file(report: SurveyReport) -> bytes:
    return survey_report_docx(report)


def test_there_is_one_first_level_heading_per_domain_in_order(report: SurveyReport, report_file: bytes) -> None:
    found = headings(opened(report_file), 1)
    wanted = [f"{domain.number}\u2002{domain.title}" for domain in report.domains]
    assert [text for text in found if text in wanted] == wanted
    assert found[:2] == ["Outcome", "Requirements and due dates"]
    assert found[-2:] == ["About this survey", "Every element, site by site"]


def test_every_standard_has_its_heading(report: SurveyReport, report_file: bytes) -> None:
    wanted = [f"{standard.code}\u2002{standard.title}" for standard in report.standards]
    assert [text for text in headings(opened(report_file), 2) if text in wanted] == wanted


def test_no_heading_level_is_skipped(report_file: bytes) -> None:
    names = [
        p.style.name
        for p in opened(report_file).paragraphs
        if p.style is not None and (p.style.name or "").startswith("Heading")
    ]
    levels = [int((name or "")[-1]) for name in names]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_real_styles_carry_the_look(report_file: bytes) -> None:
    document = opened(report_file)
    used = {p.style.name for p in document.paragraphs if p.style is not None}
    assert {
        "Title",
        "Subtitle",
        "Heading 1",
        "Heading 2",
        "Heading 3",
        "Caption",
        "toc 1",
        "toc 2",
        "List Bullet",
    } <= used
    assert {"Requirement", "Recommendation", "Strength", "Outcome"} <= used
    assert all(table.style is not None and (table.style.name or "").startswith("Certify") for table in document.tables)


def test_contents_are_a_field_whose_lines_are_written(report: SurveyReport, report_file: bytes) -> None:
    document = opened(report_file)
    assert 'TOC \\o "1-2" \\h \\z \\u' in fields(document)
    lines = [p.text for p in document.paragraphs if p.style is not None and p.style.name in ("toc 1", "toc 2")]
    assert "7\tChemotherapy safety\t17 of 19 met" in lines
    assert "7.3\tQualified staff who administer\t▲ Not met" in lines
    anchors = {node.get(qn("w:anchor")) for node in document.element.body.iter(qn("w:hyperlink"))}
    bookmarks = {node.get(qn("w:name")) for node in document.element.body.iter(qn("w:bookmarkStart"))}
    assert anchors <= bookmarks


def test_every_field_that_begins_also_ends(report_file: bytes) -> None:
    kinds = [node.get(qn("w:fldCharType")) for node in opened(report_file).element.body.iter(qn("w:fldChar"))]
    assert kinds.count("begin") == kinds.count("separate") == kinds.count("end") > 0


def test_pages_are_numbered_and_the_first_page_has_no_header(report_file: bytes) -> None:
    section = opened(report_file).sections[0]
    footer = [(node.text or "").strip() for node in section.footer._element.iter(qn("w:instrText"))]
    assert footer == ["PAGE", "NUMPAGES"]
    assert section.different_first_page_header_footer
    assert "Lakeside Oncology" in section.header.paragraphs[0].text
    assert section.first_page_header.paragraphs[0].text == ""
    assert (section.page_width or 0) < (section.page_height or 0) == 11 * 914_400


def test_every_table_repeats_its_head_and_splits_no_row(report_file: bytes) -> None:
    for table in opened(report_file).tables:
        properties = table.rows[0]._tr.trPr
        assert properties is not None
        assert properties.find(qn("w:tblHeader")) is not None
        for row in table.rows:
            assert row._tr.trPr is not None
            assert row._tr.trPr.find(qn("w:cantSplit")) is not None


def test_every_table_and_picture_has_words_for_those_who_cannot_see_it(report_file: bytes) -> None:
    document = opened(report_file)
    captions = [table._tbl.tblPr.find(qn("w:tblCaption")) for table in document.tables]
    assert all(caption is not None and caption.get(qn("w:val")) for caption in captions)
    pictures = list(document.element.body.iter(qn("wp:docPr")))
    assert len(pictures) == 1
    assert "Chemotherapy safety: Lakeside Main 19 of 19" in pictures[0].get("descr", "")


def test_captions_are_counted(report_file: bytes) -> None:
    captions = [p.text for p in opened(report_file).paragraphs if p.style is not None and p.style.name == "Caption"]
    assert captions[0] == "Figure 1. Standards met, by domain and site visited"
    tables = [text for text in captions if text.startswith("Table")]
    assert [text.split(".")[0] for text in tables] == [f"Table {number}" for number in range(1, len(tables) + 1)]


def test_the_first_page_names_each_requirement_with_its_day(report: SurveyReport, report_file: bytes) -> None:
    first = next(t for t in opened(report_file).tables if t.rows[0].cells[0].text == "No.")
    assert [(row.cells[0].text, row.cells[1].text, row.cells[3].text) for row in first.rows[1:]] == [
        ("R1", "2.1.c", "Jul 16, 2027"),
        ("R2", "7.3.b", "Jul 16, 2027"),
        ("R3", "7.9.d", "Jul 16, 2027"),
    ]


def test_what_stays_open_of_an_earlier_survey_is_listed_though_this_one_requires_nothing() -> None:
    """The PDF sets the same list from the same content."""
    left = Finding("R1", FindingKind.REQUIREMENT, "7.3", "Two people check.", "7.3.b", ("Harbor North",))
    content = replace(examples.survey_report(requirements=False), earlier=(left,))
    document = opened(survey_report_docx(content))
    assert any("Requirements and due dates" in text for text in headings(document, 1))
    assert any("Harbor North" in cell.text for table in document.tables for row in table.rows for cell in row.cells)
    assert [row[0] for row in survey_report_data(content)["requirements"]] == ["R1"]


def test_not_met_is_a_word_not_only_a_colour(report_file: bytes) -> None:
    lines = [p.text for p in opened(report_file).paragraphs if p.style is not None and p.style.name == "Rating Line"]
    assert (
        "\u00a0▲\u00a0Not\u00a0met\u00a0  Critical standard  not met at Harbor North; met at Lakeside Main and Mill Creek"
        in lines
    )


def test_the_machine_readable_twin_is_the_whole_content(report: SurveyReport, report_file: bytes) -> None:
    assert read(SurveyReport, twin(report_file)) == report


def test_python_docx_keeps_the_twin(report_file: bytes) -> None:
    again = io.BytesIO()
    opened(report_file).save(again)
    assert twin(again.getvalue())["case_ref"] == "LO-2026-014"


def test_the_same_content_gives_the_same_bytes(report: SurveyReport, report_file: bytes) -> None:
    assert survey_report_docx(report) == report_file


def test_an_issued_report_bears_its_own_instant_and_no_watermark(report_file: bytes) -> None:
    document = opened(report_file)
    assert document.core_properties.created is not None
    assert document.core_properties.created.isoformat()[:19] == "2026-11-19T14:02:00"
    assert document.core_properties.language == "en-US"
    assert b"DRAFT" not in b"".join(_parts(report_file, "word/header"))


def test_a_draft_is_marked_on_every_page() -> None:
    content = survey_report_docx(examples.survey_report(issued=False))
    marked = [part for part in _parts(content, "word/header") if b'string="DRAFT"' in part]
    assert len(marked) == 2
    assert "Draft" in opened(content).sections[0].footer.paragraphs[0].text


def test_the_typeface_travels_with_the_file(report_file: bytes) -> None:
    fonts = _parts(report_file, "word/fonts/")
    assert len(fonts) == 4
    assert b"embedRegular" in _parts(report_file, "word/fontTable.xml")[0]


def _parts(content: bytes, start: str) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist() if name.startswith(start)]


def hostile_report() -> SurveyReport:
    report = examples.survey_report(recommendations=1)
    first = report.domains[0]
    standard = first.standards[0]
    bad = replace(
        standard,
        title=HOSTILE,
        requirement=HOSTILE,
        note=HOSTILE,
        seen=tuple(replace(seen, text=HOSTILE, sites=(HOSTILE,)) for seen in standard.seen),
        findings=tuple(replace(finding, text=HOSTILE) for finding in standard.findings),
        elements=tuple(replace(element, question=HOSTILE, reasons=(HOSTILE,)) for element in standard.elements),
    )
    domain = replace(first, title=HOSTILE, standards=(bad, *first.standards[1:]))
    return replace(
        report,
        practice=HOSTILE,
        summary=HOSTILE,
        strengths=(HOSTILE,),
        sites=tuple(replace(site, name=f"{number} {HOSTILE}") for number, site in enumerate(report.sites)),
        domains=(domain, *report.domains[1:]),
    )


def test_hostile_text_stays_text() -> None:
    content = survey_report_docx(hostile_report())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name), etree.XMLParser(resolve_entities=False))
    title = next(p for p in opened(content).paragraphs if p.style is not None and p.style.name == "Title")
    assert title.text.startswith("{{ x }} {% for %} <w:p/> & ]]>")
    assert "😀 שלום مرحبا" in title.text
    assert "\x07" not in title.text


def test_a_practice_with_many_sites_still_fits() -> None:
    report = examples.survey_report()
    sites = tuple(replace(report.sites[0], name=f"Site number {number} with a long name") for number in range(12))

    def widened(standard: Any) -> Any:
        elements = tuple(replace(e, ratings=e.ratings * 4) for e in standard.elements)
        return replace(standard, by_site=standard.by_site * 4, elements=elements)

    domains = tuple(replace(d, standards=tuple(widened(s) for s in d.standards)) for d in report.domains)
    document = opened(survey_report_docx(replace(report, sites=sites, domains=domains)))
    widths = [sum(int(c.get(qn("w:w"))) for c in t._tbl.tblGrid.iter(qn("w:gridCol"))) for t in document.tables]
    assert max(widths) <= 9648


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_letter_is_filled_and_carries_its_twin(outcome: Outcome) -> None:
    letter = examples.decision_letter(outcome)
    content = decision_letter_docx(letter)
    text = "\n".join(p.text for p in opened(content).paragraphs)
    assert "{" not in text
    assert ("Certification awarded" in text) == (outcome is Outcome.AWARD)
    assert ("7.3  Independent double check" in text) == (outcome is Outcome.DENIAL)
    assert read(DecisionLetter, twin(content)) == letter
    assert decision_letter_docx(letter) == content


def test_hostile_text_in_a_letter_stays_text() -> None:
    letter = replace(examples.decision_letter(), practice=HOSTILE, recipient=HOSTILE)
    text = "\n".join(p.text for p in opened(decision_letter_docx(letter)).paragraphs)
    assert "{{ x }} {% for %} <w:p/> & ]]>" in text


def test_an_undecided_letter_is_a_draft() -> None:
    content = decision_letter_docx(replace(examples.decision_letter(), decided_on=None))
    assert any(b'string="DRAFT"' in part for part in _parts(content, "word/header"))


def test_the_certificate_holds_number_dates_names_and_a_described_qr_code() -> None:
    certificate = examples.certificate()
    content = certificate_docx(certificate)
    document = opened(content)
    text = "\n".join(
        [*(p.text for p in document.paragraphs), *(c.text for t in document.tables for r in t.rows for c in r.cells)]
    )
    for said in (
        "Lakeside Oncology",
        "OMH-2027-0031",
        "March 8, 2030",
        "K7QF-2M9X-TR4D",
        "Priya Raman, MD",
        "Marta Lindqvist",
    ):
        assert said in text
    assert [node.get("descr") for node in document.element.body.iter(qn("wp:docPr"))] == [
        f"QR code that opens {certificate.register_url}"
    ]
    section = document.sections[0]
    assert (section.page_width or 0) > (section.page_height or 0)
    assert read(Certificate, plain_data(certificate)) == certificate


def test_every_word_file_is_declared_and_related_as_its_parts_say(report_file: bytes) -> None:
    for content in (
        report_file,
        decision_letter_docx(examples.decision_letter()),
        certificate_docx(examples.certificate()),
    ):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            names = set(archive.namelist())
            types = etree.fromstring(archive.read("[Content_Types].xml"))
            assert {node.get("PartName", "").lstrip("/") for node in types if node.get("PartName")} <= names
            assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())
