"""Lists, queues and case pages with 100 practices and with many: both programs at once, in turns."""

from __future__ import annotations

import asyncio

from bench.found import find
from bench.makers import always
from bench.pages import ADMIN, FINANCE, STAFF
from bench.parts.part import SMALL, Options, Part, Run
from bench.traffic import Request
from bench.turns import Side, middle, ratio, table

SECONDS = 0.4
HEAD = " page|p50 ms at {small}|p50 ms at {large}|ratio|CPU ms at {small}|CPU ms at {large}|ratio"
Asked = tuple[str, str, str]


def asked(found_practice: tuple[str, str], surveyor: str) -> list[Asked]:
    """What is opened, by whom."""
    ref, administrator = found_practice
    return [
        ("staff: what needs me today", STAFF, "/today"), ("staff: today, the program's", STAFF, "/today?holder=program"),
        ("finance: today", FINANCE, "/today"), ("staff: cases", STAFF, "/cases"), ("staff: cases of a state", STAFF, "/cases?state=submitted"),
        ("API: cases", STAFF, "/api/v1/cases?limit=20"), ("staff: practices", STAFF, "/practices"),
        ("staff: practices found by name", STAFF, "/practices?q=Lake"), ("staff: search", STAFF, "/search?q=Lake"),
        ("staff: mail", STAFF, "/mail"), ("staff: mail to an address", STAFF, "/mail?q=practice1"), ("finance: invoices", FINANCE, "/invoices"),
        ("administrator: people", ADMIN, "/people"), ("surveyor: my surveys", surveyor, "/my-surveys"),
        ("practice: front page", administrator, "/"), ("practice: its case", administrator, f"/cases/{ref}"),
        ("staff: a case", STAFF, f"/cases/{ref}"), ("staff: its history", STAFF, f"/cases/{ref}/history"), ("public: register", "", "/register"),
    ]  # fmt: skip


async def compare(run: Run, few: tuple[Side, list[Asked]], many: tuple[Side, list[Asked]]) -> list[list[str]]:
    """One client opens each page here and there in turns."""
    rows = []
    for (name, *_), *pair in zip(few[1], few[1], many[1], strict=True):
        run.say(f"{run.kind}: {name}, few and many practices")
        times: list[list[float]] = [[], []]
        cpu: list[list[float]] = [[], []]
        for _ in range(run.given.turns):
            for which, (side, (_, who, path)) in enumerate(zip((few[0], many[0]), pair, strict=True)):
                make = always(Request(path, contains=b'"items"' if path.startswith("/api") else b"</html>"))
                await side.turn(make, [who] if who else [], 1, 0.1)
                turn = await side.turn(make, [who] if who else [], 1, min(SECONDS, run.given.seconds))
                times[which].append(turn.timing.percentile(0.5))
                cpu[which].append(turn.cpu_ms)
        run.figures.setdefault("flat", []).append(
            {"name": name, "time": ratio(times[1], times[0]), "cpu": ratio(cpu[1], cpu[0])}
        )
        rows.append(
            [
                name, f"{middle(times[0]):.1f}", f"{middle(times[1]):.1f}", f"{ratio(times[1], times[0]):.2f}",
                f"{middle(cpu[0]):.1f}", f"{middle(cpu[1]):.1f}", f"{ratio(cpu[1], cpu[0]):.2f}",
            ]
        )  # fmt: skip
    return rows


def measure(run: Run) -> str:
    """Two programs, two sizes of the same demo program."""
    small, large = run.data(SMALL).copy("flat"), run.data().copy("flat")
    pages = [asked(found.practice, found.surveys[0][1]) for found in (find(small), find(large))]
    with run.ours(small) as few, run.ours(large) as many:
        rows = asyncio.run(compare(run, (few, pages[0]), (many, pages[1])))
    head = HEAD.format(small=f"{SMALL:,}", large=f"{run.given.practices:,}")
    return f"{table(head, rows)}\n\nA page that does not grow with the program has ratio 1; case and list pages are to stay flat."


def seconds(given: Options) -> float:
    """Nineteen pages, twice."""
    return 19 * given.turns * 2 * (min(SECONDS, given.seconds) + 0.2) + 12


PART = Part("flat", "Pages with few practices and with many", seconds, measure)
