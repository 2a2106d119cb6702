"""The command: `python -m bench [--quick]`; prints Markdown tables, and keeps them with all figures under .cache/bench."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.data import CACHE, Dataset, dataset
from bench.scenarios import Found, Scenario, find, scenarios
from bench.servers import ROOT, Running, serving
from bench.traffic import Connection, Maker, Timing, WrongAnswer, run

PASSWORD = "open-the-case-file"
Line = dict[str, Any]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a small dataset and short turns: a trial of the bench itself"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--practices", type=int)
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--seconds", type=float, help="length of a turn")
    parser.add_argument("--turns", type=int, help="turns of each pair; the median of their ratios is shown")
    parser.add_argument("--only", default="", help="only lines whose name holds this text")
    given = parser.parse_args()
    given.practices = given.practices or (150 if given.quick else 10_000)
    given.seconds = given.seconds or (1.0 if given.quick else 4.0)
    given.turns = given.turns or (1 if given.quick else 3)
    given.kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    given.counts = [int(part) for part in given.clients.split(",")]
    return given


async def signed_in(server: Running, people: list[str], count: int, kept: dict[str, str]) -> list[Connection]:
    """Connect that many clients, as these people in turn; one who has signed in before keeps the session."""
    made = []
    for index in range(count):
        connection = Connection(server.url)
        if people:
            who = people[index % len(people)]
            if who not in kept:
                await connection.sign_in(who, PASSWORD)
                kept[who] = connection.cookie
            connection.cookie = kept[who]
        made.append(connection)
    return made


async def turn(
    server: Running, make: Maker, people: list[str], count: int, seconds: float, kept: dict[str, str]
) -> tuple[Timing, float]:
    """One turn; returns the times and the processor time in milliseconds per request."""
    connections = await signed_in(server, people, count, kept)
    before = server.cpu_seconds()
    try:
        timing = await run(connections, make, seconds)
    finally:
        for connection in connections:
            connection.close()
    return timing, (server.cpu_seconds() - before) * 1000 / max(1, len(timing.times))


def middle(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


async def measure(
    scenario: Scenario, ours: Running, floor: Running, given: argparse.Namespace, kept: dict[str, str]
) -> list[Line]:
    """Measure one line with each number of clients, ours and the floor in turns."""
    lines = []
    for count in [c for c in given.counts if c in scenario.clients or c not in (1, 8, 32)]:
        if not scenario.once:
            await turn(ours, scenario.ours, scenario.people, count, min(0.5, given.seconds), kept)  # warm
        times: list[Timing] = []
        cpu, ratios, floors = [], [], []
        for _ in range(given.turns):
            timing, own = await turn(ours, scenario.ours, scenario.people, count, given.seconds, kept)
            if not timing.times:
                break
            times.append(timing)
            cpu.append(own)
            if scenario.floor is not None:
                bare, least = await turn(floor, scenario.floor, [], count, given.seconds, {})
                floors.append(bare.rate)
                ratios.append(own / max(least, 0.001))
        if not times:
            continue
        lines.append(
            {
                "name": scenario.name, "clients": count, "rate": middle([t.rate for t in times]),
                "p50": middle([t.percentile(0.5) for t in times]), "p95": middle([t.percentile(0.95) for t in times]),
                "p99": middle([t.percentile(0.99) for t in times]), "cpu_ms": middle(cpu),
                "floor_rate": middle(floors) if floors else None, "cpu_ratio": middle(ratios) if ratios else None, "aim": scenario.aim,
            }
        )  # fmt: skip
    return lines


def show(lines: list[Line], queries: dict[str, int]) -> str:
    """The table, as Markdown."""
    rows = [
        "| request | clients | req/s | p50 / p95 / p99 ms | CPU ms | queries | floor req/s | CPU × floor | aim |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for line in lines:
        floor = f"{line['floor_rate']:.0f}" if line["floor_rate"] else ""
        ratio = f"{line['cpu_ratio']:.1f}" if line["cpu_ratio"] else ""
        aim = f"≤ {line['aim']}" if line["aim"] else ""
        rows.append(
            f"| {line['name']} | {line['clients']} | {line['rate']:.0f} | {line['p50']:.1f} / {line['p95']:.1f} / {line['p99']:.1f} "
            f"| {line['cpu_ms']:.1f} | {queries.get(line['name'], '')} | {floor} | {ratio} | {aim} |"
        )
    return "\n".join(rows)


def count_queries(data: Dataset, wanted: list[Scenario], cookies: dict[str, str]) -> dict[str, int]:
    """Ask each page once inside this process, with the sessions of the server, and count the statements."""
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


def measure_idle(data: Dataset, log: Path) -> list[str]:
    """Cold start to the first answer, and memory of two idle workers."""
    starts, memory = [], 0.0
    for _ in range(3):
        with serving(["-m", "certify", "serve", "--port", "{port}"], "/healthz", data.environment, log) as ours:
            starts.append(ours.first_answer_seconds)
            time.sleep(2)
            memory = ours.memory_mb()
    return [
        f"- Cold start to the first answer: {min(starts):.2f} s (aim < 2.5 s)",
        f"- Two idle workers and their parent: {memory:.0f} MB (aim < 230 MB)",
    ]


def measure_documents() -> list[str]:
    """The report of a full survey, three sites and 42 standards, in a fresh process."""
    done = subprocess.run([sys.executable, "-m", "bench.papers"], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.splitlines()


async def measure_database(
    data: Dataset, given: argparse.Namespace, found: Found, log: Path
) -> tuple[list[Line], dict[str, int]]:
    """All lines on one database."""
    wanted = [s for s in scenarios(found) if given.only in s.name]
    lines: list[Line] = []
    kept: dict[str, str] = {}
    with (
        serving(["-m", "certify", "serve", "--port", "{port}"], "/healthz", data.environment, log) as ours,
        serving(["-m", "bench.floors", "{port}", data.floor_url], "/empty", {}, log) as floor,
    ):
        for scenario in wanted:
            try:
                lines += await measure(scenario, ours, floor, given, kept)
            except WrongAnswer as wrong:
                print(f"{scenario.name}: NOT MEASURED, {wrong}", file=sys.stderr)
                continue
            print(f"{data.kind}: {scenario.name}", file=sys.stderr)
        counted = count_queries(data, wanted, kept)
    return lines, counted


def main() -> int:
    """Measure and print."""
    given = options()
    CACHE.mkdir(parents=True, exist_ok=True)
    log = CACHE / "servers.log"
    parts = [
        f"Measured on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}: `make bench`."
    ]
    kept: dict[str, Any] = {}
    for kind in given.kinds:
        with dataset(kind, given.practices) as data:
            lines, counted = asyncio.run(measure_database(data, given, find(data), log))
            kept[kind] = {"lines": lines, "queries": counted}
            parts += [f"\n### {kind}, {given.practices} practices", show(lines, counted), ""]
            if data.load_seconds:
                parts.append(f"- Loading the dataset: {data.load_seconds:.0f} s")
            parts += measure_idle(data, log)
    parts += ["\n### Documents", *measure_documents()]
    text = "\n".join(parts)
    print(text)
    (CACHE / "last.md").write_text(text + "\n", encoding="utf-8")
    (CACHE / "last.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
