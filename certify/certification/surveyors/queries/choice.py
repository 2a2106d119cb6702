"""Who suits a case: the candidates with every reason for and against, and what the guards judge."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from certify.certification.applications.queries import survey_windows
from certify.certification.cases.models import Case
from certify.certification.cases.queries import case_for, zone_of
from certify.certification.surveyors.models import (
    ConflictDeclaration,
    Surveyor,
    SurveyorTie,
)
from certify.certification.surveyors.queries.people import absences_from, loads_of
from certify.certification.surveyors.queries.proposals import REFUSED, proposals_at_practice
from certify.certification.surveyors.rules import (
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
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice, Site

PROPOSAL_GUARDS = frozenset({"surveyor_free_of_conflict", "surveyor_within_load"})


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


def ranking_for(session: Session, case: Case, at: datetime) -> list[Ranked]:
    """Return every surveyor for a case, best first, each with all reasons for and against."""
    setting = setting_of(session, case)
    today = local_date(at, zone_of(session, case))
    return rank(_candidates(session, case, today), setting, today, limits())


def setting_of(session: Session, case: Case) -> Setting:
    """Return what matters of the practice for the choice of a surveyor."""
    of_sites = select(Site.state).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None))
    states = set(session.scalars(of_sites.union(select(Practice.state).where(Practice.id == case.practice_id))))
    earlier = proposals_at_practice(session, case)
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


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> SurveyorFacts:
    """Return what the guards of the proposal judge, as far as the case's present state asks for it."""
    asked = {guard for t in current().machine(case.kind).leaving(case.state) for guard in t.guards}
    earlier = proposals_at_practice(session, case)
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
    loads = loads_of(session, surveyor_id, without)
    absences = absences_from(session, today, surveyor_id)
    ties: dict[int, list[Tie]] = defaultdict(list)
    for tie in session.scalars(select(SurveyorTie).where(SurveyorTie.practice_id == case.practice_id)):
        ties[tie.surveyor_id].append(Tie(tie.ground, tie.ended_on))
    proposals = proposals_at_practice(session, case)
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
