"""What a document of a case would say, and whether it was made before: read with the right to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.applications.queries import signatures_of
from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may, case_for, zone_of
from certify.certification.certificates.queries import certificate_content_for
from certify.certification.decisions.queries import decision_of, letter_for
from certify.certification.fees.queries import InvoiceView, invoice_for
from certify.certification.reports.queries import content_of, issued_report, newest_report
from certify.certification.surveys.blindfold import blindfolded, closed_until_scored
from certify.certification.surveys.queries import latest_survey, record_of
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.days import zone as zone_info
from certify.core.foundation.errors import NotFound
from certify.outlets.documents.content.agreement import SignedAgreement, clauses_of
from certify.outlets.documents.content.certificate import Certificate
from certify.outlets.documents.content.decision_letter import DecisionLetter
from certify.outlets.documents.content.invoice import Invoice, InvoiceLine
from certify.outlets.documents.content.reading import read
from certify.outlets.documents.content.sample import SampledSite, SampleSheet
from certify.outlets.documents.content.survey_report import SurveyReport
from certify.outlets.documents.content.wording import listed, sentence
from certify.outlets.documents.models import Document
from certify.platform.mail.addresses import base_url
from certify.platform.practices.models import Practice

PROGRAM = "Oncology Medical Home certification"
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "survey-report": ("docx", "pdf"),
    "decision-letter": ("docx", "pdf"),
    "certificate": ("docx", "pdf"),
    "agreement": ("pdf",),
    "sample-sheet": ("pdf",),
    "case-file": ("zip",),
}


@dataclass(frozen=True)
class Plan:
    """A document ready to be made: plain data, so that no transaction need stay open while pages are set.

    `source` is empty for what may still change (a draft); such files are never kept. `sha256` is set when the file was
    made before.
    """

    kind: str
    ext: str
    case_id: int
    case_ref: str
    file_name: str
    content: Any
    source: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Wanted:
    """What a person asks for beyond the kind: an earlier version of a report, the draft.

    `base_url` is the address of the program for good, as its codes give it. Where none is configured it is empty; then
    what bears an address bears that of the moment, and is made anew each time.
    """

    report_id: int | None = None
    draft: bool = False
    base_url: str = ""


def plan_for(session: Session, actor: Actor, ref: str, kind: str, ext: str, wanted: Wanted | None = None) -> Plan:
    """Return the plan of a document of a case, as far as the actor may read it.

    Raises: NotFound when there is no such document, or it is not the actor's to see; NotAllowed as `case_for`.
    """
    if ext not in EXTENSIONS.get(kind, ()) or kind not in _CONTENT:
        raise NotFound(f"There is no document {kind}.{ext}.")
    permission, build = _CONTENT[kind]
    case = case_for(session, actor, ref, permission)
    content, source, version = build(session, case, actor, wanted or Wanted())
    name = f"{case.ref}-{kind}{f'-{version}' if version else ''}.{ext}"
    return Plan(kind, ext, case.id, case.ref, name, content, source, _made_before(session, source, kind, ext))


def plan_invoice(session: Session, actor: Actor, number: str) -> Plan:
    """Return the plan of an invoice. Raises: NotFound when it is not the actor's to see."""
    return invoice_plan(session, *invoice_for(session, actor, number))


def invoice_plan(session: Session, case: Case, view: InvoiceView) -> Plan:
    """Return the plan of an invoice the caller may show."""
    number = view.invoice.number
    source = f"invoice:{number}:{view.invoice.state}"
    content = invoice_content(case, view)
    return Plan(
        "invoice",
        "pdf",
        case.id,
        case.ref,
        f"{number}.pdf",
        content,
        source,
        _made_before(session, source, "invoice", "pdf"),
    )


def _made_before(session: Session, source: str, kind: str, ext: str) -> str:
    if not source:
        return ""
    query = select(Document.sha256).where(Document.source == source, Document.kind == kind, Document.ext == ext)
    return session.scalar(query) or ""


def _survey_report(session: Session, case: Case, actor: Actor, wanted: Wanted) -> tuple[SurveyReport, str, str]:
    issued = None if wanted.draft else issued_report(session, case.id, wanted.report_id)
    if issued is not None:
        content = report_content(content_of(session, case, issued), zone_of(session, case))
        return content, f"report:{issued.id}", f"v{issued.number}"
    newest = newest_report(session, case.id) if wanted.report_id is None else None
    if (
        newest is None
        or newest.issued_at is not None
        or not actor_may(session, case, actor, Permission.VIEW_DRAFT_REPORT)
    ):
        raise NotFound("No survey report has been issued in this case yet.")
    if blindfolded(session, newest.survey_id, actor):
        raise closed_until_scored(newest.survey_id)
    return report_content(content_of(session, case, newest), zone_of(session, case)), "", "draft"


