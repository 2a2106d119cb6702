"""YAML with line numbers: mappings and lists that know where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

LARGEST = 2 * 1024 * 1024
MOST_NODES = 200_000


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong in a declaration, and where."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class Broken(Exception):
    """Declarations that cannot be used, with every mistake found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(m) for m in self.mistakes))


class Map(dict[str, Any]):
    """A mapping with the line of each key."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file, self.line = file, line
        self.lines: dict[str, int] = {}


class Seq(list[Any]):
    """A list with the line of each entry."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file, self.line = file, line
        self.lines: list[int] = []


def read_yaml(path: Path, root: Path, mistakes: list[Mistake]) -> Map:
    """Return the mapping a file holds; what is wrong is added to `mistakes`, and an empty mapping returned.

    Wrong are: a missing or unreadable file, one over 2 MiB, broken YAML, two equal keys, a top that is not a mapping.
    """
    file = _shown(path, root)
    empty = Map(file, 1)
    try:
        raw = path.read_bytes()
    except OSError as problem:
        mistakes.append(Mistake(file, 1, f"cannot be read: {problem.strerror}"))
        return empty
    if len(raw) > LARGEST:
        mistakes.append(Mistake(file, 1, f"is {len(raw):,} bytes; at most {LARGEST:,} are read"))
        return empty
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        mistakes.append(Mistake(file, raw[: wrong.start].count(b"\n") + 1, "is not UTF-8 text"))
        return empty
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            mistakes.append(Mistake(file, 1, "is empty"))
            return empty
        builder = _Builder(file, mistakes)
        built = builder.build(node)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        mistakes.append(Mistake(file, mark.line + 1 if mark else 1, f"is not valid YAML: {wrong.problem or wrong.context}"))
        return empty
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        mistakes.append(Mistake(file, 1, f"is not valid YAML: {wrong}"))
        return empty
    if not isinstance(built, Map):
        mistakes.append(Mistake(file, 1, "must hold keys and values at its top"))
        return empty
    return built


class _Builder:
    """Turns YAML nodes into Map, Seq and plain values; a node used through an alias is built again, within bounds."""

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self._file, self._mistakes = file, mistakes
        self._plain = yaml.SafeLoader("")
        self._count = 0

    def build(self, node: yaml.Node) -> Any:
        self._count += 1
        if self._count > MOST_NODES:
            raise ValueError(f"holds more than {MOST_NODES:,} values, counting aliases")
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, line)
        if isinstance(node, yaml.SequenceNode):
            seq = Seq(self._file, line)
            for child in node.value:
                seq.append(self.build(child))
                seq.lines.append(child.start_mark.line + 1)
            return seq
        return self._plain.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, line: int) -> Map:
        built = Map(self._file, line)
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            key = str(key_node.value)
            if key in built:
                self._mistakes.append(Mistake(self._file, at, f"the key {key!r} stands twice (first in line {built.lines[key]})"))
                continue
            built[key] = self.build(value_node)
            built.lines[key] = at
        return built


