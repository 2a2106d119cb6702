"""Reading what of a survey a report is made from: the sites, the answers that stand, the surveyor's remarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.reports.composition import Place
from certify.certification.reports.drafting import SEEN, Answer, Note, Remark, Visit, standards_in
from certify.certification.reports.models import ReportNote
from certify.certification.reports.severity import read_risk
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveySite
from certify.certification.surveys.sampling import REASONS
from certify.core.catalogue.standards import MODES, Edition
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site

REMARKS = ("strength", "recommendation")
MODE_WORDS = {"on_site": "On site", "virtual": "Virtual"}
NOTE, SIGNATURE = "note:", "signature:"
READ_FIELDS = ("rating", "note", "na_reason", "risk", "standard_note", *REMARKS, *(f"seen_{mode}" for mode in MODES))


def newest_survey(session: Session, case_id: int) -> Survey | None:
    """Return the last survey of a case that was finished, or None."""
    return session.scalar(
        select(Survey)
        .where(Survey.case_id == case_id, Survey.finished_at.is_not(None))
        .order_by(Survey.round.desc())
        .limit(1)
    )


def edition_of(survey: Survey) -> Edition:
    """Return the standards edition a survey was held by."""
    return current().editions[survey.edition]


def visit_of(session: Session, survey: Survey, amended: Iterable[tuple[str, int]] = ()) -> Visit:
    """Return the visited sites with every answer that stands; a handful of queries whatever the size."""
    names = {site.id: site.name for _, site in _sites_in(session, survey.id)}
    sites = {site.id: site.name for row, site in _sites_in(session, survey.id) if row.visited}
    rules, a = current().survey, SurveyAnswer
    rows = session.execute(
        select(a.site_id, a.element, a.field, a.value, a.by_name, a.at, a.clash).where(
            a.survey_id == survey.id,
            a.field.in_(READ_FIELDS)
            | a.field.startswith(NOTE, autoescape=True)
            | a.field.startswith(SIGNATURE, autoescape=True),
        )
    ).all()
    standards = standards_in(edition_of(survey), survey.scope_standards)
    codes = {standard.code for standard in standards}
    fields: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        if row.site_id in sites and row.value not in (None, "", False):
            fields.setdefault((row.site_id, row.element), {})[row.field] = row.value
    placed = {
        key: read_risk(rules, found["risk"])
        for key, found in fields.items()
        if "risk" in found and found.get("rating") in rules.placed
    }
    notes = _notes([row for row in rows if row.field.startswith(NOTE)], names)
    return Visit(
        sites=sites,
        standards=standards,
        answers={key: _answer(found) for key, found in fields.items() if key[1] not in codes and key[1]},
        remarks=_remarks(fields, sites, codes),
        standard_notes={
            key: str(found["standard_note"])
            for key, found in fields.items()
            if key[1] in codes and found.get("standard_note")
        },
        amended=frozenset(amended),
        rules=rules,
        risks={key: risk for key, risk in placed.items() if risk is not None},
        notes=notes,
        told=_told(session, survey.id) if notes else frozenset(),
        signed=any(row.field.startswith(SIGNATURE) and row.value is not None for row in rows),
    )


def _notes(rows: Sequence[Row[Any]], site_names: dict[int, str]) -> tuple[Note, ...]:
    """Return the notes that stand, oldest first; those in conflict wait until they are settled."""
    return tuple(
        Note(
            uuid=row.field.removeprefix(NOTE),
            kind=str(row.value.get("kind", "")),
            text=str(row.value["text"]).strip(),
            about=tuple(str(element) for element in row.value.get("about", ())),
            site_name=site_names.get(row.site_id, ""),
            pseudonym=str(row.value.get("pseudonym") or ""),
            by=row.by_name,
        )
        for row in sorted(rows, key=lambda row: (row.at, row.field))
        if not row.clash and isinstance(row.value, dict) and str(row.value.get("text", "")).strip()
    )


def _told(session: Session, survey_id: int) -> frozenset[tuple[str, str]]:
    rows = session.execute(select(ReportNote.note, ReportNote.standard).where(ReportNote.survey_id == survey_id))
    return frozenset((row.note, row.standard) for row in rows)


def _sites_in(session: Session, survey_id: int) -> Sequence[Row[SurveySite, Site]]:
    query = (
        select(SurveySite, Site)
        .join(Site, Site.id == SurveySite.site_id)
        .where(SurveySite.survey_id == survey_id)
        .order_by(SurveySite.visited.desc(), SurveySite.position, SurveySite.site_id)
    )
    return remembered(session, ("sites in the report of", survey_id), lambda: session.execute(query).all())


def places_of(session: Session, survey: Survey) -> tuple[Place, ...]:
    """Return every site of the survey, visited ones first, with how it was surveyed and why."""
    found = []
    for row, site in _sites_in(session, survey.id):
        how = MODE_WORDS.get(survey.mode, survey.mode) if row.visited else "Documents and remote interview"
        why = "; ".join(REASONS.get(reason, reason) for reason in row.reasons) or ("" if row.visited else "not drawn")
        found.append(
            Place(
                site.id,
                site.name,
                _address(site),
                row.visited,
                survey.starts_on if row.visited else None,
                how,
                _capital(why),
            )
        )
    return tuple(found)


def _answer(found: dict[str, Any]) -> Answer:
    seen = {}
    for mode in MODES:
        value = found.get(f"seen_{mode}")
        text = value.get("what", "") if isinstance(value, dict) else value if isinstance(value, str) else ""
        if text.strip():
            seen[mode] = text.strip()
        elif value is True:
            seen[mode] = SEEN
    return Answer(str(found.get("rating", "")), str(found.get("note", "")), str(found.get("na_reason", "")), seen)


def _remarks(
    fields: dict[tuple[int, str], dict[str, Any]], sites: dict[int, str], codes: set[str]
) -> tuple[Remark, ...]:
    remarks: list[Remark] = []
    for (site, about), found in sorted(fields.items()):
        if about not in codes:
            continue
        for kind in REMARKS:
            text = str(found.get(kind, "")).strip()
            if text:
                remarks.append(Remark(f"{site}:{about}:{kind}", kind, about, (site,), text))
    return tuple(_said_once(remarks))


def _said_once(remarks: Sequence[Remark]) -> list[Remark]:
    """Join remarks with the same words on the same standard at several sites."""
    joined: dict[tuple[str, str, str], Remark] = {}
    for remark in remarks:
        key = (remark.kind, remark.standard, remark.text)
        known = joined.get(key)
        joined[key] = (
            remark
            if known is None
            else Remark(known.source, known.kind, known.standard, known.site_ids + remark.site_ids, known.text)
        )
    return list(joined.values())


def _address(site: Site) -> str:
    town = " ".join(part for part in (site.state, site.postal_code) if part)
    return ", ".join(part for part in (site.address, site.city, town) if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
