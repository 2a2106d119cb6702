"""Putting a report together: the content that is shown as a draft and frozen at issue, as JSON values. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from certify.certification.reports.drafting import (
    Rating,
    Visit,
    listed,
    notes_of,
    rating_at,
    rating_of,
    seen_in,
    told_in,
)
from certify.certification.reports.severity import Risk, grid, placed
from certify.core.catalogue.standards import Edition, Standard
from certify.core.catalogue.survey import SurveyRules

LETTERS = {"requirement": "R", "recommendation": "A", "strength": "S"}
KINDS = ("requirement", "recommendation", "strength")


@dataclass(frozen=True)
class Item:
    """A finding as a report prints it."""

    id: int | None
    number: str
    kind: str
    standard: str
    element: str
    site_ids: tuple[int, ...]
    text: str
    due_on: date | None = None
    status: str = "draft"
    edited: bool = False
    version: int = 0
    fresh_text: str = ""  # what the answers would say, for a requirement whose text a person wrote
    risk: Risk | None = None


@dataclass(frozen=True)
class Place:
    """A site of the practice as the report lists it."""

    id: int
    name: str
    address: str
    visited: bool
    visited_on: date | None
    how: str
    why: str


@dataclass(frozen=True)
class Frame:
    """Everything of a report that does not come from answers: who, when, where, which version."""

    case_ref: str
    practice: str
    edition: Edition
    number: int
    kind: str  # initial | repeat
    mode: str
    first_on: date | None
    last_on: date | None
    places: tuple[Place, ...]
    sampling: Mapping[str, Any]
    people: tuple[Mapping[str, str], ...]
    approvals: tuple[Mapping[str, Any], ...]
    versions: tuple[Mapping[str, Any], ...]
    settled: tuple[str, ...]
    summary: str
    issued_at: datetime | None = None
    plan_due_on: date | None = None
    objection_until: date | None = None
    signatures: tuple[Mapping[str, Any], ...] = ()
    differed: int = 0  # answers on which the surveyors first differed, settled since
    earlier: tuple[Mapping[str, Any], ...] = ()  # requirements of earlier surveys that stay open beside this one's


def compose(frame: Frame, visit: Visit, items: Sequence[Item]) -> dict[str, Any]:
    """Return the whole content of a report: JSON values only, the same for the same input.

    The shape is that of the document writers' `SurveyReport`; under `more` lies what only pages need.
    """
    by_standard: dict[str, list[Item]] = {}
    for item in items:
        by_standard.setdefault(item.standard, []).append(item)
    in_scope = {standard.code for standard in visit.standards}
    domains = [
        {
            "number": domain.number,
            "key": domain.key,
            "title": domain.title,
            "aim": domain.aim,
            "standards": [
                _standard(visit, s, by_standard.get(s.code, ())) for s in domain.standards if s.code in in_scope
            ],
        }
        for domain in frame.edition.domains
    ]
    return {
        "case_ref": frame.case_ref,
        "practice": frame.practice,
        "program": PROGRAM,
        "edition": frame.edition.edition,
        "edition_title": frame.edition.title,
        "version": frame.number,
        "issued_at": _iso(frame.issued_at),
        "survey_kind": frame.kind,
        "mode": frame.mode,
        "first_on": _iso(frame.first_on),
        "last_on": _iso(frame.last_on),
        "sites": [_place(place) for place in frame.places],
        "sampling": dict(frame.sampling),
        "domains": [domain for domain in domains if domain["standards"]],
        "plan_due_on": _iso(frame.plan_due_on),
        "objection_until": _iso(frame.objection_until),
        "matrix": grid(visit.rules, [(item.number, item.risk) for item in items if item.kind == "requirement"]),
        "strengths": [item.text for item in items if item.kind == "strength"],
        "people": [dict(person) for person in frame.people],
        "approvals": [dict(approval) for approval in frame.approvals],
        "versions": [dict(version) for version in frame.versions],
        "settled": list(frame.settled),
        "signatures": [dict(signature) for signature in frame.signatures],
        "differed": frame.differed,
        "earlier": [dict(finding) for finding in frame.earlier],
        "more": {
            "summary": frame.summary,
            "site_ids": list(visit.sites),
            "findings": {item.number: item.id for item in items if item.id is not None and item.number},
        },
    }


PROGRAM = "Oncology Medical Home certification"


def sealed(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a report's content, the same on every machine."""
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def in_order(items: Sequence[Item], edition: Edition) -> list[Item]:
    """Return findings in the order of the edition: by standard, element, then kind."""
    place = {code: n for n, code in enumerate(edition.standards)}
    return sorted(items, key=lambda i: (place.get(i.standard, len(place)), KINDS.index(i.kind), i.element, i.id or 0))


