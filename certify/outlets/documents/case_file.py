"""The whole case as one ZIP: documents, answers, findings, messages, evidence and history, each as far as the reader may see it."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy.orm import Session

from certify.certification.applications.queries import answers_for
from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may, case_for, deadlines_of
from certify.certification.corrections.queries import Proof, requirements_for
from certify.certification.discussions.queries import messages_of
from certify.certification.evidence.queries import documents_of
from certify.certification.fees.queries import invoices_of
from certify.certification.reports.queries import number_of, requirements_of
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.outlets.documents.content.wording import plain_data
from certify.outlets.documents.queries import EXTENSIONS, Plan, Wanted, invoice_plan, plan_for
from certify.platform.audit.queries import list_events
from certify.platform.practices.models import Practice
from certify.platform.storage.operations import path_of

MOST_EVENTS = MOST_MESSAGES = 100_000
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """One file of the archive: ready bytes, a key of the file store, or a document still to be made."""

    name: str
    data: bytes | None = None
    key: str = ""
    plan: Plan | None = None


@dataclass(frozen=True)
class CaseFile:
    """What the archive holds, and the function that makes its documents."""

    entries: tuple[Entry, ...]
    make: Callable[[Plan], bytes]


def plan_case_file(
    session: Session, actor: Actor, ref: str, ext: str, wanted: Wanted, at: datetime, make: Callable[[Plan], bytes]
) -> Plan:
    """Return the plan of the archive. Raises: NotFound and NotAllowed as `case_for`."""
    if ext != "zip":
        raise NotFound(f"There is no document case-file.{ext}.")
    case = case_for(session, actor, ref, Permission.EXPORT_CASE)
    entries = [
        *_records(session, case, actor, at),
        *_documents(session, case, actor, wanted),
        *_evidence(session, case, actor),
    ]
    about = f"Case {case.ref} as of {at.isoformat(timespec='seconds')}, as far as {actor.name or 'the reader'} may see it.\n{_ABOUT}"
    return Plan(
        "case-file",
        "zip",
        case.id,
        case.ref,
        f"{case.ref}-case-file.zip",
        CaseFile((Entry("README.txt", about.encode()), *entries), make),
    )


_ABOUT = """
case.json       state, edition and deadlines
answers.json    answers to the questionnaire, by field
findings.json   requirements of the survey reports
messages.json   messages about the case
events.json     the history; each event's hash covers the one before it
documents/      survey report, decision letter, certificate, agreement, invoices
evidence/       documents of the practice; index.json says what each one proves
manifest.json   SHA-256 of every file in this archive
"""


def on_disk(content: CaseFile) -> IO[bytes]:
    """Return the archive in a file without a name, which is gone once it is closed: it may be larger than the memory."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever gives it out
    try:
        write_case_file(content, stream)
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream


def write_case_file(content: CaseFile, stream: IO[bytes]) -> None:
    """Write the archive; evidence goes from file to file without being held in memory."""
    digests: dict[str, str] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in content.entries:
            info = zipfile.ZipInfo(entry.name, _EPOCH)
            info.compress_type = zipfile.ZIP_STORED if entry.key or entry.plan else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            digest = hashlib.sha256()
            with archive.open(info, "w", force_zip64=bool(entry.key)) as target:
                for block in _blocks(entry, content.make):
                    digest.update(block)
                    target.write(block)
            digests[entry.name] = digest.hexdigest()
        archive.writestr(zipfile.ZipInfo("manifest.json", _EPOCH), _json(digests))


def _blocks(entry: Entry, make: Callable[[Plan], bytes]) -> Iterator[bytes]:
    if entry.data is not None:
        yield entry.data
    elif entry.plan is not None:
        yield make(entry.plan)
    else:
        with path_of(entry.key).open("rb") as source:
            while block := source.read(1 << 20):
                yield block


