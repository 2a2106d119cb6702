"""The conflict question: how it is put to both sides, and who stands on which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.surveyors.models import (
    ConflictDeclaration,
    SurveyorProposal,
)
from certify.certification.surveyors.queries.proposals import open_proposal, proposal_put_to
from certify.certification.surveyors.rules import (
    GROUNDS,
    QUESTIONS,
    STATEMENT,
)
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed, NotFound
from certify.platform.practices.models import Practice, Site


@dataclass(frozen=True, slots=True)
class ConflictQuestion:
    """What a proposed surveyor is told before she may open anything: the practice's name, city and sites."""

    ref: str
    practice_name: str
    city: str
    state: str
    sites: tuple[str, ...]
    proposal: SurveyorProposal
    declaration: ConflictDeclaration | None
    answer_by: date | None
    version: int


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A conflict question that waits for a surveyor's answer."""

    case_ref: str
    practice_name: str
    asked_on: date
    due_on: date | None
    url: str


@dataclass(frozen=True, slots=True)
class ConflictForm:
    """The words of the conflict question: questions by key, the statement signed, kinds of conflict."""

    questions: tuple[tuple[str, str], ...]
    statement: str
    grounds: dict[str, str]


def conflict_form() -> ConflictForm:
    """Return the conflict question as both sides are asked it."""
    return ConflictForm(QUESTIONS, STATEMENT, GROUNDS)


@dataclass(frozen=True, slots=True)
class RefusedAnswers:
    """Answers that were not kept, as they were given, so that the page shows them again beside what is wrong."""

    given: dict[str, str]
    errors: tuple[FieldError, ...]

    @property
    def messages(self) -> dict[str, str]:
        return {error.field: error.message for error in self.errors}


def refused_answers(given: Mapping[str, str], wrong: Invalid) -> RefusedAnswers:
    """Return what was given in the conflict form, with what is wrong about it."""
    return RefusedAnswers(dict(given.items()), wrong.errors)


def conflict_question_for(session: Session, actor: Actor, ref: str) -> ConflictQuestion:
    """Return the question put to the proposed surveyor; she sees the practice's name, city and sites, not the case.

    Raises: NotFound for anyone it is not put to.
    """
    case = session.scalar(select(Case).where(Case.ref == ref))
    proposal = proposal_put_to(session, case.id, actor.user_id) if case else None
    if case is None or proposal is None:
        raise NotFound("There is no such question.")
    practice = session.get_one(Practice, case.practice_id)
    sites = session.execute(
        select(Site.name, Site.city, Site.state)
        .where(Site.practice_id == practice.id, Site.closed_on.is_(None))
        .order_by(Site.id)
    )
    given = session.scalar(
        select(ConflictDeclaration).where(
            ConflictDeclaration.proposal_id == proposal.id, ConflictDeclaration.side == "surveyor"
        )
    )
    named = tuple(", ".join(part for part in row if part) for row in sites)
    return ConflictQuestion(
        ref,
        practice.legal_name,
        practice.city,
        practice.state,
        named,
        proposal,
        given,
        None if proposal.further else case.due_on,
        case.version,
    )


def case_of_question(session: Session, actor: Actor, ref: str) -> Case:
    """Return the case of a conflict question put to this very surveyor. Raises: NotFound for anyone else."""
    conflict_question_for(session, actor, ref)
    return session.scalars(select(Case).where(Case.ref == ref)).one()


def open_questions_for(session: Session, actor: Actor) -> list[OpenQuestion]:
    """Return the conflict questions this surveyor still has to answer, the soonest due first."""
    answered = select(ConflictDeclaration.proposal_id).where(ConflictDeclaration.side == "surveyor")
    rows = session.execute(
        select(
            Case.ref,
            Practice.legal_name,
            SurveyorProposal.proposed_at,
            Practice.time_zone,
            Case.due_on,
            SurveyorProposal.further,
        )
        .join(SurveyorProposal, SurveyorProposal.case_id == Case.id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(
            SurveyorProposal.person_id == actor.user_id,
            SurveyorProposal.state == "open",
            SurveyorProposal.id.not_in(answered),
        )
        .order_by(Case.due_on, Case.id)
    )
    return [
        OpenQuestion(ref, name, local_date(at, tz), None if further else due, f"/cases/{ref}/conflict")
        for ref, name, at, tz, due, further in rows
    ]


def side_of(session: Session, case: Case, actor: Actor) -> str:
    """Return which side of the conflict question the actor stands on: who is proposed never signs for the practice.

    Raises: NotAllowed when on neither.
    """
    return side_about(case, open_proposal(session, case.id), actor)


def side_about(case: Case, proposal: SurveyorProposal | None, actor: Actor) -> str:
    """Return the same about one very proposal. Raises: NotAllowed."""
    if proposal is not None and actor.user_id is not None and proposal.person_id == actor.user_id:
        return "surveyor"
    if any(actor.holds(role, case.practice_id) for role in PRACTICE_ROLES):
        return "practice"
    raise NotAllowed("Only the proposed surveyor and the practice answer this question.")
