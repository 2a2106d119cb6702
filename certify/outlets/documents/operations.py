"""Making documents: the same bytes ever after for what is frozen, and a line in the history for what must be known."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id
from certify.core.access.roles import Actor
from certify.outlets.documents.case_file import CaseFile, on_disk, plan_case_file
from certify.outlets.documents.docx_writer.letters import certificate_docx, decision_letter_docx
from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.models import Document
from certify.outlets.documents.pdf_writer.papers import (
    agreement_pdf,
    certificate_pdf,
    decision_letter_pdf,
    invoice_pdf,
    sample_sheet_pdf,
)
from certify.outlets.documents.pdf_writer.survey_report import survey_report_pdf
from certify.outlets.documents.queries import Plan, Wanted, plan_for
from certify.platform.storage.operations import fetch, store

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
_WRITERS: dict[tuple[str, str], Callable[[Any], bytes]] = {
    ("survey-report", "docx"): survey_report_docx,
    ("survey-report", "pdf"): survey_report_pdf,
    ("decision-letter", "docx"): decision_letter_docx,
    ("decision-letter", "pdf"): decision_letter_pdf,
    ("certificate", "docx"): certificate_docx,
    ("certificate", "pdf"): certificate_pdf,
    ("agreement", "pdf"): agreement_pdf,
    ("sample-sheet", "pdf"): sample_sheet_pdf,
    ("invoice", "pdf"): invoice_pdf,
}
# What of a document's reading goes into the case's history (process.md, section 8), as kind and sentence.
_READINGS = {
    "survey-report": ("report.read", "read the survey report"),
    "case-file": ("case.exported", "downloaded the whole case file"),
}


def plan_document(session: Session, actor: Actor, ref: str, kind: str, ext: str, wanted: Wanted, at: datetime) -> Plan:
    """Return what is to be made; raises as `plan_for`."""
    if kind == "case-file":
        return plan_case_file(session, actor, ref, ext, wanted, at, make)
    return plan_for(session, actor, ref, kind, ext, wanted)


def make(plan: Plan) -> bytes:
    """Return the bytes of a plan: those made before, or fresh ones; asks no database, so no transaction need be open."""
    if plan.sha256:
        return fetch(plan.sha256)
    return _WRITERS[plan.kind, plan.ext](plan.content)


def keep(session: Session, plan: Plan, content: bytes, *, actor: Actor, at: datetime) -> bytes:
    """Keep the first file made from frozen content, write down the reading, and return what is to be given out.

    When another request was first, its bytes are returned.
    """
    if plan.source and not plan.sha256:
        content = _kept(session, plan, content, actor, at)
    if plan.kind in _READINGS:
        kind, summary = _READINGS[plan.kind]
        case = case_by_id(session, plan.case_id)
        data = {"document": plan.kind, "form": plan.ext, "file": plan.file_name}
        record_on(session, case, kind, summary, actor=actor, at=at, data=data, internal=True)
    return content


def _kept(session: Session, plan: Plan, content: bytes, actor: Actor, at: datetime) -> bytes:
    row = Document(
        case_id=plan.case_id,
        kind=plan.kind,
        source=plan.source,
        ext=plan.ext,
        sha256=store(content),
        size=len(content),
        created_at=at,
        created_by_id=actor.user_id,
    )
    try:
        with session.begin_nested():
            session.add(row)
        return content
    except IntegrityError:
        known = select(Document.sha256).where(
            Document.source == plan.source, Document.kind == plan.kind, Document.ext == plan.ext
        )
        return fetch(session.scalars(known).one())


def give_out(session: Session, plan: Plan, *, actor: Actor, at: datetime) -> IO[bytes]:
    """Return a document as a stream that the caller closes, kept and written down.

    The database is asked only when all pages are set: who commits what was read before holds no lock meanwhile.
    """
    if isinstance(plan.content, CaseFile):
        stream = on_disk(plan.content)
        try:
            keep(session, plan, b"", actor=actor, at=at)
        except BaseException:
            stream.close()
            raise
        return stream
    return io.BytesIO(keep(session, plan, make(plan), actor=actor, at=at))
