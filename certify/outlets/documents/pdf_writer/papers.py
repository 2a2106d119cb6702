"""The shorter papers as PDF: letter, certificate, invoice, agreement and sample sheet."""

from __future__ import annotations

from typing import Any

from certify.outlets.documents.content import letter_words
from certify.outlets.documents.content.agreement import SignedAgreement
from certify.outlets.documents.content.certificate import Certificate
from certify.outlets.documents.content.decision_letter import DecisionLetter
from certify.outlets.documents.content.invoice import Invoice
from certify.outlets.documents.content.sample import SampleSheet
from certify.outlets.documents.content.wording import day, listed, moment, money, plain_data, weekday
from certify.outlets.documents.palette import INK
from certify.outlets.documents.pdf_writer.press import pdf


def decision_letter_pdf(letter: DecisionLetter) -> bytes:
    """Return the decision letter as a tagged PDF."""
    recipient = letter.recipient or "Colleagues"
    return pdf(
        "decision-letter.typ",
        plain_data(
            {
                **_head(letter.program, letter_words.letter_title(letter), letter.draft),
                "case_ref": letter.case_ref,
                "date": letter_words.letter_date(letter),
                "recipient": letter.recipient,
                "recipient_title": letter.recipient_title,
                "practice": letter.practice,
                "address": letter.address,
                "greeting": f"Dear {recipient},",
                "opening": letter_words.opening(letter),
                "facts": letter_words.facts(letter),
                "reasons_title": "Reasons for the decision",
                "reasons": [[r.standard, r.title, r.text] for r in letter.reasons],
                "closing": letter_words.closing(letter),
                "signatory": letter.signatory,
                "signatory_title": letter.signatory_title,
            }
        ),
        on=letter.decided_on,
    )


def certificate_pdf(certificate: Certificate) -> bytes:
    """Return the certificate: one page on its side."""
    longest = max(len(certificate.practice), 1)
    return pdf(
        "certificate.typ",
        plain_data(
            {
                **_head(
                    certificate.program, f"Certificate {certificate.number}: {certificate.practice}", certificate.draft
                ),
                "practice": certificate.practice,
                "size": 42 if longest <= 30 else 32 if longest <= 45 else 24 if longest <= 70 else 17,
                "edition_title": certificate.edition_title,
                "sites_label": "at its site" if len(certificate.sites) == 1 else "at its sites",
                "sites": listed(certificate.sites),
                "facts": [
                    ["Certificate number", certificate.number],
                    ["Awarded on", day(certificate.award_on)],
                    ["Valid until", day(certificate.end_on)],
                ],
                "signatories": [[person.name, person.title] for person in certificate.signatories],
                "verification_code": certificate.verification_code,
                "check": f"Check this certificate at {certificate.register_url}",
                "qr": qr_svg(certificate.register_url),
                "qr_alt": f"QR code that opens {certificate.register_url}",
            }
        ),
        on=certificate.award_on,
    )


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return the invoice; the total is the one frozen at issue."""
    due = weekday(invoice.due_on) if invoice.due_on else "On receipt"
    total = money(invoice.total_cents, invoice.currency)
    paid = invoice.paid_on is not None
    totals = [["Total", total, True]]
    if paid or invoice.paid_cents:
        rest = invoice.total_cents - invoice.paid_cents
        totals += [
            ["Paid", money(invoice.paid_cents, invoice.currency), False],
            ["Open", money(rest, invoice.currency), False],
        ]
    return pdf(
        "invoice.typ",
        plain_data(
            {
                **_head(invoice.program, f"Invoice {invoice.number}", False),
                "practice": invoice.practice,
                "address": invoice.address,
                "sender": invoice.sender,
                "facts": [
                    ["Issued on", day(invoice.issued_on)],
                    ["Due by", due],
                    ["Payment reference", invoice.reference],
                    ["Case", invoice.case_ref],
                ],
                "lines": [
                    [
                        line.text,
                        str(line.quantity),
                        money(line.unit_cents, invoice.currency),
                        money(line.amount_cents, invoice.currency),
                    ]
                    for line in invoice.lines
                ],
                "totals": totals,
                "paid": f"Paid on {day(invoice.paid_on)}. Thank you." if invoice.paid_on else "",
                "how_to_pay": ""
                if invoice.cancelled
                else f"Please pay {total} by {due} and give the reference {invoice.reference} with the payment.",
                "note": invoice.note,
                "footer": f"Invoice {invoice.number} · amounts in {invoice.currency}",
            }
        ),
        on=invoice.issued_on,
    )


def agreement_pdf(agreement: SignedAgreement) -> bytes:
    """Return the participation agreement with who signed it, when, and the digest of the text."""
    signature: list[list[str]] = []
    if agreement.signed_at:
        signature = [
            [
                "Signed by",
                f"{agreement.signer}, {agreement.signer_title}" if agreement.signer_title else agreement.signer,
            ],
            ["For", agreement.practice],
            ["On", moment(agreement.signed_at)],
            ["From network address", agreement.signed_from],
        ]
    return pdf(
        "agreement.typ",
        plain_data(
            {
                **_head(agreement.program, agreement.title, agreement.draft),
                "facts": [
                    ["Practice", agreement.practice],
                    ["Case", agreement.case_ref],
                    ["Text version", agreement.version],
                ],
                "clauses": agreement.clauses,
                "signature": signature,
                "proof": f"Signed electronically. SHA-256 of the text signed: {agreement.text_sha256}",
                "footer": f"{agreement.case_ref} · version {agreement.version}",
            }
        ),
        on=agreement.signed_at,
    )


def sample_sheet_pdf(sheet: SampleSheet) -> bytes:
    """Return the sheet that shows which sites are visited and how they were drawn."""
    when = f"Survey from {weekday(sheet.survey_on)}" if sheet.survey_on else "Survey date not agreed yet"
    drawn = f"Drawn on {moment(sheet.drawn_at)}" if sheet.drawn_at else "Not drawn yet"
    by = f" by {sheet.drawn_by}" if sheet.drawn_by else ""
    visited = sum(site.visited for site in sheet.sites)
    return pdf(
        "sample-sheet.typ",
        plain_data(
            {
                **_head(sheet.program, f"Sites to visit: {sheet.practice}", False),
                "practice": sheet.practice,
                "facts": [
                    f"{when}{', surveyor ' + sheet.surveyor if sheet.surveyor else ''}",
                    f"Case {sheet.case_ref} · {visited} of {len(sheet.sites)} sites are visited",
                ],
                "rule": sheet.rule,
                "draw": f"{drawn}{by}. Seed of the draw: {sheet.seed}. The same seed and list of sites give the same draw.",
                "sites": [[site.visited, site.name, site.address, site.how, site.why] for site in sheet.sites],
                "footer": sheet.case_ref,
            }
        ),
        on=sheet.drawn_at,
    )


def qr_svg(address: str) -> str:
    """Return an address as a QR code with error correction for print."""
    import io

    import segno

    stream = io.BytesIO()
    segno.make(address, error="m", micro=False).save(stream, kind="svg", scale=4, border=2, dark=INK, xmldecl=False)
    return stream.getvalue().decode()


def _head(program: str, title: str, draft: bool) -> dict[str, Any]:
    return {"program": program, "title": title, "draft": draft}