def counts_by_domain(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return, per domain, how many standards are met, not met, not applicable, not assessed, in all and per site."""
    rows = []
    for domain in content["domains"]:
        ratings = [standard["rating"] for standard in domain["standards"]]
        row = {rating.value: ratings.count(rating.value) for rating in Rating}
        sites = []
        for index in range(len(content["more"]["site_ids"])):
            here = [s["by_site"][index] for s in domain["standards"]]
            applicable = [r for r in here if r != Rating.NOT_APPLICABLE]
            sites.append(
                {
                    "met": applicable.count(Rating.MET.value),
                    "applicable": len(applicable),
                    "not_met": applicable.count(Rating.NOT_MET.value),
                }
            )
        rows.append({"number": domain["number"], "title": domain["title"], **row, "sites": sites})
    return rows


def headline(content: Mapping[str, Any]) -> str:
    """Return the outcome in one sentence."""
    ratings = [s["rating"] for d in content["domains"] for s in d["standards"]]
    applicable = [r for r in ratings if r != Rating.NOT_APPLICABLE]
    failed, unrated = applicable.count(Rating.NOT_MET.value), applicable.count(Rating.NOT_ASSESSED.value)
    if unrated:
        return f"{unrated} of {len(ratings)} standards {'is' if unrated == 1 else 'are'} not yet assessed."
    if failed:
        return f"{failed} of {len(applicable)} applicable standards {'is' if failed == 1 else 'are'} not met."
    return f"All {len(applicable)} applicable standards are met at every site visited."


def _standard(visit: Visit, standard: Standard, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "code": standard.code,
        "title": standard.title,
        "requirement": standard.requirement,
        "critical": standard.critical,
        "rating": rating_of(visit, standard).value,
        "by_site": [rating_at(visit, standard, site).value for site in visit.sites],
        "elements": [
            {
                "code": element.id,
                "question": element.question,
                "ratings": [visit.rating(site, element.id).value for site in visit.sites],
                "reasons": _reasons(visit, element.id),
            }
            for element in standard.elements
        ],
        "seen": [
            {
                "mode": mode,
                "text": text,
                "sites": [] if len(sites) == len(visit.sites) else [visit.sites[s] for s in sites],
            }
            for mode, text, sites in seen_in(visit, standard)
        ]
        + [
            {"mode": kind, "text": text, "sites": [name] if len(visit.sites) > 1 else []}
            for kind, text, name in told_in(visit, standard)
        ],
        "findings": [_item(visit, item) for item in items],
        "note": notes_of(visit, standard),
    }


def _reasons(visit: Visit, element: str) -> list[str]:
    """Return why an element is not applicable, or why its rating was changed, naming the site where there are several."""
    said: dict[str, list[str]] = {}
    for site, name in visit.sites.items():
        reason = visit.answer(site, element).na_reason.strip()
        if visit.rating(site, element) is Rating.NOT_APPLICABLE and reason:
            said.setdefault(f"not applicable: {reason}", []).append(name)
        elif (element, site) in visit.amended:
            said.setdefault("met after the practice's objection", []).append(name)
    if len(visit.sites) == 1 or any(len(names) == len(visit.sites) for names in said.values()):
        return list(said)
    return [f"{listed(names)}: {text}" for text, names in said.items()]


def _item(visit: Visit, item: Item) -> dict[str, Any]:
    names = [visit.sites[site] for site in item.site_ids if site in visit.sites]
    return printed(
        item.number, item.kind, item.standard, item.element, item.text,
        sites=[] if len(names) == len(visit.sites) > 1 else names, due_on=item.due_on, risk=item.risk, rules=visit.rules,
    )  # fmt: skip


def printed(
    number: str,
    kind: str,
    standard: str,
    element: str,
    text: str,
    *,
    sites: Sequence[str],
    due_on: date | None,
    risk: Risk | None,
    rules: SurveyRules | None,
) -> dict[str, Any]:
    """Return a finding as the content of a report holds it; no sites: at all that were visited."""
    return {
        "number": number,
        "kind": kind,
        "standard": standard,
        "text": text,
        "element": element,
        "sites": list(sites),
        "due_on": _iso(due_on),
        "closed_on": None,
        "risk": placed(rules, risk),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "name": place.name,
        "address": place.address,
        "visited": place.visited,
        "visited_on": _iso(place.visited_on),
        "how": place.how,
        "why": place.why,
    }


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
