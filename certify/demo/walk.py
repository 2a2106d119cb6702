"""Walking one practice through the real operations until its case stands where the demo wants it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from sqlalchemy.orm import Session

from certify.certification.applications.operations import put_answers, record_webinar, sign_agreement
from certify.certification.applications.queries import agreement_digest
from certify.certification.applications.review import ELIGIBILITY_RULES, propose_rejection
from certify.certification.cases.models import Case
from certify.certification.cases.operations import assign_staff, open_case, take
from certify.certification.evidence.operations import add_file
from certify.certification.fees.queries import open_invoice_of
from certify.certification.reports.queries import requirements_of
from certify.certification.surveyors.operations import declare
from certify.certification.surveys.operations import answer_all
from certify.certification.surveys.queries import latest_survey, sites_of
from certify.core.access.roles import Actor
from certify.core.foundation.clock import standing_at
from certify.core.foundation.days import add_business_days, is_business_day, local_date, zone
from certify.core.rulebook.current import current
from certify.demo import answers
from certify.demo.paper import policy_pdf
from certify.demo.people import Cast
from certify.platform.practices.models import Practice
from certify.platform.practices.queries import list_sites

STATEMENTS = {
    "leadership": "The medical director reads the monthly figures and answers for them to the board until the requirement is closed.",
    "prevention": "The step was left to memory; it is now a stop in the order set, which nobody can pass alone.",
}
# The path of a case with requirements: what is done, and how many days after the step before.
PATH: tuple[tuple[str, int], ...] = (
    ("draft", 0),
    ("submitted", 9),
    ("awaiting_payment", 4),
    ("documents_open", 6),
    ("desk_review", 15),
    ("pending", 6),
    ("surveyor_proposed", 7),
    ("scheduling", 2),
    ("survey_scheduled", 5),
    ("survey_in_progress", 50),
    ("report_drafting", 2),
    ("report_staff_review", 8),
    ("report_council_review", 4),
    ("report_issued", 4),
    ("plan_due", 0),
    ("plan_review", 8),
    ("correction_open", 5),
    ("correction_review", 40),
    ("decision", 12),
    ("certified", 6),
)
# States beside that path: reached from a state of it by one more step.
ASIDE = {
    "returned": "submitted", "repeat_survey": "correction_review", "withdrawn": "desk_review", "denied": "decision", "ineligible": "submitted",
}  # fmt: skip
DAYS = dict(PATH)
ORDER = [state for state, _ in PATH]


def days_until(target: str) -> int:
    """Return how many days after its beginning a case reaches a state."""
    last = ASIDE.get(target, target)
    return sum(days for _, days in PATH[: ORDER.index(last) + 1]) + (2 if target in ASIDE else 0)


@dataclass
class Walk:
    """One case on its way."""

    session: Session
    cast: Cast
    practice: Practice
    admin: Actor
    lead: Actor
    target: str
    begun_at: datetime
    chance: random.Random
    not_met: int = 3
    case: Case = field(init=False)
    at: datetime = field(init=False)

    def go(self) -> Case:
        """Walk from the first draft to the target."""
        self.at = self.begun_at
        with standing_at(self.at) as clock:
            self.case = open_case(
                self.session,
                self.practice.id,
                self.practice.legal_name,
                zone=self.practice.time_zone,
                actor=self.admin,
                at=self.at,
            )
            last = ASIDE.get(self.target, self.target)
            for state, days in PATH[1 : ORDER.index(last) + 1]:
                if state in ("report_issued",):
                    continue
                self.at = clock.move(to=self._later(state, days))
                self._step(state)
            if self.target in ASIDE:
                self.at = clock.move(to=self._later(self.target, 2))
                self._step(self.target)
            if self.target == "draft":
                self._begin_application()
        return self.case

    @property
    def visit_on(self) -> date:
        """The day of the visit, fixed from the beginning so that the practice can offer it."""
        on = local_date(self.begun_at, self.practice.time_zone) + timedelta(days=days_until("survey_in_progress"))
        return on if is_business_day(on) else add_business_days(on, 1)

    @property
    def surveyor(self) -> Actor:
        """The surveyor of this case."""
        return self.cast.surveyors[self.practice.id % len(self.cast.surveyors)]

    def _later(self, state: str, days: int) -> datetime:
        if state == "survey_in_progress":
            return datetime.combine(self.visit_on, time(8, 40), tzinfo=zone(self.practice.time_zone)).astimezone(UTC)
        return self.at + timedelta(days=days, minutes=self.chance.randint(-90, 90))

    def _step(self, state: str) -> None:
        steps: dict[str, Callable[[], None]] = {
            "submitted": self._submit, "returned": self._ask, "awaiting_payment": self._accept, "documents_open": self._pay,
            "desk_review": self._send_documents, "pending": lambda: self._take("mark_complete", self.cast.staff),
            "surveyor_proposed": lambda: self._take("propose_surveyor", self.cast.staff, surveyor=self.surveyor.user_id),
            "scheduling": self._declare, "survey_scheduled": self._agree,
            "survey_in_progress": lambda: self._take("check_in", self.surveyor), "report_drafting": self._survey,
            "report_staff_review": lambda: self._take("submit_report", self.surveyor),
            "report_council_review": lambda: self._take("pass_report", self.cast.staff2),
            "plan_due": self._approve, "plan_review": self._plan, "correction_open": self._approve_plan,
            "correction_review": self._correct, "decision": self._close,
            "certified": lambda: self._take("award", self.cast.council2, conflict="none"),
            "repeat_survey": self._require_visit, "withdrawn": self._withdraw, "denied": self._deny, "ineligible": self._reject,
        }  # fmt: skip
        steps[state]()

    def _take(self, trigger: str, actor: Actor, **data: object) -> None:
        take(self.session, self.case, trigger, data, actor=actor, at=self.at)

    def _begin_application(self) -> None:
        """A draft that lacks a few answers, the signature and the attestation."""
        given = answers.questionnaire(self.visit_on, self.chance, several_sites=True)
        for key in ("attestation", "survey_windows", "billing_contact_name", "billing_contact_email", "pathway_tool"):
            del given[key]
        # One answer is mended, so that it has earlier ones to show.
        mended = {"primary_contact_phone": given["primary_contact_phone"]}
        put_answers(
            self.session, self.case, {**given, "primary_contact_phone": "312-555-0199"}, actor=self.admin, at=self.at
        )
        put_answers(self.session, self.case, mended, actor=self.admin, at=self.at)

    def _submit(self) -> None:
        given = answers.questionnaire(self.visit_on, self.chance, several_sites=self._several_sites)
        put_answers(self.session, self.case, given, actor=self.admin, at=self.at)
        record_webinar(
            self.session, self.case, person_name=self.admin.name, actor=self.admin, at=self.at,
            attended_on=local_date(self.at, self.practice.time_zone) - timedelta(days=20),
        )  # fmt: skip
        sign_agreement(
            self.session, self.case, name=self.lead.name, title="Physician lead", agreed=True, address="192.0.2.10",
            shown_sha256=agreement_digest(self.case), actor=self.lead, at=self.at,
        )  # fmt: skip
        self._take("submit", self.admin)
        assign_staff(
            self.session, self.case, self.cast.staff.user_id, self.cast.staff.name, actor=self.cast.staff, at=self.at
        )

    def _ask(self) -> None:
        question = {
            "field": "pathway_tool",
            "question": "Which version of the pathway tool do you use, and since when?",
        }
        self._take(
            "ask_for_information", self.cast.staff, reason="One answer needs a little more.", questions=[question]
        )

    def _accept(self) -> None:
        basis = "common_tax_id" if self._several_sites else "single_site"
        self._take("accept", self.cast.staff, integration=basis)

    def _pay(self) -> None:
        invoice = open_invoice_of(self.session, self.case, "application")
        if invoice is None:
            raise RuntimeError("accepting an application makes its invoice")
        today = local_date(self.at, self.practice.time_zone)
        self._take(
            "confirm_payment",
            self.cast.finance,
            amount=invoice.total_cents,
            received_on=today,
            payment_reference=f"ACH {self.case.ref}",
        )

    def _send_documents(self) -> None:
        codes = list(current().editions[self.case.edition].standards)
        add_file(
            self.session, self.case, file_name="policies-and-procedures.pdf", content=policy_pdf(), elements=codes,
            title="Policies and procedures", effective_from=date(self.at.year, 1, 1), actor=self.admin, at=self.at,
        )  # fmt: skip
        self._take("send_documents", self.admin)

    def _declare(self) -> None:
        declare(
            self.session,
            self.case,
            signed_name=self.surveyor.name,
            signed_title="Surveyor",
            actor=self.surveyor,
            at=self.at,
        )
        declare(
            self.session,
            self.case,
            signed_name=self.admin.name,
            signed_title="Practice manager",
            actor=self.admin,
            at=self.at,
        )

    def _agree(self) -> None:
        self._take("agree_date", self.surveyor, starts_on=self.visit_on)

    def _survey(self) -> None:
        survey = latest_survey(self.session, self.case.id)
        if survey is None:
            raise RuntimeError("accepting the surveyor begins the survey")
        visited = [s.site_id for s in sites_of(self.session, survey.id) if s.visited]
        entries = answers.checklist(survey, visited, current().editions[survey.edition], self.chance, self.not_met)
        answer_all(self.session, survey.id, entries, actor=self.surveyor, at=self.at)
        self._take("finish_survey", self.surveyor)

    def _approve(self) -> None:
        self._take("approve_report", self.cast.council, conflict="none")

    def _plan(self) -> None:
        if self.case.state != "plan_due":
            return
        due = local_date(self.at, self.practice.time_zone) + timedelta(days=30)
        items = [
            {
                "requirement": str(f.id), "action": "Revise the procedure, train the staff of the site, and check ten charts a month.",
                "owner": self.lead.name, "due_on": due.isoformat(), "evidence": "The revised procedure, the training record and the first audit.",
                **{statement.key: STATEMENTS[statement.key] for statement in current().survey.demanded(f.harm, f.scope)},
            }
            for f in requirements_of(self.session, self.case.id, open_only=True)
        ]  # fmt: skip
        self._take("submit_plan", self.admin, items=items)

    def _approve_plan(self) -> None:
        if self.case.state != "plan_review":
            return
        items = [
            {"requirement": str(f.id), "verdict": "accept", "comment": ""}
            for f in requirements_of(self.session, self.case.id, open_only=True)
        ]
        self._take("approve_plan", self.cast.staff, items=items)

    def _correct(self) -> None:
        if self.case.state != "correction_open":
            return
        findings = requirements_of(self.session, self.case.id, open_only=True)
        evidence, _version = add_file(
            self.session, self.case, file_name="evidence-of-correction.pdf", content=policy_pdf("Evidence of correction"),
            elements=sorted({f.element or f.standard for f in findings}), title="Evidence of correction", actor=self.admin, at=self.at,
        )  # fmt: skip
        items = [{"requirement": str(f.id), "note": "Done as planned.", "evidence": evidence.uuid} for f in findings]
        self._take("submit_corrections", self.admin, items=items)

    def _close(self) -> None:
        if self.case.state != "correction_review":
            return
        items = [
            {"requirement": str(f.id), "verdict": "closed", "note": "Shown."}
            for f in requirements_of(self.session, self.case.id, open_only=True)
        ]
        self._take("close_requirements", self.cast.staff, items=items)

    def _require_visit(self) -> None:
        finding = requirements_of(self.session, self.case.id, open_only=True)[0]
        self._take(
            "require_visit", self.cast.staff, reason="What the policy says and what was seen differ; it must be seen again.",
            standards=[finding.standard], sites=[str(site) for site in finding.site_ids],
        )  # fmt: skip

    def _withdraw(self) -> None:
        self._take("withdraw", self.admin, reason="The practice is being merged; we will apply again.", confirmed=True)

    def _deny(self) -> None:
        standard = next(iter(current().editions[self.case.edition].standards))
        self._take(
            "deny",
            self.cast.council2,
            conflict="none",
            reasons=[{"standard": standard, "reason": "The correction did not hold at one site."}],
        )

    def _reject(self) -> None:
        rule = next(iter(ELIGIBILITY_RULES))
        propose_rejection(
            self.session,
            self.case,
            rule=rule,
            reason="The sites have no common policies.",
            actor=self.cast.staff,
            at=self.at,
        )
        self._take("reject", self.cast.staff2, reason="The sites have no common policies.")

    @cached_property
    def _several_sites(self) -> bool:
        """Whether the practice has more than one site; it opens and closes none on the way."""
        return len(self._sites()) > 1

    def _sites(self) -> list[int]:
        return [s.id for s in list_sites(self.session, self.practice.id, closed=False)]
