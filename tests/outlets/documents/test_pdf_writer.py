"""The PDF files as pypdf reads them: text, tags, outline, language, hostile text."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from pypdf import PdfReader

from certify.outlets.documents import palette
from certify.outlets.documents.content.decision_letter import Outcome
from certify.outlets.documents.pdf_writer.papers import (
    agreement_pdf,
    certificate_pdf,
    decision_letter_pdf,
    invoice_pdf,
    sample_sheet_pdf,
)
from certify.outlets.documents.pdf_writer.setter import MISSING, printable
from certify.outlets.documents.pdf_writer.survey_report import survey_report_pdf
from tests.outlets.documents import examples
from tests.outlets.documents.test_docx_writer import HOSTILE, hostile_report

FONTS = str(palette.FONT_FOLDER)
PAPERS: dict[str, Callable[[], bytes]] = {
    "survey report": lambda: survey_report_pdf(examples.survey_report()),
    "award": lambda: decision_letter_pdf(examples.decision_letter()),
    "denial": lambda: decision_letter_pdf(examples.decision_letter(Outcome.DENIAL)),
    "certificate": lambda: certificate_pdf(examples.certificate()),
    "invoice": lambda: invoice_pdf(examples.invoice()),
    "agreement": lambda: agreement_pdf(examples.agreement()),
    "sample sheet": lambda: sample_sheet_pdf(examples.sample_sheet()),
}


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(content).pages).split())


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_is_tagged_titled_and_in_english(name: str) -> None:
    reader = read(PAPERS[name]())
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]).lower().startswith("en")
    assert reader.metadata is not None
    assert reader.metadata.title
    assert "pdfuaid" in reader.xmp_metadata.stream.get_data().decode() if reader.xmp_metadata else False


@pytest.mark.parametrize("name", PAPERS)
def test_the_same_content_gives_the_same_bytes(name: str) -> None:
    assert PAPERS[name]() == PAPERS[name]()


def test_the_first_page_of_the_report_is_the_whole_story() -> None:
    page = " ".join(read(PAPERS["survey report"]()).pages[0].extract_text().split())
    for said in (
        "Lakeside Oncology",
        "October 14–16, 2026",
        "Three of 36 applicable standards are not met.",
        "Friday, December 4, 2026",
        "R3 7.9.d",
        "Strengths",
        "Page 1 of",
    ):
        assert said in page


def test_the_outline_of_the_report_follows_the_domains() -> None:
    titles = [item.title for item in read(PAPERS["survey report"]()).outline if not isinstance(item, list)]
    numbered = [title.strip() for title in titles if title and title.strip()[0].isdigit()]
    assert [title.split()[0] for title in numbered] == ["1", "2", "3", "4", "5", "6", "7"]


def test_a_draft_says_draft() -> None:
    reader = read(survey_report_pdf(examples.survey_report(issued=False)))
    assert "DRAFT" in reader.pages[0].extract_text()
    assert "DRAFT" in reader.pages[-1].extract_text()


def test_the_certificate_is_one_page_on_its_side() -> None:
    reader = read(
        certificate_pdf(examples.certificate(sites=tuple(f"Site number {n} of the practice" for n in range(24))))
    )
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == (792, 612)


def test_the_invoice_names_total_reference_and_day() -> None:
    text = text_of(invoice_pdf(examples.invoice()))
    for said in ("INV-2026-0107", "$10,000.00", "LO-2026-014", "Wednesday, April 1, 2026", "Duluth, MN 55802"):
        assert said in text


def test_a_paid_invoice_asks_for_nothing() -> None:
    from datetime import date

    text = text_of(invoice_pdf(replace(examples.invoice(), paid_on=date(2026, 3, 20), paid_cents=1_000_000)))
    assert "Paid on March 20, 2026. Thank you." in text
    assert "Please pay" not in text


def test_the_agreement_bears_signer_instant_and_digest() -> None:
    text = text_of(agreement_pdf(examples.agreement()))
    assert "Samuel Ortega, MD, Physician lead" in text
    assert "February 20, 2026, 15:30 UTC" in text
    assert examples.agreement().text_sha256 in text.replace(" ", "")


def test_an_instant_with_parts_of_a_second_is_no_matter() -> None:
    signed = examples.agreement().signed_at
    assert signed is not None
    assert agreement_pdf(replace(examples.agreement(), signed_at=signed.replace(microsecond=123))).startswith(b"%PDF")


def test_the_sample_sheet_gives_rule_and_seed() -> None:
    text = text_of(sample_sheet_pdf(examples.sample_sheet()))
    assert "Seed of the draw: LO-2026-014/1" in text
    assert "4 of 5 sites are visited" in text


def test_hostile_text_stays_text_and_the_file_stays_accessible() -> None:
    text = text_of(survey_report_pdf(hostile_report()))
    assert "{{ x }} {% for %} <w:p/> & ]]>" in text
    assert "#typst $1" in text
    for make in (
        lambda: decision_letter_pdf(replace(examples.decision_letter(), practice=HOSTILE, recipient=HOSTILE)),
        lambda: certificate_pdf(replace(examples.certificate(), practice=HOSTILE[:200])),
        lambda: invoice_pdf(replace(examples.invoice(), practice=HOSTILE)),
    ):
        assert make().startswith(b"%PDF")


def test_letters_no_font_can_draw_become_boxes() -> None:
    assert printable("Škoda – “quoted” Ωμέγα", FONTS) == "Škoda – “quoted” Ωμέγα"
    assert printable("a😀b漢c\u0007", FONTS) == f"a{MISSING}b{MISSING}c{MISSING}"
