"""Who was proposed for a case, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.surveyors.models import (
    ConflictDeclaration,
    SurveyorProposal,
)
from certify.platform.identity.models import Person

ON_DUTY = ("open", "accepted")
FURTHER_STATES = ("scheduling", "survey_scheduled", "survey_in_progress")  # while a visit is to come or under way
REFUSED = ("surveyor_conflict", "practice_refused")


def open_proposal(session: Session, case_id: int, *, lock: bool = False) -> SurveyorProposal | None:
    """Return the proposal both sides are asked about now; of further surveyors see `open_further`."""
    query = select(SurveyorProposal).where(SurveyorProposal.case_id == case_id, SurveyorProposal.state == "open", SurveyorProposal.further.is_(False)).order_by(SurveyorProposal.id.desc()).limit(1)  # fmt: skip
    if lock:
        return session.scalar(query.with_for_update())
    return remembered(session, ("open proposal", case_id), lambda: session.scalar(query))


def open_further(session: Session, case_id: int) -> Sequence[SurveyorProposal]:
    """Return the further surveyors both sides are asked about now."""
    query = (
        select(SurveyorProposal)
        .where(SurveyorProposal.case_id == case_id, SurveyorProposal.state == "open", SurveyorProposal.further)
        .order_by(SurveyorProposal.id)
    )
    return session.scalars(query).all()


def proposal_put_to(session: Session, case_id: int, person_id: int | None) -> SurveyorProposal | None:
    """Return the proposal of this very person that waits for both sides, whether to lead or beside another."""
    query = (
        select(SurveyorProposal)
        .where(
            SurveyorProposal.case_id == case_id,
            SurveyorProposal.state == "open",
            SurveyorProposal.person_id == person_id,
        )
        .order_by(SurveyorProposal.further, SurveyorProposal.id.desc())
        .limit(1)
    )
    return None if person_id is None else session.scalar(query)


def accepted_proposal(session: Session, case_id: int) -> SurveyorProposal | None:
    """Return the newest proposal both sides accepted, of the surveyor who leads."""
    query = select(SurveyorProposal).where(SurveyorProposal.case_id == case_id, SurveyorProposal.state == "accepted", SurveyorProposal.further.is_(False)).order_by(SurveyorProposal.id.desc()).limit(1)  # fmt: skip
    return session.scalar(query)


def list_proposals(session: Session, case_id: int) -> list[tuple[SurveyorProposal, str]]:
    """Return all proposals of a case, newest first, with the surveyor's name."""
    rows = session.execute(
        select(SurveyorProposal, Person.name)
        .join(Person, Person.id == SurveyorProposal.person_id)
        .where(SurveyorProposal.case_id == case_id)
        .order_by(SurveyorProposal.id.desc())
    )
    return [(proposal, name) for proposal, name in rows]


def declarations_of(session: Session, case_id: int) -> Sequence[ConflictDeclaration]:
    """Return all declarations of a case, newest first; they are never removed."""
    query = (
        select(ConflictDeclaration)
        .where(ConflictDeclaration.case_id == case_id)
        .order_by(ConflictDeclaration.id.desc())
    )
    return session.scalars(query).all()


def proposals_at_practice(session: Session, case: Case) -> Sequence[SurveyorProposal]:
    """Return who was proposed for this and earlier cases of the practice and what became of it, newest first."""
    practice_id = case.practice_id
    query = (
        select(SurveyorProposal)
        .join(Case, Case.id == SurveyorProposal.case_id)
        .where(Case.practice_id == practice_id)
        .order_by(SurveyorProposal.id.desc())
    )
    return remembered(session, ("proposals at", practice_id), lambda: session.scalars(query).all())
