"""Everyone at work for a while: pages, API, saves, syncs and steps, mixed; errors, and whether memory grows."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator

from bench.found import STAFF, Found, find
from bench.makers import Saves, Tablets, answers, asked, drafting, paid, telephoning
from bench.pages import ADMIN, AUDITOR, COUNCIL, FINANCE, Page, lists, of_cases
from bench.parts.part import Options, Part, Run
from bench.traffic import Maker, Request, WrongAnswer
from bench.turns import Side, table

WARM_SECONDS = 15.0
LOOKS = 10  # at memory, evenly over the time
HEAD = " time|answers|req/s|p50 / p95 / p99 ms|memory MB"
Give = Callable[[int], Request | None]


def readers(pages: list[Page], who: str) -> list[Request]:
    """What this person opens."""
    return [
        Request(p.path, contains=b"{" if p.path.startswith("/api") or p.path.endswith(".json") else b"</html>")
        for p in pages
        if p.who == who
    ]


class Pace:
    """Gives what can be had only so often, spread over the time there is."""

    def __init__(self, things: Iterator[Request], count: int, seconds: float) -> None:
        self.things, self.every, self.next_at = things, seconds / max(1, count), time.monotonic()

    def __call__(self, number: int) -> Request | None:
        if time.monotonic() < self.next_at:
            return None
        self.next_at += self.every
        return next(self.things, None)


def crew(
    found: Found, pages: list[Page], saves: Saves, seconds: float
) -> list[tuple[str, list[Request], list[tuple[float, Give]]]]:
    """Who is at work: the person, what is read, and what else is done with which chance."""
    survey, surveyor, site = found.surveys[0]
    practice = next(p.who for p in pages if p.name.startswith("practice:"))
    draft, standard = found.drafts[0], found.elements[0].rpartition(".")[0]
    visit = [
        Page("", surveyor, path)
        for path in ("/my-surveys", f"/surveys/{survey}", f"/surveys/{survey}/checklist.json", f"/surveys/{survey}/sites/{site}/standards/{standard}")
    ]  # fmt: skip
    tablet, own, phone = Tablets(), drafting(found), telephoning(found)
    one, many = answers(found, 1, saves, tablet), answers(found, 60, saves, tablet)
    asks = Pace((asked(*case) for case in found.submitted), len(found.submitted), seconds)
    pays = Pace((paid(*case) for case in found.unpaid), len(found.unpaid), seconds)
    return [
        (STAFF, readers(pages, STAFF), [(0.2, asks), (0.1, lambda n: phone(0, n))]),
        (surveyor, readers(visit, surveyor), [(0.6, lambda n: one(0, n)), (0.05, lambda n: many(0, n))]),
        (practice, readers(pages, practice), []),
        (draft[1], [Request("/", contains=b"</html>"), Request(f"/cases/{draft[0]}", contains=b"</html>")], [(0.6, lambda n: own(0, n))]),
        (FINANCE, readers(pages, FINANCE), [(0.2, pays)]),
        (COUNCIL, readers(pages, COUNCIL), []),
        (AUDITOR, readers(pages, AUDITOR), []),
        (ADMIN, readers(pages, ADMIN) + readers(pages, ""), []),
    ]  # fmt: skip


def at_work(people: list[tuple[str, list[Request], list[tuple[float, Give]]]]) -> Maker:
    """Each client does what its person does: most often it reads."""
    chance = random.Random(1)

    def make(client: int, number: int) -> Request:
        _who, reads, acts = people[client % len(people)]
        drawn = chance.random()
        for share, give in acts:
            if drawn < share:
                done = give(number)
                if done is not None:
                    return done
                break
            drawn -= share
        return reads[number % len(reads)]

    return make


async def usable(side: Side, people: list[tuple[str, list[Request], list[tuple[float, Give]]]]) -> None:
    """Leave out pages that are not this person's, so that every answer but 200 is a fault from here on."""
    for who, reads, _acts in people:
        [connection] = await side.connect([who], 1)
        kept = []
        for request in reads:
            answer = await connection.ask(request)
            if answer.status >= 500:
                raise WrongAnswer(f"{request.path}: {answer.status}")
            if answer.status == 200 and request.contains in answer.body:
                kept.append(request)
        if not kept:
            raise WrongAnswer(f"no page is open to {who}")
        reads[:] = kept
        connection.close()


async def work(
    run: Run, side: Side, found: Found, pages: list[Page], saves: Saves, seconds: float
) -> tuple[list[list[str]], list[str], list[float]]:
    """The load, in as many stretches as there are looks at memory."""
    people = crew(found, pages, saves, seconds)
    await usable(side, people)
    names, make = [who for who, _, _ in people], at_work(people)
    faults: list[str] = []
    numbers = [0] * len(people)

    def on(client: int, _number: int) -> Request | None:
        numbers[client] += 1
        return make(client, numbers[client])

    await side.turn(on, names, len(people), min(WARM_SECONDS, seconds / 4), faults)
    memory = [side.server.memory_mb()]
    rows = [["before", "", "", "", f"{memory[0]:.0f}"]]
    begun = time.monotonic()
    for look in range(1, LOOKS + 1):
        run.say(f"{run.kind}: mixed load, {look} of {LOOKS}")
        turn = await side.turn(
            on, names, len(people), max(0.1, seconds * look / LOOKS - (time.monotonic() - begun)), faults
        )
        memory.append(side.server.memory_mb())
        late = " / ".join(f"{turn.timing.percentile(p):.1f}" for p in (0.5, 0.95, 0.99))
        rows.append(
            [
                f"{(time.monotonic() - begun) / 60:.1f} min",
                str(len(turn.timing.times)),
                f"{turn.timing.rate:.0f}",
                late,
                f"{memory[-1]:.0f}",
            ]
        )
    return rows, faults, memory


def measure(run: Run) -> str:
    """One program, all roles."""
    data, saves, since = run.data().copy("mixed"), Saves(), run.log_length()
    found, pages = find(data), [*lists(), *of_cases(data)]
    length = run.given.mixed_minutes * 60
    with run.ours(data) as side:
        first = set(side.server.pids())
        rows, faults, memory = asyncio.run(work(run, side, found, pages, saves, length))
        renewed = len(set(side.server.pids()) - first)
    growth = memory[-1] / memory[0] - 1
    run.figures["mixed"] = {"memory": memory, "faults": faults[:100], "growth": growth}
    shown = "".join(f"\n- {fault[:200]}" for fault in faults[:5])
    return (
        f"Eight people of all roles for {length / 60:g} minutes, after {min(WARM_SECONDS, length / 4):.0f} s that are not counted.\n\n{table(HEAD, rows)}\n\n"
        f"- Answers other than expected (5xx among them): {len(faults)}; “database is locked” in what the program wrote: {run.said_in_log(since)}\n"
        f"- Memory {memory[0]:.0f} MB at the start, {memory[-1]:.0f} MB at the end: {growth:+.0%} (aim ≤ 10 % after an hour); {renewed} of the present processes are "
        f"younger than the start (a worker is renewed after some 2,000 answers)\n"
        f"- {len(saves.ops)} answers were acknowledged; after the program was stopped {saves.missing(data)} were missing.{shown}"
    )  # fmt: skip


def seconds(given: Options) -> float:
    """As long as was asked for."""
    length: float = given.mixed_minutes * 60
    return length + min(WARM_SECONDS, length / 4) + 15


PART = Part("mixed", "Mixed load", seconds, measure)
