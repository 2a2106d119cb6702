"""Cold start, and memory of two workers that have nothing to do."""

from __future__ import annotations

from bench.parts.part import Options, Part, Run

STARTS = 3


def measure(run: Run) -> str:
    """Start a few times; the first start of all warms the disk and counts, too."""
    data = run.data().copy("idle")
    starts, memory = [], 0.0
    for _ in range(STARTS):
        run.say(f"{run.kind}: cold start")
        with run.ours(data) as side:
            starts.append(side.server.first_answer_seconds)
            memory = side.server.settled_memory_mb()
    run.figures["idle"] = {"starts": starts, "memory_mb": memory}
    return (
        f"- Cold start to the first answer: {', '.join(f'{s:.2f}' for s in starts)} s (aim < 2.5 s)\n"
        f"- Two idle workers and their parent: {memory:.0f} MB (aim < 230 MB)"
    )


def seconds(given: Options) -> float:
    """Three starts."""
    return STARTS * 6


PART = Part("idle", "Start and idle memory", seconds, measure)
