"""Rows of reports as they are stored: versions, findings, hands, comments, objections, conflict statements."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseMember
from certify.certification.reports.composition import LETTERS
from certify.certification.reports.models import Approval, ConflictStatement, Finding, Objection, Report, ReportComment
from certify.certification.reports.severity import Risk
from certify.certification.surveys.models import Survey
from certify.core.foundation.errors import NotFound

DRAFT, IN_REVIEW, WITH_COUNCIL, ISSUED, REPLACED = "draft", "in_review", "with_council", "issued", "replaced"


def newest_report(session: Session, case_id: int) -> Report | None:
    """Return the report a case works on: of its last survey, the last version."""
    return remembered(session, ("newest_report", case_id), lambda: _newest_report(session, case_id))


def _newest_report(session: Session, case_id: int) -> Report | None:
    return session.scalar(
        select(Report).where(Report.case_id == case_id).order_by(Report.survey_id.desc(), Report.number.desc()).limit(1)
    )


def issued_report(session: Session, case_id: int, report_id: int | None = None) -> Report | None:
    """Return the newest issued report of a case, or the one asked for when it was ever issued."""
    return next((r for r in list_issued(session, case_id) if report_id is None or r.id == report_id), None)


def list_issued(session: Session, case_id: int) -> Sequence[Report]:
    """Return every version ever issued in a case, newest first; all remain readable."""
    return remembered(session, ("issued", case_id), lambda: _list_issued(session, case_id))


def _list_issued(session: Session, case_id: int) -> Sequence[Report]:
    return session.scalars(
        select(Report)
        .where(Report.case_id == case_id, Report.state.in_((ISSUED, REPLACED)))
        .order_by(Report.survey_id.desc(), Report.number.desc())
    ).all()


def survey_of(session: Session, report: Report) -> Survey:
    """Return the survey a report tells of."""
    return session.get_one(Survey, report.survey_id)


def findings_of(session: Session, survey_id: int) -> Sequence[Finding]:
    """Return every finding of a survey, in the order they were made."""
    return remembered(session, ("findings", survey_id), lambda: _findings_of(session, survey_id))


def _findings_of(session: Session, survey_id: int) -> Sequence[Finding]:
    return session.scalars(select(Finding).where(Finding.survey_id == survey_id).order_by(Finding.id)).all()


def requirements_of(session: Session, case_id: int, *, open_only: bool = False) -> Sequence[Finding]:
    """Return the issued requirements of a case over all its surveys, by number."""
    found = remembered(session, ("requirements", case_id), lambda: _requirements_of(session, case_id))
    return [f for f in found if f.status == "open"] if open_only else found


def _requirements_of(session: Session, case_id: int) -> Sequence[Finding]:
    return session.scalars(
        select(Finding)
        .where(Finding.case_id == case_id, Finding.kind == "requirement", Finding.status != "draft")
        .order_by(Finding.number, Finding.id)
    ).all()


def requirement_for(session: Session, case: Case, finding_id: int) -> Finding:
    """Return one issued requirement of the case. Raises: NotFound."""
    finding = session.get(Finding, finding_id)
    if finding is None or finding.case_id != case.id or finding.kind != "requirement" or finding.status == "draft":
        raise NotFound("There is no such requirement in this case.")
    return finding


def label_of(finding: Finding) -> str:
    """Return how a finding is called: `R2 (7.3.b)`."""
    return f"{number_of(finding)} ({finding.element or finding.standard})"


def number_of(finding: Finding) -> str:
    """Return a finding's number with its letter, `R2`."""
    return f"{LETTERS[finding.kind]}{finding.number or ''}"


def risk_of(finding: Finding) -> Risk | None:
    """Return where a finding stands in the matrix, None when it was not placed."""
    return Risk(finding.harm, finding.scope) if finding.harm and finding.scope else None


