"""Writes of surveyors: proposals, and what both sides declare about conflicts of interest; profiles have a file of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import add_member, end_member, follow_at_once, record_on, take
from certify.certification.cases.queries import PROPOSED, case_by_id, zone_of
from certify.certification.surveyors.models import (
    ConflictDeclaration,
    Surveyor,
    SurveyorProposal,
    SurveyorTie,
)
from certify.certification.surveyors.profiles import Profile, add_absence, add_tie, remove_absence, save_surveyor
from certify.certification.surveyors.queries import (
    accepted_proposal,
    judged,
    open_further,
    open_proposal,
    profile_of_person,
    side_of,
)
from certify.certification.surveyors.rules import QUESTIONS, signed_text
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Conflict, FieldError, Invalid, NotOpen
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person

__all__ = [
    "Profile", "add_absence", "add_tie", "check_answers", "conflict_answers", "declaration_of", "declare", "on_case_advanced",
    "prepare_declare_conflict", "prepare_propose_surveyor", "remove_absence", "save_surveyor", "write_declaration",
]  # fmt: skip

SURVEYOR = "surveyor"


def prepare_propose_surveyor(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Write the proposal with its reasons as they stand; without a person named (a repeat visit), of the last surveyor.

    Raises: Invalid when the person named is no surveyor.
    """
    surveyor = _named(session, case, inputs.get("surveyor"))
    earlier = open_proposal(session, case.id, lock=True)
    if earlier is not None:
        earlier.state, earlier.ended_at = "dropped", at
    ranked = judged(session, case, surveyor.id, at)
    session.add(
        SurveyorProposal(
            case_id=case.id, surveyor_id=surveyor.id, person_id=surveyor.person_id, state="open", reason=str(inputs.get("reason") or ""),
            points=[{"kind": p.kind, "key": p.key, "text": p.text} for p in ranked.points], proposed_by_id=actor.user_id, proposed_at=at,
        )
    )  # fmt: skip
    session.flush()


