"""Random walks of all roles through the real operations never break the invariants 1 to 6 of process.md, section 11.

Slow on purpose: every example walks a whole case on a real database, because the invariants speak of all rooms together.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.operations import choose_edition, extend_deadline, take
from certify.certification.fees.models import Invoice
from certify.certification.fees.operations import charge_repeat_survey, record_payment
from certify.certification.reports.models import Approval, ConflictStatement, Finding, Report
from certify.certification.reports.queries import requirements_of
from certify.certification.surveyors.operations import declare
from certify.certification.surveys.models import Survey, SurveyAnswer
from certify.certification.surveys.operations import answer_all
from certify.certification.surveys.queries import latest_survey, places, sites_of
from certify.core.access.roles import NOBODY, SYSTEM, Actor, Grant, Role
from certify.core.catalogue.deadlines import due_on
from certify.core.foundation.clock import standing_at
from certify.core.foundation.days import add_business_days, end_of_day, local_date, zone
from certify.core.foundation.errors import Refusal, RulesUnmet
from certify.core.rulebook.current import current
from certify.demo.people import Cast, add_program, add_team
from certify.demo.walk import ORDER, Walk
from certify.platform.audit.models import Event
from certify.platform.audit.queries import verify_chain
from certify.platform.practices.models import Practice
from tests.builders import make_practice
from tests.conftest import NOW

CLOSED_FOR_GOOD = {"expired", "withdrawn", "ineligible", "lapsed"}
NO_EXIT_YET = {"denied", "revoked"}  # until appeals are there
# From where honest people go on to where; the walk of the demo knows how.
ONWARD = {
    "draft": ["submitted"],
    "submitted": ["awaiting_payment", "awaiting_payment", "returned", "ineligible"],
    "awaiting_payment": ["documents_open"],
    "documents_open": ["desk_review"],
    "desk_review": ["pending"],
    "pending": ["surveyor_proposed"],
    "surveyor_proposed": ["scheduling"],
    "scheduling": ["survey_scheduled"],
    "survey_scheduled": ["survey_in_progress"],
    "survey_in_progress": ["report_drafting"],
    "report_drafting": ["report_staff_review"],
    "report_staff_review": ["report_council_review"],
    "report_council_review": ["plan_due"],
    "plan_due": ["plan_review"],
    "plan_review": ["correction_open"],
    "correction_open": ["correction_review"],
    "correction_review": ["decision", "decision", "repeat_survey"],
    "decision": ["certified", "certified", "denied"],
}
BEGINNINGS = [
    "draft",
    "desk_review",
    "survey_in_progress",
    "report_drafting",
    "report_staff_review",
    "report_council_review",
    "correction_review",
    "decision",
]
# What people judge in these states, and who judges is what matters.
JUDGED = {"report_staff_review": "pass_report", "report_council_review": "approve_report", "decision": "award"}
COMMENT = "Please look at this again."


class Stumbled(Refusal):
    """The demo's helper found nothing to work on, such as no open requirement; not a matter of the product."""


