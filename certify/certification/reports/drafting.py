"""From the surveyor's answers to the draft of a report: ratings, requirements, remarks, what was seen. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from certify.certification.reports.severity import Risk, worst
from certify.core.catalogue.standards import MODES, Edition, Standard
from certify.core.catalogue.survey import SurveyRules

YES, NO, NOT_APPLICABLE = "yes", "no", "na"


class Rating(StrEnum):
    """Level of compliance with an element or a standard (omh-standards.yaml, ratings)."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASSESSED = "not_assessed"


_RATING_OF = {YES: Rating.MET, NO: Rating.NOT_MET, NOT_APPLICABLE: Rating.NOT_APPLICABLE}


@dataclass(frozen=True)
class Answer:
    """What the surveyor entered for one element at one site; `seen` maps a review mode to what was seen in it."""

    rating: str = ""
    note: str = ""
    na_reason: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)

    @property
    def explained(self) -> bool:
        """Whether the rating says what it rests on: a note, a reason, or something seen."""
        return bool(self.note or self.na_reason or any(self.seen.values()))


@dataclass(frozen=True)
class Remark:
    """A strength or recommendation the surveyor entered on the checklist; `source` names the answer it comes from."""

    source: str
    kind: str  # strength | recommendation
    standard: str
    site_ids: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Note:
    """An interview, observation, record review or tracer of the survey, about elements of any number of standards."""

    uuid: str
    kind: str
    text: str
    about: tuple[str, ...]
    site_name: str
    pseudonym: str = ""
    by: str = ""

    def letters(self, standard: Standard) -> list[str]:
        """Return the letters of a standard's elements it is about."""
        return [element.letter for element in standard.elements if element.id in self.about]

    def concerns(self, standard: Standard) -> bool:
        """Whether it is about a standard, as a whole or any of its elements."""
        return standard.code in self.about or bool(self.letters(standard))


@dataclass(frozen=True)
class Visit:
    """What was surveyed: the visited sites in order, the standards in scope, the answers by (site, element)."""

    sites: Mapping[int, str]
    standards: tuple[Standard, ...]
    answers: Mapping[tuple[int, str], Answer]
    remarks: tuple[Remark, ...] = ()
    standard_notes: Mapping[tuple[int, str], str] = field(default_factory=dict)  # (site, standard) -> note on the whole
    # (element, site) pairs that an accepted objection showed to be met after all.
    amended: frozenset[tuple[str, int]] = frozenset()
    rules: SurveyRules | None = None
    risks: Mapping[tuple[int, str], Risk] = field(default_factory=dict)  # (site, element) -> its place in the matrix
    notes: tuple[Note, ...] = ()
    told: frozenset[tuple[str, str]] = frozenset()  # (note, standard): what the report tells of the notes
    signed: bool = False  # whether anyone signed the answers on a tablet

    def answer(self, site_id: int, element: str) -> Answer:
        """Return what was entered there; an empty answer when nothing was."""
        return self.answers.get((site_id, element), Answer())

    def rating(self, site_id: int, element: str) -> Rating:
        """Return the rating of one element at one site."""
        if (element, site_id) in self.amended:
            return Rating.MET
        return _RATING_OF.get(self.answer(site_id, element).rating, Rating.NOT_ASSESSED)


@dataclass(frozen=True)
class DraftRequirement:
    """The requirement of one not-met element, with the sites where it is not met."""

    element: str
    standard: str
    site_ids: tuple[int, ...]
    text: str
    risk: Risk | None = None


def standards_in(edition: Edition, codes: Iterable[str] | None) -> tuple[Standard, ...]:
    """Return the standards of an edition in its order, limited to `codes` unless None."""
    wanted = None if codes is None else set(codes)
    return tuple(s for s in edition.standards.values() if wanted is None or s.code in wanted)


def element_ids(standard: Standard) -> tuple[str, ...]:
    """Return the ids of a standard's elements, `7.3.b`, in order."""
    return tuple(element.id for element in standard.elements)


def combined(ratings: Iterable[Rating]) -> Rating:
    """Return the rating of a whole from its parts: one no makes it not met, all that apply must be yes.

    Source: omh-standards.yaml, rules.element_rule.
    """
    found = set(ratings)
    for rating in (Rating.NOT_MET, Rating.NOT_ASSESSED, Rating.MET):
        if rating in found:
            return rating
    return Rating.NOT_APPLICABLE if found else Rating.NOT_ASSESSED


def rating_at(visit: Visit, standard: Standard, site_id: int) -> Rating:
    """Return a standard's rating at one visited site."""
    return combined(visit.rating(site_id, element) for element in element_ids(standard))


def rating_of(visit: Visit, standard: Standard) -> Rating:
    """Return a standard's rating over all visited sites."""
    return combined(visit.rating(site, element) for element in element_ids(standard) for site in visit.sites)


def not_met_elements(visit: Visit) -> dict[str, tuple[int, ...]]:
    """Return each element with a no and the sites where it is no, in the order of the edition."""
    found = {}
    for standard in visit.standards:
        for element in element_ids(standard):
            sites = tuple(site for site in visit.sites if visit.rating(site, element) is Rating.NOT_MET)
            if sites:
                found[element] = sites
    return found


def draft_requirements(visit: Visit) -> tuple[DraftRequirement, ...]:
    """Return one requirement for each not-met element and for nothing else (process.md, invariant 3)."""
    standard_of = {element: standard for standard in visit.standards for element in element_ids(standard)}
    return tuple(
        DraftRequirement(
            element,
            standard_of[element].code,
            sites,
            requirement_text(visit, standard_of[element], element, sites),
            risk_of(visit, element, sites),
        )
        for element, sites in not_met_elements(visit).items()
    )


