"""Writes of the program's check: questions, eligibility, integration, changes asked for, gaps in the documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.applications.models import (
    ChangeRequest,
    InformationQuestion,
    IntegrationFinding,
    RejectionProposal,
)
from certify.certification.applications.queries import (
    change_requests_of,
    editable,
    field_for,
    open_questions,
    proposal_of,
    questionnaire_of,
)
from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id
from certify.certification.evidence.operations import close_gaps, name_gaps
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.rulebook.current import current

MAX_REASON = 5_000
INTEGRATION_BASES = {
    "single_site": "The practice has a single site",
    "common_tax_id": "Common tax id and business address",
    "shared_governance": "Shared policies, rotating staff, one body responsible for policy, and a common record system",
}
ELIGIBILITY_RULES = {
    "outpatient_oncology": "Not an outpatient oncology practice or health system",
    "not_integrated": "Sites are not shown to be one integrated practice",
    "no_treatment": "Gives no antineoplastic treatment that the standards could judge",
    "sites_missing": "Not all sites of the practice take part, and no exception was made",
    "false_statement": "The application holds a false statement",
    "other": "Another rule of eligibility",
}


def prepare_ask_for_information(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Store the named questions of `ask_for_information`, each pointing to a field.

    Raises: Invalid when there is none, one is empty, or one points to a field that does not exist.
    """
    asked = list(inputs.get("questions") or [])
    known = {field.key for section in questionnaire_of(case).sections for field in section.fields}
    errors = []
    for number, entry in enumerate(asked):
        if entry.get("field") not in known:
            errors.append(FieldError(f"questions-{number}-field", "Choose the field that the question is about."))
        if not str(entry.get("question") or "").strip():
            errors.append(FieldError(f"questions-{number}-question", "Write the question."))
    if not asked:
        errors.append(FieldError("questions", "Ask at least one question, and name the field it is about."))
    if errors:
        raise Invalid(errors)
    session.add_all(
        InformationQuestion(
            case_id=case.id, field=str(entry["field"]), question=str(entry["question"]).strip(),
            asked_by_id=actor.user_id, asked_by_name=actor.name, asked_at=at,
        )
        for entry in asked
    )  # fmt: skip
    for request in open_requests(session, case):
        _settle(request, "granted", "Sent back to the practice for this.", actor=actor, at=at)


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Close what a step settled: the questions once answered, the proposal once agreed to."""
    if event.trigger == "resubmit":
        for question in open_questions(session, case_by_id(session, event.case_id)):
            question.closed_at = event.at
    elif event.trigger == "reject":
        proposal = proposal_of(session, case_by_id(session, event.case_id))
        if proposal is not None:
            proposal.ended_at, proposal.ended_how = event.at, "confirmed"
    session.flush()


def reply_to_question(
    session: Session, case: Case, question: InformationQuestion, reply: str, *, actor: Actor, at: datetime
) -> None:
    """Answer a question in words, without changing the field.

    Raises: NotOpen when the application is not with the practice; Invalid for an empty or too long reply.
    """
    if not editable(case):
        raise NotOpen("The application is with the program; the question cannot be answered now.")
    reply = reply.replace("\r\n", "\n").strip()
    if not reply or len(reply) > MAX_REASON:
        raise Invalid(f"Write a reply of at most {MAX_REASON:,} characters.", f"reply-{question.id}")
    question.reply, question.answered_at, question.answered_by_id = reply, at, actor.user_id
    session.flush()
    section, field = field_for(case, question.field)
    data = {"question": question.question, "reply": reply}
    subject = f"/cases/{case.ref}/application/{section.key}#{field.key}"
    record_on(
        session,
        case,
        "question.answered",
        f"answered the program's question about “{field.label}”",
        actor=actor,
        at=at,
        subject=subject,
        data=data,
    )


def request_change(
    session: Session, case: Case, text: str, *, field: str = "", actor: Actor, at: datetime
) -> ChangeRequest:
    """Ask the program to let the practice change something it has sent.

    Raises: NotOpen while the application is still with the practice or the case has ended; Invalid for an empty text.
    """
    if editable(case):
        raise NotOpen("The application is open to you: change the answer itself.")
    if not case.open:
        raise NotOpen("The case has ended.")
    text = text.replace("\r\n", "\n").strip()
    errors = []
    if not text or len(text) > MAX_REASON:
        errors.append(FieldError("text", f"Say what should change and why, in at most {MAX_REASON:,} characters."))
    label = ""
    if field:
        label = field_for(case, field)[1].label
    if errors:
        raise Invalid(errors)
    row = ChangeRequest(
        case_id=case.id, field=field, text=text, asked_by_id=actor.user_id, asked_by_name=actor.name, asked_at=at
    )
    session.add(row)
    session.flush()
    about = f" to “{label}”" if label else ""
    record_on(
        session,
        case,
        "change.requested",
        f"asked for a change{about}",
        actor=actor,
        at=at,
        reason=text,
        subject=f"/cases/{case.ref}/application#changes",
        data={"field": field},
    )
    return row


def settle_change_request(
    session: Session, case: Case, request: ChangeRequest, *, granted: bool, reason: str, actor: Actor, at: datetime
) -> None:
    """Grant or decline what the practice asked to change. Raises: Invalid without a reason."""
    reason = _reason(reason, "Say to the practice what happens with its request.")
    _settle(request, "granted" if granted else "declined", reason, actor=actor, at=at)
    session.flush()
    summary = f"{'granted' if granted else 'declined'} the practice's request for a change"
    record_on(
        session,
        case,
        f"change.{request.state}",
        summary,
        actor=actor,
        at=at,
        reason=reason,
        subject=f"/cases/{case.ref}/application#changes",
    )


def propose_rejection(
    session: Session, case: Case, *, rule: str, reason: str, actor: Actor, at: datetime
) -> RejectionProposal:
    """Propose to find the practice ineligible; a second member of the program has to agree.

    Raises: NotOpen when the case is not being checked or a proposal stands already; Invalid naming what is missing.
    """
    if not any(t.trigger == "reject" for t in current().machine(case.kind).leaving(case.state)):
        raise NotOpen("The application is not being checked now.")
    if proposal_of(session, case) is not None:
        raise NotOpen("A rejection is proposed already. Agree to it, or ask for it to be withdrawn.")
    errors = []
    if rule not in ELIGIBILITY_RULES:
        errors.append(FieldError("rule", "Choose the rule of eligibility that is not met."))
    if not 10 <= len(reason.strip()) <= MAX_REASON:
        errors.append(FieldError("reason", "Say in your own words what was found; the practice will read it."))
    if errors or actor.user_id is None:
        raise Invalid(errors)
    row = RejectionProposal(
        case_id=case.id,
        rule=rule,
        reason=reason.strip(),
        proposed_by_id=actor.user_id,
        proposed_by_name=actor.name,
        proposed_at=at,
    )
    session.add(row)
    session.flush()
    record_on(
        session, case, "rejection.proposed", f"proposed to reject the application: {ELIGIBILITY_RULES[rule].lower()}", actor=actor, at=at,
        reason=row.reason, subject=f"/cases/{case.ref}/application#eligibility", internal=True,
    )  # fmt: skip
    return row


def withdraw_rejection(session: Session, case: Case, reason: str, *, actor: Actor, at: datetime) -> None:
    """Take a proposal back, by its author or by the second person who does not agree. Raises: NotOpen, Invalid."""
    row = proposal_of(session, case)
    if row is None:
        raise NotOpen("No rejection is proposed.")
    reason = _reason(reason, "Say why the application should not be rejected.")
    row.ended_at, row.ended_how = at, "withdrawn"
    session.flush()
    record_on(
        session,
        case,
        "rejection.withdrawn",
        "took back the proposal to reject the application",
        actor=actor,
        at=at,
        reason=reason,
        subject=f"/cases/{case.ref}/application#eligibility",
        internal=True,
    )


def find_integrated(
    session: Session, case: Case, *, basis: str, note: str, actor: Actor, at: datetime
) -> IntegrationFinding:
    """Record how the practice is shown to be one integrated practice. Raises: Invalid for an unknown basis."""
    if basis not in INTEGRATION_BASES:
        raise Invalid("Choose how the sites are shown to be one practice.", "integration")
    if len(note) > MAX_REASON:
        raise Invalid(f"At most {MAX_REASON:,} characters fit here.", "integration_note")
    row = IntegrationFinding(case_id=case.id, basis=basis, note=note.strip(), found_by_id=actor.user_id, found_at=at)
    session.add(row)
    session.flush()
    summary = f"found the practice integrated: {INTEGRATION_BASES[basis].lower()}"
    record_on(
        session,
        case,
        "integration.found",
        summary,
        actor=actor,
        at=at,
        reason=row.note,
        subject=f"/cases/{case.ref}/application#eligibility",
    )
    return row


def prepare_accept(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Record the finding that `accept` may carry. Raises: NotOpen while a rejection is proposed."""
    if proposal_of(session, case) is not None:
        raise NotOpen("A rejection is proposed. Agree to it or withdraw it before the application is accepted.")
    if inputs.get("integration"):
        find_integrated(
            session,
            case,
            basis=str(inputs["integration"]),
            note=str(inputs.get("integration_note") or ""),
            actor=actor,
            at=at,
        )


def prepare_mark_incomplete(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Store the gaps that `mark_incomplete` names, per standard."""
    name_gaps(
        session,
        case,
        [(str(g.get("standard") or ""), str(g.get("gap") or "")) for g in inputs.get("gaps") or []],
        actor=actor,
        at=at,
    )


def prepare_mark_complete(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Close the gaps named before: the documents are complete."""
    close_gaps(session, case, at=at)


def open_requests(session: Session, case: Case) -> list[ChangeRequest]:
    """Return the change requests that wait for the program."""
    return [r for r in change_requests_of(session, case) if r.state == "open"]


def _settle(request: ChangeRequest, state: str, reason: str, *, actor: Actor, at: datetime) -> None:
    request.state, request.settled_at, request.settled_by_id, request.settled_reason = state, at, actor.user_id, reason


def _reason(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(what, "reason")
    if len(text) > MAX_REASON:
        raise Invalid(f"At most {MAX_REASON:,} characters fit here.", "reason")
    return text
