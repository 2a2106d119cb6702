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
from certify.certification.surveys.models import WHOLE_SITE, Survey, SurveyAnswer, SurveySite
from certify.certification.surveys.sampling import REASONS
from certify.core.catalogue.standards import MODES, Edition
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site

REMARKS = ("strength", "recommendation")
MODE_WORDS = {"on_site": "On site", "virtual": "Virtual"}
NOTE = "note:"
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
    sites = {site.id: site.name for row, site in _sites_in(session, survey.id) if row.visited}
    rules = current().survey
    rows = session.execute(
        select(SurveyAnswer.site_id, SurveyAnswer.element, SurveyAnswer.field, SurveyAnswer.value).where(
            SurveyAnswer.survey_id == survey.id, SurveyAnswer.field.in_(READ_FIELDS)
        )
    ).all()
    standards = standards_in(edition_of(survey), survey.scope_standards)
    codes = {standard.code for standard in standards}
    fields: dict[tuple[int, str], dict[str, Any]] = {}
    for site_id, element, field, value in rows:
        if site_id in sites and value not in (None, "", False):
            fields.setdefault((site_id, element), {})[field] = value
    placed = {
        key: read_risk(rules, found["risk"])
        for key, found in fields.items()
        if "risk" in found and found.get("rating") in rules.placed
    }
    notes = _notes(session, survey.id)
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
    )


def _notes(session: Session, survey_id: int) -> tuple[Note, ...]:
    """Return the notes that stand, oldest first; those in conflict wait until they are settled."""
    rows = session.execute(
        select(SurveyAnswer.field, SurveyAnswer.value, SurveyAnswer.by_name, Site.name)
        .join(Site, Site.id == SurveyAnswer.site_id)
        .where(
            SurveyAnswer.survey_id == survey_id,
            SurveyAnswer.element == WHOLE_SITE,
            SurveyAnswer.field.startswith(NOTE, autoescape=True),
            SurveyAnswer.clash.is_(False),
        )
        .order_by(SurveyAnswer.at, SurveyAnswer.seq)
    )
    found = []
    for name, value, by, site_name in rows:
        if isinstance(value, dict) and str(value.get("text", "")).strip():
            found.append(
                Note(
                    uuid=name.removeprefix(NOTE),
                    kind=str(value.get("kind", "")),
                    text=str(value["text"]).strip(),
                    about=tuple(str(element) for element in value.get("about", ())),
                    site_name=site_name,
                    pseudonym=str(value.get("pseudonym") or ""),
                    by=by,
                )
            )
    return tuple(found)


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