class World:
    """The people and the practice of all examples; each example's case is undone after it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        cast = add_program(session, at=NOW, many=False)
        self.practice: Practice = make_practice(session, sites=2)
        self.admin, self.lead = add_team(
            session, 5, self.practice.id, "Ann Field", "Dr. Bo Hill", self.practice.time_zone, cast, at=NOW
        )
        other = make_practice(session)
        self.stranger, _lead = add_team(session, 6, other.id, "Cy Moor", "Dr. Di Lane", other.time_zone, cast, at=NOW)
        # The surveyors and the staff wear every hat of the program, so that only the rules keep them apart.
        hats = frozenset(Grant(role) for role in (Role.SURVEYOR, Role.PROGRAM_STAFF, Role.COUNCIL))
        self.cast: Cast = replace(
            cast,
            surveyors=[replace(s, grants=s.grants | hats) for s in cast.surveyors],
            staff=replace(cast.staff, grants=cast.staff.grants | hats),
            staff2=replace(cast.staff2, grants=cast.staff2.grants | hats),
        )

    @property
    def everyone(self) -> list[Actor]:
        cast = self.cast
        named = [cast.staff, cast.staff2, cast.finance, cast.council, cast.council2, *cast.surveyors[:2]]
        return [self.admin, self.lead, *named, self.stranger, SYSTEM, NOBODY]


class Cases(RuleBasedStateMachine):
    """One case that people of all roles push about, honestly or not, while time passes."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.session = self.world.session
        self.example = self.session.begin_nested()
        self.edition_paid = ""
        self.ended = ""

    @initialize(begun=st.sampled_from(BEGINNINGS), not_met=st.integers(0, 3), seed=st.integers(0, 999))
    def begin(self, begun: str, not_met: int, seed: int) -> None:
        world = self.world
        self.walk = Walk(
            self.session,
            world.cast,
            world.practice,
            world.admin,
            world.lead,
            begun,
            NOW,
            random.Random(seed),
            not_met=not_met,
        )
        self.case: Case = self.walk.go()
        self.at = self.walk.at

    # What people do

    @rule(data=st.data())
    def go_on_as_one_should(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(ONWARD.get(self.case.state, [""])))
        if not target:
            return
        if target == "survey_in_progress":
            survey = latest_survey(self.session, self.case.id)
            assert survey is not None
            assert survey.starts_on is not None
            visit = datetime.combine(survey.starts_on, time(9), tzinfo=zone(self.world.practice.time_zone))
            self.at = max(self.at, visit.astimezone(UTC))
        elif target in ORDER:
            self.at += timedelta(days=2)
        self.attempt(lambda: self.honest(target))

    def honest(self, target: str) -> None:
        """Do what leads to a state, as the demo does it; the second round answers only what it is about."""
        self.walk.at = self.at
        if target == "report_drafting":
            self.answer_survey(no=self.walk.chance.randint(0, 2))
            self.take("finish_survey", self.surveyor)
        elif target == "survey_scheduled":
            on = add_business_days(local_date(self.at, self.world.practice.time_zone), 40)
            self.take("agree_date", self.surveyor, starts_on=on, short_notice=True)
        else:
            try:
                self.walk._step(target)
            except (StopIteration, IndexError, AssertionError) as stumbled:
                raise Stumbled from stumbled

    @precondition(lambda self: self.case.state == "repeat_survey")
    @rule(travel=st.booleans())
    def pay_and_start_the_repeat_survey(self, travel: bool) -> None:
        def act() -> None:
            for invoice in self.open_invoices():
                self.pay(invoice)
            self.take("start_repeat_survey", self.world.cast.staff)

        self.attempt(act)

    @rule(data=st.data())
    def someone_tries_something(self, data: st.DataObject) -> None:
        machine = current().machine("certification")
        leaving = machine.leaving(self.case.state)
        likely = sorted({t.trigger for t in leaving if t.primary}) * 4 + sorted({t.trigger for t in leaving})
        trigger = data.draw(
            st.sampled_from([*likely, *data.draw(st.sampled_from([[], sorted(machine.triggers)]))] or ["submit"])
        )
        who = data.draw(st.sampled_from(self.world.everyone))
        given = self.plausible(trigger, honest=data.draw(st.booleans()))
        if trigger in {"withdraw", "deny", "reject"} and data.draw(st.integers(0, 4)):
            return  # or hardly a walk would come to its end
        self.attempt(lambda: self.take(trigger, who, **given))

    @precondition(lambda self: self.case.state in JUDGED)
    @rule(who=st.integers(0, 3))
    def someone_with_every_hat_does_the_right_thing(self, who: int) -> None:
        """The roles would let them; only the rules about persons can keep them out."""
        cast = self.world.cast
        actor = [self.surveyor, cast.staff, cast.staff2, cast.council][who]
        trigger = JUDGED[self.case.state]
        self.attempt(lambda: self.take(trigger, actor, **self.plausible(trigger, honest=True)))

    @rule(days=st.sampled_from([1, 10, 29, 31, 120, 340]))
    def time_passes(self, days: int) -> None:
        if days > 31 and self.walk.chance.random() < 0.7:
            return
        self.at += timedelta(days=days)
        for trigger in ("expire", "close_unanswered", "close_unpaid"):
            self.attempt(lambda trigger=trigger: self.take(trigger, SYSTEM))  # type: ignore[misc]

    @rule(which=st.integers(0, 11))
    def someone_pays(self, which: int) -> None:
        for invoice in self.open_invoices()[: which % 2]:
            self.attempt(lambda invoice=invoice: self.pay(invoice))  # type: ignore[misc]

    @rule(edition=st.sampled_from(["2021", "2025"]))
    def someone_chooses_another_edition(self, edition: str) -> None:
        self.attempt(lambda: choose_edition(self.session, self.case, edition, actor=self.world.admin, at=self.at))

    @precondition(lambda self: bool(self.case.due_key))
    @rule(days=st.integers(1, 30))
    def the_program_gives_more_time(self, days: int) -> None:
        key = str(self.case.due_key)
        staff = self.world.cast.staff
        self.attempt(
            lambda: extend_deadline(self.session, self.case, key, days, "More time is needed.", actor=staff, at=self.at)
        )

    @precondition(lambda self: latest_survey(self.session, self.case.id) is not None)
    @rule(no=st.integers(0, 2), who=st.integers(0, 20))
    def someone_changes_answers_of_the_survey(self, no: int, who: int) -> None:
        people = self.world.everyone
        self.attempt(lambda: self.answer_survey(no=no, actor=people[who % len(people)], only=3))

    @precondition(lambda self: self.case.state == "surveyor_proposed")
    @rule(who=st.integers(0, 20), conflict=st.booleans())
    def someone_answers_the_conflict_question(self, who: int, conflict: bool) -> None:
        actor = self.world.everyone[who % len(self.world.everyone)]
        answers, detail = ({"employment": True}, "We work together.") if conflict else (None, "")
        signed = {"signed_name": actor.name, "signed_title": "Title", "detail": detail, "answers": answers}
        self.attempt(lambda: declare(self.session, self.case, **signed, actor=actor, at=self.at))  # type: ignore[arg-type]

    # How it is done

    @property
    def surveyor(self) -> Actor:
        return self.walk.surveyor

    def take(self, trigger: str, actor: Actor, **data: Any) -> None:
        take(self.session, self.case, trigger, data, actor=actor, at=self.at)

    def attempt(self, act: Any) -> None:
        """Do it whole or not at all, as a request does; what is refused leaves no trace."""
        self.session.flush()
        before = self.trace()
        undo = self.session.begin_nested()
        try:
            with standing_at(self.at):
                act()
            undo.commit()
        except Refusal:
            undo.rollback()
            self.session.expire_all()
        else:
            return
        assert self.trace() == before

    def trace(self) -> tuple[str, int, int, str]:
        count = self.session.scalar(select(func.count()).select_from(Event)) or 0
        return self.case.state, self.case.version, count, self.case.edition

    def pay(self, invoice: Invoice) -> None:
        record_payment(
            self.session,
            self.case,
            invoice,
            invoice.total_cents,
            reference="ACH",
            actor=self.world.cast.finance,
            at=self.at,
        )

    def open_invoices(self) -> list[Invoice]:
        query = select(Invoice).where(Invoice.case_id == self.case.id, Invoice.state == "open").order_by(Invoice.id)
        return list(self.session.scalars(query))

    def answer_survey(self, *, no: int, actor: Actor | None = None, only: int = 10_000) -> None:
        survey = latest_survey(self.session, self.case.id)
        assert survey is not None
        elements, _standards = places(survey)
        wanted = [(s.site_id, e) for s in sites_of(self.session, survey.id) if s.visited for e in elements][:only]
        missed = set(self.walk.chance.sample(range(len(wanted)), min(no, len(wanted))))
        entries: list[tuple[int, str | None, str, Any]] = []
        for index, (site, element) in enumerate(wanted):
            entries += [
                (site, element, "note", "Seen in charts and at the chair."),
                (site, element, "rating", "no" if index in missed else "yes"),
            ]
        answer_all(self.session, survey.id, entries, actor=actor or self.surveyor, at=self.at)

    def plausible(self, trigger: str, *, honest: bool) -> dict[str, Any]:
        """What a person might send with a trigger; dishonest: empty, or with the wrong verdicts."""
        findings = requirements_of(self.session, self.case.id, open_only=True)
        today = local_date(self.at, self.world.practice.time_zone)
        verdict = {True: "accept", False: "return"}[honest]
        items = {
            "submit_plan": [
                {"requirement": str(f.id), "action": "Mend it.", "owner": "Dr. Bo Hill", "due_on": (today + timedelta(days=20)).isoformat(), "evidence": "A record."}
                for f in findings[: None if honest else 1]
            ],
            "approve_plan": [{"requirement": str(f.id), "verdict": verdict, "comment": COMMENT} for f in findings],
            "return_plan": [{"requirement": str(f.id), "verdict": "return", "comment": COMMENT} for f in findings],
            "return_corrections": [{"requirement": str(f.id), "verdict": "not_enough", "note": COMMENT} for f in findings],
            "close_requirements": [
                {"requirement": str(f.id), "verdict": "closed", "note": COMMENT} for f in findings[: None if honest else 1]
            ],
        }  # fmt: skip
        standards = [findings[0].standard] if findings else ["7.3"]
        every: dict[str, dict[str, Any]] = {
            "ask_for_information": {"reason": COMMENT, "questions": [{"field": "emr", "question": "Which version?"}]},
            "reject": {"reason": COMMENT},
            "accept": {"integration": "common_tax_id"},
            "confirm_payment": {"amount": 950_000 if honest else 1, "received_on": today, "payment_reference": "ACH"},
            "mark_incomplete": {"reason": COMMENT, "gaps": [{"standard": "7.3", "gap": "The record is missing."}]},
            "propose_surveyor": {"surveyor": self.world.cast.surveyors[0 if honest else 1].user_id},
            "declare_conflict": {"reason": COMMENT},
            "agree_date": {"starts_on": today + timedelta(days=60 if honest else 3)},
            "reschedule": {"reason": COMMENT},
            "send_back_report": {"comments": COMMENT},
            "return_report": {"comments": COMMENT},
            "approve_report": {"conflict": "none" if honest else "conflict", "conflict_detail": COMMENT},
            "require_visit": {"reason": COMMENT, "standards": standards, "sites": [str(self.walk._sites()[0])]},
            "award": {"conflict": "none" if honest else "conflict", "conflict_detail": COMMENT},
            "deny": {"conflict": "none", "reasons": [{"standard": s, "reason": COMMENT} for s in standards]},
            "withdraw": {"reason": COMMENT, "confirmed": True},
            "return_plan": {"comments": COMMENT},
        }
        given = dict(every.get(trigger, {}))
        if items.get(trigger):
            given["items"] = items[trigger]
        return given

    # What must always be true

    @invariant()
    def no_certificate_while_anything_is_open(self) -> None:
        """Invariant 1."""
        if self.case.state != "certified":
            return
        self.session.flush()
        found = self.findings("requirement")
        assert not [f for f in found if f.status in {"open", "draft"}]
        assert self.open_invoices() == []
        for survey_id, missed in self.missed().items():
            closed = {
                f.element for f in found if f.survey_id == survey_id and f.status in {"closed", "carried", "withdrawn"}
            }
            assert missed <= closed
        assert self.session.scalar(
            select(func.count()).select_from(Report).where(Report.case_id == self.case.id, Report.state == "issued")
        )

    @invariant()
    def three_people_stand_behind_an_issued_report(self) -> None:
        """Invariant 2."""
        for report in self.session.scalars(
            select(Report).where(Report.case_id == self.case.id, Report.issued_at.is_not(None))
        ):
            hands = self.session.scalars(
                select(Approval).where(Approval.report_id == report.id).order_by(Approval.id)
            ).all()
            last = {h.action: h.person_id for h in hands}
            people = [last["submitted"], last["passed"], last["approved"]]
            assert None not in people
            assert len(set(people)) == 3, people
            lead = self.session.get_one(Survey, report.survey_id).lead_id
            assert lead not in people[1:]
            statement = self.session.scalar(
                select(ConflictStatement)
                .where(ConflictStatement.case_id == self.case.id, ConflictStatement.person_id == last["approved"])
                .where(ConflictStatement.at <= report.issued_at)
                .order_by(ConflictStatement.id.desc())
                .limit(1)
            )
            assert statement is not None
            assert statement.answer == "none"

    @invariant()
    def each_not_met_element_has_a_requirement_and_nothing_else_has(self) -> None:
        """Invariant 3, for every survey whose report is issued; and only closing them all leads to the decision."""
        issued = set(
            self.session.scalars(
                select(Report.survey_id).where(Report.case_id == self.case.id, Report.issued_at.is_not(None))
            )
        )
        missed = self.missed()
        for survey_id in issued:
            required = {f.element for f in self.findings("requirement") if f.survey_id == survey_id}
            assert required == missed.get(survey_id, set())
        if self.case.state == "decision":
            assert not [f for f in self.findings("requirement") if f.status == "open"]

    @invariant()
    def every_running_deadline_can_be_reckoned_again(self) -> None:
        """Invariant 4: from the anchors stored with the case, the rule, and the days given on top."""
        tz = self.world.practice.time_zone
        anchors = {key: date.fromisoformat(on) for key, on in self.case.anchors.items()}
        rows = self.session.scalars(
            select(CaseDeadline).where(CaseDeadline.case_id == self.case.id, CaseDeadline.ended_at.is_(None))
        )
        running = {row.key: row for row in rows}
        for key, row in running.items():
            rule_ = current().deadlines[key]
            on = due_on(rule_, anchors)
            assert on is not None
            if row.extended_days or row.rule["moved_days"]:
                more = row.extended_days + row.rule["moved_days"]
                on = add_business_days(on, more) if rule_.kind == "business" else on + timedelta(days=more)
            assert (row.due_on, row.due_at) == (on, end_of_day(on, tz)), key
        state = current().machine("certification").states[self.case.state]
        assert self.case.due_key == (state.due if state.due in running else None)
        if self.case.due_key:
            assert (self.case.due_on, self.case.due_at) == (
                running[self.case.due_key].due_on,
                running[self.case.due_key].due_at,
            )
        assert not (state.ends and set(running) - {"appeal_days"})

    @invariant()
    def the_edition_stands_after_payment(self) -> None:
        """Invariant 5."""
        if self.case.edition_locked_at is not None:
            self.edition_paid = self.edition_paid or self.case.edition
            assert self.case.edition == self.edition_paid

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        """Invariant 6."""
        if self.ended:
            assert self.case.state == self.ended
        if self.case.state in CLOSED_FOR_GOOD | NO_EXIT_YET:
            self.ended = self.case.state
            assert not self.case.open

    @invariant()
    def step_and_holder_follow_the_state(self) -> None:
        state = current().machine("certification").states[self.case.state]
        assert self.case.holder == state.holder
        assert state.ends or self.case.step == state.step

    def teardown(self) -> None:
        try:
            if hasattr(self, "case"):
                self.session.flush()
                verdict = verify_chain(self.session, f"case:{self.case.ref}")
                assert verdict.sound, verdict
                taken = self.session.scalars(
                    select(Event)
                    .where(Event.stream == f"case:{self.case.ref}", Event.kind == "case.advanced")
                    .order_by(Event.seq)
                ).all()
                ways = {
                    (t.trigger, s): t.target for t in current().machine("certification").transitions for s in t.sources
                }
                assert all(ways[e.data["trigger"], e.data["from"]] == e.data["to"] for e in taken)
                assert not taken or taken[-1].data["to"] == self.case.state
        finally:
            self.example.rollback()
            self.session.expire_all()

    def findings(self, kind: str) -> list[Finding]:
        query = select(Finding).where(Finding.case_id == self.case.id, Finding.kind == kind).order_by(Finding.id)
        return list(self.session.scalars(query))

    def missed(self) -> dict[int, set[str]]:
        """The elements rated no at any site, by survey."""
        rows = self.session.execute(
            select(SurveyAnswer.survey_id, SurveyAnswer.element, SurveyAnswer.value)
            .join(Survey, Survey.id == SurveyAnswer.survey_id)
            .where(Survey.case_id == self.case.id, SurveyAnswer.field == "rating")
        ).all()
        found: dict[int, set[str]] = {}
        for survey_id, element, value in rows:
            if value == "no":
                found.setdefault(survey_id, set()).add(element)
        return found


