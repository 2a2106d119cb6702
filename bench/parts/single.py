"""One client: a saved answer against what it cannot do without, and how even a checklist page is."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench.data import Dataset
from bench.found import find
from bench.makers import Saves, always, answers
from bench.parts.part import Options, Part, Run
from bench.traffic import Request, Timing
from bench.turns import Side, middle, table

COMMITS = 200
SAVE_HEAD = " |p50 ms|p95 ms|p99 ms"
MAKE = "create table if not exists bare_commit (id integer primary key, value text)"


@contextmanager
def committing(data: Dataset) -> Iterator[Timing]:
    """The shortest write there is: one row into a bare table, committed to the disk; times are filled in by `commit`."""
    times: list[float] = []
    target = data.url.replace("postgresql+psycopg:", "postgresql:", 1)
    if data.kind == "sqlite":
        connection: sqlite3.Connection | psycopg.Connection = sqlite3.connect(
            target.removeprefix("sqlite:///"), isolation_level=None
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        words, begin = "insert into bare_commit (value) values (?)", "BEGIN IMMEDIATE"
    else:
        connection = psycopg.connect(target, autocommit=True)
        words, begin = "insert into bare_commit (value) values (%s)", "BEGIN"
    connection.execute(MAKE if data.kind == "sqlite" else MAKE.replace("integer", "serial"))
    for number in range(COMMITS):
        start = time.perf_counter()
        connection.execute(begin)
        connection.execute(words, (f"Seen {number}",))
        connection.execute("COMMIT")
        times.append((time.perf_counter() - start) * 1000)
    try:
        yield Timing(times, sum(times) / 1000)
    finally:
        connection.close()


def shown(name: str, times: list[Timing]) -> list[str]:
    """A line of the table."""
    return [name, *(f"{middle([t.percentile(p) for t in times]):.2f}" for p in (0.5, 0.95, 0.99))]


async def turns(run: Run, data: Dataset, ours: Side, floor: Side, saves: Saves) -> str:
    """Commit, empty route, save, page: one after the other, in turns."""
    found = find(data)
    survey, who, site = found.surveys[0]
    code = found.elements[0].rpartition(".")[0]
    save = answers(found, 1, saves)
    page = always(Request(f"/surveys/{survey}/sites/{site}/standards/{code}", contains=b"</html>"))
    whole = always(Request(f"/surveys/{survey}/checklist.json", contains=b'"domains"'))
    kept: dict[str, list[Timing]] = {key: [] for key in ("commit", "empty", "save", "page", "whole")}
    for _ in range(run.given.turns):
        run.say(f"{run.kind}: one client")
        with committing(data) as bare:
            kept["commit"].append(bare)
        kept["empty"].append((await floor.turn(always(Request("/empty")), [], 1, run.given.seconds / 2)).timing)
        for key, make in (("save", save), ("page", page), ("whole", whole)):
            await ours.turn(make, [who], 1, 0.3)
            kept[key].append((await ours.turn(make, [who], 1, run.given.seconds)).timing)
    floors = [a.percentile(0.5) + b.percentile(0.5) for a, b in zip(kept["commit"], kept["empty"], strict=True)]
    factor = middle([t.percentile(0.5) / f for t, f in zip(kept["save"], floors, strict=True)])
    even = {key: middle([t.percentile(0.95) / t.percentile(0.5) for t in kept[key]]) for key in ("page", "whole")}
    run.figures["single"] = {"save": factor, **even}
    rows = [
        shown("durable commit of one row", kept["commit"]), shown("empty route", kept["empty"]), shown("save one answer", kept["save"]),
        shown("one standard of the checklist", kept["page"]), shown("whole checklist as JSON", kept["whole"]),
    ]  # fmt: skip
    return (
        f"{table(SAVE_HEAD, rows)}\n\n- Save one answer, p50 against durable commit + empty route: {factor:.1f} × (aim ≤ 3–4 ×)\n"
        f"- Checklist page, p95 against p50: {even['page']:.2f} × (aim ≤ 2 ×); as JSON {even['whole']:.2f} ×"
    )


def measure(run: Run) -> str:
    """One client on quiet programs."""
    data, saves = run.data().copy("single"), Saves()
    with run.ours(data) as ours, run.floor(data) as floor:
        text = asyncio.run(turns(run, data, ours, floor, saves))
    return (
        f"{text}\n- {len(saves.ops)} answers were acknowledged; {saves.missing(data)} of them were missing afterwards."
    )


def seconds(given: Options) -> float:
    """Four and a half turns each time, and the commits."""
    return given.turns * (given.seconds * 3.5 + 0.9 + COMMITS * 0.006) + 12


PART = Part("single", "One client", seconds, measure)