def prepare_declare_conflict(
    session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Store the declaration when the trigger came without the page's questions. Raises NotOpen, NotAllowed."""
    proposal = _open(session, case)
    side = side_of(session, case, actor)
    if declaration_of(session, proposal, side) is None:
        ground = str(inputs.get("ground"))
        applies = ground if ground in dict(QUESTIONS) else "other"
        answers = {key: key == applies for key, _ in QUESTIONS}
        write_declaration(
            session, case, proposal, side, answers, str(inputs["reason"]), actor.name, "", "", actor=actor, at=at
        )


def conflict_answers(given: Mapping[str, str]) -> dict[str, bool]:
    """Return the answers a form gives to the conflict question; what was left out is missing."""
    return {key: given[key] == "yes" for key, _ in QUESTIONS if given.get(key) in ("yes", "no")}


def declare(
    session: Session,
    case: Case,
    *,
    answers: Mapping[str, bool] | None = None,
    detail: str = "",
    signed_name: str,
    signed_title: str = "",
    address: str = "",
    actor: Actor,
    at: datetime,
) -> ConflictDeclaration:
    """Sign one side's answers to the conflict question; the second “none” moves the case on, a “yes” sends it back.

    Args:
        answers: question key to whether it applies; None answers every question with no.
        detail: what applies and why; needed with a yes.
    Raises: NotOpen when nobody is proposed, Conflict when this side has signed already, NotAllowed for anyone else,
        Invalid, RulesUnmet when the practice has refused too many.
    """
    proposal = _open(session, case)
    side = side_of(session, case, actor)
    if declaration_of(session, proposal, side) is not None:
        raise Conflict("This declaration is signed already; it cannot be signed twice.")
    given = dict.fromkeys((key for key, _ in QUESTIONS), False) if answers is None else dict(answers)
    applies = check_answers(given, detail, signed_name)
    declaration = write_declaration(
        session, case, proposal, side, given, detail.strip(), signed_name, signed_title, address, actor=actor, at=at
    )
    if applies:
        take(session, case, "declare_conflict", {"reason": detail.strip(), "ground": applies[0]}, actor=actor, at=at)
    else:
        follow_at_once(session, case, at=at)
    return declaration


def check_answers(given: Mapping[str, bool], detail: str, signed_name: str) -> list[str]:
    """Return the questions that are answered with yes. Raises: Invalid with everything that is missing or not asked."""
    errors = [
        FieldError(key, f"Answer with yes or no: “{words}”")
        for key, words in QUESTIONS
        if not isinstance(given.get(key), bool)
    ]
    asked = {key for key, _ in QUESTIONS}
    errors += [FieldError(str(key)[:40], "This question is not asked.") for key in given if key not in asked]
    applies = [key for key, _ in QUESTIONS if given.get(key)]
    if applies and not detail.strip():
        errors.append(FieldError("detail", "Say what applies, so that the program can choose someone else."))
    if not signed_name.strip():
        errors.append(FieldError("signed_name", "Sign with your full name."))
    if errors:
        raise Invalid(errors)
    return applies


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Keep proposals and the team in step with the case."""
    react = {
        "propose_surveyor": _ask, "start_repeat_survey": _ask, "declare_conflict": _send_back, "clear_conflicts": _accept,
        "approve_report": _release, "award": _let_go, "deny": _let_go, "withdraw": _let_go, "expire": _let_go,
    }.get(event.trigger)  # fmt: skip
    if react is not None:
        react(session, case_by_id(session, event.case_id), event)


def _ask(session: Session, case: Case, event: CaseAdvanced) -> None:
    proposal = _open(session, case)
    add_member(session, case, proposal.person_id, PROPOSED, at=event.at)


def _send_back(session: Session, case: Case, event: CaseAdvanced) -> None:
    proposal = _open(session, case)
    own = declaration_of(session, proposal, "surveyor")
    by_surveyor = own is not None and not own.none
    proposal.state, proposal.ended_at = ("surveyor_conflict" if by_surveyor else "practice_refused"), event.at
    end_member(session, case, proposal.person_id, PROPOSED, at=event.at)
    if by_surveyor:
        ground = str(event.data.get("ground") or "other")
        today = local_date(event.at, zone_of(session, case))
        session.add(
            SurveyorTie(
                surveyor_id=proposal.surveyor_id,
                practice_id=case.practice_id,
                ground=ground,
                note=event.reason,
                noted_on=today,
            )
        )
    session.flush()


def _accept(session: Session, case: Case, event: CaseAdvanced) -> None:
    proposal = _open(session, case)
    proposal.state, proposal.ended_at = "accepted", event.at
    end_member(session, case, proposal.person_id, PROPOSED, at=event.at)
    add_member(session, case, proposal.person_id, SURVEYOR, at=event.at)


def _release(session: Session, case: Case, event: CaseAdvanced) -> None:
    """The report is approved: the case no longer counts as load."""
    for proposal in _accepted(session, case):
        proposal.released_at = proposal.released_at or event.at
    session.flush()


def _let_go(session: Session, case: Case, event: CaseAdvanced) -> None:
    """A surveyor sees the case until some days after the decision, and nobody is asked about it any more."""
    _release(session, case, event)
    days = current().settings["surveyor_member_days_after_decision"]
    for proposal in _accepted(session, case):
        end_member(session, case, proposal.person_id, SURVEYOR, at=event.at + timedelta(days=days))
    waiting = open_proposal(session, case.id)
    if waiting is not None:
        waiting.state, waiting.ended_at = "dropped", event.at
        end_member(session, case, waiting.person_id, PROPOSED, at=event.at)
    for further in open_further(session, case.id):
        further.state, further.ended_at = "dropped", event.at
    session.flush()


def write_declaration(
    session: Session, case: Case, proposal: SurveyorProposal, side: str, answers: Mapping[str, bool], detail: str,
    signed_name: str, signed_title: str, address: str, *, actor: Actor, at: datetime,
) -> ConflictDeclaration:  # fmt: skip
    """Keep what one side declares, word for word, with its digest."""
    asked = [{"key": key, "question": question, "answer": bool(answers.get(key))} for key, question in QUESTIONS]
    none = not any(one["answer"] for one in asked)
    declaration = ConflictDeclaration(
        case_id=case.id, proposal_id=proposal.id, side=side, none=none, answers=asked, detail=detail, text_sha256=signed_text(asked, detail),
        signed_name=signed_name.strip()[:200], signed_title=signed_title.strip()[:200], person_id=actor.user_id, signed_at=at, address=address[:60],
    )  # fmt: skip
    session.add(declaration)
    session.flush()
    who = "the practice" if side == "practice" else "the surveyor"
    summary = (
        f"signed for {who} that there is no conflict of interest"
        if none
        else f"signed for {who} that there is a conflict of interest"
    )
    data = {"proposal": proposal.id, "side": side, "answers": asked, "sha256": declaration.text_sha256}
    record_on(
        session,
        case,
        "conflict.declared",
        summary,
        actor=actor,
        at=at,
        reason=detail,
        subject=f"/cases/{case.ref}/survey",
        data=data,
        internal=side == "surveyor" and not none,  # what ties her to the practice is for the program
    )
    return declaration


def _open(session: Session, case: Case) -> SurveyorProposal:
    proposal = open_proposal(session, case.id, lock=True)
    if proposal is None:
        raise NotOpen("No surveyor is proposed for this case at present.")
    return proposal


def _accepted(session: Session, case: Case) -> list[SurveyorProposal]:
    query = select(SurveyorProposal).where(SurveyorProposal.case_id == case.id, SurveyorProposal.state == "accepted")
    return list(session.scalars(query))


def declaration_of(session: Session, proposal: SurveyorProposal, side: str) -> ConflictDeclaration | None:
    """Return what one side has declared about a proposal."""
    query = select(ConflictDeclaration).where(
        ConflictDeclaration.proposal_id == proposal.id, ConflictDeclaration.side == side
    )
    return session.scalar(query)


def _named(session: Session, case: Case, person_id: int | None) -> Surveyor:
    if person_id is None:
        last = accepted_proposal(session, case.id)
        if last is None:
            raise Invalid("Choose the surveyor.", "surveyor")
        person_id = last.person_id
    surveyor = profile_of_person(session, person_id)
    if surveyor is None or session.get(Person, person_id) is None:
        raise Invalid("Choose one of the surveyors; this person has no surveyor's profile.", "surveyor")
    return surveyor
