"""The pack a tablet takes along: everything the visit needs, without a network and without the files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String as Text
from sqlalchemy import cast, select
from sqlalchemy.orm import Session

from certify import __version__
from certify.certification.applications.queries import answers_in_words
from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may, practice_of
from certify.certification.evidence.queries import evidence_of_case
from certify.certification.surveys.models import Survey, SurveyAnswer
from certify.certification.surveys.queries.checklist import checklist_of
from certify.certification.surveys.queries.survey import OpenSurvey, survey_for
from certify.certification.surveys.queries.team import team
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site

MOST_FINDINGS = 400  # of earlier rounds, the newest first


def pack(session: Session, survey_id: int, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return the pack of a survey for this person; a bounded number of statements. Raises: NotFound, NotAllowed."""
    opened = survey_for(session, actor, survey_id, Permission.VIEW_DRAFT_REPORT)
    survey, case = opened.survey, opened.case
    practice = practice_of(session, case)
    told = checklist_of(session, opened)
    members = [m for m in team(session, survey, at) if m.present]
    names = {m.id: m.name for m in members}
    return {
        "app": __version__,
        "seq": told["seq"],
        "survey": {
            "id": survey.id, "ref": case.ref, "practice": practice.legal_name, "city": practice.city, "edition": survey.edition,
            "round": survey.round, "mode": survey.mode, "zone": practice.time_zone, "starts_on": told["starts_on"], "ends_on": told["ends_on"],
            "checked_in": survey.checked_in_at is not None, "finished": survey.finished_at is not None or not case.open,
            "lead": {"id": survey.lead_id, "name": names.get(survey.lead_id or 0, "")} if survey.lead_id else None,
        },
        "me": {"id": actor.user_id, "name": actor.name, "may_conduct": actor_may(session, case, actor, Permission.CONDUCT_SURVEY)},
        "domains": told["domains"], "sites": told["sites"], "answers": told["answers"], "conflicts": told["conflicts"],
        "evidence": evidence(session, opened),
        "questionnaire": [
            {"section": section, "answers": [{"label": label, "words": words} for label, words in answers]}
            for section, answers in answers_in_words(session, case)
        ],
        "previous": previous(session, survey, case),
        "agenda": list(survey.agenda or ()),
        "team": [
            {"id": m.id, "name": m.name, "lead": m.lead, "shares": [{"site": s.site_id, "domain": s.domain} for s in m.shares]}
            for m in members
        ],
        "rules": current().survey.as_json,
        "identifiers": current().identifiers.as_json,
    }  # fmt: skip


def evidence(session: Session, opened: OpenSurvey) -> list[dict[str, Any]]:
    """Return the practice's documents by what they are mapped to, each with the address of its file."""
    return [
        {
            "uuid": e.uuid, "title": e.title, "standard": e.standard, "element": e.element, "site": e.site_id, "pages": e.pages,
            "file_name": e.file_name, "url": f"/cases/{opened.case.ref}/evidence/{e.uuid}/versions/{e.number}/file",
            "page": e.url, "size": e.size, "media_type": e.media_type,
        }
        for e in evidence_of_case(session, opened.case)
    ]  # fmt: skip


def previous(session: Session, survey: Survey, case: Case) -> list[dict[str, Any]]:
    """Return what was not met when the practice was surveyed before: in earlier rounds, and in its case before this one."""
    earlier = _earlier(session, survey, case)
    if not earlier:
        return []
    a = SurveyAnswer
    ids = [s.id for s in earlier]
    no = (
        select(a.survey_id, a.site_id, a.element, Site.name)
        .join(Site, Site.id == a.site_id)
        .where(a.survey_id.in_(ids), a.field == "rating", cast(a.value, Text) == '"no"', a.clash.is_(False))
        .order_by(a.survey_id.desc(), a.id)
        .limit(MOST_FINDINGS)
    )
    found = session.execute(no).all()
    elements = {row.element for row in found}
    notes = {
        (row.survey_id, row.site_id, row.element): row.value
        for row in session.execute(
            select(a.survey_id, a.site_id, a.element, a.value).where(
                a.survey_id.in_(ids), a.field == "note", a.element.in_(elements)
            )
        )
    }
    by_id = {s.id: s for s in earlier}
    return [_finding(by_id[row.survey_id], row, notes.get((row.survey_id, row.site_id, row.element))) for row in found]


def _earlier(session: Session, survey: Survey, case: Case) -> Sequence[Survey]:
    """Return the finished rounds of this case before this one, and the last survey of the practice's cases before."""
    finished = (
        select(Survey)
        .join(Case, Case.id == Survey.case_id)
        .where(Case.practice_id == case.practice_id, Survey.finished_at.is_not(None), Survey.id < survey.id)
        .order_by(Survey.id.desc())
        .limit(6)
    )
    found = session.scalars(finished).all()
    own = [s for s in found if s.case_id == case.id]
    return [*own, *[s for s in found if s.case_id != case.id][:1]]


def _finding(survey: Survey, row: Any, note: Any) -> dict[str, Any]:
    edition = current().editions.get(survey.edition)
    element = edition.elements.get(row.element) if edition else None
    return {
        "survey": survey.id, "round": survey.round, "edition": survey.edition,
        "finished_at": survey.finished_at.isoformat() if survey.finished_at else None,
        "site": row.site_id, "site_name": row.name, "element": row.element, "standard": row.element.rpartition(".")[0],
        "question": element.question if element else "", "note": note if isinstance(note, str) else "",
    }  # fmt: skip
