"""What a person may choose from in the inputs of a step."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Input
from certify.platform.practices.models import Site


def choices_for(session: Session, case: Case, one: Input) -> list[tuple[str, str]]:
    """Return (key, words) pairs for an input of a kind that needs them; empty for the others."""
    if one.kind in {"standards", "gaps"}:
        edition = current().editions[case.edition]
        return [(s.code, f"{s.code} {s.title}") for domain in edition.domains for s in domain.standards]
    if one.kind == "sites":
        sites = session.scalars(
            select(Site).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None)).order_by(Site.id)
        )
        return [(str(site.id), site.name) for site in sites]
    if one.kind == "questions":
        questionnaire = current().questionnaires[case.questionnaire]
        return [
            (field.key, f"{section.title}: {field.label}")
            for section in questionnaire.sections
            for field in section.fields
        ]
    return [(str(key), words) for key, words in one.choices]
