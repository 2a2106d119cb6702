"""Further surveyors beside the one who leads a visit: proposed, asked on both sides, and on the team once both say no.

They move no step of the case; what is asked, signed and judged is the same as for the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import add_member, record_on
from certify.certification.cases.queries import team_of, zone_of
from certify.certification.surveyors.events import FurtherSurveyorProposed
from certify.certification.surveyors.models import ConflictDeclaration, SurveyorProposal, SurveyorTie
from certify.certification.surveyors.operations import SURVEYOR, check_answers, declaration_of, write_declaration
from certify.certification.surveyors.queries import (
    FURTHER_STATES,
    facts_for,
    judged,
    open_further,
    open_proposal,
    profile_of_person,
    side_about,
)
from certify.certification.surveyors.rules import (
    SurveyorFacts,
    refusals_left,
    surveyor_free_of_conflict,
    surveyor_within_load,
)
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation import events
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Conflict, Invalid, NotFound, NotOpen, RulesUnmet
from certify.platform.identity.models import Person


@dataclass(frozen=True, slots=True)
class Signed:
    """What a page brings of a declaration."""

    answers: Mapping[str, bool]
    detail: str
    name: str
    title: str = ""
    address: str = ""


def propose_further(
    session: Session, case: Case, person_id: int, reason: str, *, actor: Actor, at: datetime
) -> SurveyorProposal:
    """Propose one more surveyor; both sides are asked before she sees anything.

    Raises: NotOpen when no visit is to come or under way, Invalid for who is no surveyor or on the team already,
        RulesUnmet with everything that forbids the choice.
    """
    if case.state not in FURTHER_STATES:
        raise NotOpen("A further surveyor is added between the first one's acceptance and the end of the visit.")
    surveyor = profile_of_person(session, person_id)
    if surveyor is None or session.get(Person, person_id) is None:
        raise Invalid("Choose one of the surveyors; this person has no surveyor's profile.", "surveyor")
    main = open_proposal(session, case.id)
    asked = {p.person_id for p in open_further(session, case.id)} | ({main.person_id} if main else set())
    if person_id in team_of(session, case, at) | asked:
        raise Invalid("This surveyor is on the team, or is being asked already.", "surveyor")
    ranked = judged(session, case, surveyor.id, at)
    facts = SurveyorFacts(case.ref, ranked)
    unmet = [*surveyor_free_of_conflict(facts), *surveyor_within_load(facts)]
    if unmet:
        raise RulesUnmet(unmet)
    proposal = SurveyorProposal(
        case_id=case.id, surveyor_id=surveyor.id, person_id=person_id, state="open", further=True, reason=reason.strip(),
        points=[{"kind": p.kind, "key": p.key, "text": p.text} for p in ranked.points], proposed_by_id=actor.user_id, proposed_at=at,
    )  # fmt: skip
    session.add(proposal)
    session.flush()
    name = ranked.candidate.name
    _leave(session, case, proposal, "surveyor.further_proposed", f"proposed {name} as a further surveyor", actor, at)
    events.publish(
        session,
        FurtherSurveyorProposed(case.id, case.ref, case.practice_id, proposal.id, person_id, name, actor.user_id, at),
    )
    return proposal


def answer_further(
    session: Session, case: Case, proposal_id: int, signed: Signed, *, actor: Actor, at: datetime
) -> ConflictDeclaration:
    """Sign one side's answers about a further surveyor; the second “none” puts her on the team, a “yes” ends it.

    Raises: NotFound when nobody is asked about this, NotAllowed for anyone else, Conflict when this side has signed,
        Invalid, RulesUnmet when the practice has refused too many.
    """
    proposal = _open(session, case, proposal_id)
    side = side_about(case, proposal, actor)
    if declaration_of(session, proposal, side) is not None:
        raise Conflict("This declaration is signed already; it cannot be signed twice.")
    applies = check_answers(signed.answers, signed.detail, signed.name)
    if applies and side == "practice":
        unmet = refusals_left(facts_for(session, case, actor, at))
        if unmet:
            raise RulesUnmet(unmet)
    declaration = write_declaration(
        session, case, proposal, side, signed.answers, signed.detail.strip(), signed.name, signed.title, signed.address, actor=actor, at=at
    )  # fmt: skip
    other = declaration_of(session, proposal, "surveyor" if side == "practice" else "practice")
    if applies:
        _end(session, case, proposal, side, applies[0], signed.detail.strip(), at)
    elif other is not None and other.none:
        proposal.state, proposal.ended_at = "accepted", at
        add_member(session, case, proposal.person_id, SURVEYOR, at=at)
        _leave(session, case, proposal, "surveyor.joined", f"{_name(session, proposal)} joined the survey team", actor, at)  # fmt: skip
    session.flush()
    return declaration


def asked_about(session: Session, case: Case, actor: Actor) -> SurveyorProposal | None:
    """Return the further surveyor about whom the actor has still to answer, the first of several; None when there is none."""
    of_practice = any(actor.holds(role, case.practice_id) for role in PRACTICE_ROLES)
    for proposal in open_further(session, case.id):
        side = "surveyor" if proposal.person_id == actor.user_id else "practice" if of_practice else None
        if side is not None and declaration_of(session, proposal, side) is None:
            return proposal
    return None


def drop_further(session: Session, case: Case, proposal_id: int, *, actor: Actor, at: datetime) -> None:
    """Ask no longer about a further surveyor. Raises: NotFound."""
    proposal = _open(session, case, proposal_id)
    proposal.state, proposal.ended_at = "dropped", at
    session.flush()
    _leave(session, case, proposal, "surveyor.further_dropped", f"no longer asks about {_name(session, proposal)}", actor, at)  # fmt: skip


def _end(
    session: Session, case: Case, proposal: SurveyorProposal, side: str, ground: str, detail: str, at: datetime
) -> None:
    by_surveyor = side == "surveyor"
    proposal.state, proposal.ended_at = ("surveyor_conflict" if by_surveyor else "practice_refused"), at
    if by_surveyor:
        today = local_date(at, zone_of(session, case))
        session.add(
            SurveyorTie(
                surveyor_id=proposal.surveyor_id, practice_id=case.practice_id, ground=ground, note=detail, noted_on=today
            )
        )  # fmt: skip


def _open(session: Session, case: Case, proposal_id: int) -> SurveyorProposal:
    found = session.scalar(
        select(SurveyorProposal)
        .where(
            SurveyorProposal.id == proposal_id,
            SurveyorProposal.case_id == case.id,
            SurveyorProposal.further,
            SurveyorProposal.state == "open",
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound("Nobody is asked about this surveyor any more.")
    return found


def _name(session: Session, proposal: SurveyorProposal) -> str:
    return session.scalar(select(Person.name).where(Person.id == proposal.person_id)) or "a surveyor"


def _leave(
    session: Session, case: Case, proposal: SurveyorProposal, kind: str, summary: str, actor: Actor, at: datetime
) -> None:
    data = {"proposal": proposal.id, "person": proposal.person_id}
    record_on(session, case, kind, summary, actor=actor, at=at, subject=f"/cases/{case.ref}/survey", data=data)
