"""What looks like a patient identifier in a file name, a text or a table; pure, and the browser runs the same patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DATE = rf"(?:\d{{1,2}}[/._-]\d{{1,2}}[/._-](?:\d{{4}}|\d{{2}})|\d{{4}}[/._-]\d{{1,2}}[/._-]\d{{1,2}}|{_MONTH}\.? \d{{1,2}},? \d{{4}}|\d{{1,2}} {_MONTH}\.? \d{{4}})(?!\d)"
_GAP = r"[\s_:=#.()-]{0,6}"

# Written so that Python's `re` and JavaScript's RegExp read them alike (flag: ignore case).
TEXT_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "ssn": (
        r"(?<![\dA-Za-z-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])",
        rf"(?<![A-Za-z])(?:SSN|social[\s_]{{0,3}}security(?:[\s_]{{0,3}}(?:number|no))?){_GAP}\d{{3}}[ _-]?\d{{2}}[ _-]?\d{{4}}(?!\d)",
    ),
    "mrn": (
        rf"(?<![A-Za-z])(?:MRN|med(?:ical)?\.?[\s_]{{0,3}}rec(?:ord)?s?\.?(?:[\s_]{{0,3}}(?:number|num|no))?|patient[\s_]{{0,3}}(?:id|identifier|number|no)|chart[\s_]{{0,3}}(?:number|no)){_GAP}[A-Z]{{0,3}}[ _-]?\d{{5,12}}(?!\d)",
    ),
    "birth_date": (
        rf"(?<![A-Za-z])(?:DOB|D\.O\.B|date[\s_]{{0,3}}of[\s_]{{0,3}}birth|birth[\s_]{{0,3}}date|born(?: on)?){_GAP}{_DATE}",
    ),
}

# A table names its columns once: the heading of a column, and what its cells look like.
COLUMN_PATTERNS: Mapping[str, tuple[str, str]] = {
    "ssn": (r"^\W*(?:SSN|social[\s_]?security.{0,10})\W*$", r"^\W*\d{3}[ -]?\d{2}[ -]?\d{4}\W*$"),
    "mrn": (
        r"^\W*(?:MRN|medical[\s_]?record.{0,10}|patient[\s_]?(?:id|identifier|number|no)|chart[\s_]?(?:number|no)|(?:pt|patient)[\s_]?mrn)\W*$",
        r"^\W*[A-Z]{0,3}[ -]?\d{5,12}(?:\.0)?\W*$",
    ),
    "birth_date": (r"^\W*(?:DOB|date[\s_]?of[\s_]?birth|birth[\s_]?date|(?:pt|patient)[\s_]?dob)\W*$", r"^\D{0,2}\d{1,4}[/._-]\d{1,2}[/._-]\d{1,4}(?:[ T].*)?$"),
}  # fmt: skip

KIND_TITLES = {"ssn": "a social security number", "mrn": "a medical record number", "birth_date": "a date of birth"}

_TEXT = {kind: [re.compile(p, re.IGNORECASE) for p in patterns] for kind, patterns in TEXT_PATTERNS.items()}
_COLUMNS = {
    kind: (re.compile(h, re.IGNORECASE), re.compile(c, re.IGNORECASE)) for kind, (h, c) in COLUMN_PATTERNS.items()
}


@dataclass(frozen=True)
class Suspicion:
    """Something that looks like an identifier: what kind, where, how often. Never the identifier itself."""

    kind: str  # ssn | mrn | birth_date
    where: str  # "the file name", "page 3", "sheet Visits"
    count: int = 1

    @property
    def sentence(self) -> str:
        """Say it to a person.

        >>> Suspicion("mrn", "page 3", 2).sentence
        'What looks like a medical record number on page 3 (2 times)'
        """
        times = f" ({self.count} times)" if self.count > 1 else ""
        preposition = "on" if self.where.startswith("page") else "in"
        return f"What looks like {KIND_TITLES[self.kind]} {preposition} {self.where}{times}"


def suspicions_in_text(text: str, where: str) -> list[Suspicion]:
    """Return what looks like an identifier in running text, one entry a kind.

    >>> [s.kind for s in suspicions_in_text("MRN: 00123456, DOB 3/14/1951", "page 1")]
    ['mrn', 'birth_date']
    """
    found = []
    for kind, patterns in _TEXT.items():
        spans = {match.span() for pattern in patterns for match in pattern.finditer(text)}
        if spans:
            found.append(Suspicion(kind, where, len(_outermost(spans))))
    return found


def suspicions_in_table(rows: Iterable[Sequence[str]], where: str) -> list[Suspicion]:
    """Return what looks like a column of identifiers: a telling heading with fitting cells somewhere below it."""
    headings: dict[int, str] = {}
    counts: dict[str, int] = {}
    for row in rows:
        for index, cell in enumerate(row):
            text = cell.strip()
            if not text:
                continue
            kind = headings.get(index)
            if kind and _COLUMNS[kind][1].match(text):
                counts[kind] = counts.get(kind, 0) + 1
                continue
            for name, (heading, _cell) in _COLUMNS.items():
                if len(text) <= 40 and heading.match(text):
                    headings[index] = name
    return [Suspicion(kind, where, counts[kind]) for kind in _COLUMNS if kind in counts]


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
    return {
        "text": {kind: list(patterns) for kind, patterns in TEXT_PATTERNS.items()},
        "columns": {kind: list(pair) for kind, pair in COLUMN_PATTERNS.items()},
        "titles": dict(KIND_TITLES),
    }


def _outermost(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans that lie within no other, in one walk: a file may hold hundreds of thousands."""
    found: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not found or span[1] > found[-1][1]:
            found.append(span)
    return found