def risk_of(visit: Visit, element: str, sites: Sequence[int]) -> Risk | None:
    """Return the worst harm and the widest scope that a not-met element was given at these sites, None without any."""
    if visit.rules is None:
        return None
    return worst(visit.rules, [visit.risks[site, element] for site in sites if (site, element) in visit.risks])


def requirement_text(visit: Visit, standard: Standard, element: str, sites: Sequence[int]) -> str:
    """Return a requirement in plain words: what to put in place, where, and what the surveyor found there."""
    question = next(e.question for e in standard.elements if e.id == element)
    everywhere = len(sites) == len(visit.sites)
    where = (
        "at every site visited" if everywhere and len(sites) > 1 else f"at {listed([visit.sites[s] for s in sites])}"
    )
    said = f"Make sure, {where}, that the answer to this question is yes: “{question}”"
    found = _what_was_found(visit, element, sites)
    return f"{said} {found}".strip()


def rated_without_note(visit: Visit) -> dict[tuple[int, str], tuple[str, ...]]:
    """Return, by (site, standard), the rated elements that have neither note, reason nor anything seen."""
    bare: dict[tuple[int, str], tuple[str, ...]] = {}
    for site in visit.sites:
        for standard in visit.standards:
            elements = tuple(
                e for e in element_ids(standard) if visit.answer(site, e).rating and not visit.answer(site, e).explained
            )
            if elements:
                bare[site, standard.code] = elements
    return bare


def seen_in(visit: Visit, standard: Standard) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return what was seen for a standard as (mode, text, sites), the same text at several sites said once."""
    found: dict[tuple[str, str], list[int]] = {}
    for mode in MODES:
        for site in visit.sites:
            text = _seen_at(visit, standard, site, mode)
            if text:
                found.setdefault((mode, text), []).append(site)
    return [(mode, text, tuple(sites)) for (mode, text), sites in found.items()]


def notes_on(visit: Visit, standard: Standard) -> list[Note]:
    """Return the notes of the survey that are about elements of a standard."""
    return [note for note in visit.notes if note.concerns(standard)]


def told_in(visit: Visit, standard: Standard) -> list[tuple[str, str, str]]:
    """Return the notes that the report tells under a standard, as (kind, text, name of the site)."""
    return [
        (note.kind, note_text(note, standard), note.site_name)
        for note in notes_on(visit, standard)
        if (note.uuid, standard.code) in visit.told
    ]


def note_text(note: Note, standard: Standard) -> str:
    """Return a note as the report tells it: which elements, whose journey, what was said or seen."""
    journey = f"{note.pseudonym}: " if note.pseudonym else ""
    letters = note.letters(standard)
    return f"{', '.join(letters)}) {journey}{_ended(note.text)}" if letters else f"{journey}{_ended(note.text)}"


def notes_of(visit: Visit, standard: Standard) -> str:
    """Return the surveyor's notes on what is met, by site; the notes on what is not met stand in its requirement."""
    lines = []
    for site, name in visit.sites.items():
        whole = visit.standard_notes.get((site, standard.code), "").strip()
        notes = [_ended(whole)] if whole else []
        for element in element_ids(standard):
            note = visit.answer(site, element).note.strip()
            if note and visit.rating(site, element) is Rating.MET:
                notes.append(f"{element.rpartition('.')[2]}) {_ended(note)}")
        if notes:
            lines.append(" ".join(notes) if len(visit.sites) == 1 else f"{name}: {' '.join(notes)}")
    return "\n".join(lines)


def fingerprint(visit: Visit) -> str:
    """Return the SHA-256 of the answers, to tell whether anything changed since they were sent for review."""
    rows = [
        [site, element, a.rating, a.note, a.na_reason, sorted(a.seen.items())]
        for (site, element), a in sorted(visit.answers.items())
        if a != Answer()
    ]
    rows += [[site, code, note] for (site, code), note in sorted(visit.standard_notes.items())]
    rows += [
        [r.source, r.kind, r.standard, list(r.site_ids), r.text] for r in sorted(visit.remarks, key=lambda r: r.source)
    ]
    rows += [[site, element, risk.harm, risk.scope] for (site, element), risk in sorted(visit.risks.items())]
    rows += [[*told, next((n.text for n in visit.notes if n.uuid == told[0]), "")] for told in sorted(visit.told)]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


def listed(items: Sequence[str]) -> str:
    """Return items as running text: `A`, `A and B`, `A, B and C`."""
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def _what_was_found(visit: Visit, element: str, sites: Sequence[int]) -> str:
    found: dict[str, list[str]] = {}
    for site in sites:
        answer = visit.answer(site, element)
        parts = [answer.note, *(answer.seen.get(mode, "") for mode in MODES if answer.seen.get(mode, "") != SEEN)]
        text = " ".join(_ended(part) for part in dict.fromkeys(p.strip() for p in parts) if part)
        if text:
            found.setdefault(text, []).append(visit.sites[site])
    if not found:
        return ""
    if len(found) == 1:
        return f"At the survey: {next(iter(found))}"
    return "At the survey: " + " ".join(f"{listed(names)}: {text}" for text, names in found.items())


SEEN = "seen"  # a review mode that was ticked without words


def _seen_at(visit: Visit, standard: Standard, site: int, mode: str) -> str:
    words: dict[str, list[str]] = {}
    ticked = []
    for element in standard.elements:
        text = visit.answer(site, element.id).seen.get(mode, "").strip()
        if text == SEEN:
            ticked.append(element.letter)
        elif text:
            words.setdefault(_ended(text), []).append(element.letter)
    said = [f"{', '.join(letters)}) {text}" for text, letters in words.items()]
    if ticked:
        said.append(f"Reviewed for {listed(ticked)}.")
    return " ".join(said)


def _ended(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in '.!?:…”"' else f"{text}."
