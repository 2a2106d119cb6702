"""Further surveyors: proposed by staff, asked on both sides, and blind to the case until both have declared."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.surveyors.further import Signed, answer_further, drop_further, propose_further
from certify.certification.surveyors.models import ConflictDeclaration, SurveyorTie
from certify.certification.surveyors.operations import add_tie
from certify.certification.surveyors.queries import (
    accepted_proposal,
    list_surveyors,
    open_further,
    open_proposal,
    open_questions_for,
)
from certify.certification.surveyors.rules import QUESTIONS
from certify.certification.surveys.queries import survey_for
from certify.certification.surveys.queries.team import surveyors_on
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Conflict, Invalid, NotAllowed, NotFound, NotOpen, RulesUnmet
from certify.platform.audit.models import Event
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write
from tests.builders import sign_in
from tests.certification.surveys.visits import Visit, accepted_case, make_surveyor, pending_case, visit_under_way

NONE = {key: False for key, _ in QUESTIONS}
CLEAR = Signed(NONE, "", "Signed Name")
TIED = Signed(NONE | {"family": True}, "My brother works there.", "Signed Name")


@pytest.fixture
def visit(session: Session) -> Visit:
    return accepted_case(session)


def another(visit: Visit, name: str = "Sam Second", **fields: object) -> Person:
    return make_surveyor(visit.session, name=name, **fields)[0]


def propose(visit: Visit, person: Person) -> int:
    return propose_further(
        visit.session, visit.case, person.id, "A large site.", actor=visit.actor("staff"), at=now()
    ).id


def answer(visit: Visit, proposal: int, person: Person, signed: Signed = CLEAR) -> ConflictDeclaration:
    return answer_further(visit.session, visit.case, proposal, signed, actor=actor_as(visit.session, person), at=now())


def team(visit: Visit) -> set[int]:
    return set(surveyors_on(visit.session, visit.survey, now()))


def test_a_further_surveyor_is_on_the_team_once_both_sides_have_declared(visit: Visit) -> None:
    person = another(visit)
    proposal = propose(visit, person)
    assert [q.case_ref for q in open_questions_for(visit.session, actor_as(visit.session, person))] == [visit.case.ref]
    with pytest.raises(NotFound):
        survey_for(visit.session, actor_as(visit.session, person), visit.survey.id)
    mails = list(visit.session.scalars(select(Outbox).where(Outbox.kind == "further-surveyor")))
    assert {m.person_id for m in mails} == {person.id, visit.head.id}
    hers = next(write(m)[0] for m in mails if m.person_id == person.id)
    assert f"/cases/{visit.case.ref}/conflict" in hers
    answer(visit, proposal, person)
    assert team(visit) == {visit.surveyor.id}
    with pytest.raises(NotFound):
        survey_for(visit.session, actor_as(visit.session, person), visit.survey.id)
    state = visit.case.state
    answer(visit, proposal, visit.head)
    assert team(visit) == {visit.surveyor.id, person.id}
    assert survey_for(visit.session, actor_as(visit.session, person), visit.survey.id)
    assert visit.case.state == state, "no step of the case"
    assert visit.survey.lead_id == visit.surveyor.id
    first = accepted_proposal(visit.session, visit.case.id)
    assert first is not None
    assert first.person_id == visit.surveyor.id
    assert {r.surveyor.person_id: r.load for r in list_surveyors(visit.session, now().date())} == {
        visit.surveyor.id: 1,
        person.id: 1,
    }
    kinds = [e.kind for e in visit.session.query(Event).order_by(Event.id) if "surveyor." in e.kind]
    assert kinds[-2:] == ["surveyor.further_proposed", "surveyor.joined"]


@pytest.mark.parametrize("side", ["surveyor", "practice"])
def test_a_conflict_on_either_side_ends_it_and_the_visit_goes_on(visit: Visit, side: str) -> None:
    person = another(visit)
    proposal = propose(visit, person)
    answer(visit, proposal, person if side == "surveyor" else visit.head, TIED)
    assert open_further(visit.session, visit.case.id) == []
    assert team(visit) == {visit.surveyor.id}
    assert visit.session.query(SurveyorTie).count() == (1 if side == "surveyor" else 0)
    assert visit.case.state == "scheduling"
    with pytest.raises(NotFound):
        answer(visit, proposal, visit.head)
    with pytest.raises(RulesUnmet):
        propose(visit, person)


def test_the_same_rules_hold_as_for_the_first(visit: Visit) -> None:
    unfit = another(visit, "Una Unfit", oncology_years=1)
    busy = another(visit, "Bea Busy", max_load=0)
    tied, profile = make_surveyor(visit.session, name="Theo Tied")
    add_tie(visit.session, profile, visit.practice.id, "financial", "", on=now().date(), ended_on=None, actor=visit.actor("staff"), at=now())  # fmt: skip
    for person in (unfit, busy, tied):
        with pytest.raises(RulesUnmet):
            propose(visit, person)
    for person in (visit.surveyor, visit.staff):
        with pytest.raises(Invalid):
            propose(visit, person)


def test_a_practice_refuses_only_so_many(visit: Visit) -> None:
    for name in ("One", "Two"):
        answer(visit, propose(visit, another(visit, name)), visit.head, TIED)
    third = propose(visit, another(visit, "Three"))
    with pytest.raises(RulesUnmet):
        answer(visit, third, visit.head, TIED)
    answer(visit, third, visit.head)


def test_nobody_is_asked_twice_or_for_another(visit: Visit) -> None:
    person = another(visit)
    proposal = propose(visit, person)
    with pytest.raises(Invalid):
        propose(visit, person)
    with pytest.raises(NotAllowed):
        answer(visit, proposal, another(visit, "Stranger"))
    with pytest.raises(Invalid):
        answer(visit, proposal, person, Signed({}, "", ""))
    answer(visit, proposal, person)
    with pytest.raises(Conflict):
        answer(visit, proposal, person)
    drop_further(visit.session, visit.case, proposal, actor=visit.actor("staff"), at=now())
    assert open_further(visit.session, visit.case.id) == []


def test_only_while_a_visit_is_to_come_or_under_way(session: Session, clock: FixedClock) -> None:
    early = pending_case(session)
    with pytest.raises(NotOpen):
        propose(early, another(early))
    late = visit_under_way(session, clock)
    person = another(late, "Sam Late")
    propose(late, person)
    assert open_proposal(session, late.case.id) is None


def test_by_pages_from_the_proposal_to_the_team(client: FlaskClient, new_client, visit: Visit) -> None:  # type: ignore[no-untyped-def]
    person = another(visit)
    address = f"/cases/{visit.case.ref}/survey"
    sign_in(client, visit.staff)
    assert "Add a surveyor" in client.get(address).text
    assert person.name in client.get(f"{address}?add=1").text
    assert client.post(f"{address}/further", data={"surveyor": str(person.id)}).status_code == 302
    assert "not yet answered" in client.get(address).text
    signed = {key: "no" for key, _ in QUESTIONS} | {"signed_name": "Signed Name"}
    hers = new_client()
    sign_in(hers, person)
    assert hers.get(f"/surveys/{visit.survey.id}").status_code == 404
    assert visit.practice.legal_name in hers.get(f"/cases/{visit.case.ref}/conflict").text
    assert hers.post(f"/cases/{visit.case.ref}/conflict", data=signed).status_code == 302
    theirs = new_client()
    sign_in(theirs, visit.head)
    page = theirs.get(address).text
    assert "Do you accept a further surveyor?" in page
    proposal = open_further(visit.session, visit.case.id)[0].id
    assert theirs.post(f"{address}/further/{proposal}/conflict", data=signed).status_code == 302
    assert hers.get(f"/surveys/{visit.survey.id}").status_code == 200
    assert client.post(f"{address}/further/{proposal}/drop").status_code == 404
