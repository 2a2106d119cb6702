"""How a report came about: who signed the answers, and where surveyors differed and who settled it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import String as Text
from sqlalchemy import cast, func, select, tuple_
from sqlalchemy.orm import Session

from certify.certification.reports.models import Approval, Report
from certify.certification.reports.records import approvals_of
from certify.certification.surveys.differences import differences
from certify.certification.surveys.journal import Word
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyOp
from certify.certification.surveys.queries import signatures_of, sites_of
from certify.certification.surveys.seal import Signature

ATTACHMENT = "attachment:"


@dataclass(frozen=True)
class Photo:
    """A photo or file bound to an answer, with its caption."""

    uuid: str
    caption: str
    by: str
    by_id: int | None


@dataclass(frozen=True)
class Value:
    """One of the values that stood at once: who said it, when by the tablet's clock, with which photos."""

    value: Any
    by: str
    at: datetime
    photos: tuple[Photo, ...] = ()


@dataclass
class Difference:
    """Values that stood at once for one field of one element at one site, and how it was settled."""

    site_name: str
    element: str
    name: str  # of the field
    values: list[Value] = field(default_factory=list)
    settled: Value | None = None
    settled_at: datetime | None = None  # when it reached the server


@dataclass(frozen=True)
class AuditPage:
    """All of it for one report."""

    report: Report
    approvals: Sequence[Approval]
    versions: Sequence[Report]
    signatures: Sequence[Signature]
    differences: Sequence[Difference]
    site_names: dict[int, str]


def audit_page(session: Session, report: Report, survey: Survey, versions: Sequence[Report]) -> AuditPage:
    """Return how a report came about; the number of queries does not grow with its survey."""
    return AuditPage(
        report,
        approvals_of(session, survey.id),
        [version for version in versions if version.survey_id == survey.id],
        signatures_of(session, survey.id),
        differences_of(session, survey),
        {site.site_id: site.name for site in sites_of(session, survey.id)},
    )


def differences_of(session: Session, survey: Survey) -> list[Difference]:
    """Return every time two values stood for the same field, in the order of the checklist, with how it was settled."""
    ops = _contested(session, survey.id)
    if not ops:
        return []
    names = {site.site_id: site.name for site in sites_of(session, survey.id)}
    photos = _photos(session, survey.id, {(site, element) for site, element, _ in ops})
    found = []
    for (site, element, name), said in sorted(ops.items(), key=lambda one: (_place(one[0][1]), one[0][0], one[0][2])):
        taken = photos.get((site, element), [])
        received = {op.op: op.received_at for op in said}
        for difference in differences([_said(op) for op in said]):
            settled = difference.settled
            found.append(
                Difference(
                    names.get(site, ""), element, name, [_value(w, taken) for w in _worth_telling(name, difference.words)],
                    _value(settled, ()) if settled else None, received[settled.op] if settled else None,
                )
            )  # fmt: skip
    return found


def _contested(session: Session, survey_id: int) -> dict[tuple[int, str, str], list[SurveyOp]]:
    """Return the journal of every field on which two tablets said different things."""
    o = SurveyOp
    several = (
        select(o.site_id, o.element, o.field)
        .where(o.survey_id == survey_id, o.verdict == "")
        .group_by(o.site_id, o.element, o.field)
        .having((func.count(o.device.distinct()) > 1) & (func.count(func.coalesce(cast(o.value, Text), "").distinct()) > 1))
        .subquery()
    )  # fmt: skip
    same = (several.c.site_id == o.site_id) & (several.c.element == o.element) & (several.c.field == o.field)
    ops: dict[tuple[int, str, str], list[SurveyOp]] = defaultdict(list)
    for op in session.scalars(
        select(o).join(several, same).where(o.survey_id == survey_id, o.verdict == "").order_by(o.seq)
    ):
        ops[op.site_id, op.element, op.field].append(op)
    return ops


def _said(op: SurveyOp) -> tuple[Word, int | None]:
    return Word(op.device, op.seq, op.op, op.value, op.at, op.order_at, op.by_name, op.by_id), op.base


def _worth_telling(name: str, words: Sequence[Word]) -> list[Word]:
    """Return the words to show: of a text, which is saved while it is written, what each tablet said last."""
    return list(words) if name == "rating" else list({word.device: word for word in words}.values())


def signature_lines(session: Session, survey: Survey) -> list[dict[str, Any]]:
    """Return the signatures as a report prints them, JSON values only."""
    names = {site.site_id: site.name for site in sites_of(session, survey.id)}
    return [
        {
            "role": one.label,
            "name": one.name,
            "title": one.title,
            "at": one.at.isoformat(),
            "intact": one.intact,
            "site": names.get(one.site, "") if len(names) > 1 else "",
            "changed": _changed(one, names),
        }
        for one in signatures_of(session, survey.id)
        if one.at is not None
    ]


def count_settled(session: Session, survey_id: int) -> int:
    """Return on how many answers surveyors differed once and do no longer."""
    told = [differences([_said(op) for op in said]) for said in _contested(session, survey_id).values()]
    return sum(bool(found) and all(one.settled for one in found) for found in told)


def _changed(signature: Signature, names: dict[int, str], most: int = 5) -> list[str]:
    """Return what changed after a signature in words, the newest first; what is too many is counted."""
    said = list(dict.fromkeys(f"{c.element or 'the site'} at {names.get(c.site, '')}" for c in signature.changed))
    return said if len(said) <= most else [*said[:most], f"{len(said) - most} more"]


def _value(word: Word, photos: Sequence[Photo]) -> Value:
    return Value(word.value, word.by, word.at, tuple(photo for photo in photos if photo.by_id == word.by_id))


def _photos(session: Session, survey_id: int, places: set[tuple[int, str]]) -> dict[tuple[int, str], list[Photo]]:
    a = SurveyAnswer
    rows = session.execute(
        select(a.site_id, a.element, a.field, a.value, a.by_name, a.by_id)
        .where(
            a.survey_id == survey_id,
            a.field.startswith(ATTACHMENT, autoescape=True),
            tuple_(a.site_id, a.element).in_(list(places)),
        )
        .order_by(a.seq)
    )
    found: dict[tuple[int, str], list[Photo]] = defaultdict(list)
    for site, element, name, value, by, by_id in rows:
        if isinstance(value, dict):
            caption = str(value.get("caption", ""))
            found[site, element].append(Photo(name.removeprefix(ATTACHMENT), caption, by, by_id))
    return found


def _place(element: str) -> tuple[int, int, str]:
    """Return where an element stands in the checklist: 7.10.b comes after 7.9.a."""
    parts = element.split(".")
    numbers = [int(part) if part.isdigit() else 0 for part in parts[:2]] + [0, 0]
    return numbers[0], numbers[1], parts[2] if len(parts) > 2 else ""
