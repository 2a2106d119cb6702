"""Reads of step 1: the questionnaire with its answers, what is signed, asked, attended, proposed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from certify.certification.applications.fields import written
from certify.certification.applications.models import (
    AgreementSignature,
    Answer,
    AnswerChange,
    ChangeRequest,
    InformationQuestion,
    IntegrationFinding,
    RejectionProposal,
    WebinarAttendance,
)
from certify.certification.applications.rules import (
    ApplicationFacts,
    FieldFacts,
    QuestionFacts,
    StandardFacts,
    attested,
    days_in,
    is_empty,
    progress,
    questionnaire_complete,
    survey_dates_offered,
    windows_in,
)
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import zone_of
from certify.certification.evidence.queries import coverage_of
from certify.core.access.roles import Actor
from certify.core.catalogue.model import Agreement, Field, Questionnaire, Section
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound, Unmet
from certify.core.rulebook.current import current
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.rules import SERVICES, SETTINGS

EDITING_TRIGGERS = frozenset({"submit", "resubmit"})
ANSWER_GUARDS = frozenset({"questionnaire_complete", "survey_dates_offered", "attested"})


@dataclass(frozen=True)
class FieldState:
    """One field with its answer, the question the program asked about it, and whether it may still be answered."""

    field: Field
    value: Any
    rev: int
    by_name: str
    at: datetime | None
    words: str
    question: InformationQuestion | None
    answered: bool


@dataclass(frozen=True)
class SectionState:
    """One section with how far it is answered."""

    section: Section
    done: int
    needed: int
    questions: int  # of the program, not answered yet

    @property
    def complete(self) -> bool:
        return self.done == self.needed and not self.questions


@dataclass(frozen=True)
class PracticeRecord:
    """What the questionnaire shows from the practice's record instead of asking again."""

    practice: Practice
    sites: tuple[Site, ...]

    @property
    def physician_fte(self) -> Any:
        return sum(site.physician_fte for site in self.sites)

    @property
    def setting(self) -> str:
        return SETTINGS.get(self.practice.setting, self.practice.setting)

    def services_of(self, site: Site) -> str:
        """Return what the site offers, in the words of the practice's record."""
        return ", ".join(SERVICES.get(service, service) for service in site.services)


def questionnaire_of(case: Case) -> Questionnaire:
    """Return the questionnaire version of the case."""
    return current().questionnaires[case.questionnaire]


def agreement_of(case: Case) -> Agreement:
    """Return the agreement version of the case."""
    return current().agreements[case.agreement]


def editable(case: Case) -> bool:
    """Whether the questionnaire may be changed now: while the machine leads on by submitting it."""
    return any(t.trigger in EDITING_TRIGGERS for t in current().machine(case.kind).leaving(case.state))


def answers_for(session: Session, case: Case) -> dict[str, Any]:
    """Return the present answers by field key; fields never answered are not in it."""
    query = select(Answer.field, Answer.value).where(Answer.case_id == case.id)
    rows = remembered(session, ("answers", case.id), lambda: session.execute(query).all())
    return {field: value for field, value in rows if not is_empty(value)}


def answer_rows(session: Session, case: Case) -> dict[str, Answer]:
    """Return the present answers as rows with revision, author and time."""
    return {row.field: row for row in session.scalars(select(Answer).where(Answer.case_id == case.id))}


def history_of(session: Session, case: Case, field: str) -> Sequence[AnswerChange]:
    """Return every value a field had, newest first."""
    return session.scalars(
        select(AnswerChange)
        .where(AnswerChange.case_id == case.id, AnswerChange.field == field)
        .order_by(AnswerChange.rev.desc())
    ).all()


def value_at(session: Session, case: Case, field: str, rev: int) -> Any:
    """Return the value a field had at a revision, None before the first."""
    return session.scalar(
        select(AnswerChange.value).where(
            AnswerChange.case_id == case.id, AnswerChange.field == field, AnswerChange.rev == rev
        )
    )