def report_content(data: Mapping[str, Any], zone: str) -> SurveyReport:
    """Return a report's frozen JSON as content for the writers, its instants in the practice's time zone."""
    report = read(SurveyReport, {"summary": data.get("more", {}).get("summary", ""), **data})
    local = zone_info(zone)
    return replace(
        report,
        issued_at=report.issued_at.astimezone(local) if report.issued_at else None,
        approvals=tuple(replace(a, at=a.at.astimezone(local) if a.at else None) for a in report.approvals),
        signatures=tuple(replace(s, at=s.at.astimezone(local)) for s in report.signatures),
        versions=tuple(replace(v, issued_at=v.issued_at.astimezone(local)) for v in report.versions),
    )


def _decision_letter(session: Session, case: Case, _actor: Actor, _wanted: Wanted) -> tuple[DecisionLetter, str, str]:
    letter, decision = read(DecisionLetter, letter_for(session, case)), decision_of(session, case.id)
    return letter, f"decision:{decision.id}" if decision else "", ""


def _certificate(session: Session, case: Case, _actor: Actor, wanted: Wanted) -> tuple[Certificate, str, str]:
    data = certificate_content_for(session, case)
    address = f"{(wanted.base_url or base_url()).rstrip('/')}/register/{data['number']}"
    certificate = read(Certificate, {**data, "register_url": address})
    lasting = bool(wanted.base_url) and not certificate.draft
    return certificate, f"certificate:{certificate.number}" if lasting else "", certificate.number


def _agreement(session: Session, case: Case, _actor: Actor, _wanted: Wanted) -> tuple[SignedAgreement, str, str]:
    signatures = signatures_of(session, case)
    if not signatures:
        raise NotFound("The participation agreement has not been signed yet.")
    signature = signatures[0]
    title, clauses = clauses_of(signature.text)
    content = SignedAgreement(
        case_ref=case.ref,
        program=PROGRAM,
        practice=_practice(session, case).legal_name,
        title=title or "Participation agreement",
        version=signature.agreement_version,
        clauses=clauses,
        text_sha256=signature.text_sha256,
        signer=signature.signer_name,
        signer_title=signature.signer_title,
        signed_at=signature.signed_at.astimezone(zone_info(zone_of(session, case))),
        signed_from=signature.address,
    )
    return content, f"agreement:{signature.id}", ""


def _sample_sheet(session: Session, case: Case, _actor: Actor, _wanted: Wanted) -> tuple[SampleSheet, str, str]:
    survey = latest_survey(session, case.id)
    if survey is None or survey.sampled_at is None:
        raise NotFound("The sites to visit have not been drawn yet.")
    record = record_of(session, survey.id)
    sites = tuple(SampledSite(s.name, s.address, sentence(s.how), s.visited, sentence(s.why)) for s in record.sites)
    content = SampleSheet(
        case_ref=case.ref,
        program=PROGRAM,
        practice=_practice(session, case).legal_name,
        survey_on=survey.starts_on,
        surveyor=listed([name for _, name, _ in record.surveyors]),
        rule=f"{sentence(record.sampling_rule)}.",
        seed=record.seed,
        drawn_at=survey.sampled_at.astimezone(zone_info(zone_of(session, case))),
        drawn_by="",
        sites=sites,
    )
    return content, "", ""


def invoice_content(case: Case, view: InvoiceView) -> Invoice:
    """Return an invoice as issued, with how it ended."""
    invoice, bill_to = view.invoice, view.invoice.bill_to
    cancelled = f"This invoice was canceled. {invoice.ended_reason}".strip() if invoice.state == "cancelled" else ""
    return Invoice(
        number=invoice.number,
        case_ref=case.ref,
        program=PROGRAM,
        sender=(),
        practice=str(bill_to.get("name", "")),
        address=tuple(str(bill_to[part]) for part in ("address", "city") if bill_to.get(part)),
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        reference=invoice.reference,
        lines=tuple(InvoiceLine(x.text, x.quantity, x.unit_cents, x.amount_cents) for x in view.lines),
        currency=invoice.currency,
        total_cents=invoice.total_cents,
        paid_on=view.payment.received_on if view.payment else None,
        paid_cents=view.payment.amount_cents if view.payment else 0,
        note=cancelled,
        cancelled=bool(cancelled),
    )


def _practice(session: Session, case: Case) -> Practice:
    return session.get_one(Practice, case.practice_id)


_CONTENT: dict[str, tuple[Permission, Callable[[Session, Case, Actor, Wanted], tuple[Any, str, str]]]] = {
    "survey-report": (Permission.VIEW_REPORT, _survey_report),
    "decision-letter": (Permission.VIEW_DECISION, _decision_letter),
    "certificate": (Permission.VIEW_DECISION, _certificate),
    "agreement": (Permission.VIEW_APPLICATION, _agreement),
    "sample-sheet": (Permission.VIEW_SURVEY, _sample_sheet),
}