class Reader:
    """Takes typed values out of a mapping, adding a mistake for each that is missing, of the wrong type, or unknown."""

    def __init__(self, source: Map, mistakes: list[Mistake], where: str = "") -> None:
        self._map, self._mistakes, self._where = source, mistakes, where
        self._taken: set[str] = set()

    @property
    def file(self) -> str:
        return self._map.file

    @property
    def line(self) -> int:
        return self._map.line

    def line_of(self, key: str) -> int:
        """Return the line of a key, or of the mapping when the key is not there."""
        return self._map.lines.get(key, self._map.line)

    def wrong(self, key: str, reason: str) -> None:
        """Add a mistake at a key."""
        self._mistakes.append(Mistake(self._map.file, self.line_of(key), f"{self._where}{reason}"))

    def has(self, key: str) -> bool:
        """Whether the key is there and not empty."""
        return self._map.get(key) is not None

    def raw(self, key: str) -> Any:
        """Return a value as it stands."""
        self._taken.add(key)
        return self._map.get(key)

    def text(self, key: str, default: str | None = None, *, longest: int = 20_000) -> str:
        """Return a text; required when there is no default. Numbers are not text: write them in quotes."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.wrong(key, f"{key!r} is missing")
            return default or ""
        if not isinstance(value, str):
            self.wrong(key, f"{key!r} must be text; put it in quotes")
            return default or ""
        if not value.strip() and default is None:
            self.wrong(key, f"{key!r} is empty")
        if len(value) > longest:
            self.wrong(key, f"{key!r} is longer than {longest:,} characters")
        return value.strip()

    def integer(self, key: str, default: int | None = None, *, least: int = -(10**9), most: int = 10**9) -> int:
        """Return a whole number within bounds; required when there is no default."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.wrong(key, f"{key!r} is missing")
            return default if default is not None else max(least, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, f"{key!r} must be a whole number, not {value!r}")
            return default if default is not None else max(least, 0)
        if not least <= value <= most:
            self.wrong(key, f"{key!r} must be from {least} to {most}, not {value}")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"{key!r} must be true or false, not {value!r}")
            return default
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Return one of the allowed words; required when there is no default."""
        words = list(allowed)
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if value not in words:
            self.wrong(key, f"{key!r} must be one of {', '.join(words)}" + (f", not {value!r}" if value is not None else "; it is missing"))
            return default if default is not None else (words[0] if words else "")
        return str(value)

    def day(self, key: str) -> date | None:
        """Return a date or None; text like "2026-03-05" counts."""
        value = self.raw(key)
        if value is None or type(value) is date:
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.wrong(key, f"{key!r} must be a date like 2026-03-05, not {value!r}")
            return None

    def texts(self, key: str, default: tuple[str, ...] | None = ()) -> tuple[str, ...]:
        """Return a list of texts; required when the default is None."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.wrong(key, f"{key!r} is missing")
            return default or ()
        if not isinstance(value, Seq):
            self.wrong(key, f"{key!r} must be a list")
            return default or ()
        found = []
        for entry, line in zip(value, value.lines, strict=True):
            if isinstance(entry, str):
                found.append(entry)
            else:
                self._mistakes.append(Mistake(self._map.file, line, f"{self._where}{key!r} must hold texts, not {entry!r}"))
        return tuple(found)

    def numbers(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, Seq) or any(isinstance(v, bool) or not isinstance(v, int) for v in value):
            self.wrong(key, f"{key!r} must be a list of whole numbers")
            return ()
        return tuple(value)

    def map(self, key: str, *, required: bool = False) -> Map:
        """Return a mapping, empty when it is not there."""
        value = self.raw(key)
        if isinstance(value, Map):
            return value
        if value is not None or required:
            self.wrong(key, f"{key!r} must hold keys and values" if value is not None else f"{key!r} is missing")
        return Map(self._map.file, self.line_of(key))

    def maps(self, key: str, *, required: bool = False) -> list[Map]:
        """Return a list of mappings."""
        value = self.raw(key)
        if value is None and not required:
            return []
        if not isinstance(value, Seq):
            self.wrong(key, f"{key!r} must be a list" if value is not None else f"{key!r} is missing")
            return []
        found = []
        for entry, line in zip(value, value.lines, strict=True):
            if isinstance(entry, Map):
                found.append(entry)
            else:
                self._mistakes.append(Mistake(self._map.file, line, f"{self._where}each entry of {key!r} must hold keys and values"))
        return found

    def done(self) -> None:
        """Add a mistake for each key nobody asked for."""
        for key in self._map:
            if key not in self._taken:
                known = ", ".join(sorted(self._taken))
                self._mistakes.append(Mistake(self._map.file, self._map.lines[key], f"{self._where}the key {key!r} is not known here; known are: {known}"))


def _shown(path: Path, root: Path) -> str:
    try:
        return str(Path(root.name) / path.relative_to(root))
    except ValueError:
        return str(path)
