"""YAML with line numbers: mappings and lists that know where they stand."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from certify.core.foundation.errors import Refusal

LARGEST = 2 * 1024 * 1024
MOST_NODES = 200_000
DEEPEST = 40
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))
# libyaml reads the same YAML several times faster; the wheels bring it, a build without it falls back.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong in a declaration, and where."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class Broken(Refusal):
    """Declarations that cannot be used, with every mistake found: the product does not start by half a rule."""

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


class _Unreadable(Exception):
    """A file that gives nothing at all, with the line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def read_yaml(path: Path, root: Path, mistakes: list[Mistake]) -> Map:
    """Return the mapping a file holds; what is wrong is added to `mistakes`, and an empty mapping returned.

    Wrong are: a missing or unreadable file, one over 2 MiB or with more than 200,000 values (aliases counted each time),
    text that is not UTF-8, broken YAML, tabs that indent, tags, two equal keys, a top that is not a mapping.
    """
    file = shown_name(path, root)
    try:
        text = _text_of(path)
        built = _Builder(file, mistakes).build(_node_of(text))
        if not isinstance(built, Map):
            raise _Unreadable(1, "must hold keys and values at its top")
    except _Unreadable as wrong:
        mistakes.append(Mistake(file, wrong.line, wrong.reason))
        return Map(file, 1)
    return built


def shown_name(path: Path, root: Path) -> str:
    """Return how mistakes name a file: from the workflows folder on, or as given when it lies elsewhere."""
    try:
        return str(Path(root.name) / path.relative_to(root))
    except ValueError:
        return str(path)


def nearest(word: str, known: Collection[str]) -> str:
    """Return a hint at what may have been meant, or at what there is.

    >>> nearest("oficer", ["officer", "clerk"])
    'did you mean officer?'
    """
    close = difflib.get_close_matches(word, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as problem:
        raise _Unreadable(1, f"cannot be read: {problem.strerror}") from problem
    if len(raw) > LARGEST:
        raise _Unreadable(1, f"is too large: at most {LARGEST:,} bytes are read")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        raise _Unreadable(line, "is not UTF-8 text; save the file with the encoding UTF-8") from wrong


def _node_of(text: str) -> yaml.Node:
    try:
        _check_depth(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark else 1
        lines = text.splitlines()
        if 0 < line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
            raise _Unreadable(line, "is not valid YAML: a tab indents this line; indent with spaces") from wrong
        raise _Unreadable(line, f"is not valid YAML: {wrong.problem or wrong.context}") from wrong
    except yaml.reader.ReaderError as wrong:
        line = text.count("\n", 0, wrong.position) + 1
        raise _Unreadable(line, "holds a control character; remove it") from wrong
    except (yaml.YAMLError, ValueError) as wrong:
        raise _Unreadable(1, f"is not valid YAML: {wrong}") from wrong
    if node is None:
        raise _Unreadable(1, "is empty")
    return node


def _check_depth(text: str) -> None:
    """Refuse what is nested deeper than any declaration is: libyaml would run out of stack and take the process along."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise _Unreadable(line, f"is nested more than {DEEPEST} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Builder:
    """Turns YAML nodes into Map, Seq and plain values; a node used through an alias is built again, within bounds."""

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self._file, self._mistakes = file, mistakes
        self._plain: Any = yaml.SafeLoader("")
        self._count = self._depth = 0

    def build(self, node: yaml.Node) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        self._depth += 1
        if self._count > MOST_NODES:
            raise _Unreadable(line, f"holds more than {MOST_NODES:,} values, counting each use of an alias")
        if self._depth > DEEPEST:
            raise _Unreadable(line, f"is nested more than {DEEPEST} deep, or an alias holds itself")
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, line)
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, line)
            return self._scalar(node, line)
        finally:
            self._depth -= 1

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        if node.tag not in _PLAIN_TAGS:
            self._wrong(line, f"the tag {node.tag!r} is not read here; write plain values")
            return None
        if node.tag.endswith(":str"):
            return node.value
        try:
            return self._plain.construct_object(node)
        except (yaml.YAMLError, ValueError) as wrong:
            self._wrong(line, f"{str(node.value)[:60]!r} cannot be read: {wrong}; put it in quotes if it is text")
            return None

    def _sequence(self, node: yaml.SequenceNode, line: int) -> Seq:
        self._check_tag(node, "seq", line)
        seq = Seq(self._file, line)
        for child in node.value:
            seq.append(self.build(child))
            seq.lines.append(child.start_mark.line + 1)
        return seq

    def _mapping(self, node: yaml.MappingNode, line: int) -> Map:
        self._check_tag(node, "map", line)
        built = Map(self._file, line)
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._wrong(at, "a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in built:
                self._wrong(at, f"the key {key!r} stands twice (first in line {built.lines[key]})")
                continue
            built[key] = self.build(value_node)
            built.lines[key] = at
        return built

    def _check_tag(self, node: yaml.Node, kind: str, line: int) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            self._wrong(line, f"the tag {node.tag!r} is not read here; write plain values")

    def _wrong(self, line: int, reason: str) -> None:
        self._mistakes.append(Mistake(self._file, line, reason))


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

    def wrong(self, key: str, reason: str, *, entry: object = None) -> None:
        """Add a mistake at a key, or at the entry of that value in the list under the key."""
        line, value = self.line_of(key), self._map.get(key)
        if entry is not None and isinstance(value, Seq) and entry in value:
            line = value.lines[value.index(entry)]
        self._mistakes.append(Mistake(self._map.file, line, f"{self._where}{reason}"))

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
            self.wrong(
                key,
                f"{key!r} must be one of {', '.join(words)}"
                + (f", not {value!r}" if value is not None else "; it is missing"),
            )
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
                self._mistakes.append(
                    Mistake(self._map.file, line, f"{self._where}{key!r} must hold texts, not {entry!r}")
                )
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
                self._mistakes.append(
                    Mistake(self._map.file, line, f"{self._where}each entry of {key!r} must hold keys and values")
                )
        return found

    def done(self) -> None:
        """Add a mistake for each key nobody asked for."""
        for key in self._map:
            if key not in self._taken:
                reason = f"{self._where}the key {key!r} is not known here; {nearest(key, self._taken)}"
                self._mistakes.append(Mistake(self._map.file, self._map.lines[key], reason))
