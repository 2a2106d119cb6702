"""What every part is given, and what it is."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.data import CACHE, Dataset, dataset
from bench.servers import serving
from bench.turns import Side

SMALL = 100  # practices of the dataset that a large one is compared with: a case in every state


class Options(argparse.Namespace):
    """The command line, read."""

    quick: bool
    practices: int
    seconds: float
    turns: int
    mixed_minutes: float
    counts: list[int]
    only: str
    kinds: tuple[str, ...]
    chosen: list[Part]


@dataclass
class Run:
    """One database under measurement."""

    given: Options
    kind: str
    say: Callable[[str], None]
    figures: dict[str, Any] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)
    _open: dict[int, Dataset] = field(default_factory=dict)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_what: object) -> None:
        self._stack.close()

    def data(self, practices: int | None = None) -> Dataset:
        """The loaded dataset of that many practices, of the size asked for when not said; never written to."""
        size = practices or self.given.practices
        if size not in self._open:
            self.say(f"{self.kind}: dataset of {size} practices")
            self._open[size] = self._stack.enter_context(dataset(self.kind, size))
        return self._open[size]

    @property
    def log(self) -> Path:
        """What the programs write."""
        return CACHE / f"servers-{self.kind}.log"

    @contextmanager
    def ours(self, data: Dataset) -> Iterator[Side]:
        """The program, on this copy."""
        with serving(["-m", "certify", "serve", "--port", "{port}"], "/healthz", data.environment, self.log) as server:
            yield Side(server)

    @contextmanager
    def floor(self, data: Dataset) -> Iterator[Side]:
        """The floor, on the same kind of database and the same server."""
        with serving(["-m", "bench.floors", "{port}", data.floor_url], "/empty", {}, self.log) as server:
            yield Side(server)

    def said_in_log(self, since: int, words: str = "database is locked") -> int:
        """How often the programs have written these words since the log was that long."""
        text = self.log.read_bytes()[since:] if self.log.exists() else b""
        return text.count(words.encode())

    def log_length(self) -> int:
        """How long the log is now."""
        return self.log.stat().st_size if self.log.exists() else 0


@dataclass(frozen=True)
class Part:
    """One part: its name on the command line, its heading, about how many seconds it takes, and how it is done."""

    key: str
    title: str
    seconds: Callable[[Options], float]
    measure: Callable[[Run], str]
    once: bool = False  # has nothing to do with the database
