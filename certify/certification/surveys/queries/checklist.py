"""The checklist as tablets and pages read it: domains, standards, elements, sites, what stands, and what is open."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from certify.certification.surveys.journal import canonical, filled
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyOp
from certify.certification.surveys.queries.survey import (
    AnswerRow,
    OpenSurvey,
    PlannedSite,
    answers_of,
    edition_of,
    open_conflicts,
    places,
    said_of,
    sites_of,
    standards_of,
    survey_for,
    unagreed,
)
from certify.certification.surveys.rules import Gap, gaps
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.catalogue.standards import Domain, Standard
from certify.core.catalogue.survey import NEEDS
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.db import plain


class _Structure(NamedTuple):
    """The domains of an edition or of a repeat survey's scope, with their standards and elements, and the same as JSON."""

    domains: list[dict[str, Any]]
    text: str


_structures: dict[str, _Structure] = {}
_STANDING = (
    select(
        SurveyAnswer.site_id, SurveyAnswer.element, SurveyAnswer.field, SurveyAnswer.value, SurveyAnswer.seq,
        SurveyAnswer.by_name, SurveyAnswer.at, SurveyAnswer.clash,
    )
    .where(SurveyAnswer.survey_id == bindparam("survey"))
    .order_by(SurveyAnswer.seq)
)  # fmt: skip


