"""Writing the report of a full survey in a process that has written nothing before, in turns with the floor; JSON on stdout."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.paper_floor import row_by_row
from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.pdf_writer.survey_report import survey_report_pdf
from tests.outlets.documents.examples import survey_report

TURNS = 7


def timed(write: Callable[[], bytes]) -> tuple[float, int]:
    """Seconds and size."""
    begun = time.perf_counter()
    size = len(write())
    return time.perf_counter() - begun, size


def main() -> None:
    """Write each form and the floor in turns."""
    report = survey_report(recommendations=4)
    forms: dict[str, Callable[[], bytes]] = {
        "docx": lambda: survey_report_docx(report),
        "floor": row_by_row,
        "pdf": lambda: survey_report_pdf(report),
    }
    said: dict[str, Any] = {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, write in forms.items():
        first, size = timed(write)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said[name] = {"first": first, "kb": size // 1024, "more_mb": (after - before) / 1024, "times": []}
        before = after
    for _ in range(TURNS):
        for name, write in forms.items():
            said[name]["times"].append(timed(write)[0])
    pairs = zip(said["docx"]["times"], said["floor"]["times"], strict=True)
    said["ratio"] = statistics.median(ours / floor for ours, floor in pairs)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
