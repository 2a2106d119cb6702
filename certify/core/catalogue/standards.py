"""Editions of the standards: domains, standards, and the elements a surveyor answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from certify.core.declarations.reading import Map, Mistake, Reader, nearest

MODES = ("documentation", "observation", "data")


@dataclass(frozen=True)
class Element:
    """One yes/no question; its id is `<standard code>.<letter>`."""

    id: str
    letter: str
    question: str
    sourced: bool = False


@dataclass(frozen=True)
class Standard:
    """One standard of an edition."""

    code: str
    key: str
    title: str
    requirement: str
    evidence: tuple[str, ...]
    elements: tuple[Element, ...]
    critical: bool = False
    guidance: str = ""
    suggested_documents: tuple[str, ...] = ()
    status: str = ""
    source: tuple[str, ...] = ()
    domain: int = 0


@dataclass(frozen=True)
class Part:
    """A group of standards within a domain, as a long domain is read and printed."""

    key: str
    title: str
    standards: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """One of the seven domains."""

    number: int
    key: str
    title: str
    aim: str
    standards: tuple[Standard, ...]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Edition:
    """A published edition; never edited, only followed by another."""

    edition: str
    title: str
    published: date | None
    in_force_from: date | None
    in_force_to: date | None
    domains: tuple[Domain, ...]
    wording: str = ""

    @cached_property
    def standards(self) -> dict[str, Standard]:
        """Return the standards by code, in order."""
        return {s.code: s for d in self.domains for s in d.standards}

    @cached_property
    def elements(self) -> dict[str, Element]:
        """Return the elements by id, in order."""
        return {e.id: e for s in self.standards.values() for e in s.elements}

    @cached_property
    def element_ids(self) -> tuple[str, ...]:
        """Return all element ids, in order."""
        return tuple(self.elements)

    @cached_property
    def standard_of(self) -> Mapping[str, Standard]:
        """Return each element's standard by element id."""
        return {e.id: s for s in self.standards.values() for e in s.elements}

    @cached_property
    def standard_domains(self) -> Mapping[str, int]:
        """Return the number of each standard's domain by code, in order."""
        return {s.code: d.number for d in self.domains for s in d.standards}

    @cached_property
    def element_domains(self) -> Mapping[str, int]:
        """Return the number of each element's domain by element id, in order."""
        return {e.id: d.number for d in self.domains for s in d.standards for e in s.elements}

    def domain_of(self, code: str) -> Domain:
        """Return the domain of a standard's code. Raises: KeyError."""
        number = self.standards[code].domain
        return next(d for d in self.domains if d.number == number)


def read_edition(source: Map, mistakes: list[Mistake]) -> Edition:
    """Read one file of workflows/standards/."""
    r = Reader(source, mistakes)
    edition = r.text("edition")
    domains: list[Domain] = []
    codes: dict[str, int] = {}
    keys: dict[str, int] = {}
    for body in r.maps("domains", required=True):
        d = Reader(body, mistakes, f"domain {body.get('number', '?')}: ")
        number = d.integer("number", least=1, most=99)
        if number in {x.number for x in domains}:
            d.wrong("number", f"number {number} stands twice")
        standards = []
        for entry in d.maps("standards", required=True):
            standard = _read_standard(entry, number, mistakes)
            for name, value, seen in (("code", standard.code, codes), ("key", standard.key, keys)):
                if value in seen:
                    mistakes.append(
                        Mistake(
                            source.file,
                            entry.lines.get(name, entry.line),
                            f"{name} {value!r} stands twice (first in line {seen[value]})",
                        )
                    )
                seen.setdefault(value, entry.lines.get(name, entry.line))
            standards.append(standard)
        parts = _read_parts(d, {s.code for s in standards}, mistakes)
        domains.append(Domain(number, d.text("key"), d.text("title"), d.text("aim", ""), tuple(standards), parts))
        for skipped in ("status", "source"):
            d.raw(skipped)
        d.done()
    _check_sources(r, domains)
    for skipped in ("schema_version", "language", "status", "source", "notes", "rules", "review_modes", "ratings"):
        r.raw(skipped)
    found = Edition(
        edition,
        r.text("title"),
        r.day("published"),
        r.day("in_force_from"),
        r.day("in_force_to"),
        tuple(domains),
        r.text("wording"),
    )
    if found.in_force_from and found.in_force_to and found.in_force_to < found.in_force_from:
        r.wrong("in_force_to", "'in_force_to' lies before 'in_force_from'")
    r.done()
    return found


def _read_parts(domain: Reader, codes: set[str], mistakes: list[Mistake]) -> tuple[Part, ...]:
    """Read how a long domain is divided; each of its standards stands in one part."""
    parts, placed = [], set[str]()
    for body in domain.maps("sections"):
        p = Reader(body, mistakes, f"section {body.get('key', '?')!r}: ")
        part = Part(p.text("key"), p.text("title"), p.texts("standards", None))
        for code in part.standards:
            if code not in codes or code in placed:
                why = "stands in two sections" if code in placed else f"is not in this domain; {nearest(code, codes)}"
                p.wrong("standards", f"{code!r} {why}", entry=code)
            placed.add(code)
        for skipped in ("status", "source"):
            p.raw(skipped)
        p.done()
        parts.append(part)
    if parts and codes - placed:
        domain.wrong("sections", f"no section holds {', '.join(sorted(codes - placed))}")
    return tuple(parts)


def _check_sources(edition: Reader, domains: Sequence[Domain]) -> None:
    """Every source that a standard names is described."""
    described = edition.map("sources")
    for standard in (s for d in domains for s in d.standards):
        for source in standard.source:
            if source not in described:
                edition.wrong("sources", f"does not describe {source!r}, which standard {standard.code} names")


def _read_standard(body: Map, domain: int, mistakes: list[Mistake]) -> Standard:
    r = Reader(body, mistakes, f"standard {body.get('code', '?')}: ")
    code = r.text("code")
    sourced = set(r.texts("sourced_elements"))
    letters = r.map("elements", required=True)
    elements = []
    for letter, question in letters.items():
        if not isinstance(question, str) or not question.strip():
            mistakes.append(
                Mistake(body.file, letters.lines[letter], f"standard {code}: element {letter!r} needs a question")
            )
            continue
        elements.append(Element(f"{code}.{letter}", letter, question.strip(), letter in sourced))
    if not elements:
        r.wrong("elements", "needs at least one element")
    for letter in sorted(sourced - set(letters)):
        r.wrong("sourced_elements", f"{letter!r} is not an element of this standard", entry=letter)
    if code and not code.startswith(f"{domain}."):
        r.wrong("code", f"the code {code!r} must begin with the number of its domain, {domain}")
    modes = r.texts("evidence", None)
    for mode in modes:
        if mode not in MODES:
            r.wrong("evidence", f"{mode!r} is not a review mode; modes are {', '.join(MODES)}", entry=mode)
    standard = Standard(
        code=code,
        key=r.text("key"),
        title=r.text("title"),
        requirement=r.text("requirement"),
        evidence=modes,
        elements=tuple(elements),
        critical=r.flag("critical"),
        guidance=r.text("guidance", ""),
        suggested_documents=r.texts("suggested_documents"),
        status=r.text("status", ""),
        source=r.texts("source"),
        domain=domain,
    )
    for skipped in ("note", "changed_from_2021", "elements_status", "change", "replaces"):
        r.raw(skipped)
    r.done()
    return standard
