"""How long the report of a full survey takes to write, in a process that has written nothing before."""

from __future__ import annotations

import time
from collections.abc import Callable

from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.pdf_writer.survey_report import survey_report_pdf
from tests.outlets.documents.examples import survey_report


def main() -> None:
    """Write each form a few times and print the first and the median."""
    report = survey_report(recommendations=4)
    forms: tuple[tuple[str, float, Callable[..., bytes]], ...] = (
        (".docx", 0.5, survey_report_docx),
        (".pdf", 1.0, survey_report_pdf),
    )
    for ending, aim, write in forms:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            size = len(write(report))
            times.append(time.perf_counter() - begun)
        print(
            f"- Survey report {ending}: first {times[0]:.2f} s, then {sorted(times)[2]:.2f} s, {size // 1024} KB (aim < {aim} s)"
        )


if __name__ == "__main__":
    main()
