"""What looks like a patient identifier in a file name, a text or a table, by workflows/identifiers.yaml; the browser runs the same patterns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from certify.core.rulebook.current import current


@dataclass(frozen=True)
class Suspicion:
    """Something that looks like an identifier: what kind, where, how often. Never the identifier itself."""

    kind: str  # ssn | mrn | birth_date
    where: str  # "the file name", "page 3", "sheet Visits"
    count: int = 1

    @property
    def sentence(self) -> str:
        """Say it to a person: “What looks like a medical record number on page 3 (2 times)”."""
        times = f" ({self.count} times)" if self.count > 1 else ""
        preposition = "on" if self.where.startswith("page") else "in"
        return f"What looks like {current().identifiers.titles[self.kind]} {preposition} {self.where}{times}"


def suspicions_in_text(text: str, where: str) -> list[Suspicion]:
    """Return what looks like an identifier in running text, one entry a kind."""
    found = []
    for kind, patterns in current().identifiers.in_text.items():
        spans = {match.span() for pattern in patterns for match in pattern.finditer(text)}
        if spans:
            found.append(Suspicion(kind, where, len(_outermost(spans))))
    return found


def suspicions_in_table(rows: Iterable[Sequence[str]], where: str) -> list[Suspicion]:
    """Return what looks like a column of identifiers: a telling heading with fitting cells somewhere below it."""
    columns = current().identifiers.in_columns
    headings: dict[int, str] = {}
    counts: dict[str, int] = {}
    for row in rows:
        for index, cell in enumerate(row):
            text = cell.strip()
            if not text:
                continue
            kind = headings.get(index)
            if kind and columns[kind][1].match(text):
                counts[kind] = counts.get(kind, 0) + 1
                continue
            for name, (heading, _cell) in columns.items():
                if len(text) <= 40 and heading.match(text):
                    headings[index] = name
    return [Suspicion(kind, where, counts[kind]) for kind in columns if kind in counts]


def merged(suspicions: Iterable[Suspicion]) -> list[Suspicion]:
    """Return one entry for each kind and place, with the highest count."""
    best: dict[tuple[str, str], Suspicion] = {}
    for one in suspicions:
        key = (one.kind, one.where)
        if key not in best or best[key].count < one.count:
            best[key] = one
    return list(best.values())


def browser_patterns() -> dict[str, object]:
    """Return all patterns as JSON values, for the check that runs before a file leaves the browser."""
    return current().identifiers.as_json


def _outermost(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans that lie within no other, in one walk: a file may hold hundreds of thousands."""
    found: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not found or span[1] > found[-1][1]:
            found.append(span)
    return found
