"""Writes of decisions: reasons in the making, and the decision itself, once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id, zone_of
from certify.certification.decisions.letter import letter_of
from certify.certification.decisions.models import Decision, DenialReason
from certify.certification.decisions.queries import (
    decision_of,
    denial_reasons_of,
    signature_of,
    site_names_of,
    standings_of,
)
from certify.certification.reports.queries import list_issued
from certify.certification.reports.reviewing import prepare_conflict, state_conflict
from certify.core.access.roles import Actor
from certify.core.catalogue.deadlines import due_on
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.practices.models import Practice

MAX_TEXT = 5000
OUTCOMES = {"award": "award", "deny": "denial"}


def state_own_conflict(session: Session, case: Case, answer: str, detail: str, *, actor: Actor, at: datetime) -> None:
    """Store a council member's answer to the conflict question before the decision. Raises: Invalid."""
    state_conflict(session, case, answer, detail, actor=actor, at=at)


def write_reason(session: Session, case: Case, standard: str, text: str, *, actor: Actor, at: datetime) -> None:
    """Save why a standard stands against an award; an empty text takes it back. Raises: NotOpen, Invalid."""
    if case.state != "decision":
        raise NotOpen("Reasons are written while the council decides.")
    if standard not in current().editions[case.edition].standards:
        raise Invalid(f"{standard[:20]} is not a standard of this edition.", "reasons")
    text = text.replace("\r\n", "\n").strip()
    if len(text) > MAX_TEXT:
        raise Invalid(f"This is {len(text):,} characters; at most {MAX_TEXT:,} fit.", f"reason-{standard}")
    row = session.scalar(select(DenialReason).where(DenialReason.case_id == case.id, DenialReason.standard == standard))
    before = row.text if row else ""
    if text == before:
        return
    if row is None:
        session.add(DenialReason(case_id=case.id, standard=standard, text=text, saved_by_name=actor.name, saved_at=at))
    elif not text:
        session.delete(row)
    else:
        row.text, row.saved_by_name, row.saved_at = text, actor.name, at
    session.flush()
    record_on(
        session, case, "decision.reason_written", f"wrote a reason on {standard}", actor=actor, at=at,
        data={"before": before, "after": text}, internal=True,
    )  # fmt: skip


def prepare_award(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `award`: keep the answer to the conflict question that came with it."""
    prepare_conflict(session, case, inputs, actor=actor, at=at)


def prepare_deny(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `deny`: keep the conflict answer and the reasons that came with it."""
    prepare_conflict(session, case, inputs, actor=actor, at=at)
    errors = []
    for row in inputs.get("reasons") or ():
        if "standard" not in row or "reason" not in row:
            errors.append(FieldError("reasons", "Each reason has a standard and a reason."))
            continue
        write_reason(session, case, row["standard"], row["reason"], actor=actor, at=at)
    if errors:
        raise Invalid(errors)


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Write the decision down, once, with the facts it was made on."""
    outcome = OUTCOMES.get(event.trigger)
    if outcome is None:
        return
    case = case_by_id(session, event.case_id)
    decide(session, case, outcome, event)


def decide(session: Session, case: Case, outcome: str, event: CaseAdvanced) -> Decision:
    """Store the council's decision with the facts before it and the letter that tells of it, frozen."""
    zone = zone_of(session, case)
    today = local_date(event.at, zone)
    practice, person = (
        session.get(Practice, case.practice_id),
        session.get(Person, event.actor_id) if event.actor_id else None,
    )
    reports, signature = list_issued(session, case.id), signature_of(session, case)
    reasons = denial_reasons_of(session, case.id) if outcome == "denial" else {}
    edition = current().editions[case.edition]
    decision = Decision(
        case_id=case.id,
        outcome=outcome,
        comment=str(event.data.get("comments") or ""),
        reasons=[{"standard": code, "reason": reasons[code]} for code in edition.standards if reasons.get(code)],
        facts={
            "practice": practice.legal_name if practice else "",
            "sites": site_names_of(session, case.practice_id),
            "edition": case.edition,
            "standards": [
                {"code": s.code, "rating": s.rating, "requirements": s.requirements, "open": s.open_requirements}
                for s in standings_of(session, case)
            ],
            "reports": [{"id": r.id, "number": r.number, "sha256": r.content_sha256} for r in reports],
            "agreement_signed_on": local_date(signature.signed_at, zone).isoformat() if signature else None,
        },
        decided_by_id=event.actor_id,
        decided_by_name=event.actor_name,
        decided_by_title=person.title if person else "",
        decided_at=event.at,
        decided_on=today,
        appeal_until=due_on(current().deadlines["appeal_days"], {"entered": today}) if outcome == "denial" else None,
    )
    decision.letter = letter_of(session, case, decision)
    session.add(decision)
    session.execute(delete(DenialReason).where(DenialReason.case_id == case.id))
    session.flush()
    return decision


def name_certificate(session: Session, case: Case, number: str, awarded_on: date, ends_on: date) -> None:
    """Name the certificate in the letter of the award it was made by, in the same transaction; later ones change no letter."""
    decision = decision_of(session, case.id)
    if decision is not None and decision.outcome == "award":
        certificate = {"certificate_number": number, "award_on": awarded_on.isoformat(), "end_on": ends_on.isoformat()}
        decision.letter = {**decision.letter, **certificate}
        session.flush()
