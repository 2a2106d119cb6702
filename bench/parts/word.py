"""The survey report: how long its forms take, against python-docx row by row, in a process of its own and as a whole request."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys

from bench.found import STAFF, Found, find
from bench.makers import always
from bench.parts.part import Options, Part, Run
from bench.servers import ROOT
from bench.traffic import Request
from bench.turns import Side, middle, ratio, table

HEAD = " written in one process, in turns|first s|then, median s|KB|MB more at its first"
REQUEST_HEAD = " as a request, one client|p50 ms|p95 ms|CPU ms"


def written(run: Run) -> list[str]:
    """The report of a full survey, three sites and 42 standards, in a fresh process."""
    run.say("reports in a fresh process")
    done = subprocess.run([sys.executable, "-m", "bench.papers"], capture_output=True, text=True, check=True, cwd=ROOT)
    said = json.loads(done.stdout)
    run.figures["papers"] = said
    names = {
        "docx": "survey report .docx (aim < 0.5 s)",
        "pdf": "survey report .pdf (aim < 1 s)",
        "floor": "floor: python-docx row by row, 60 × 4",
    }
    rows = [
        [name, f"{said[key]['first']:.2f}", f"{statistics.median(said[key]['times']):.3f}", str(said[key]["kb"]), f"{said[key]['more_mb']:.0f}"]
        for key, name in names.items()
    ]  # fmt: skip
    return [table(HEAD, rows), "", f"- .docx against python-docx row by row: {said['ratio']:.2f} × (aim ≤ 0.8 ×)"]


async def requested(run: Run, found: Found, ours: Side, floor: Side) -> list[str]:
    """The whole request, signed in and recorded, against the floor's, in turns."""
    report = always(Request(f"/cases/{found.report_cases[0]}/documents/survey-report.docx?draft=1", contains=b"PK"))
    bare = always(Request("/report.docx", contains=b"PK"))
    await ours.turn(report, [STAFF], 1, 0.5)
    await floor.turn(bare, [], 1, 0.5)
    turns = []
    for _ in range(run.given.turns):
        run.say(f"{run.kind}: report as a request")
        turns.append(
            (await ours.turn(report, [STAFF], 1, run.given.seconds), await floor.turn(bare, [], 1, run.given.seconds))
        )
    factor = ratio([a.timing.percentile(0.5) for a, _ in turns], [b.timing.percentile(0.5) for _, b in turns])
    cpu = ratio([a.cpu_ms for a, _ in turns], [b.cpu_ms for _, b in turns])
    run.figures["word"] = {"time": factor, "cpu": cpu}
    rows = [
        [name, *(f"{middle([t.timing.percentile(p) for t in some]):.0f}" for p in (0.5, 0.95)), f"{middle([t.cpu_ms for t in some]):.0f}"]
        for name, some in (("survey report .docx, a draft, made each time", [a for a, _ in turns]), ("floor: python-docx row by row, 60 × 4", [b for _, b in turns]))
    ]  # fmt: skip
    said = f"- The whole request against the floor's: time {factor:.2f} ×, CPU {cpu:.2f} × (aim ≤ 0.8 ×)"
    return ["", table(REQUEST_HEAD, rows), "", said]


def measure(run: Run) -> str:
    """Both ways."""
    said = written(run)
    data = run.data().copy("word")
    with run.ours(data) as ours, run.floor(data) as floor:
        said += asyncio.run(requested(run, find(data), ours, floor))
    return "\n".join(said)


def seconds(given: Options) -> float:
    """A process of its own, then turns."""
    return 20 + given.turns * 2 * (given.seconds + 0.3)


PART = Part("word", "Survey report", seconds, measure)
