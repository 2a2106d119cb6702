"""The bare Word report: 60 standards of four elements each, written with python-docx, a table row at a time."""

from __future__ import annotations

import io

import docx

STANDARDS, ELEMENTS = 60, 4
SEEN = (
    "Policy of March 2026, the current form and ten recent records were read; the policy names an owner and a review date. "
    "Two nurses and a pharmacist were followed through one visit each; what they did matched the written procedure."
)


def row_by_row() -> bytes:
    """Return the document: a heading, a paragraph and a table of four rows for each standard."""
    document = docx.Document()
    for number in range(STANDARDS):
        document.add_heading(f"Standard {number // 10 + 1}.{number % 10 + 1}", level=2)
        document.add_paragraph(SEEN)
        written = document.add_table(rows=1, cols=4)
        written.style = "Table Grid"
        for cell, text in zip(written.rows[0].cells, ("Element", "Question", "Answer", "What was seen"), strict=True):
            cell.text = text
        for element in range(ELEMENTS):
            row = written.add_row()
            texts = (
                f"{number}.{'abcd'[element]}",
                "The practice has a written procedure that names who does it.",
                "Yes",
                SEEN,
            )
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
