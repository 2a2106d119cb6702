"""A practice whose survey is finished, with the people of steps 3 and 4: where the report begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.applications.models import AgreementSignature
from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.operations import take
from certify.certification.evidence.models import Evidence, EvidenceVersion
from certify.certification.fees.models import Invoice
from certify.certification.reports.models import Report
from certify.certification.reports.operations import begin_draft
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveySite
from certify.core.access.roles import PRACTICE_ROLES, SYSTEM, Actor, Grant, Role
from certify.core.foundation.ids import new_uuid
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.identity.passwords import hash_password
from certify.platform.practices.models import Practice, Site

PASSWORD = "a long enough phrase"
PEOPLE = {
    "admin": (Role.PRACTICE_ADMIN,),
    "physician": (Role.PHYSICIAN_LEAD,),
    "nurse": (Role.PRACTICE_STAFF,),
    "surveyor": (Role.SURVEYOR,),
    "staff": (Role.PROGRAM_STAFF,),
    "council": (Role.COUNCIL,),
    "decider": (Role.COUNCIL,),
    "everything": (Role.SURVEYOR, Role.PROGRAM_STAFF, Role.COUNCIL),
}


@dataclass
class Surveyed:
    """The world of one surveyed practice."""

    session: Session
    at: datetime
    practice: Practice
    sites: list[Site]
    case: Case
    survey: Survey
    report: Report | None = None
    actors: dict[str, Actor] = field(default_factory=dict)

    def sign_in(self, client: FlaskClient, who: str) -> FlaskClient:
        """Sign one of its people in."""
        answer = client.post("/sign-in", data={"email": f"{who}@example.org", "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    def take(self, trigger: str, who: str, **data: object) -> CaseAdvanced:
        """Take a step of the case as one of its people, an hour later than the last."""
        self.at += timedelta(hours=1)
        return take(self.session, self.case, trigger, data, actor=self.actors[who], at=self.at)

    def answer(self, element: str, rating: str, *, site: int = 0, note: str = "Seen.") -> None:
        """Change one answer of the survey."""
        for name, value in (("rating", rating), ("note", note)):
            row = self.session.query(SurveyAnswer).filter_by(
                survey_id=self.survey.id, site_id=self.sites[site].id, element=element, field=name
            ).one()  # fmt: skip
            row.value = value
        self.session.flush()

    def document(self, title: str = "Training log", *, state: str = "clear") -> Evidence:
        """Put a document into the practice's library."""
        evidence = Evidence(uuid=new_uuid(), practice_id=self.practice.id, title=title, created_at=self.at)
        self.session.add(evidence)
        self.session.flush()
        self.session.add(
            EvidenceVersion(
                evidence_id=evidence.id, number=1, file_key="0" * 64, original_sha256="0" * 64, file_name="log.pdf",
                media_type="application/pdf", size=10, state=state, uploaded_at=self.at,
            )
        )  # fmt: skip
        self.session.flush()
        return evidence

    def to_issued(self) -> Report:
        """Bring the report through its three people."""
        self.take("submit_report", "surveyor")
        self.take("pass_report", "staff")
        self.take("approve_report", "council", conflict="none")
        assert self.report is not None
        self.session.refresh(self.report)
        return self.report

    def plan_items(self, requirements: Iterable[int]) -> list[dict[str, str]]:
        """Return a whole plan for these requirements."""
        due_on = (self.at + timedelta(days=60)).date().isoformat()
        return [
            {
                "requirement": str(r),
                "action": "Train everyone.",
                "owner": "A. Nurse",
                "due_on": due_on,
                "evidence": "Log",
            }
            for r in requirements
        ]


