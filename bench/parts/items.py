"""Saving beside 1,200,000 answers and beside 12,000: both programs at once, in turns, for each role that saves."""

from __future__ import annotations

import asyncio
import time

from bench.bulk import IN_PROGRESS, answers_in, multiply, multiply_answers, number
from bench.found import STAFF, find
from bench.makers import Saves, answers, drafting, telephoning
from bench.parts.part import SMALL, Options, Part, Run
from bench.traffic import Maker
from bench.turns import Side, middle, ratio, table

ITEMS, QUICK_ITEMS = 1_200_000, 60_000
CLIENTS = (1, 8)
HEAD = " role|clients|req/s with few|req/s with many|ratio|p95 ms few|p95 ms many|aim"
Saver = tuple[str, list[str], Maker, Maker]


async def compare(run: Run, savers: list[Saver], few: Side, many: Side) -> list[list[str]]:
    """Each role with each number of clients, few and many in turns."""
    rows = []
    for name, people, to_few, to_many in savers:
        for count in CLIENTS:
            run.say(f"{run.kind}: {name}, {count} clients, few and many answers")
            sides = ((few, to_few), (many, to_many))
            for side, make in sides:
                await side.turn(make, people, count, 0.4)
            rates: list[list[float]] = [[], []]
            late: list[list[float]] = [[], []]
            for pair in range(run.given.turns + 1):  # the ratio is to be told from noise
                for which in (0, 1) if pair % 2 else (1, 0):
                    side, make = sides[which]
                    turn = await side.turn(make, people, count, run.given.seconds)
                    rates[which].append(turn.timing.rate)
                    late[which].append(turn.timing.percentile(0.95))
            share = ratio(rates[1], rates[0])
            run.figures.setdefault("items", []).append({"name": name, "clients": count, "ratio": share})
            rows.append(
                [name, str(count), f"{middle(rates[0]):.0f}", f"{middle(rates[1]):.0f}", f"{share:.2f}", f"{middle(late[0]):.1f}", f"{middle(late[1]):.1f}", "≥ 0.85"]
            )  # fmt: skip
    return rows


def measure(run: Run) -> str:
    """Multiply the surveys of a copy, then save in both."""
    source = run.data(SMALL)
    small, large = source.copy("few"), source.copy("many")
    for data in (small, large):
        multiply(data, IN_PROGRESS, max(CLIENTS) - 1)  # each client has a survey of its own
    begun = time.perf_counter()
    multiply_answers(large, QUICK_ITEMS if run.given.quick else ITEMS)
    took, few, there = time.perf_counter() - begun, answers_in(small), answers_in(large)
    found, kept, other = find(small), Saves(), Saves()
    savers: list[Saver] = [
        ("surveyor: save one answer", [who for _, who, _ in found.surveys], answers(found, 1, kept), answers(found, 1, other)),
        ("practice: save one field of its application", [who for _, who, _ in found.drafts], drafting(found), drafting(found)),
        ("staff: change a practice's telephone (API)", [STAFF], telephoning(found), telephoning(found)),
    ]  # fmt: skip
    with run.ours(small) as one, run.ours(large) as more:
        rows = asyncio.run(compare(run, savers, one, more))
    missing = kept.missing(small) + other.missing(large)
    surveys = number(large, "select count(*) from survey")
    return (
        f"{few:,} answers against {there:,} in {surveys:,} surveys "
        f"({took:.0f} s to add them by SQL).\n\n{table(HEAD, rows)}\n\n"
        f"{len(kept.ops) + len(other.ops)} answers were acknowledged; after the programs were stopped {missing} were missing."
    )


def seconds(given: Options) -> float:
    """Adding the rows, then three roles."""
    return (10 if given.quick else 40) + 3 * len(CLIENTS) * ((given.turns + 1) * 2 * (given.seconds + 0.1) + 1)


PART = Part("items", "Saving with 12,000 and with 1,200,000 answers", seconds, measure)
