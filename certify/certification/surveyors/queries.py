"""Reads of surveyors: profiles with load, candidates for a case, proposals, and the questions that are open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from certify.certification.applications.queries import survey_windows
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import case_for, zone_of
from certify.certification.surveyors.models import (
    ConflictDeclaration,
    Surveyor,
    SurveyorAbsence,
    SurveyorProposal,
    SurveyorTie,
)
from certify.certification.surveyors.rules import (
    GROUNDS,
    QUESTIONS,
    STATEMENT,
    Candidate,
    Limits,
    Ranked,
    Setting,
    SurveyorFacts,
    Tie,
    judge,
    rank,
)
from certify.core.access.policy import Permission
from certify.core.access.roles import PRACTICE_ROLES, Actor, Role
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice, Site

ON_DUTY = ("open", "accepted")
PROPOSAL_GUARDS = frozenset({"surveyor_free_of_conflict", "surveyor_within_load"})
FURTHER_STATES = ("scheduling", "survey_scheduled", "survey_in_progress")  # while a visit is to come or under way
REFUSED = ("surveyor_conflict", "practice_refused")


@dataclass(frozen=True, slots=True)
class SurveyorRow:
    """A surveyor in the staff's list."""

    surveyor: Surveyor
    name: str
    email: str
    load: int
    absences: tuple[SurveyorAbsence, ...]


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


def limits() -> Limits:
    """Return the numbers of process.md, section 7, from workflows/."""
    settings = current().settings
    return Limits(
        oncology_years=settings["surveyor_min_oncology_years"],
        shadowed_surveys=settings["surveyor_shadowed_surveys"],
        cooling_years=settings["surveyor_cooling_years"],
        training_days=settings["surveyor_training_days"],
        same_state_blocks=bool(settings["surveyor_same_state_blocks"]),
        refusals=settings["surveyor_refusals_limit"],
    )


def list_surveyors(session: Session, today: date) -> list[SurveyorRow]:
    """Return all surveyors by name, with their load and the absences that are not over."""
    rows = session.execute(
        select(Surveyor, Person.name, Person.email).join(Person, Person.id == Surveyor.person_id).order_by(Surveyor.active.desc(), Person.name)
    ).all()  # fmt: skip
    loads = _loads(session)
    absences = _absences(session, today)
    return [SurveyorRow(s, name, email, loads.get(s.id, 0), tuple(absences.get(s.id, ()))) for s, name, email in rows]


def surveyor_for(session: Session, surveyor_id: int, today: date) -> SurveyorRow:
    """Return one surveyor. Raises NotFound."""
    found = session.execute(
        select(Surveyor, Person.name, Person.email)
        .join(Person, Person.id == Surveyor.person_id)
        .where(Surveyor.id == surveyor_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such surveyor.")
    surveyor, name, email = found
    load = _loads(session, surveyor.id).get(surveyor.id, 0)
    return SurveyorRow(surveyor, name, email, load, tuple(_absences(session, today, surveyor.id).get(surveyor.id, ())))


def people_without_profile(session: Session) -> Sequence[Person]:
    """Return who holds the role of site surveyor but has no profile yet: they cannot be proposed."""
    return session.scalars(
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.role == Role.SURVEYOR.value, Person.active, Person.id.not_in(select(Surveyor.person_id)))
        .order_by(Person.name)
    ).all()


def ties_of(session: Session, surveyor_id: int) -> list[tuple[SurveyorTie, str]]:
    """Return a surveyor's conflicts on record, each with the practice's name."""
    rows = session.execute(
        select(SurveyorTie, Practice.legal_name)
        .join(Practice, Practice.id == SurveyorTie.practice_id)
        .where(SurveyorTie.surveyor_id == surveyor_id)
        .order_by(SurveyorTie.id.desc())
    )
    return [(tie, name) for tie, name in rows]


def ranking_for(session: Session, case: Case, at: datetime) -> list[Ranked]:
    """Return every surveyor for a case, best first, each with all reasons for and against."""
    setting = setting_of(session, case)
    today = local_date(at, zone_of(session, case))
    return rank(_candidates(session, case, today), setting, today, limits())


def setting_of(session: Session, case: Case) -> Setting:
    """Return what matters of the practice for the choice of a surveyor."""
    of_sites = select(Site.state).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None))
    states = set(session.scalars(of_sites.union(select(Practice.state).where(Practice.id == case.practice_id))))
    earlier = _proposals_at_practice(session, case)
    before = next(
        (p.person_id for p in earlier if p.case_id == case.id and p.state == "accepted" and not p.further), None
    )
    return Setting(frozenset(s for s in states if s), tuple(survey_windows(session, case)), case.edition, before)


def judged(session: Session, case: Case, surveyor_id: int, at: datetime, *, without: int | None = None) -> Ranked:
    """Return one surveyor's reasons for a case; the proposal `without` does not count as load. Raises NotFound."""
    today = local_date(at, zone_of(session, case))
    found = _candidates(session, case, today, surveyor_id, without)
    if not found:
        raise NotFound("There is no such surveyor.")
    return judge(found[0], setting_of(session, case), today, limits())


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