def surveyed(session: Session, at: datetime, *, not_met: Iterable[tuple[str, int]] = (), sites: int = 2) -> Surveyed:
    """Make a practice whose survey is finished: every element yes with a note, but for `not_met` (element, number of site)."""
    practice = Practice(
        legal_name="Lakeside Oncology", name_key="lakeside oncology", tax_ids=["12-3456789"], setting="community", city="Duluth", state="MN",
        time_zone="America/Chicago", register_consent=True, created_at=at,
    )  # fmt: skip
    session.add(practice)
    session.flush()
    rows = [
        Site(
            practice_id=practice.id,
            name=f"Lakeside {name}",
            city="Duluth",
            state="MN",
            services=["infusion"],
            physician_fte=Decimal(2),
        )
        for name in ("Main", "North", "South", "West")[:sites]
    ]
    session.add_all(rows)
    session.flush()
    people = _people(session, practice, at)
    case = _case(session, practice, at)
    survey = _survey(session, case, rows, people["surveyor"].user_id, at, set(not_met))
    session.add(CaseMember(case_id=case.id, person_id=survey.lead_id, role="surveyor", from_at=at - timedelta(days=60)))
    session.add(
        CaseMember(
            case_id=case.id, person_id=people["everything"].user_id, role="surveyor", from_at=at - timedelta(days=60)
        )
    )
    session.flush()
    world = Surveyed(session, at, practice, rows, case, survey, actors=people)
    world.report = begin_draft(session, case, actor=SYSTEM, at=at)
    return world


def _people(session: Session, practice: Practice, at: datetime) -> dict[str, Actor]:
    actors = {}
    for name, roles in PEOPLE.items():
        person = Person(
            email=f"{name}@example.org",
            name=f"{name.title()} Person",
            title="RN",
            password_hash=hash_password(PASSWORD),
            created_at=at,
        )
        session.add(person)
        session.flush()
        grants = [Grant(role, practice.id if role in PRACTICE_ROLES else None) for role in roles]
        session.add_all(
            RoleGrant(person_id=person.id, role=g.role.value, practice_id=g.practice_id, granted_at=at) for g in grants
        )
        actors[name] = Actor(person.id, frozenset(grants), name=person.name, email=person.email)
    return actors


def _case(session: Session, practice: Practice, at: datetime) -> Case:
    pending_on = (at - timedelta(days=100)).date()
    machine = current().machine("certification")
    agreement = current().newest_agreement()
    state = machine.states["report_drafting"]
    case = Case(
        ref="LO-2026-001", practice_id=practice.id, edition="2021", edition_locked_at=at, questionnaire="1", agreement=agreement.version,
        state=state.key, step=state.step, holder=state.holder, state_since=at,
        anchors={"entered": at.date().isoformat(), "pending_on": pending_on.isoformat(), "survey_ended_on": at.date().isoformat()},
        created_at=at,
    )  # fmt: skip
    session.add(case)
    session.flush()
    session.add(
        AgreementSignature(
            case_id=case.id, agreement=case.agreement, agreement_version=case.agreement, text="Text", text_sha256="0" * 64,
            signer_name="Physician Person", signer_title="MD", signer_role="physician_lead", signed_at=at, address="127.0.0.1",
        )
    )  # fmt: skip
    session.add(
        Invoice(
            number="INV-2026-0001", case_id=case.id, kind="application", reference="X", total_cents=950000, bill_to={}, issued_at=at,
            issued_on=pending_on, due_on=pending_on, state="paid",
        )
    )  # fmt: skip
    session.flush()
    return case


def _survey(
    session: Session, case: Case, sites: list[Site], lead_id: int | None, at: datetime, not_met: set[tuple[str, int]]
) -> Survey:
    on = date(at.year, at.month, at.day)
    survey = Survey(
        case_id=case.id, round=1, edition=case.edition, lead_id=lead_id, starts_on=on, ends_on=on, seed="seed", sampled_at=at,
        checked_in_at=at, finished_at=at, created_at=at,
    )  # fmt: skip
    session.add(survey)
    session.flush()
    seq = 0
    for number, site in enumerate(sites):
        session.add(SurveySite(survey_id=survey.id, site_id=site.id, visited=True, reasons=["all"], position=number))
        for element in current().editions[case.edition].element_ids:
            no = (element, number) in not_met
            for name, value in (
                ("rating", "no" if no else "yes"),
                ("note", f"At {site.name}: half of the charts." if no else "Seen."),
            ):
                seq += 1
                session.add(
                    SurveyAnswer(
                        survey_id=survey.id,
                        site_id=site.id,
                        element=element,
                        field=name,
                        value=value,
                        seq=seq,
                        by_name="S",
                        at=at,
                    )
                )
    survey.seq = seq
    session.flush()
    return survey
