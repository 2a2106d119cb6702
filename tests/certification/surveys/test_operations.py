"""The date and the sites, the check-in, the finish and the repeat visit, by the real machine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.evidence.queries import lock_of
from certify.certification.fees.models import Invoice
from certify.certification.reports.history import count_settled
from certify.certification.surveys.operations import (
    agree_not_applicable,
    answer_all,
    draw_sites,
    on_case_advanced,
    propose_date,
    set_agenda,
    withdraw_date,
)
from certify.certification.surveys.queries import (
    OpenSurvey,
    date_proposals,
    list_my_surveys,
    places,
    progress_of,
    record_of,
    sites_of,
    visit_of,
)
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotAllowed, NotOpen, RulesUnmet
from tests.builders import sign_in
from tests.certification.surveys.visits import OTHER_TABLET, accepted_case, visit_under_way


def on(days: int) -> str:
    return (now().date() + timedelta(days=days)).isoformat()


def test_the_sites_are_drawn_with_a_stored_seed_when_the_surveyor_is_accepted(session: Session) -> None:
    visit = accepted_case(session, sites=6)
    survey = visit.survey
    visited = [s for s in sites_of(session, survey.id) if s.visited]
    assert len(visited) == 4
    assert survey.seed
    assert len(survey.sampled_from) == 6
    before = visit.site_ids
    draw_sites(session, visit.case, survey, actor=visit.actor("staff"), at=now())
    assert visit.site_ids == before
    assert sum(p.elements for p in progress_of(session, survey.id).values()) == 4 * len(places(survey)[0])


def test_a_day_in_a_window_stands_at_once_when_the_surveyor_takes_it(session: Session) -> None:
    visit = accepted_case(session)
    visit.take("agree_date", "surveyor", starts_on=on(61))
    assert visit.case.state == "survey_scheduled"
    assert visit.case.anchors["survey_starts_on"] == on(61)
    assert visit.survey.agenda[0]["on"] == on(61)
    found = visit_of(session, visit.case)
    assert found is not None
    assert found.surveyor_name == visit.surveyor.name


def test_a_day_outside_the_windows_needs_both_sides(session: Session) -> None:
    visit = accepted_case(session)
    for who in ("surveyor", "head"):
        with pytest.raises(Invalid):
            visit.take("agree_date", who, starts_on=on(58))
    offer = propose_date(
        session, visit.case, now().date() + timedelta(days=58), actor=visit.actor("surveyor"), at=now()
    )
    with pytest.raises(NotAllowed):
        withdraw_date(session, visit.case, offer.id, actor=visit.actor("head"), at=now())
    visit.take("agree_date", "head", starts_on=on(58))
    assert visit.case.state == "survey_scheduled"
    assert not date_proposals(session, visit.survey.id)


def test_the_agreeing_side_does_not_change_how_the_visit_is_held(session: Session) -> None:
    visit = accepted_case(session)
    propose_date(
        session, visit.case, now().date() + timedelta(days=58), mode="virtual", actor=visit.actor("surveyor"), at=now()
    )
    with pytest.raises(Invalid) as refusal:
        visit.take("agree_date", "head", starts_on=on(58), mode="on_site")
    assert [e.field for e in refusal.value.errors] == ["mode"]
    assert visit.survey.starts_on is None
    visit.take("agree_date", "head", starts_on=on(58), mode="virtual")
    assert visit.survey.mode == "virtual"


def test_sites_are_not_chosen_again_under_an_agreed_date(session: Session) -> None:
    visit = accepted_case(session)
    visit.take("agree_date", "surveyor", starts_on=on(61))
    with pytest.raises(NotOpen, match="date is agreed"):
        draw_sites(session, visit.case, visit.survey, actor=visit.actor("staff"), at=now())
    visit.take("reschedule", "head", reason="Our pharmacy moves.")
    draw_sites(session, visit.case, visit.survey, actor=visit.actor("staff"), at=now())


def test_less_than_45_days_stands_only_with_the_practices_consent(session: Session) -> None:
    visit = accepted_case(session)
    propose_date(session, visit.case, now().date() + timedelta(days=20), actor=visit.actor("surveyor"), at=now())
    savepoint = session.begin_nested()
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("agree_date", "head", starts_on=on(20))
    assert [u.guard for u in refusal.value.unmet] == ["date_far_enough"]
    savepoint.rollback()
    visit.take("agree_date", "head", starts_on=on(20), short_notice=True)
    assert visit.survey.short_notice


def test_a_date_moves_twice_and_late_moves_of_the_practice_cost(session: Session, clock: FixedClock) -> None:
    visit = accepted_case(session)
    visit.take("agree_date", "surveyor", starts_on=on(61))
    visit.take("reschedule", "head", reason="Our pharmacy moves.")
    assert visit.case.state == "scheduling"
    assert "survey_starts_on" not in visit.case.anchors
    assert not session.scalars(select(Invoice)).all()
    visit.take("agree_date", "surveyor", starts_on=on(61))
    clock.move(by=timedelta(days=45))
    visit.take("reschedule", "head", reason="Flood.")
    assert len(session.scalars(select(Invoice)).all()) == 1
    propose_date(session, visit.case, now().date() + timedelta(days=50), actor=visit.actor("surveyor"), at=now())
    visit.take("agree_date", "head", starts_on=on(50))
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("reschedule", "surveyor", reason="Ill.")
    assert [u.guard for u in refusal.value.unmet] == ["reschedules_left"]


def test_check_in_waits_for_the_day_and_locks_the_documents(session: Session, clock: FixedClock) -> None:
    visit = accepted_case(session)
    visit.take("agree_date", "surveyor", starts_on=on(61))
    savepoint = session.begin_nested()
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("check_in", "surveyor")
    assert {u.guard for u in refusal.value.unmet} == {"visit_date_reached", "evidence_locked"}
    savepoint.rollback()
    clock.move(by=timedelta(days=61))
    visit.take("check_in", "surveyor")
    lock = lock_of(session, visit.case)
    assert lock is not None
    assert lock.locked_at <= now()
    with pytest.raises(NotOpen):
        propose_date(session, visit.case, now().date() + timedelta(days=60), actor=visit.actor("surveyor"), at=now())


def test_the_finish_waits_until_everything_is_said(session: Session, clock: FixedClock) -> None:
    visit = visit_under_way(session, clock, sites=2)
    surveyor, survey, sites = visit.actor("surveyor"), visit.survey.id, visit.site_ids
    elements = list(places(visit.survey)[0])
    answer_all(
        session, survey, [(s, e, "rating", "yes") for s in sites for e in elements[2:]], actor=surveyor, at=now()
    )
    answer_all(
        session,
        survey,
        [(sites[0], elements[0], "rating", "no"), (sites[0], elements[1], "rating", "na")],
        actor=surveyor,
        at=now(),
    )
    visit.send(visit.op(elements[0], "rating", "yes", site=sites[1]))
    visit.send(visit.op(elements[0], "rating", "no", site=sites[1]), device=OTHER_TABLET)
    savepoint = session.begin_nested()
    with pytest.raises(RulesUnmet) as refusal:
        visit.take("finish_survey", "surveyor")
    assert [u.message for u in refusal.value.unmet] == [
        "Site A: 1 “No” has no note.", "Site A: 1 “Not applicable” has no reason.", "Site B: 1 element is not rated.", "Site B: 1 conflict is not settled.",
    ]  # fmt: skip
    savepoint.rollback()
    session.expire_all()
    seq = visit.survey.seq
    visit.send(
        visit.op(elements[0], "note", "No rota."), visit.op(elements[1], "na_reason", "No such care."),
        visit.op(elements[0], "rating", "yes", site=sites[1], base=seq), visit.op(elements[1], "rating", "yes", site=sites[1]),
    )  # fmt: skip
    visit.take("finish_survey", "surveyor")
    assert visit.case.state == "report_drafting"
    record = record_of(session, survey)
    assert record.kind == "initial"
    assert count_settled(session, survey) == 1
    assert all(s.visited for s in record.sites)
    (card,) = list_my_surveys(session, surveyor, now())
    assert (card.answered, card.elements, card.not_met) == (2 * len(elements), 2 * len(elements), 1)


def test_a_repeat_visit_is_limited_to_the_standards_and_sites_named(session: Session, clock: FixedClock) -> None:
    visit = visit_under_way(session, clock, sites=2)
    site = visit.site_ids[1]
    visit.survey.finished_at = now()
    visit.case.state = "repeat_survey"

    def tell(trigger: str, **data: object) -> None:
        on_case_advanced(
            session,
            CaseAdvanced(
                visit.case.id,
                visit.case.ref,
                visit.practice.id,
                trigger,
                "a",
                "b",
                None,
                "",
                now(),
                "See it again.",
                data,
            ),
        )

    with pytest.raises(Invalid):
        tell("require_visit", standards=["9.9"], sites=[str(site)])
    tell("require_visit", standards=["7.9", "1.1"], sites=[str(site)])
    tell("clear_conflicts")
    survey = visit.survey
    assert survey.round == 2
    assert survey.scope_standards == ["1.1", "7.9"]
    assert visit.site_ids == [site]
    assert survey.lead_id == visit.surveyor.id
    rejected = visit.send(visit.op("7.3.a", site=site), visit.op("7.9.a", site=site))
    assert [a["status"] for a in rejected["acks"]] == ["rejected", "applied"]
    assert record_of(session, survey.id).kind == "repeat"


def test_the_agenda_can_be_changed_until_the_survey_is_finished(session: Session, clock: FixedClock) -> None:
    visit = visit_under_way(session, clock)
    lines = [{"on": on(0), "from": "09:00", "to": "10:00", "site": str(visit.site_ids[0]), "what": "Records"}]
    set_agenda(session, visit.case, visit.survey, lines, actor=visit.actor("surveyor"), at=now())
    assert [line["what"] for line in visit.survey.agenda] == ["Records"]
    visit.survey.finished_at = now()
    with pytest.raises(NotOpen):
        set_agenda(session, visit.case, visit.survey, lines, actor=visit.actor("surveyor"), at=now())


def test_a_critical_standard_is_not_applicable_only_if_a_second_reviewer_agrees(
    session: Session, clock: FixedClock, client: FlaskClient
) -> None:
    visit = visit_under_way(session, clock, sites=1)
    surveyor, survey, site = visit.actor("surveyor"), visit.survey.id, visit.site_ids[0]
    elements = list(places(visit.survey)[0])
    away = [e for e in elements if e.startswith("7.15.")]
    answer_all(
        session, survey, [(site, e, "rating", "na" if e in away else "yes") for e in elements], actor=surveyor, at=now()
    )
    answer_all(session, survey, [(site, e, "na_reason", "None is given here.") for e in away], actor=surveyor, at=now())
    with pytest.raises(RulesUnmet) as refusal, session.begin_nested():
        visit.take("finish_survey", "surveyor")
    assert [u.link for u in refusal.value.unmet] == [f"/surveys/{survey}/sites/{site}/standards/7.15"]
    session.expire_all()
    page = f"/surveys/{survey}/sites/{site}/standards/7.15"
    sign_in(client, visit.surveyor)
    assert "A second reviewer has to agree" in client.get(page).text
    assert "Critical: a second reviewer has to agree" in client.get(f"/surveys/{survey}").text
    assert client.post(f"{page}/agree").status_code == 403
    client.post("/sign-out")
    sign_in(client, visit.staff)
    assert client.post(f"{page}/agree").status_code == 302
    assert client.post(f"{page}/agree").status_code == 409
    assert visit.send(visit.op("7.15", "na_agreed", True))["acks"][0]["status"] == "rejected"
    seq = visit.survey.seq
    visit.send(visit.op(away[0], "rating", "yes", base=seq))
    visit.send(visit.op(away[0], "rating", "na", base=seq + 1))
    with pytest.raises(RulesUnmet), session.begin_nested():
        visit.take("finish_survey", "surveyor")
    session.expire_all()
    agree_not_applicable(
        session, OpenSurvey(visit.survey, visit.case), site, "7.15", actor=visit.actor("staff"), at=now()
    )
    visit.take("finish_survey", "surveyor")
    assert visit.case.state == "report_drafting"
