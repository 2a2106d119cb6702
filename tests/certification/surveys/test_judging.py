"""What is judged about entries: those that came late, and what does not apply."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from certify.certification.surveys.judging import agree_not_applicable, judge_late
from certify.certification.surveys.operations import answer_all, begin_round
from certify.certification.surveys.queries import OpenSurvey, answers_of, late_ops, places, unagreed
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import NotAllowed, NotFound, NotOpen, RulesUnmet
from certify.core.rulebook.current import current
from certify.platform.audit.queries import list_events
from tests.certification.surveys.test_sync import assert_counters_fit, statuses
from tests.certification.surveys.visits import OTHER_TABLET, Visit, visit_under_way


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def finished(visit: Visit, rating: str = "yes") -> OpenSurvey:
    """Rate everything alike and finish."""
    elements, _ = places(visit.survey)
    everything = [(site, element, "rating", rating) for site in visit.site_ids for element in elements]
    answer_all(visit.session, visit.survey.id, everything, actor=visit.actor("surveyor"), at=now())
    visit.take("finish_survey", "surveyor")
    return OpenSurvey(visit.survey, visit.case)


def test_after_the_finish_ops_are_late_and_wait_for_acceptance(visit: Visit) -> None:
    opened = finished(visit)
    late = visit.send(visit.op(value="na"), visit.op("1.1.a", "na_reason", "Why"), visit.op("1.1.b", "note", "Late note"), device=OTHER_TABLET)  # fmt: skip
    assert statuses(late) == ["late", "late", "late"]
    assert statuses(visit.send(visit.op() | {"op": late["acks"][0]["op"], "value": "na"})) == ["duplicate"]
    assert {a.value for a in answers_of(visit.session, visit.survey.id)} == {"yes"}
    rating, reason, note = (op.seq for op in late_ops(visit.session, visit.survey.id))
    with pytest.raises(NotAllowed):
        judge_late(visit.session, opened, reason, accept=True, actor=visit.actor("head"), at=now())
    judge_late(visit.session, opened, reason, accept=True, actor=visit.actor("staff"), at=now())
    judge_late(visit.session, opened, rating, accept=True, actor=visit.actor("staff"), at=now())
    judge_late(visit.session, opened, note, accept=False, actor=visit.actor("surveyor"), at=now())
    assert [
        a.value
        for a in answers_of(visit.session, visit.survey.id)
        if (a.element, a.field) == ("1.1.a", "rating") and a.site_id == visit.site_ids[0]
    ] == ["na"]
    assert not [a for a in answers_of(visit.session, visit.survey.id) if a.field == "note"]
    assert not late_ops(visit.session, visit.survey.id)
    with pytest.raises(NotFound):
        judge_late(visit.session, opened, rating, accept=True, actor=visit.actor("staff"), at=now())
    assert_counters_fit(visit)
    events = [e for e in list_events(visit.session, f"case:{visit.case.ref}") if e.kind == "survey.late_judged"]
    assert len(events) == 3
    assert all(e.internal for e in events), "a practice reads no answers before its report is out"


@pytest.mark.parametrize(("value", "why"), [("no", "note"), (None, "rated"), ("na", "reason")])
def test_accepting_a_late_entry_does_not_get_round_the_rules_of_the_finish(visit: Visit, value: Any, why: str) -> None:
    opened = finished(visit)
    visit.send(visit.op(value=value))
    (late,) = late_ops(visit.session, visit.survey.id)
    with pytest.raises(RulesUnmet) as refusal:
        judge_late(visit.session, opened, late.seq, accept=True, actor=visit.actor("staff"), at=now())
    assert [u.guard for u in refusal.value.unmet] == ["all_sites_rated"]
    assert why in str(refusal.value).lower()
    visit.session.rollback()


def test_a_late_not_applicable_of_a_critical_standard_takes_a_second_reviewer(visit: Visit) -> None:
    critical = next(s for s in current().editions["2021"].standards.values() if s.critical)
    opened = finished(visit)
    for element in critical.elements:
        visit.send(visit.op(element.id, "na_reason", "Not done here"), visit.op(element.id, value="na"))
    *others, last = late_ops(visit.session, visit.survey.id)
    for late in others:
        judge_late(visit.session, opened, late.seq, accept=True, actor=visit.actor("surveyor"), at=now())
    visit.session.commit()
    with pytest.raises(RulesUnmet, match="accept this"):
        judge_late(visit.session, opened, last.seq, accept=True, actor=visit.actor("surveyor"), at=now())
    visit.session.rollback()
    judge_late(visit.session, opened, last.seq, accept=True, actor=visit.actor("staff"), at=now())
    assert not unagreed(visit.survey, answers_of(visit.session, visit.survey.id))
    (agreed,) = [
        e for e in list_events(visit.session, f"case:{visit.case.ref}") if e.kind == "survey.not_applicable_agreed"
    ]
    assert agreed.internal


def test_a_late_entry_of_an_earlier_visit_cannot_be_accepted_under_its_issued_report(visit: Visit) -> None:
    opened = finished(visit)
    visit.send(visit.op("1.1.a", "note", "Late"))
    (late,) = late_ops(visit.session, visit.survey.id)
    begin_round(visit.session, visit.case, at=now())
    assert visit.case.state == "report_drafting"
    with pytest.raises(RulesUnmet, match="earlier visit"):
        judge_late(visit.session, opened, late.seq, accept=True, actor=visit.actor("staff"), at=now())
    judge_late(visit.session, opened, late.seq, accept=False, actor=visit.actor("staff"), at=now())


def test_late_ops_can_no_longer_be_accepted_once_the_report_has_gone_on(visit: Visit) -> None:
    opened = finished(visit)
    visit.send(visit.op("1.1.a", "note", "Late"))
    visit.case.state = "report_issued"
    (waiting,) = late_ops(visit.session, visit.survey.id)
    with pytest.raises(RulesUnmet):
        judge_late(visit.session, opened, waiting.seq, accept=True, actor=visit.actor("staff"), at=now())


def test_a_second_reviewer_agrees_while_the_report_is_drafted_and_not_after(visit: Visit) -> None:
    """What was finished by rules that asked for none, or left open otherwise, is not stuck."""
    critical = next(s for s in current().editions["2021"].standards.values() if s.critical)
    opened, site = finished(visit), visit.site_ids[0]
    opened.survey.finished_at = None
    seen = opened.survey.seq
    visit.send(*(visit.op(element.id, value="na", base=seen) for element in critical.elements))
    opened.survey.finished_at = now()
    visit.session.flush()
    for state, is_open in (("report_staff_review", False), ("report_drafting", True)):
        visit.case.state = state
        if is_open:
            agree_not_applicable(visit.session, opened, site, critical.code, actor=visit.actor("staff"), at=now())
        else:
            with pytest.raises(NotOpen):
                agree_not_applicable(visit.session, opened, site, critical.code, actor=visit.actor("staff"), at=now())
    assert (site, critical.code) not in unagreed(visit.survey, answers_of(visit.session, visit.survey.id))
