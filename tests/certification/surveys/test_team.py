"""The team of a survey: who takes what, who leads, and where each tablet is at work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member
from certify.certification.surveys.models import SurveyPresence
from certify.certification.surveys.queries import OpenSurvey, progress_of
from certify.certification.surveys.queries.team import Member, Share, share_progress, team
from certify.certification.surveys.sync import sync
from certify.certification.surveys.teamwork import change_lead, note_presence, split_checklist
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound, NotOpen
from certify.platform.audit.models import Event
from certify.platform.identity.queries import actor_as
from tests.builders import sign_in
from tests.certification.surveys.visits import OTHER_TABLET, TABLET, Visit, journal, make_surveyor, visit_under_way


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def second(visit: Visit, name: str = "Sam Second"):  # type: ignore[no-untyped-def]
    """Put another surveyor on the team."""
    person, _ = make_surveyor(visit.session, name=name)
    add_member(visit.session, visit.case, person.id, "surveyor", at=now())
    return person


def members(visit: Visit) -> dict[str, Member]:
    return {m.name: m for m in team(visit.session, visit.survey, now())}


def opened(visit: Visit) -> OpenSurvey:
    return OpenSurvey(visit.survey, visit.case)


def test_presence_is_shown_for_five_minutes_and_leaves_no_event(visit: Visit, clock: FixedClock) -> None:
    events = visit.session.query(Event).count()
    actor = visit.actor("surveyor")
    for standard in ("7.3", "7.4"):
        body = {"device": TABLET, "site": visit.site_ids[0], "standard": standard}
        note_presence(visit.session, visit.survey.id, body, actor=actor, at=now())
    (place,) = members(visit)[visit.surveyor.name].at_work
    assert (place.site_id, place.standard) == (visit.site_ids[0], "7.4")
    assert len(journal(visit.session, SurveyPresence, visit.survey.id)) == 1
    clock.move(by=timedelta(minutes=6))
    assert members(visit)[visit.surveyor.name].at_work == ()
    note_presence(visit.session, visit.survey.id, {"device": OTHER_TABLET}, actor=actor, at=now())
    assert [p.device for p in journal(visit.session, SurveyPresence, visit.survey.id)] == [OTHER_TABLET]
    assert visit.session.query(Event).count() == events


@pytest.mark.parametrize("body", [None, [], {}, {"device": "x"}, {"device": TABLET, "site": 999_999}, {"device": TABLET, "standard": "9.9"}, {"device": TABLET, "site": True}, {"device": TABLET, "standard": 7}])  # fmt: skip
def test_a_presence_that_says_nothing_is_refused(visit: Visit, body: object) -> None:
    with pytest.raises(Invalid):
        note_presence(visit.session, visit.survey.id, body, actor=visit.actor("surveyor"), at=now())


def test_the_checklist_is_split_by_domain_and_site_and_progress_follows(visit: Visit) -> None:
    other = second(visit)
    first, last = visit.site_ids
    shares = [Share(visit.surveyor.id, first, None), Share(other.id, last, 1), Share(other.id, None, 7)]
    split_checklist(visit.session, opened(visit), shares, actor=visit.actor("surveyor"), at=now())
    visit.send(visit.op("1.1.a"), visit.op("7.1.a", site=last))
    found = members(visit)
    assert list(found) == [visit.surveyor.name, other.name]
    assert found[visit.surveyor.name].lead
    assert found[visit.surveyor.name].rated == 2
    assert [(s.site_id, s.domain) for s in found[other.name].shares] == [(last, 1), (None, 7)]
    counters = progress_of(visit.session, visit.survey.id)
    done = share_progress(found[other.name].shares, counters)
    assert done.answered == 1
    assert done.elements == sum(c.elements for (site, d), c in counters.items() if d == 7 or (site, d) == (last, 1))
    split_checklist(visit.session, opened(visit), shares[:1], actor=visit.actor("staff"), at=now())
    assert members(visit)[other.name].shares == ()
    kinds = [e.kind for e in visit.session.query(Event).filter(Event.kind == "survey.split")]
    assert len(kinds) == 2


def test_only_the_lead_and_the_program_split_and_only_among_the_team(visit: Visit) -> None:
    other, stranger = second(visit), make_surveyor(visit.session, name="Stranger")[0]
    with pytest.raises(NotAllowed):
        split_checklist(visit.session, opened(visit), [], actor=actor_as(visit.session, other), at=now())
    for share in (Share(stranger.id, None, 1), Share(other.id, 999, None), Share(other.id, None, 42)):
        with pytest.raises(Invalid):
            split_checklist(visit.session, opened(visit), [share], actor=visit.actor("surveyor"), at=now())
    with pytest.raises(Invalid):
        change_lead(visit.session, opened(visit), stranger.id, actor=visit.actor("staff"), at=now())
    visit.survey.finished_at = now()
    with pytest.raises(NotOpen):
        split_checklist(visit.session, opened(visit), [], actor=visit.actor("staff"), at=now())


def test_the_lead_is_changed_and_the_new_one_leads(visit: Visit) -> None:
    other = second(visit)
    change_lead(visit.session, opened(visit), other.id, actor=visit.actor("surveyor"), at=now())
    assert visit.survey.lead_id == other.id
    with pytest.raises(NotAllowed):
        change_lead(visit.session, opened(visit), other.id, actor=visit.actor("surveyor"), at=now())


def test_the_page_shows_the_team_and_takes_a_split(client: FlaskClient, visit: Visit) -> None:
    other = second(visit)
    address = f"/surveys/{visit.survey.id}"
    sign_in(client, visit.surveyor)
    body = {"device": str(uuid4()), "site": visit.site_ids[0], "standard": "7.3"}
    assert client.post(f"{address}/presence", json=body).status_code == 204
    answer = client.post(
        f"{address}/shares", data={"person": [str(other.id), ""], "site": ["", ""], "domain": ["7", ""]}
    )
    assert answer.status_code == 302
    page = client.get(address).text
    assert "Domain 7" in page
    assert other.name in page
    assert "7.3 at " in page
    assert client.post(f"{address}/lead", data={"lead": str(other.id)}).status_code == 302
    assert visit.survey.lead_id == other.id
    assert client.post(f"{address}/shares", data={"person": "x", "site": "", "domain": ""}).status_code == 422


def test_the_program_takes_a_further_surveyor_off_and_what_she_entered_stays(
    client: FlaskClient, new_client: Callable[[], FlaskClient], visit: Visit
) -> None:
    other, address = second(visit), f"/surveys/{visit.survey.id}"
    body = {"device": OTHER_TABLET, "since": 0, "ops": [visit.op("1.1.a")]}
    sync(visit.session, visit.survey.id, body, actor=actor_as(visit.session, other), at=now())
    sign_in(client, visit.staff)
    assert "Take off the team" in client.get(address).text
    leave = f"{address}/team/leave"
    for person, reason in ((other.id, " "), (visit.surveyor.id, "Ill"), (visit.staff.id, "Ill"), ("", "Ill")):
        assert client.post(leave, data={"person": str(person), "reason": reason}).status_code == 422
    assert client.post(leave, data={"person": str(other.id), "reason": "She fell ill."}).status_code == 302
    member = members(visit)[other.name]
    assert (member.present, member.rated, member.shares) == (False, 1, ())
    assert sign_in(new_client(), other).get(address).status_code == 404
    assert sign_in(new_client(), visit.surveyor).post(leave, data={}).status_code == 403
    (event,) = visit.session.query(Event).filter(Event.kind == "surveyor.left")
    assert event.reason == "She fell ill."


def test_another_surveys_team_is_not_there_for_a_stranger(client: FlaskClient, session: Session, visit: Visit) -> None:
    stranger, _ = make_surveyor(session, name="Other Surveyor")
    with pytest.raises(NotFound):
        note_presence(session, visit.survey.id, {"device": TABLET}, actor=actor_as(session, stranger), at=now())
    sign_in(client, stranger)
    for address in ("presence", "shares", "lead", "backup", "backup/take"):
        assert client.post(f"/surveys/{visit.survey.id}/{address}", json={"device": TABLET}).status_code == 404, address
