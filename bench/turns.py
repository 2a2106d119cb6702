"""Turns: one program, then the other, again and again in the same run; what is shown is the median of the pairs."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from bench.data import DEMO_PASSWORD
from bench.servers import Running
from bench.traffic import Connection, Maker, Timing, WrongAnswer, run


@dataclass
class Turn:
    """One turn: how long answers took, and the processor time of one in milliseconds."""

    timing: Timing
    cpu_ms: float


class Side:
    """A server and those who are signed in there; who has signed in once keeps the session."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    async def connect(self, people: list[str], count: int) -> list[Connection]:
        """Connect that many clients, as these people in turn; nobody's when there are none."""
        made = []
        for index in range(count):
            connection = Connection(self.server.url)
            who = people[index % len(people)] if people else ""
            if who and who not in self.cookies:
                await connection.sign_in(who, DEMO_PASSWORD)
                self.cookies[who] = connection.cookie
            connection.cookie = self.cookies.get(who, "")
            made.append(connection)
        return made

    async def turn(
        self, make: Maker, people: list[str], count: int, seconds: float, faults: list[str] | None = None
    ) -> Turn:
        """Let that many clients ask for that long."""
        connections = await self.connect(people, count)
        before = self.server.cpu_seconds()
        try:
            timing = await unwrapped(connections, make, seconds, faults)
        finally:
            for connection in connections:
                connection.close()
        return Turn(timing, (self.server.cpu_seconds() - before) * 1000 / max(1, len(timing.times)))


async def unwrapped(connections: list[Connection], make: Maker, seconds: float, faults: list[str] | None) -> Timing:
    """Run, and raise the first wrong answer itself instead of a group of them."""
    try:
        return await run(connections, make, seconds, faults)
    except ExceptionGroup as several:
        wrong = several.subgroup(WrongAnswer)
        raise (wrong.exceptions[0] if wrong else several) from several


def middle(values: list[float]) -> float:
    """The median; 0 of nothing."""
    return statistics.median(values) if values else 0.0


def ratio(one: list[float], other: list[float]) -> float:
    """The median of the paired ratios."""
    return middle([a / max(b, 1e-9) for a, b in zip(one, other, strict=True)])


def table(head: str, rows: list[list[str]]) -> str:
    """A Markdown table; in `head` a column whose name begins with a blank is text, the others are figures."""
    columns = head.split("|")
    lines = ["| " + " | ".join(c.strip() for c in columns) + " |"]
    lines += ["|" + "|".join("---" if c.startswith(" ") else "--:" for c in columns) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
