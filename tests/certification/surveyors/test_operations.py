"""Proposal, declarations, the team; profiles and absences."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import CaseMember
from certify.certification.cases.queries import case_for
from certify.certification.surveyors.models import ConflictDeclaration, SurveyorProposal, SurveyorTie
from certify.certification.surveyors.operations import (
    Profile,
    add_absence,
    add_tie,
    declare,
    on_case_advanced,
    save_surveyor,
    write_declaration,
)
from certify.certification.surveyors.queries import (
    conflict_question_for,
    list_surveyors,
    open_questions_for,
    ranking_for,
)
from certify.certification.surveyors.rules import QUESTIONS
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Conflict, Invalid, NotAllowed, NotFound, NotOpen, RulesUnmet, Stale
from certify.platform.audit.queries import list_events
from certify.platform.identity.operations import grant_role
from tests.builders import make_actor, make_person
from tests.certification.surveys.visits import FITTING, Visit, accepted_case, make_surveyor, pending_case


def sign(visit: Visit, who: str, **fields: object) -> ConflictDeclaration:
    return declare(visit.session, visit.case, signed_name="Signed Name", actor=visit.actor(who), at=now(), **fields)  # type: ignore[arg-type]


def test_a_proposed_surveyor_sees_the_question_and_nothing_of_the_case(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    actor = visit.actor("surveyor")
    question = conflict_question_for(session, actor, visit.case.ref)
    assert question.practice_name == visit.practice.legal_name
    assert len(question.sites) == 2
    assert [q.case_ref for q in open_questions_for(session, actor)] == [visit.case.ref]
    with pytest.raises(NotFound):
        case_for(session, actor, visit.case.ref)
    _other, _ = make_surveyor(session, name="Not Asked")
    with pytest.raises(NotFound):
        conflict_question_for(session, make_actor(session, Role.SURVEYOR), visit.case.ref)


def test_the_case_opens_to_her_once_both_have_declared_none(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    sign(visit, "surveyor")
    assert visit.case.state == "surveyor_proposed"
    with pytest.raises(Conflict):
        sign(visit, "surveyor")
    sign(visit, "head")
    assert visit.case.state == "scheduling"
    assert visit.survey.lead_id == visit.surveyor.id
    assert case_for(session, visit.actor("surveyor"), visit.case.ref) is visit.case
    kept = session.scalars(select(ConflictDeclaration)).all()
    assert {d.side for d in kept} == {"surveyor", "practice"}
    assert all(d.none and d.text_sha256 and len(d.answers) == 6 for d in kept)


def test_a_conflict_of_the_surveyor_goes_on_record_and_bars_her(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    answers = {
        "employment": False,
        "family": True,
        "market": False,
        "earlier_work": False,
        "financial": False,
        "other": False,
    }
    with pytest.raises(Invalid):
        sign(visit, "surveyor", answers=answers)
    sign(visit, "surveyor", answers=answers, detail="My brother works there.")
    assert visit.case.state == "pending"
    assert [(t.ground, t.practice_id) for t in session.scalars(select(SurveyorTie))] == [("family", visit.practice.id)]
    # What the tie is stays with the program; the practice reads that there is one.
    stream = f"case:{visit.case.ref}"
    told = [(e.summary, e.reason, str(e.data)) for e in list_events(session, stream, internal=False)]
    assert not any("brother" in line or "family" in line for row in told for line in row)
    assert any("brother" in e.reason for e in list_events(session, stream))
    assert ranking_for(session, visit.case, now())[0].barred
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    assert {u.guard for u in refusal.value.unmet} == {"surveyor_free_of_conflict"}


def test_a_question_that_is_not_asked_is_refused_by_its_name(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    answers = dict.fromkeys((key for key, _ in QUESTIONS), False) | {"weather": True}
    with pytest.raises(Invalid) as refusal:
        sign(visit, "surveyor", answers=answers)
    assert [e.field for e in refusal.value.errors] == ["weather"]
    assert session.scalars(select(ConflictDeclaration)).all() == []


@pytest.mark.parametrize("asked", [True, False])
def test_what_is_declared_is_what_the_kept_answers_say(session: Session, *, asked: bool) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    proposal = session.scalars(select(SurveyorProposal)).one()
    answers = {"family" if asked else "weather": True}
    kept = write_declaration(
        session, visit.case, proposal, "surveyor", answers, "", "Name", "", "", actor=visit.actor("surveyor"), at=now()
    )
    assert kept.none is not any(a["answer"] for a in kept.answers)
    assert kept.none is not asked


def test_who_is_of_the_practice_cannot_survey_it(session: Session) -> None:
    visit = pending_case(session)
    grant_role(session, visit.surveyor.id, Role.PRACTICE_STAFF, visit.practice.id, actor=SYSTEM, at=now())
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    assert [u.message for u in refusal.value.unmet] == ["Robin Surveyor: Holds a role in this practice."]


def test_who_is_proposed_never_signs_for_the_practice(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    grant_role(session, visit.surveyor.id, Role.PHYSICIAN_LEAD, visit.practice.id, actor=SYSTEM, at=now())
    assert sign(visit, "surveyor").side == "surveyor"
    with pytest.raises(Conflict):
        sign(visit, "surveyor")
    assert visit.case.state == "surveyor_proposed"


def test_a_practice_may_refuse_two_surveyors(session: Session) -> None:
    visit = pending_case(session)
    for number in range(3):
        person, _ = make_surveyor(session, name=f"Surveyor {number}")
        visit.take("propose_surveyor", "staff", surveyor=person.id)
        if number < 2:
            visit.take("declare_conflict", "head", reason="She works for our neighbour.", ground="market")
            assert visit.case.state == "pending"
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("declare_conflict", "head", reason="Nor this one.")
    assert [u.guard for u in refusal.value.unmet] == ["refusals_left"]


def test_a_full_load_bars_and_an_unfit_person_cannot_be_proposed(session: Session) -> None:
    visit = pending_case(session)
    busy, _ = make_surveyor(session, name="Busy", max_load=0)
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("propose_surveyor", "staff", surveyor=busy.id)
    assert [u.guard for u in refusal.value.unmet] == ["surveyor_within_load"]


def test_someone_without_a_profile_cannot_be_proposed(session: Session) -> None:
    visit = pending_case(session)
    nobody = make_person(session, Role.SURVEYOR)
    with pytest.raises(Invalid):
        visit.take("propose_surveyor", "staff", surveyor=nobody.id)


@pytest.mark.parametrize("year", [1949, 2101, 9999])
def test_a_tie_ends_in_a_year_of_our_time(session: Session, year: int) -> None:
    visit = pending_case(session)
    _person, profile = make_surveyor(session)
    with pytest.raises(Invalid) as refusal:
        add_tie(
            session, profile, visit.practice.id, "family", "", on=now().date(), ended_on=date(year, 12, 31),
            actor=visit.actor("staff"), at=now(),
        )  # fmt: skip
    assert [e.field for e in refusal.value.errors] == ["ended_on"]
    assert ranking_for(session, visit.case, now())


def test_nobody_is_asked_before_someone_is_proposed(session: Session) -> None:
    with pytest.raises(NotOpen):
        sign(pending_case(session), "head")


def test_staff_of_the_program_cannot_answer_for_either_side(session: Session) -> None:
    visit = pending_case(session)
    visit.take("propose_surveyor", "staff", surveyor=visit.surveyor.id)
    with pytest.raises(NotAllowed):
        sign(visit, "staff")


def test_load_counts_until_the_report_is_approved_and_sight_ends_90_days_after_the_decision(
    session: Session, clock: FixedClock
) -> None:
    visit = accepted_case(session)
    assert [r.load for r in list_surveyors(session, now().date())] == [1]

    def hear(trigger: str) -> None:
        on_case_advanced(
            session, CaseAdvanced(visit.case.id, visit.case.ref, visit.practice.id, trigger, "a", "b", None, "", now())
        )

    hear("approve_report")
    assert [r.load for r in list_surveyors(session, now().date())] == [0]
    hear("award")
    member = session.scalars(
        select(CaseMember).where(CaseMember.person_id == visit.surveyor.id, CaseMember.role == "surveyor")
    ).one()
    assert member.until_at == now() + timedelta(days=90)
    assert session.scalars(select(SurveyorProposal.state)).all() == ["accepted"]


def test_a_profile_says_what_is_wrong_and_does_not_overwrite_a_newer_one(session: Session) -> None:
    staff = make_actor(session, Role.PROGRAM_STAFF)
    person, profile = make_surveyor(session)
    wrong = {
        "qualification": "barber",
        "home_state": "Ohio",
        "qualified_until": None,
        "max_load": 999,
        "trained": {"1999": date(2026, 1, 1)},
    }
    with pytest.raises(Invalid) as refusal:
        save_surveyor(session, person.id, Profile(**(FITTING | wrong)), actor=staff, at=now())
    assert {e.field for e in refusal.value.errors} == {
        "qualification",
        "home_state",
        "qualified_until",
        "max_load",
        "trained",
    }
    with pytest.raises(Stale):
        save_surveyor(session, person.id, Profile(**FITTING), actor=staff, at=now(), version=profile.version + 1)
    with pytest.raises(NotFound):
        save_surveyor(session, make_person(session, Role.FINANCE).id, Profile(**FITTING), actor=staff, at=now())
    with pytest.raises(Invalid) as refusal:
        save_surveyor(
            session, person.id, Profile(**(FITTING | {"qualified_until": date(9999, 12, 31)})), actor=staff, at=now()
        )
    assert [e.field for e in refusal.value.errors] == ["qualified_until"]
    with pytest.raises(Invalid):
        add_absence(session, profile, date(9999, 12, 1), date(9999, 12, 31), "", actor=staff, at=now())
    with pytest.raises(Invalid):
        add_absence(session, profile, date(2027, 1, 5), date(2027, 1, 4), "", actor=staff, at=now())