def sections_of(session: Session, case: Case, asked: Sequence[InformationQuestion] | None = None) -> list[SectionState]:
    """Return every section with its progress, for the overview; `asked` are the open questions when they are at hand."""
    answers = answers_for(session, case)
    questions = open_questions(session, case) if asked is None else asked
    open_fields = [q.field for q in questions if q.answered_at is None]
    found = []
    for section in questionnaire_of(case).sections:
        facts = [_facts_of(field, section.key) for field in section.fields]
        done, needed = progress(facts, answers)
        found.append(SectionState(section, done, needed, sum(1 for f in section.fields if f.key in open_fields)))
    return found


def section_for(session: Session, case: Case, key: str) -> tuple[Section, list[FieldState]]:
    """Return one section with the state of each field. Raises: NotFound for an unknown section."""
    section = next((s for s in questionnaire_of(case).sections if s.key == key), None)
    if section is None:
        raise NotFound("The questionnaire has no such section.")
    rows, asked = answer_rows(session, case), {q.field: q for q in open_questions(session, case)}
    return section, [_state_of(field, rows.get(field.key), asked.get(field.key)) for field in section.fields]


def answers_in_words(session: Session, case: Case) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what is answered, section by section: its title, and label and words of each answered field."""
    answers = answers_for(session, case)
    return [
        (section.title, [(f.label, written(f, answers[f.key])) for f in section.fields if f.key in answers])
        for section in questionnaire_of(case).sections
    ]


def next_section(case: Case, key: str) -> Section | None:
    """Return the section after one, None after the last."""
    sections = questionnaire_of(case).sections
    position = next((n for n, s in enumerate(sections) if s.key == key), len(sections))
    return sections[position + 1] if position + 1 < len(sections) else None


def field_for(case: Case, key: str) -> tuple[Section, Field]:
    """Return a field and its section by the field's key. Raises: NotFound."""
    for section in questionnaire_of(case).sections:
        for field in section.fields:
            if field.key == key:
                return section, field
    raise NotFound(f"The questionnaire has no field {key[:60]!r}.")


def open_questions(session: Session, case: Case) -> Sequence[InformationQuestion]:
    """Return the questions of the program since the last resubmission, answered or not."""
    return session.scalars(
        select(InformationQuestion)
        .where(InformationQuestion.case_id == case.id, InformationQuestion.closed_at.is_(None))
        .order_by(InformationQuestion.id)
    ).all()


def question_for(session: Session, case: Case, question_id: int) -> InformationQuestion:
    """Return a question of the case that still runs. Raises: NotFound."""
    question = session.get(InformationQuestion, question_id)
    if question is None or question.case_id != case.id or question.closed_at is not None:
        raise NotFound("There is no such question.")
    return question


def signature_of(session: Session, case: Case) -> AgreementSignature | None:
    """Return the newest signature under the very text of the case's agreement version, or None."""
    return session.scalar(
        select(AgreementSignature).where(*_in_force(case)).order_by(AgreementSignature.id.desc()).limit(1)
    )


def signatures_of(session: Session, case: Case) -> Sequence[AgreementSignature]:
    """Return every signature given in the case, newest first."""
    return session.scalars(
        select(AgreementSignature).where(AgreementSignature.case_id == case.id).order_by(AgreementSignature.id.desc())
    ).all()


def webinars_of(session: Session, practice_id: int) -> Sequence[WebinarAttendance]:
    """Return who of the practice attended the webinar, latest first."""
    return session.scalars(
        select(WebinarAttendance)
        .where(WebinarAttendance.practice_id == practice_id, WebinarAttendance.removed_at.is_(None))
        .order_by(WebinarAttendance.attended_on.desc(), WebinarAttendance.id)
    ).all()


def webinar_for(session: Session, case: Case, attendance_id: int) -> WebinarAttendance:
    """Return one record of the case's practice. Raises: NotFound."""
    row = session.get(WebinarAttendance, attendance_id)
    if row is None or row.practice_id != case.practice_id or row.removed_at is not None:
        raise NotFound("There is no such record.")
    return row