def profile_of_person(session: Session, person_id: int) -> Surveyor | None:
    """Return a person's surveyor profile."""
    return session.scalar(select(Surveyor).where(Surveyor.person_id == person_id))


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


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> SurveyorFacts:
    """Return what the guards of the proposal judge, as far as the case's present state asks for it."""
    asked = {guard for t in current().machine(case.kind).leaving(case.state) for guard in t.guards}
    earlier = _proposals_at_practice(session, case)
    proposal = next((p for p in earlier if p.case_id == case.id and p.state == "open" and not p.further), None)
    ranked, declared = None, {}
    if proposal is not None:
        given = session.scalars(select(ConflictDeclaration).where(ConflictDeclaration.proposal_id == proposal.id))
        declared = {d.side: d.none for d in given}
        if not declared and PROPOSAL_GUARDS & asked:
            ranked = judged(session, case, proposal.surveyor_id, at, without=proposal.id)
    refusals = sum(p.case_id == case.id and p.state == "practice_refused" for p in earlier)
    refusing = any(actor.holds(role, case.practice_id) for role in PRACTICE_ROLES)
    return SurveyorFacts(case.ref, ranked, refusals, limits().refusals, refusing, declared)


def case_to_plan(session: Session, actor: Actor, ref: str) -> Case:
    """Return a case whose survey the actor may arrange. Raises NotFound, NotAllowed."""
    return case_for(session, actor, ref, Permission.PLAN_SURVEY)


def _candidates(
    session: Session, case: Case, today: date, surveyor_id: int | None = None, without: int | None = None
) -> list[Candidate]:
    of_practice = exists().where(RoleGrant.person_id == Surveyor.person_id, RoleGrant.practice_id == case.practice_id)
    query = select(Surveyor, Person.name, of_practice).join(Person, Person.id == Surveyor.person_id)
    if surveyor_id is not None:
        query = query.where(Surveyor.id == surveyor_id)
    loads = _loads(session, surveyor_id, without)
    absences = _absences(session, today, surveyor_id)
    ties: dict[int, list[Tie]] = defaultdict(list)
    for tie in session.scalars(select(SurveyorTie).where(SurveyorTie.practice_id == case.practice_id)):
        ties[tie.surveyor_id].append(Tie(tie.ground, tie.ended_on))
    proposals = _proposals_at_practice(session, case)
    earlier = {p.surveyor_id for p in proposals if p.case_id != case.id and p.state == "accepted"}
    refused = {p.surveyor_id for p in proposals if p.case_id == case.id and p.state in REFUSED}
    return [
        Candidate(
            s.id, s.person_id, name, s.qualification, s.qualified_until, s.oncology_years, s.home_state,
            date.fromisoformat(s.trained[case.edition]) if case.edition in s.trained else None,
            s.shadowed_surveys, loads.get(s.id, 0), s.max_load, s.active,
            tuple((a.from_on, a.to_on) for a in absences.get(s.id, ())), tuple(ties.get(s.id, ())), s.id in earlier, s.id in refused, own,
        )
        for s, name, own in session.execute(query)
    ]  # fmt: skip


def _proposals_at_practice(session: Session, case: Case) -> Sequence[SurveyorProposal]:
    """Return who was proposed for this and earlier cases of the practice and what became of it, newest first."""
    practice_id = case.practice_id
    query = (
        select(SurveyorProposal)
        .join(Case, Case.id == SurveyorProposal.case_id)
        .where(Case.practice_id == practice_id)
        .order_by(SurveyorProposal.id.desc())
    )
    return remembered(session, ("proposals at", practice_id), lambda: session.scalars(query).all())


def _loads(session: Session, surveyor_id: int | None = None, without: int | None = None) -> dict[int, int]:
    """Count the cases each surveyor has at present: proposed or accepted, the report not yet approved."""
    query = (
        select(SurveyorProposal.surveyor_id, func.count(SurveyorProposal.case_id.distinct()))
        .where(SurveyorProposal.state.in_(ON_DUTY), SurveyorProposal.released_at.is_(None))
        .group_by(SurveyorProposal.surveyor_id)
    )
    if surveyor_id is not None:
        query = query.where(SurveyorProposal.surveyor_id == surveyor_id)
    if without is not None:
        query = query.where(SurveyorProposal.id != without)
    return {row[0]: row[1] for row in session.execute(query)}


def _absences(session: Session, today: date, surveyor_id: int | None = None) -> dict[int, list[SurveyorAbsence]]:
    query = select(SurveyorAbsence).where(SurveyorAbsence.to_on >= today).order_by(SurveyorAbsence.from_on)
    if surveyor_id is not None:
        query = query.where(SurveyorAbsence.surveyor_id == surveyor_id)
    found: dict[int, list[SurveyorAbsence]] = defaultdict(list)
    for absence in session.scalars(query):
        found[absence.surveyor_id].append(absence)
    return found
