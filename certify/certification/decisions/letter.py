"""The letter that tells the practice of a decision: put together once, from what holds when the council decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.decisions.models import Decision
from certify.certification.reports.queries import list_issued
from certify.certification.surveys.models import Survey
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice


def letter_of(session: Session, case: Case, decision: Decision) -> dict[str, Any]:
    """Return what the letter says, JSON values only; the certificate of an award is named once it is made."""
    practice = session.get_one(Practice, case.practice_id)
    reports = list_issued(session, case.id)
    content = (reports[0].content or {}) if reports else {}
    recipient = _recipient(session, case.practice_id)
    edition = current().editions[case.edition]
    titles = {s.code: s.title for s in edition.standards.values()}
    return {
        "case_ref": case.ref,
        "program": content.get("program", ""),
        "practice": decision.facts.get("practice", practice.legal_name),
        "address": [line for line in (practice.address, _town(practice)) if line],
        "recipient": recipient.name if recipient else practice.legal_name,
        "recipient_title": recipient.title if recipient else "",
        "outcome": decision.outcome,
        "decided_on": decision.decided_on.isoformat(),
        "edition_title": edition.title,
        "sites": list(decision.facts.get("sites", [])),
        "signatory": decision.decided_by_name,
        "signatory_title": decision.decided_by_title or "Council member",
        "survey_days": _survey_days(session, case),
        "reasons": [
            {"standard": r["standard"], "title": titles.get(r["standard"], ""), "text": r["reason"]}
            for r in decision.reasons
        ],
        "certificate_number": "",
        "award_on": None,
        "end_on": None,
        "appeal_until": decision.appeal_until.isoformat() if decision.appeal_until else None,
        "contact": _contact(session, case),
    }


def _recipient(session: Session, practice_id: int) -> Person | None:
    for role in ("physician_lead", "practice_admin"):
        person = session.scalar(
            select(Person)
            .join(RoleGrant, RoleGrant.person_id == Person.id)
            .where(RoleGrant.practice_id == practice_id, RoleGrant.role == role, Person.active.is_(True))
            .order_by(RoleGrant.id)
            .limit(1)
        )
        if person is not None:
            return person
    return None


def _survey_days(session: Session, case: Case) -> str:
    surveys: Sequence[Survey] = session.scalars(
        select(Survey).where(Survey.case_id == case.id, Survey.finished_at.is_not(None)).order_by(Survey.round)
    ).all()
    return "; ".join(_days(s.starts_on, s.ends_on) for s in surveys if s.starts_on)


def _days(first: date | None, last: date | None) -> str:
    if first is None:
        return ""
    said = f"{first:%B} {first.day}, {first.year}"
    return said if last is None or last == first else f"{said} to {last:%B} {last.day}, {last.year}"


def _town(practice: Practice) -> str:
    return ", ".join(part for part in (practice.city, f"{practice.state} {practice.postal_code}".strip()) if part)


def _contact(session: Session, case: Case) -> str:
    person = session.get(Person, case.staff_id) if case.staff_id else None
    return f"{person.name}, {person.email}" if person else ""
