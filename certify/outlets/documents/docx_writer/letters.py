"""Decision letter and certificate as Word files, filled from templates that staff may edit."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from certify.core.foundation.errors import Conflict
from certify.outlets.documents.content import letter_words
from certify.outlets.documents.content.certificate import Certificate
from certify.outlets.documents.content.decision_letter import DecisionLetter
from certify.outlets.documents.content.wording import day, listed, plain_data
from certify.outlets.documents.docx_writer import markup, package
from certify.outlets.documents.docx_writer.templates import find_template
from certify.outlets.documents.palette import INK

if TYPE_CHECKING:
    from docxtpl import DocxTemplate
    from jinja2.sandbox import SandboxedEnvironment

QR_INCHES = 1.15


def decision_letter_docx(letter: DecisionLetter) -> bytes:
    """Return the decision letter as .docx with its machine-readable twin inside."""
    return _finished(
        _filled("decision-letter", letter_fields(letter)),
        title=f"{letter_words.letter_title(letter)}: {letter.practice}",
        subject=f"Case {letter.case_ref}",
        author=letter.program,
        on=letter.decided_on,
        draft=letter.draft,
        footer=letter.case_ref,
        twin=letter,
    )


def certificate_docx(certificate: Certificate) -> bytes:
    """Return the certificate as .docx: one page on its side, with a QR code to its public page."""
    return _finished(
        _filled("certificate", certificate_fields(certificate), qr=certificate.register_url),
        title=f"Certificate {certificate.number}: {certificate.practice}",
        subject=certificate.edition_title,
        author=certificate.program,
        on=certificate.award_on,
        draft=certificate.draft,
        footer="",
        twin=certificate,
    )


def letter_fields(letter: DecisionLetter) -> dict[str, Any]:
    """Return what a template of the decision letter may use."""
    fields: dict[str, Any] = plain_data(
        {
            "program": letter.program,
            "case_ref": letter.case_ref,
            "outcome": letter.outcome,
            "date": letter_words.letter_date(letter),
            "recipient": letter.recipient,
            "recipient_title": letter.recipient_title,
            "practice": letter.practice,
            "address": letter.address,
            "title": letter_words.letter_title(letter),
            "greeting": f"Dear {letter.recipient or 'Colleagues'},",
            "opening": letter_words.opening(letter),
            "closing": letter_words.closing(letter),
            "facts": [{"label": label, "value": value} for label, value in letter_words.facts(letter)],
            "reasons": letter.reasons,
            "signatory": letter.signatory,
            "signatory_title": letter.signatory_title,
            "edition_title": letter.edition_title,
            "sites": listed(letter.sites),
            "survey_days": letter.survey_days,
            "certificate_number": letter.certificate_number,
            "award_date": day(letter.award_on) if letter.award_on else "",
            "end_date": day(letter.end_on) if letter.end_on else "",
            "appeal_until": day(letter.appeal_until) if letter.appeal_until else "",
            "contact": letter.contact,
        }
    )
    return fields


def certificate_fields(certificate: Certificate) -> dict[str, Any]:
    """Return what a template of the certificate may use, except `qr_code`, which is a picture."""
    fields: dict[str, Any] = plain_data(
        {
            "program": certificate.program,
            "case_ref": certificate.case_ref,
            "number": certificate.number,
            "practice": certificate.practice,
            "sites_label": "at its site" if len(certificate.sites) == 1 else "at its sites",
            "sites": listed(certificate.sites),
            "edition_title": certificate.edition_title,
            "award_date": day(certificate.award_on),
            "end_date": day(certificate.end_on),
            "verification_code": certificate.verification_code,
            "register_url": certificate.register_url,
            "signatories": certificate.signatories,
        }
    )
    return fields


def sandbox() -> SandboxedEnvironment:
    """Return the only environment in which templates run: nothing of Python is within their reach."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


def _filled(kind: str, fields: dict[str, Any], *, qr: str = "") -> DocxTemplate:
    from docx.shared import Inches
    from docxtpl import DocxTemplate, InlineImage
    from jinja2 import TemplateError

    used = find_template(kind)
    package.open_document(used.path)  # a damaged file is refused in plain words
    template = DocxTemplate(str(used.path))
    if qr:
        template.init_docx()
        fields = {**fields, "qr_code": InlineImage(template, io.BytesIO(qr_png(qr)), width=Inches(QR_INCHES))}
    try:
        template.render(fields, sandbox())
    except TemplateError as problem:
        raise Conflict(
            f"The template {used.path.name} cannot be filled: {problem}. `certify template check` says more."
        ) from problem
    if qr:
        for number, drawing in enumerate(template.docx.element.body.iter(_DRAWING), start=1):
            drawing.set("id", str(number))
            drawing.set("name", "QR code")
            drawing.set("descr", f"QR code that opens {qr}")
    return template


_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"


def qr_png(address: str) -> bytes:
    """Return an address as a QR code picture fine enough for print."""
    import segno

    stream = io.BytesIO()
    segno.make(address, error="m", micro=False).save(stream, kind="png", scale=12, border=2, dark=INK)
    return stream.getvalue()


def _finished(
    template: DocxTemplate,
    *,
    title: str,
    subject: str,
    author: str,
    on: date | None,
    draft: bool,
    footer: str,
    twin: Any,
) -> bytes:
    document = template.docx
    at = datetime.combine(on, time(), UTC) if on else None
    if draft:
        package.add_draft_mark(document)
    if footer:
        package.fill_footer(document, markup.paragraph("Footer", markup.run(footer)))
    package.set_properties(document, title=title, subject=subject, author=author, at=at)
    package.attach_json(document, plain_data(twin))
    return package.to_bytes(document)
