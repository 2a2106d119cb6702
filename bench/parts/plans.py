"""Every list and case page of every role: statements whose plan walks a large table from end to end, and slow ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from bench.pages import lists, of_cases
from bench.parts.part import Options, Part, Run
from bench.servers import ROOT
from bench.turns import table

HEAD = " table|rows| how|ms| pages| statement"
MOST_STATEMENTS = 20


def shortened(names: list[str]) -> str:
    """The first few, and how many more."""
    return "; ".join(names[:3]) + (f"; {len(names) - 3} more" if len(names) > 3 else "")


def measure(run: Run) -> str:
    """Ask every page once in another process, and every job of the clock."""
    data = run.data().copy("plans")
    run.say(f"{run.kind}: plans of all pages")
    pages = [asdict(page) for page in (*lists(), *of_cases(data))]
    done = subprocess.run(
        [sys.executable, "-m", "bench.plans"], input=json.dumps(pages), text=True, capture_output=True, check=False, cwd=ROOT,
        env={**os.environ, **data.environment},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said = json.loads(done.stdout)
    run.figures["plans"] = said
    groups: dict[tuple[str, int, str, str], list[tuple[float, str]]] = defaultdict(list)
    for page in said["pages"]:
        for one in page["found"]:
            groups[one["table"], one["rows"], one["how"], one["statement"]].append((one["ms"], page["page"]))
    rows = [
        [key[0], f"{key[1]:,}" if key[0] else "", key[2], f"{max(of)[0]:.1f}", shortened(sorted({name for _, name in of})), f"`{about(key[3])}`"]
        for key, of in sorted(groups.items(), key=lambda item: -max(item[1])[0])
    ]  # fmt: skip
    most = max((page for page in said["pages"] if not page["page"].startswith("clock")), key=statements)
    broken = [page["page"] for page in said["pages"] if page["status"] >= 500]
    over = sum(statements(page) > MOST_STATEMENTS for page in said["pages"] if not page["page"].startswith("clock"))
    text = table(HEAD, rows) if rows else "No statement walks a table of more than 1,000 rows, and none is slow."
    return (
        f"{len(said['pages'])} pages and jobs. Most statements: {statements(most)} ({most['page']}); pages with more than "
        f"{MOST_STATEMENTS}: {over}; pages that fail: {', '.join(broken) or 'none'}.\n\n{text}"
    )


def statements(page: dict[str, Any]) -> int:
    """How many statements it sent."""
    return int(page.get("queries", 0))


def about(statement: str) -> str:
    """From FROM on: the columns say little."""
    return statement[max(0, statement.find(" FROM ")) :].replace("|", "∣").strip()[:300]


def seconds(given: Options) -> float:
    """Some hundred and fifty pages, each explained."""
    return 30


PART = Part("plans", "Query plans", seconds, measure)