def checklist(session: Session, survey_id: int, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return the whole checklist of a survey as the contract's `GET surveys/{id}` shows it. Raises: NotFound, NotAllowed."""
    return checklist_of(session, survey_for(session, actor, survey_id, Permission.VIEW_DRAFT_REPORT))


def checklist_as_json(session: Session, survey_id: int, actor: Actor, at: datetime) -> str:
    """Return the same as a JSON text. Raises: NotFound, NotAllowed.

    The standards are most of it and never change: they are written once, and only what stands is written each time.
    """
    opened = survey_for(session, actor, survey_id, Permission.VIEW_DRAFT_REPORT)
    standing = json.dumps(_standing(session, opened), separators=(",", ":"))
    return f'{standing[:-1]},"domains":{_structure(opened.survey).text}}}'


def checklist_of(session: Session, opened: OpenSurvey) -> dict[str, Any]:
    """Return the whole checklist of a survey that the caller may see."""
    return {**_standing(session, opened), "domains": _structure(opened.survey).domains}


def _standing(session: Session, opened: OpenSurvey) -> dict[str, Any]:
    """Return all of a checklist that changes from survey to survey and from hour to hour."""
    survey = opened.survey
    rows = plain(session, _STANDING, {"survey": survey.id})
    return {
        "id": survey.id, "case": opened.case.ref, "round": survey.round, "edition": survey.edition, "mode": survey.mode,
        "starts_on": survey.starts_on.isoformat() if survey.starts_on else None,
        "ends_on": survey.ends_on.isoformat() if survey.ends_on else None,
        "checked_in_at": survey.checked_in_at.isoformat() if survey.checked_in_at else None,
        "finished_at": survey.finished_at.isoformat() if survey.finished_at else None,
        "seq": survey.seq,
        "sites": [
            {"id": s.site_id, "name": s.name, "city": s.city, "state": s.state, "visited": s.visited, "reasons": list(s.reasons)}
            for s in sites_of(session, survey.id)
        ],
        "answers": [
            {"site": r[0], "element": r[1] or None, "field": r[2], "value": r[3], "seq": r[4], "by": r[5], "at": r[6].isoformat(), "conflict": r[7]}
            for r in rows
        ],
        "conflicts": open_conflicts(session, survey.id) if any(r[7] for r in rows) else [],
    }  # fmt: skip


def _structure(survey: Survey) -> _Structure:
    """Return the survey's domains, standards and elements; for a whole edition they are built once."""
    key = (
        survey.edition
        if survey.scope_standards is None
        else canonical([survey.edition, sorted(survey.scope_standards)])
    )
    edition = edition_of(survey)
    stamp = f"{id(edition)}:{key}"
    if stamp not in _structures:
        if len(_structures) > 50:
            _structures.clear()
        domains = [
            {"number": domain.number, "title": domain.title, "standards": [_standard(s) for s in standards]}
            for domain, standards in domains_of(survey)
        ]
        _structures[stamp] = _Structure(domains, json.dumps(domains, separators=(",", ":")))
    return _structures[stamp]


def domains_of(survey: Survey) -> list[tuple[Domain, list[Standard]]]:
    """Return the domains in the survey's scope, each with its standards in scope."""
    _, standards = places(survey)
    found = [(d, [s for s in d.standards if s.code in standards]) for d in edition_of(survey).domains]
    return [(domain, chosen) for domain, chosen in found if chosen]


def _standard(standard: Standard) -> dict[str, Any]:
    return {
        "code": standard.code, "title": standard.title, "requirement": standard.requirement, "guidance": standard.guidance,
        "critical": standard.critical, "modes": list(standard.evidence), "suggested_documents": list(standard.suggested_documents),
        "elements": [{"id": e.id, "letter": e.letter, "question": e.question} for e in standard.elements],
    }  # fmt: skip


@dataclass(slots=True)
class Field:
    """What stands for one field, and in a conflict every value."""

    value: Any = None
    seq: int | None = None
    by: str = ""
    at: datetime | None = None
    clash: list[dict[str, Any]] = field(default_factory=list)
    conflict: int | None = None  # the id of the open conflict

    @property
    def base(self) -> int | None:
        """The seq to base a change on: the newest of what is shown."""
        return max((v["seq"] for v in self.clash), default=self.seq)

    @property
    def seen(self) -> bool:
        """Whether a review mode is ticked, with or without words."""
        return self.value is True or isinstance(self.value, dict)

    @property
    def what(self) -> str:
        """What was seen, in words."""
        return str(self.value.get("what", "")) if isinstance(self.value, dict) else ""


@dataclass(slots=True)
class Item:
    """An element as one page shows it."""

    id: str
    letter: str
    question: str
    fields: dict[str, Field]

    def __getitem__(self, name: str) -> Field:
        return self.fields.get(name) or Field()

    @property
    def rating(self) -> Field:
        """What stands as its rating."""
        return self["rating"]

    @property
    def lacks(self) -> str:
        """What is still open on it, in words; empty when nothing is."""
        rules = current().survey
        needed = rules.needs.get(self.rating.value)
        if any(f.clash for f in self.fields.values()):
            kind = "conflict"
        elif self.rating.value is None:
            kind = "unrated"
        elif needed is not None and not filled(self[needed].value):
            kind = needed
        else:
            return ""
        return rules.gaps[kind].message


@dataclass(frozen=True, slots=True)
class StandardSheet:
    """One standard at one site: all that its page shows, and where to go from there."""

    site: PlannedSite
    sites: tuple[PlannedSite, ...]
    domain: Domain
    standard: Standard
    items: tuple[Item, ...]
    about: Item  # the fields of the standard itself
    marks: dict[str, str]  # standard code -> met | not_met | not_applicable | not_assessed | conflict
    previous: str | None
    next: str | None
    next_open: tuple[int, str] | None  # site, standard
    alone: bool  # critical, set to not applicable, and no second reviewer has agreed


def sheet_for(session: Session, survey: Survey, site_id: int, code: str) -> StandardSheet:
    """Return one standard at one visited site. Raises: NotFound."""
    _, standards = places(survey)
    visited = tuple(s for s in sites_of(session, survey.id) if s.visited)
    site = next((s for s in visited if s.site_id == site_id), None)
    if code not in standards or site is None:
        raise NotFound("This standard and site are not part of the survey.")
    standard = edition_of(survey).standards[code]
    domain = next(d for d in edition_of(survey).domains if d.number == standard.domain)
    rows = answers_of(session, survey.id)
    here = fields_at(rows, open_conflicts(session, survey.id) if survey.clashes else [], site_id)
    ratings = ratings_by(rows)
    lacking = site_open(rows, site_id)
    marks = {c: mark(edition_of(survey).standards[c], ratings.get(site_id, {}), lacking) for c in standards}
    order = list(standards)
    at = order.index(code)
    return StandardSheet(
        site, visited, domain, standard,
        tuple(Item(e.id, e.letter, e.question, here.get(e.id, {})) for e in standard.elements),
        Item(code, "", standard.title, here.get(code, {})), marks,
        order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None, next_open(survey, rows, visited, site_id, code),
        (site_id, code) in unagreed(survey, rows),
    )  # fmt: skip


def fields_at(rows: list[AnswerRow], conflicts: list[dict[str, Any]], site_id: int) -> dict[str, dict[str, Field]]:
    """Return what stands at a site, by element (or standard, or "" for the site) and field."""
    clashes = {(c["site"], c["element"], c["field"]): c for c in conflicts}
    found: dict[str, dict[str, Field]] = defaultdict(dict)
    for row in rows:
        if row.site_id == site_id:
            shown = Field(row.value, row.seq, row.by_name, row.at)
            clash = clashes.get((row.site_id, row.element, row.field))
            if clash is not None:
                shown.conflict = clash["id"]
                shown.clash = [v | {"at": datetime.fromisoformat(v["at"])} for v in clash["values"]]
            found[row.element or ""][row.field] = shown
    return found


def ratings_by(rows: list[AnswerRow]) -> dict[int, dict[str, str]]:
    """Return the ratings by site and element; a rating in conflict reads `conflict`."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.field == "rating" and row.element and (row.clash or row.value is not None):
            found[row.site_id][row.element] = "conflict" if row.clash else str(row.value)
    return found


def site_open(rows: list[AnswerRow], site_id: int) -> set[str]:
    """Return the elements of a site that have a rating but lack its note or reason, or have any field in conflict."""
    texts = {(r.element, r.field) for r in rows if r.site_id == site_id and r.field in NEEDS and filled(r.value)}
    needs = current().survey.needs
    found = {r.element for r in rows if r.site_id == site_id and r.clash}
    for row in rows:
        if row.site_id == site_id and row.field == "rating" and not row.clash:
            needed = needs.get(row.value) if isinstance(row.value, str) else None
            if needed and (row.element, needed) not in texts:
                found.add(row.element)
    return {element for element in found if element}


def mark(standard: Standard, ratings: dict[str, str], lacking: set[str]) -> str:
    """Return a standard's rating from its elements: one no makes it not met, all not applicable make it so."""
    given = [ratings.get(e.id) for e in standard.elements]
    if "conflict" in given or any(e.id in lacking for e in standard.elements):
        return "conflict" if "conflict" in given else "lacking"
    if any(g is None for g in given):
        return "not_met" if "no" in given else "not_assessed"
    if "no" in given:
        return "not_met"
    return "not_applicable" if all(g == "na" for g in given) else "met"


def next_open(
    survey: Survey, rows: list[AnswerRow], sites: tuple[PlannedSite, ...], site_id: int, code: str
) -> tuple[int, str] | None:
    """Return the next standard with anything open: further down at this site, then at the next sites, then from the top."""
    standards = list(places(survey)[1])
    ratings = ratings_by(rows)
    order = [s.site_id for s in sites]
    here = order.index(site_id) if site_id in order else 0
    around = order[here:] + order[:here]
    at = standards.index(code) if code in standards else -1
    stops = (
        [(around[0], c) for c in standards[at + 1 :]]
        + [(s, c) for s in around[1:] for c in standards]
        + [(around[0], c) for c in standards[: at + 1]]
    )
    lacking = {s: site_open(rows, s) for s in order}
    known = edition_of(survey).standards
    return next(
        (
            (site, c)
            for site, c in stops
            if any(e.id not in ratings.get(site, {}) or e.id in lacking[site] for e in known[c].elements)
            or c in lacking[site]
        ),
        None,
    )


def values_at(session: Session, survey_id: int, seqs: set[int]) -> dict[int, Any]:
    """Return what the journal's ops of these numbers said."""
    if not seqs:
        return {}
    rows = session.execute(
        select(SurveyOp.seq, SurveyOp.value).where(SurveyOp.survey_id == survey_id, SurveyOp.seq.in_(seqs))
    )
    return {row[0]: row[1] for row in rows}


def site_words(rows: list[AnswerRow]) -> dict[int, dict[str, Field]]:
    """Return the notes on sites as a whole, by site and field."""
    found: dict[int, dict[str, Field]] = defaultdict(dict)
    for row in rows:
        if row.element is None:
            found[row.site_id][row.field] = Field(row.value, row.seq, row.by_name, row.at)
    return found


def gaps_of(survey: Survey, rows: list[AnswerRow], sites: Iterable[PlannedSite]) -> list[Gap]:
    """Return everything still open, in the order of the checklist, site by site."""
    return gaps(current().survey, standards_of(survey), {s.site_id: s.visited for s in sites}, said_of(rows))
