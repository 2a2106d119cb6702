"""Saving answers while another client has reports made: how much later answers come, and what a report costs in memory."""

from __future__ import annotations

import asyncio
import contextlib

from bench.found import STAFF, Found, find
from bench.makers import Saves, answers
from bench.parts.part import Options, Part, Run
from bench.traffic import Request
from bench.turns import Side, middle, ratio, table

SECONDS = 4.0
HEAD = " one client saves answers|req/s|p50 ms|p95 ms|p99 ms"
FORMS = (("docx", b"PK"), ("pdf", b"%PDF"))


def reports(found: Found, forms: tuple[tuple[str, bytes], ...]) -> list[Request]:
    """Reports under review: drafts, which are made anew each time they are asked for."""
    return [
        Request(f"/cases/{ref}/documents/survey-report.{ending}?draft=1", contains=begins)
        for ref in found.report_cases
        for ending, begins in forms
    ]


async def memory(side: Side, asked: list[Request]) -> tuple[float, float, float]:
    """Memory in MB before these reports are made, the highest seen meanwhile, and once they are made."""
    before, seen, done = side.server.settled_memory_mb(), [0.0], asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            seen.append(await asyncio.to_thread(side.server.memory_mb))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.03)

    watching = asyncio.create_task(watch())
    await side.turn(lambda client, number: asked[number] if number < len(asked) else None, [STAFF], 1, 60)
    done.set()
    await watching
    return before, max(seen), side.server.settled_memory_mb()


async def turns(run: Run, found: Found, side: Side, saves: Saves) -> str:
    """Alone and beside, in turns."""
    run.say(f"{run.kind}: memory of a report")
    save, who = answers(found, 1, saves), [found.surveys[0][1]]
    await side.turn(save, who, 1, 1.0)
    cost = []
    for form in FORMS:
        before, highest, after = await memory(side, reports(found, (form,)))
        run.figures.setdefault("memory", {})[form[0]] = [before, highest, after]
        cost.append(
            f"- Memory of all processes, {len(found.report_cases)} reports as .{form[0]}: {before:.0f} MB before, at most {highest:.0f} MB "
            f"meanwhile, {after:.0f} MB afterwards: {highest - before:.0f} MB more (aim ≤ 70 MB)"
        )
    length = min(SECONDS, run.given.seconds * 2)
    asked = reports(found, FORMS)
    alone, beside, made = [], [], []
    for _ in range(run.given.turns):
        run.say(f"{run.kind}: saving alone, then beside reports")
        alone.append((await side.turn(save, who, 1, length)).timing)
        one, other = await asyncio.gather(
            side.turn(save, who, 1, length), side.turn(lambda client, number: asked[number % len(asked)], [STAFF], 1, length)
        )  # fmt: skip
        beside.append(one.timing)
        made.append(other.timing)
    late = ratio([t.percentile(0.95) for t in beside], [t.percentile(0.95) for t in alone])
    run.figures["beside"] = late
    rows = [
        [name, f"{middle([t.rate for t in times]):.0f}", *(f"{middle([t.percentile(p) for t in times]):.1f}" for p in (0.5, 0.95, 0.99))]
        for name, times in (("alone", alone), ("while another has reports made", beside), ("(the reports)", made))
    ]  # fmt: skip
    said = [f"- p95 of a saved answer beside reports: {late:.1f} × (aim ≤ 2 ×)", *cost]
    return "\n".join([table(HEAD, rows), "", *said])


def measure(run: Run) -> str:
    """A program that has made no report yet."""
    data, saves = run.data().copy("beside"), Saves()
    with run.ours(data) as side:
        text = asyncio.run(turns(run, find(data), side, saves))
    return (
        f"{text}\n- {len(saves.ops)} answers were acknowledged; {saves.missing(data)} of them were missing afterwards."
    )


def seconds(given: Options) -> float:
    """Memory first, then turns."""
    return 20 + given.turns * 2 * min(SECONDS, given.seconds * 2)


PART = Part("beside", "Saving beside a report", seconds, measure)
