"""What looks like a patient identifier, as identifiers.yaml declares it: for the server, the browser and the tablet alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from certify.core.declarations.reading import Map, Mistake, Reader, nearest

PART = re.compile(r"(?<!\?)<([a-z_]+)>")
ONE_LANGUAGE = re.compile(
    r"\(\?P|\\A|\\Z|\(\?[aiLmsux]|\(\?<[a-z]|\\[pP]\{"
)  # read by only one of Python and JavaScript


@dataclass(frozen=True)
class IdentifierKind:
    """One kind of identifier: in running text, and as a column of a table (its heading, and what its cells look like)."""

    key: str
    title: str
    text: tuple[str, ...]
    heading: str
    cell: str


@dataclass(frozen=True)
class Identifiers:
    """All of identifiers.yaml."""

    version: str
    kinds: tuple[IdentifierKind, ...]

    @cached_property
    def titles(self) -> dict[str, str]:
        """Return what each kind is called."""
        return {kind.key: kind.title for kind in self.kinds}

    @cached_property
    def in_text(self) -> dict[str, tuple[re.Pattern[str], ...]]:
        """Return the patterns of running text by kind."""
        return {kind.key: tuple(re.compile(p, re.IGNORECASE) for p in kind.text) for kind in self.kinds}

    @cached_property
    def in_columns(self) -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
        """Return by kind the pattern of a column's heading and that of its cells."""
        return {k.key: (re.compile(k.heading, re.IGNORECASE), re.compile(k.cell, re.IGNORECASE)) for k in self.kinds}

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """Return all patterns as JSON values, for the check that runs before anything leaves the browser."""
        return {
            "text": {kind.key: list(kind.text) for kind in self.kinds},
            "columns": {kind.key: [kind.heading, kind.cell] for kind in self.kinds},
            "titles": dict(self.titles),
        }


def read_identifiers(source: Map, mistakes: list[Mistake]) -> Identifiers:
    """Read identifiers.yaml."""
    r = Reader(source, mistakes)
    version = r.text("version")
    parts = _parts(r, mistakes)
    found: list[IdentifierKind] = []
    for body in r.maps("kinds", required=True):
        n = Reader(body, mistakes, f"kind {body.get('key', '?')!r}: ")
        key, text = n.text("key"), n.texts("text", None)
        if key in {kind.key for kind in found}:
            n.wrong("key", f"{key!r} stands twice")
        patterns = tuple(_pattern(n, "text", one, parts, entry=one) for one in text)
        heading, cell = (_pattern(n, name, n.text(name), parts) for name in ("heading", "cell"))
        found.append(IdentifierKind(key, n.text("title"), patterns, heading, cell))
        n.done()
    r.done()
    return Identifiers(version, tuple(found))


def _parts(r: Reader, mistakes: list[Mistake]) -> dict[str, str]:
    """Read the parts; one may stand in those after it."""
    declared = r.map("parts")
    n = Reader(declared, mistakes, "parts: ")
    found: dict[str, str] = {}
    for name in declared:
        found[name] = _pattern(n, name, n.text(name), found, part=True)
    return found


def _pattern(
    n: Reader, key: str, pattern: str, parts: dict[str, str], *, entry: str | None = None, part: bool = False
) -> str:
    """Return a pattern with its parts in place; what cannot be used is a mistake."""
    for name in PART.findall(pattern):
        if name not in parts:
            n.wrong(key, f"<{name}> is not a part; {nearest(name, parts)}", entry=entry)
    whole = PART.sub(lambda match: parts.get(match.group(1), ""), pattern)
    try:
        re.compile(whole)
    except (re.error, RecursionError, OverflowError) as wrong:
        n.wrong(key, f"is not a pattern that can be read: {wrong}", entry=entry)
        return "(?!)"
    if ONE_LANGUAGE.search(whole):
        n.wrong(key, "uses what Python and JavaScript do not both read", entry=entry)
    if not part and re.compile(whole).match(""):
        n.wrong(key, "fits every text, also an empty one", entry=entry)
    return whole