def webinar_valid_days() -> int:
    """Return for how many days an attendance counts."""
    return int(current().settings["webinar_valid_days"])


def proposal_of(session: Session, case: Case) -> RejectionProposal | None:
    """Return the proposal to reject that stands, or None."""
    return session.scalar(
        select(RejectionProposal)
        .where(RejectionProposal.case_id == case.id, RejectionProposal.ended_at.is_(None))
        .order_by(RejectionProposal.id.desc())
        .limit(1)
    )


def integration_of(session: Session, case: Case) -> IntegrationFinding | None:
    """Return how the practice was found to be integrated, newest finding, or None."""
    return session.scalar(
        select(IntegrationFinding)
        .where(IntegrationFinding.case_id == case.id)
        .order_by(IntegrationFinding.id.desc())
        .limit(1)
    )


def change_requests_of(session: Session, case: Case) -> Sequence[ChangeRequest]:
    """Return what the practice asked to change after submission, newest first."""
    return session.scalars(
        select(ChangeRequest).where(ChangeRequest.case_id == case.id).order_by(ChangeRequest.id.desc())
    ).all()


def change_request_for(session: Session, case: Case, request_id: int) -> ChangeRequest:
    """Return an open change request of the case. Raises: NotFound."""
    row = session.get(ChangeRequest, request_id)
    if row is None or row.case_id != case.id or row.state != "open":
        raise NotFound("There is no such open request.")
    return row


def practice_record(session: Session, case: Case) -> PracticeRecord:
    """Return the practice with its open sites."""
    practice = session.get(Practice, case.practice_id)
    if practice is None:
        raise NotFound("The practice of the case is gone.")
    sites = session.scalars(
        select(Site).where(Site.practice_id == practice.id, Site.closed_on.is_(None)).order_by(Site.id)
    ).all()
    return PracticeRecord(practice, tuple(sites))


def survey_windows(session: Session, case: Case) -> list[tuple[date, date]]:
    """Return the survey windows the practice offers, earliest first."""
    return [window for value in _values_of_kind(session, case, "date_windows") for window in windows_in(value)]


def blackout_days(session: Session, case: Case) -> list[tuple[date, date]]:
    """Return the days on which the practice cannot be surveyed, each as first and last day."""
    return [(day, day) for value in _values_of_kind(session, case, "date_list") for day in days_in(value)]


def missing_answers(session: Session, case: Case, actor: Actor, at: datetime) -> list[Unmet]:
    """Return everything the questionnaire itself still lacks, with a link to each field."""
    facts = _facts(session, case, actor, at, ANSWER_GUARDS)
    return questionnaire_complete(facts) + survey_dates_offered(facts) + attested(facts)


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> ApplicationFacts:
    """Return what the guards of step 1 judge, as far as the case's present state asks for them."""
    asked = {guard for t in current().machine(case.kind).leaving(case.state) for guard in t.guards}
    return _facts(session, case, actor, at, asked)


def _facts(session: Session, case: Case, actor: Actor, at: datetime, asked: Collection[str]) -> ApplicationFacts:
    questionnaire = questionnaire_of(case)
    places = {field.key: section.key for section in questionnaire.sections for field in section.fields}
    given = {
        "case_id": case.id, "practice_id": case.practice_id, "agreement": case.agreement,
        "agreement_sha256": agreement_of(case).sha256,
    }  # fmt: skip
    sites, attended, signature, proposed_by, basis = session.execute(_SINGLE_FACTS, given).one()
    questions = open_questions(session, case) if "questions_answered" in asked else ()
    coverage = coverage_of(session, case) if "documents_for_each_standard" in asked else {}
    return ApplicationFacts(
        ref=case.ref,
        today=local_date(at, zone_of(session, case)),
        fields=tuple(_facts_of(field, section.key) for section in questionnaire.sections for field in section.fields),
        answers=answers_for(session, case) if ANSWER_GUARDS & set(asked) else {},
        webinar_attended_on=attended,
        webinar_valid_days=webinar_valid_days(),
        sites=sites or 0,
        windows_needed=int(current().settings["survey_windows_needed"]),
        agreement_signed=signature is not None,
        questions=tuple(
            QuestionFacts(q.id, q.field, places.get(q.field, ""), q.question, q.answered_at is not None)
            for q in questions
        ),
        proposed_by_id=proposed_by,
        actor_id=actor.user_id,
        integration_basis=basis or "",
        standards=tuple(StandardFacts(s.code, s.title, s.settled) for rows in coverage.values() for s in rows),
    )


