"""A repeat survey, all the way: required, paid, limited to what was named, and to the certificate."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from certify.certification.cases.operations import take
from certify.certification.fees.operations import record_payment
from certify.certification.fees.queries import open_invoice_of
from certify.certification.reports.queries import requirements_of
from certify.certification.surveyors.operations import declare
from certify.certification.surveys.operations import answer_all, propose_date
from certify.certification.surveys.queries import latest_survey, scope_of, sites_of
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Invalid, RulesUnmet
from certify.demo.load import register_practice
from certify.demo.people import Cast, add_program, add_team
from certify.demo.places import invent
from certify.demo.walk import Walk
from certify.platform.audit.queries import verify_chain
from certify.platform.practices.models import Practice


@pytest.fixture
def walk(session: Session, clock: FixedClock) -> Walk:
    """A two-site practice of which the program wants to see one standard again."""
    cast: Cast = add_program(session, at=now(), many=False)
    invented = invent(1, random.Random(1), sites=2)
    practice: Practice = register_practice(session, invented, cast, at=now())
    admin, lead = add_team(session, 1, practice.id, "Ana Brook", "Dr. Lee Ray", practice.time_zone, cast, at=now())
    walked = Walk(session, cast, practice, admin, lead, "repeat_survey", now(), random.Random(2), not_met=2)
    walked.go()
    clock.move(to=walked.at)
    return walked


def test_a_repeat_survey_is_paid_limited_and_leads_to_the_certificate(walk: Walk, clock: FixedClock) -> None:
    """Slow because a whole survey comes before it."""
    session, case, cast = walk.session, walk.case, walk.cast
    with pytest.raises(RulesUnmet) as unpaid:
        take(session, case, "start_repeat_survey", {}, actor=cast.staff, at=now())
    assert "repeat_fee_paid" in {u.guard for u in unpaid.value.unmet}
    invoice = open_invoice_of(session, case, "repeat_survey")
    assert invoice is not None
    today = local_date(now(), walk.practice.time_zone)
    record_payment(
        session, case, invoice, invoice.total_cents, received_on=today, reference="ACH 2", actor=cast.finance, at=now()
    )
    take(session, case, "start_repeat_survey", {}, actor=cast.staff, at=now())
    assert case.state == "surveyor_proposed"
    for actor in (walk.surveyor, walk.admin):
        declare(session, case, signed_name=actor.name, actor=actor, at=now())
    assert case.state == "scheduling"

    visit = today + timedelta(days=50)
    propose_date(session, case, visit, actor=walk.admin, at=now())
    take(session, case, "agree_date", {"starts_on": visit}, actor=walk.surveyor, at=now())
    clock.move(by=timedelta(days=50))
    take(session, case, "check_in", {}, actor=walk.surveyor, at=now())
    survey = latest_survey(session, case.id)
    assert survey is not None
    assert survey.round == 2
    scope = scope_of(session, survey)
    named = requirements_of(session, case.id)[0].standard
    assert set(scope.standards) == {named}
    visited = [s.site_id for s in sites_of(session, survey.id) if s.visited]
    assert len(visited) == 1
    with pytest.raises(Invalid):
        answer_all(
            session,
            survey.id,
            [(visited[0], "1.1.a" if named != "1.1" else "1.2.a", "rating", "yes")],
            actor=walk.surveyor,
            at=now(),
        )
    entries = [(visited[0], e, f, v) for e in scope.elements for f, v in (("note", "Seen again."), ("rating", "yes"))]
    answer_all(session, survey.id, entries, actor=walk.surveyor, at=now())
    take(session, case, "finish_survey", {}, actor=walk.surveyor, at=now())
    take(session, case, "submit_report", {}, actor=walk.surveyor, at=now())
    take(session, case, "pass_report", {}, actor=cast.staff2, at=now())
    take(session, case, "approve_report", {"conflict": "none"}, actor=cast.council, at=now())

    still_open = requirements_of(session, case.id, open_only=True)
    assert all(f.standard != named or f.element not in scope.elements for f in still_open)
    if still_open:  # those the visit was not about go on through plan and evidence
        for step in (walk._plan, walk._approve_plan, walk._correct, walk._close):
            walk.at = clock.move(by=timedelta(days=1))
            step()
    assert case.state == "decision"
    take(session, case, "award", {"conflict": "none"}, actor=cast.council2, at=now())
    assert case.state == "certified"
    assert verify_chain(session).sound
