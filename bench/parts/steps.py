"""32 clients take steps of cases: staff asks for information, finance confirms payments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from bench.found import STAFF, Found, find
from bench.makers import asked, paid
from bench.pages import FINANCE
from bench.parts.part import Options, Part, Run
from bench.traffic import Maker, Request
from bench.turns import Side, table

CLIENTS = 32
MOST_A_TURN = 600
HEAD = " turn|steps|req/s|p50|p95|p99 ms|p99 / p95|not answered as expected"


def steps(found: Found) -> tuple[Iterator[Request], Iterator[Request]]:
    """The steps there are to take, each once: staff's and finance's."""
    return (asked(*case) for case in found.submitted), (paid(*case) for case in found.unpaid)


def share(both: tuple[Iterator[Request], Iterator[Request]], most: int) -> Maker:
    """Clients are staff and finance in turn; together they take at most that many steps."""
    left = iter(range(most))

    def make(client: int, number: int) -> Request | None:
        return next(both[client % 2], None) if next(left, None) is not None else None

    return make


async def turns(run: Run, found: Found, side: Side) -> tuple[list[list[str]], list[str]]:
    """So many turns, each with as many steps as the dataset has for it."""
    both, rows, faults = steps(found), [], []
    # The same number for each side, so that neither is alone at the end.
    most = min(MOST_A_TURN, 2 * min(len(found.submitted), len(found.unpaid)) // run.given.turns)
    for number in range(1, run.given.turns + 1):
        run.say(f"{run.kind}: {most} steps of {CLIENTS} clients")
        wrong: list[str] = []
        turn = await side.turn(share(both, most), [STAFF, FINANCE], CLIENTS, 600, wrong)
        late = [turn.timing.percentile(p) for p in (0.5, 0.95, 0.99)]
        rows.append(
            [str(number), str(len(turn.timing.times)), f"{turn.timing.rate:.0f}", *(f"{p:.0f}" for p in late), f"{late[2] / max(late[1], 0.001):.2f}", str(len(wrong))]
        )  # fmt: skip
        faults += wrong
        run.figures.setdefault("steps", []).append({"steps": len(turn.timing.times), "p95": late[1], "p99": late[2]})
    return rows, faults


def measure(run: Run) -> str:
    """Take the steps, then look into what the program wrote."""
    data, since = run.data().copy("steps"), run.log_length()
    begun = time.perf_counter()
    with run.ours(data) as side:
        rows, faults = asyncio.run(turns(run, find(data), side))
    ago = time.perf_counter() - begun + 5
    since_then = (
        f"datetime('now', '-{ago:.0f} seconds')" if data.kind == "sqlite" else f"now() - interval '{ago:.0f} seconds'"
    )
    states = "state in ('returned', 'documents_open')"
    moved = data.rows(f'select count(*) from "case" where {states} and state_since > {since_then}')  # noqa: S608
    shown = "".join(f"\n- {fault[:200]}" for fault in faults[:5])
    return (
        f"{table(HEAD, rows)}\n\nAims: p99 ≤ 3 × p95, no 5xx, no “database is locked”: it stands {run.said_in_log(since)} times in what the "
        f"program wrote. {moved[0][0]} cases stand where the steps led them.{shown}"
    )


def seconds(given: Options) -> float:
    """At about sixty steps a second."""
    return min(MOST_A_TURN, given.practices / 2 / given.turns) * given.turns / 60 + 8


PART = Part("steps", f"{CLIENTS} clients on case transitions", seconds, measure)