def _single_facts() -> Select[int, date | None, int | None, int | None, str | None]:
    """One row of everything that is a single value: sites, last webinar, signature, who proposed to reject, integration."""
    case_id: BindParameter[int] = bindparam("case_id")
    practice_id: BindParameter[int] = bindparam("practice_id")
    sites = select(func.count()).select_from(Site).where(Site.practice_id == practice_id, Site.closed_on.is_(None))
    attended = select(func.max(WebinarAttendance.attended_on)).where(
        WebinarAttendance.practice_id == practice_id, WebinarAttendance.removed_at.is_(None)
    )
    signature = select(func.max(AgreementSignature.id)).where(
        AgreementSignature.case_id == case_id,
        AgreementSignature.agreement == bindparam("agreement"),
        AgreementSignature.text_sha256 == bindparam("agreement_sha256"),
    )
    proposed = (
        select(RejectionProposal.proposed_by_id)
        .where(RejectionProposal.case_id == case_id, RejectionProposal.ended_at.is_(None))
        .order_by(RejectionProposal.id.desc())
        .limit(1)
    )
    basis = (
        select(IntegrationFinding.basis)
        .where(IntegrationFinding.case_id == case_id)
        .order_by(IntegrationFinding.id.desc())
        .limit(1)
    )
    return select(
        sites.scalar_subquery(),
        attended.scalar_subquery(),
        signature.scalar_subquery(),
        proposed.scalar_subquery(),
        basis.scalar_subquery(),
    )


_SINGLE_FACTS = _single_facts()


def _in_force(case: Case) -> tuple[ColumnElement[bool], ...]:
    return (
        AgreementSignature.case_id == case.id,
        AgreementSignature.agreement == case.agreement,
        AgreementSignature.text_sha256 == agreement_of(case).sha256,
    )


def counts_for(session: Session, case: Case, actor: Actor) -> dict[str, ColumnElement[int]]:
    """Return the number on the Application tab: questions of the program that wait for an answer."""
    if not any(t.trigger == "resubmit" for t in current().machine(case.kind).leaving(case.state)):
        return {}
    query = (
        select(func.count())
        .select_from(InformationQuestion)
        .where(
            InformationQuestion.case_id == case.id,
            InformationQuestion.closed_at.is_(None),
            InformationQuestion.answered_at.is_(None),
        )
    )
    return {"application": query.scalar_subquery()}


def _values_of_kind(session: Session, case: Case, kind: str) -> list[Any]:
    answers = answers_for(session, case)
    return [answers.get(f.key) for s in questionnaire_of(case).sections for f in s.fields if f.kind == kind]


def _facts_of(field: Field, section: str) -> FieldFacts:
    return FieldFacts(field.key, field.label, field.kind, section, field.required)


def _state_of(field: Field, row: Answer | None, question: InformationQuestion | None) -> FieldState:
    value = row.value if row else None
    return FieldState(
        field,
        value,
        row.rev if row else 0,
        row.by_name if row else "",
        row.at if row else None,
        written(field, value),
        question,
        not is_empty(value),
    )


def agreement_digest(case: Case) -> str:
    """Return the digest of the agreement text in force for the case, which a signer sends back as proof of what was shown."""
    return agreement_of(case).sha256
