"""The command: `python -m bench [--quick]`; prints Markdown, and keeps it with all figures under .cache/bench."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bench.data import CACHE
from bench.parts import beside, clock, flat, idle, items, mixed, plans, requests, single, steps, tablet, word
from bench.parts.part import Options, Part, Run
from bench.traffic import WrongAnswer

PARTS: tuple[Part, ...] = tuple(
    module.PART for module in (requests, single, flat, items, steps, beside, word, tablet, mixed, clock, plans, idle)
)
LOAD_SECONDS_EACH = 0.035  # a practice of the dataset, when it has to be loaded first


def options(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small datasets and short turns: a trial of the bench itself"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--practices", type=int, help="size of the large dataset (10000)")
    parser.add_argument("--parts", default="", metavar="A,B", help=f"only these: {', '.join(p.key for p in PARTS)}")
    parser.add_argument("--clients", help="of the part `requests` (1,8,32)")
    parser.add_argument("--only", default="", help="of the part `requests`: lines whose name holds this text")
    parser.add_argument("--seconds", type=float, help="length of a turn (1)")
    parser.add_argument("--turns", type=int, help="turns of each pair; the median of their ratios is shown (3)")
    parser.add_argument("--mixed-minutes", type=float, help="length of the mixed load (1; 60 shows an hour)")
    given = parser.parse_args(arguments, Options())
    given.practices = given.practices or (150 if given.quick else 10_000)
    given.seconds = given.seconds or (0.3 if given.quick else 1.0)
    given.turns = given.turns or (1 if given.quick else 3)
    given.mixed_minutes = given.mixed_minutes or (0.1 if given.quick else 1.0)
    given.kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    given.counts = [int(part) for part in (given.clients or ("1,8" if given.quick else "1,8,32")).split(",")]
    wanted = [key for key in given.parts.split(",") if key]
    if unknown := set(wanted) - {part.key for part in PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    given.chosen = [part for part in PARTS if part.key in wanted or not wanted]
    return given


class Progress:
    """Says how far the run is, and how long it has still to go by what the parts said of themselves."""

    def __init__(self, expected: float) -> None:
        self.begun, self.expected, self.done = time.monotonic(), expected, 0.0

    def say(self, text: str) -> None:
        """A line on stderr."""
        left = max(0.0, self.expected - self.done) / 60
        passed = time.monotonic() - self.begun
        print(
            f"[{passed / 60:5.1f} min, about {left:.0f} more when this part began] {text}", file=sys.stderr, flush=True
        )


class Report:
    """What is printed, part by part, and kept as it grows."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.figures: dict[str, Any] = {}
        self.failed = 0

    def add(self, text: str) -> None:
        """Print it, and keep everything so far."""
        print(text, flush=True)
        self.texts.append(text)
        (CACHE / "last.md").write_text("\n".join(self.texts) + "\n", encoding="utf-8")
        (CACHE / "last.json").write_text(json.dumps(self.figures, indent=1), encoding="utf-8")

    def measure(self, part: Part, run: Run) -> None:
        """Measure one part; what goes wrong in it is said and does not end the others."""
        began = time.monotonic()
        try:
            text = part.measure(run)
        except (WrongAnswer, AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as wrong:
            self.failed += 1
            run.figures[part.key] = {"failed": str(wrong)}
            text = f"NOT MEASURED: {type(wrong).__name__}: {str(wrong)[-1500:]}"
        run.figures.setdefault("took", {})[part.key] = round(time.monotonic() - began)
        self.add(f"\n### {part.title}\n\n{text}")


def measure_all(given: Options, progress: Progress, report: Report) -> None:
    """Every chosen part on every database."""
    report.add(
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, by "
        f"`{' '.join(['python -m bench', *sys.argv[1:]])}`."
    )
    for kind in given.kinds:
        report.add(f"\n## {kind}, {given.practices:,} practices")
        with Run(given, kind, progress.say) as run:
            report.figures[kind] = run.figures
            try:
                loading = run.data().loading
            except (RuntimeError, OSError, subprocess.SubprocessError) as wrong:
                report.failed += 1
                report.add(f"\nNOT MEASURED: the dataset could not be loaded: {wrong}")
                continue
            if loading:
                report.add(f"\nThe dataset was {loading}.")
            for part in given.chosen:
                report.measure(part, run)
                progress.done += part.seconds(given)


def main() -> int:
    """Say how long it will take, measure, print; 1 when a part could not be measured."""
    given = options()
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob("servers*.log"):
        with suppress(OSError):
            old.unlink()
    each = sum(part.seconds(given) for part in given.chosen)
    progress = Progress(each * len(given.kinds))
    loading = given.practices * LOAD_SECONDS_EACH * len(given.kinds) / 60
    progress.say(
        f"{len(given.chosen)} parts on {' and '.join(given.kinds)}: about {progress.expected / 60:.0f} minutes, and {loading:.0f} more where a dataset is to be loaded first"
    )
    report = Report()
    measure_all(given, progress, report)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