def open_sites(finding: Finding) -> list[int]:
    """Return the sites a requirement still stands for: all of its own, without those a repeat survey judged anew."""
    return [site for site in finding.site_ids if site not in finding.seen_again]


def amended_of(findings: Sequence[Finding]) -> frozenset[tuple[str, int]]:
    """Return the (element, site) pairs that an accepted objection showed to be met."""
    return frozenset((f.element, site) for f in findings if f.status == "withdrawn" for site in f.site_ids)


def approvals_of(session: Session, survey_id: int) -> Sequence[Approval]:
    """Return every hand the report of a survey went through, in order."""
    return remembered(session, ("approvals", survey_id), lambda: _approvals_of(session, survey_id))


def _approvals_of(session: Session, survey_id: int) -> Sequence[Approval]:
    return session.scalars(
        select(Approval)
        .join(Report, Report.id == Approval.report_id)
        .where(Report.survey_id == survey_id)
        .order_by(Approval.id)
    ).all()


def comments_of(session: Session, report: Report) -> Sequence[ReportComment]:
    """Return the reviewers' comments on a report, oldest first."""
    return session.scalars(
        select(ReportComment).where(ReportComment.report_id == report.id).order_by(ReportComment.id)
    ).all()


def objections_of(session: Session, case_id: int) -> Sequence[Objection]:
    """Return the practice's objections of a case, newest first."""
    return session.scalars(select(Objection).where(Objection.case_id == case_id).order_by(Objection.id.desc())).all()


def objection_for(session: Session, case: Case, objection_id: int) -> Objection:
    """Return one objection of the case. Raises: NotFound."""
    objection = session.get(Objection, objection_id)
    if objection is None or objection.case_id != case.id:
        raise NotFound("There is no such objection in this case.")
    return objection


def statement_of(session: Session, case_id: int, person_id: int | None) -> ConflictStatement | None:
    """Return a person's newest answer to the conflict question of a case, or None."""
    if person_id is None:
        return None
    return remembered(session, ("statement", case_id, person_id), lambda: _statement_of(session, case_id, person_id))


def _statement_of(session: Session, case_id: int, person_id: int) -> ConflictStatement | None:
    return session.scalar(
        select(ConflictStatement)
        .where(ConflictStatement.case_id == case_id, ConflictStatement.person_id == person_id)
        .order_by(ConflictStatement.id.desc())
        .limit(1)
    )


def surveyors_of(session: Session, case_id: int) -> frozenset[int]:
    """Return everyone who ever surveyed this case or sent its report as surveyor."""
    members = select(CaseMember.person_id).where(CaseMember.case_id == case_id, CaseMember.role == "surveyor")
    leads = select(Survey.lead_id).where(Survey.case_id == case_id, Survey.finished_at.is_not(None))
    writers = (
        select(Approval.person_id)
        .join(Report, Report.id == Approval.report_id)
        .where(Report.case_id == case_id, Approval.role == "surveyor")
    )
    return frozenset(person for person in session.scalars(members.union(leads, writers)) if person)


def reviewers_of(session: Session, case_id: int) -> frozenset[int]:
    """Return everyone who reviewed a report of this case for the program."""
    found = session.scalars(
        select(Approval.person_id)
        .join(Report, Report.id == Approval.report_id)
        .where(Report.case_id == case_id, Approval.role == "program_staff")
    )
    return frozenset(p for p in found if p is not None)


def count_open_requirements(session: Session, case_id: int) -> int:
    """Return how many requirements of a case are open."""
    return remembered(session, ("open", case_id), lambda: session.scalar(select(open_requirements_of(case_id))) or 0)


def open_requirements_of(case_id: int) -> ColumnElement[int]:
    """Return the number of open requirements of a case, to be asked within another query."""
    query = (
        select(func.count())
        .select_from(Finding)
        .where(Finding.case_id == case_id, Finding.kind == "requirement", Finding.status == "open")
    )
    return query.scalar_subquery()