def _records(session: Session, case: Case, actor: Actor, at: datetime) -> Iterator[Entry]:
    practice = session.get_one(Practice, case.practice_id)
    yield Entry(
        "case.json",
        _json(
            {
                "ref": case.ref,
                "kind": case.kind,
                "practice": practice.legal_name,
                "edition": case.edition,
                "state": case.state,
                "step": case.step,
                "waiting_for": case.holder,
                "anchors": case.anchors,
                "created_at": case.created_at,
                "deadlines": [
                    {"key": d.key, "label": d.label, "on": d.on, "overdue": d.overdue}
                    for d in deadlines_of(session, case, at)
                ],
            }
        ),
    )
    if actor_may(session, case, actor, Permission.VIEW_APPLICATION):
        yield Entry("answers.json", _json(answers_for(session, case)))
    if actor_may(session, case, actor, Permission.VIEW_REPORT):
        yield Entry("findings.json", _json([_finding(f) for f in requirements_of(session, case.id)]))
    if actor_may(session, case, actor, Permission.READ_MESSAGES):
        yield Entry("messages.json", _json(messages_of(session, case, actor, at, limit=MOST_MESSAGES)))
    if actor_may(session, case, actor, Permission.VIEW_HISTORY):
        internal = actor_may(session, case, actor, Permission.VIEW_AUDIT)
        events = list_events(session, f"case:{case.ref}", limit=MOST_EVENTS, internal=internal)
        yield Entry("events.json", _json([_event(event) for event in reversed(events)]))


def _documents(session: Session, case: Case, actor: Actor, wanted: Wanted) -> Iterator[Entry]:
    for kind, extensions in EXTENSIONS.items():
        for ext in extensions:
            if kind == "case-file":
                continue
            try:
                plan = plan_for(session, actor, case.ref, kind, ext, wanted)
            except (NotFound, NotAllowed):
                continue  # not there yet, or not this reader's: the archive holds what there is for them
            yield Entry(f"documents/{plan.file_name}", plan=plan)
    if actor_may(session, case, actor, Permission.VIEW_FEES):
        for view in invoices_of(session, case):
            plan = invoice_plan(session, case, view)
            yield Entry(f"documents/{plan.file_name}", plan=plan)


def _evidence(session: Session, case: Case, actor: Actor) -> Iterator[Entry]:
    if not actor_may(session, case, actor, Permission.VIEW_EVIDENCE):
        return
    index = []
    known = set()
    for document in documents_of(session, case, actor):
        version = document.version
        name = _evidence_name(document.evidence.uuid, version.number, version.file_name)
        known.add(name)
        index.append(
            {
                "file": name,
                "uuid": document.evidence.uuid,
                "title": document.evidence.title,
                "version": version.number,
                "sha256": version.file_key,
                "media_type": version.media_type,
                "effective_from": version.effective_from,
                "effective_to": version.effective_to,
                "uploaded_at": version.uploaded_at,
                "state": version.state,
                "proves": [
                    {"standard": u.standard, "element": u.element, "site": u.site_id, "pages": u.pages}
                    for u in document.uses
                ],
            }
        )
        yield Entry(name, key=version.file_key)
    for requirement, proof in _judged(session, case, actor):
        name = _evidence_name(proof.uuid, proof.number, proof.file_name)
        proves = {"requirement": requirement, "pages": proof.pages}
        about = {"uuid": proof.uuid, "title": proof.title, "version": proof.number, "sha256": proof.sha256}
        index.append({"file": name, **about, "sent_for_correction": True, "proves": [proves]})
        if name not in known:
            known.add(name)
            yield Entry(name, key=proof.sha256)
    yield Entry("evidence/index.json", _json(index))


def _judged(session: Session, case: Case, actor: Actor) -> Iterator[tuple[str, Proof]]:
    """Yield each document that was sent for a correction, in the version that is judged, with its requirement."""
    if actor_may(session, case, actor, Permission.VIEW_CORRECTIONS):
        for requirement in requirements_for(session, case):
            yield from ((requirement.number, proof) for proof in requirement.proofs if proof.sent)


def _evidence_name(uuid: str, number: int, file_name: str) -> str:
    return f"evidence/{uuid[:8]}-v{number}-{_UNSAFE.sub('_', file_name)[-100:]}"


def _finding(finding: Any) -> dict[str, Any]:
    return {
        "number": number_of(finding),
        "kind": finding.kind,
        "standard": finding.standard,
        "element": finding.element,
        "text": finding.text,
        "due_on": finding.due_on,
        "status": finding.status,
        "closed_on": finding.closed_on,
        "closed_how": finding.closed_how,
        "closing_note": finding.closing_note,
    }


def _event(event: Any) -> dict[str, Any]:
    fields = (
        "seq",
        "at",
        "actor_name",
        "kind",
        "summary",
        "reason",
        "subject",
        "data",
        "internal",
        "prev_hash",
        "hash",
    )
    return {name: getattr(event, name) for name in fields}


def _json(value: Any) -> bytes:
    return (json.dumps(plain_data(value), indent=2, ensure_ascii=False) + "\n").encode()