@pytest.fixture
def walks(session: Session) -> type[Cases]:
    """Random walks in a world of this test."""
    world = World(session)
    session.flush()
    return type("CasesHere", (Cases,), {"world": world})


@pytest.mark.hypothesis
def test_no_walk_of_any_people_breaks_an_invariant(walks: type[Cases]) -> None:
    run_state_machine_as_test(
        walks,
        settings=settings(
            max_examples=settings().max_examples // 3,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _surveyor_reviews(walk: Cases) -> None:
    walk.take("pass_report", walk.surveyor)
    walk.take("approve_report", walk.world.cast.council, conflict="none")


def _reviewer_approves(walk: Cases) -> None:
    walk.take("approve_report", walk.world.cast.staff2, conflict="none")


def _conflict_approves(walk: Cases) -> None:
    walk.take("approve_report", walk.world.cast.council, conflict="conflict", conflict_detail=COMMENT)


def _closes_nothing(walk: Cases) -> None:
    walk.take("close_requirements", walk.world.cast.staff)


def _awards_unpaid(walk: Cases) -> None:
    charge_repeat_survey(walk.session, walk.case, actor=walk.world.cast.staff, at=walk.at)
    walk.take("award", walk.world.cast.council2, conflict="none")


# Without the guard the deed is done, and the invariant sees it; with the guard it is refused.
TEETH = [
    ("reviewer_is_not_surveyor", "report_staff_review", _surveyor_reviews, Cases.three_people_stand_behind_an_issued_report),
    ("approver_is_third_person", "report_council_review", _reviewer_approves, Cases.three_people_stand_behind_an_issued_report),
    ("approver_free_of_conflict", "report_council_review", _conflict_approves, Cases.three_people_stand_behind_an_issued_report),
    ("all_requirements_closed", "correction_review", _closes_nothing, Cases.each_not_met_element_has_a_requirement_and_nothing_else_has),
    ("fees_settled", "decision", _awards_unpaid, Cases.no_certificate_while_anything_is_open),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "begun", "deed", "broken"), TEETH, ids=[t[0] for t in TEETH])
def test_an_invariant_sees_what_happens_without_its_guard(
    walks: type[Cases], monkeypatch: pytest.MonkeyPatch, guard: str, begun: str, deed: Any, broken: Any
) -> None:
    walk = walks()
    walk.begin(begun=begun, not_met=2, seed=1)
    undo = walk.session.begin_nested()
    with pytest.raises(RulesUnmet) as refusal:
        deed(walk)
    assert {u.guard for u in refusal.value.unmet} == {guard}
    undo.rollback()
    walk.session.expire_all()
    broken(walk)
    monkeypatch.setitem(registry.guards, guard, replace(registry.guards[guard], rule=lambda _facts: []))
    deed(walk)
    with pytest.raises(AssertionError):
        broken(walk)
    walk.teardown()
