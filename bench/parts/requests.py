"""Requests against their floors, with 1, 8 and 32 clients: the large table."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

from bench.data import Dataset
from bench.found import find
from bench.makers import Saves
from bench.parts.part import Options, Part, Run
from bench.scenarios import Scenario, scenarios
from bench.servers import ROOT
from bench.traffic import Timing, WrongAnswer
from bench.turns import Side, middle, ratio, table

WARM_SECONDS = 0.4
LINES = 12
HEAD = " request|clients|req/s|p50 / p95 / p99 ms|CPU ms|queries|floor req/s|CPU × floor|aim"
Line = dict[str, Any]


def counts_of(scenario: Scenario, given: Options) -> list[int]:
    """With how many clients a line is measured."""
    return [c for c in given.counts if c in scenario.clients or c not in (1, 8, 32)]


async def line(scenario: Scenario, ours: Side, floor: Side, count: int, given: Options) -> Line | None:
    """Measure one line with that many clients, ours and the floor in turns."""
    if not scenario.once:
        await ours.turn(scenario.ours, scenario.people, count, min(WARM_SECONDS, given.seconds))
    times: list[Timing] = []
    cpu: list[float] = []
    least: list[float] = []
    floors: list[float] = []
    for _ in range(given.turns):
        turn = await ours.turn(scenario.ours, scenario.people, count, given.seconds)
        if not turn.timing.times:
            break
        times.append(turn.timing)
        cpu.append(turn.cpu_ms)
        if scenario.floor is not None:
            bare = await floor.turn(scenario.floor, [], count, given.seconds / 2)
            floors.append(bare.timing.rate)
            least.append(bare.cpu_ms)
    if not times:
        return None
    return {
        "name": scenario.name, "clients": count, "rate": middle([t.rate for t in times]), "answers": sum(len(t.times) for t in times),
        "p50": middle([t.percentile(0.5) for t in times]), "p95": middle([t.percentile(0.95) for t in times]),
        "p99": middle([t.percentile(0.99) for t in times]), "cpu_ms": middle(cpu),
        "floor_rate": middle(floors) if floors else None, "cpu_ratio": ratio(cpu, least) if least else None, "aim": scenario.aim,
    }  # fmt: skip


async def lines(run: Run, wanted: list[Scenario], ours: Side, floor: Side) -> list[Line]:
    """Measure every line; one whose answers are wrong is said and left out."""
    done: list[Line] = []
    for scenario in wanted:
        run.say(f"{run.kind}: {scenario.name}")
        try:
            for count in counts_of(scenario, run.given):
                made = await line(scenario, ours, floor, count, run.given)
                done += [made] if made else []
        except WrongAnswer as wrong:
            print(f"{scenario.name}: NOT MEASURED, {wrong}", file=sys.stderr)
    return done


def show(done: list[Line], queries: dict[str, int]) -> str:
    """The table, as Markdown."""
    rows = []
    for one in done:
        rows.append(
            [
                one["name"], str(one["clients"]), f"{one['rate']:.0f}", f"{one['p50']:.1f} / {one['p95']:.1f} / {one['p99']:.1f}",
                f"{one['cpu_ms']:.1f}", str(queries.get(one["name"], "")), f"{one['floor_rate']:.0f}" if one["floor_rate"] else "",
                f"{one['cpu_ratio']:.1f}" if one["cpu_ratio"] else "", f"≤ {one['aim']}" if one["aim"] else "",
            ]
        )  # fmt: skip
    return table(HEAD, rows)


def count_queries(data: Dataset, wanted: list[Scenario], cookies: dict[str, str]) -> dict[str, int]:
    """Ask each page once inside another process, with the sessions of the server, and count the statements."""
    asked = [
        {
            "name": s.name, "path": s.counted.path, "method": s.counted.method, "body": s.counted.body.decode(),
            "type": s.counted.content_type, "cookie": cookies.get(s.people[0], "") if s.people else "",
        }
        for s in wanted
        if s.counted is not None
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bench.queries"], input=json.dumps(asked), text=True, capture_output=True, check=True, cwd=ROOT,
        env={**os.environ, **data.environment},
    )  # fmt: skip
    counted: dict[str, int] = json.loads(done.stdout)
    return counted


def measure(run: Run) -> str:
    """The whole table; then everything that was acknowledged is looked for in the database, the program being stopped."""
    data, saves = run.data().copy("requests"), Saves()
    wanted = [s for s in scenarios(find(data), saves) if run.given.only in s.name]
    with run.ours(data) as ours, run.floor(data) as floor:
        done = asyncio.run(lines(run, wanted, ours, floor))
        counted = count_queries(data, wanted, ours.cookies)
    missing = saves.missing(data)
    run.figures["requests"] = {"lines": done, "queries": counted, "saved": len(saves.ops), "missing": missing}
    kept = f"{len(saves.ops)} answers were acknowledged; after the program was stopped {missing} of them were missing."
    return f"{show(done, counted)}\n\n{kept}"


def seconds(given: Options) -> float:
    """Turns of both sides, and a little for signing in."""
    turns = (LINES * len(given.counts) - 2) * given.turns
    return turns * (given.seconds * 1.5 + 0.3) + 20


PART = Part("requests", "Requests against their floors", seconds, measure)
