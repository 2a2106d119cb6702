"""Writes of evidence: adding, new versions, mapping, retiring, quarantine. Everything leaves an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.evidence.conditions import need_free, need_open, need_standing, need_unlocked, reason_of
from certify.certification.evidence.files import Inspected, inspect
from certify.certification.evidence.locking import lock, on_case_advanced, release_lock
from certify.certification.evidence.models import (
    Evidence,
    EvidenceUse,
    EvidenceVersion,
    EvidenceView,
)
from certify.certification.evidence.queries import CLEAR, QUARANTINED, uses_of
from certify.certification.evidence.rules import Use, period_errors, use_errors
from certify.certification.evidence.statements import (
    close_gaps,
    name_gaps,
    state_not_applicable,
    withdraw_not_applicable,
)
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.foundation.ids import new_uuid
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site
from certify.platform.storage.operations import store

__all__ = [
    "add_evidence", "add_file", "add_version", "change_uses", "close_gaps", "confirm_deidentified", "inspect_file", "lock", "mapping_errors",
    "name_gaps", "on_case_advanced", "record_quarantine_opened", "record_view", "release_lock", "rename", "retire", "state_not_applicable",
    "use_of", "withdraw_not_applicable",
]  # fmt: skip

inspect_file = inspect


def add_evidence(
    session: Session,
    case: Case,
    file: Inspected,
    uses: Sequence[Use],
    *,
    title: str = "",
    effective_from: date | None = None,
    effective_to: date | None = None,
    actor: Actor,
    at: datetime,
) -> tuple[Evidence, EvidenceVersion]:
    """Put a file into the practice's library and use it in the case for one or more items.

    `file` comes from `inspect_file`. What looks like patient identifiers goes to quarantine until someone settles it.
    Raises: Invalid naming every mistake in the mapping, title or period; NotOpen when the case has ended.
    """
    need_open(case)
    title = title.strip() or file.file_name.rsplit(".", 1)[0]
    errors = mapping_errors(session, case, uses) + period_errors(effective_from, effective_to)
    if len(title) > 200:
        errors.append(FieldError("title", "Give it a title of at most 200 characters."))
    if errors:
        raise Invalid(errors)
    evidence = Evidence(
        uuid=new_uuid(), practice_id=case.practice_id, title=title, created_by_id=actor.user_id, created_at=at
    )
    session.add(evidence)
    session.flush()
    version = _store_version(session, evidence, file, 1, effective_from, effective_to, actor=actor, at=at)
    _add_uses(session, case, evidence, uses, actor=actor, at=at)
    items = ", ".join(dict.fromkeys(use.element or use.standard for use in uses))
    data = {
        "evidence": evidence.uuid,
        "file": file.file_name,
        "sha256": version.file_key,
        "items": [asdict(u) for u in uses],
        "state": version.state,
    }
    summary = f"added “{title}” as evidence for {items[:300]}" + _quarantine_words(version)
    _record(session, case, evidence, "evidence.added", summary, actor=actor, at=at, data=data)
    return evidence, version


def add_file(
    session: Session,
    case: Case,
    *,
    file_name: str,
    content: bytes,
    elements: Sequence[str],
    site_id: int | None = None,
    title: str = "",
    page: str = "",
    effective_from: date | None = None,
    effective_to: date | None = None,
    actor: Actor,
    at: datetime,
) -> tuple[Evidence, EvidenceVersion]:
    """Look at a file and add it as evidence; `elements` are ids like 7.3.b, or 7.3 for a whole standard.

    Raises: as `inspect_file` and `add_evidence`.
    """
    return add_evidence(
        session, case, inspect(content, file_name), [use_of(item, site_id, page) for item in elements],
        title=title, effective_from=effective_from, effective_to=effective_to, actor=actor, at=at,
    )  # fmt: skip


def use_of(item: str, site_id: int | None = None, pages: str = "") -> Use:
    """Return the use that an id stands for: 7.3.b an element, 7.3 its whole standard."""
    parts = item.strip().split(".")
    if len(parts) == 3:
        return Use(".".join(parts[:2]), item.strip(), site_id, pages.strip())
    return Use(item.strip(), None, site_id, pages.strip())


def add_version(
    session: Session,
    case: Case,
    evidence: Evidence,
    file: Inspected,
    *,
    effective_from: date | None = None,
    effective_to: date | None = None,
    actor: Actor,
    at: datetime,
) -> EvidenceVersion:
    """Add a new version of a document; the versions before it stay.

    Raises: NotOpen when the document is retired or the case has ended, Invalid when the file is the present one again.
    """
    need_open(case)
    need_standing(evidence)
    if errors := period_errors(effective_from, effective_to):
        raise Invalid(errors)
    last = session.scalar(
        select(EvidenceVersion)
        .where(EvidenceVersion.evidence_id == evidence.id)
        .order_by(EvidenceVersion.number.desc())
        .limit(1)
        .with_for_update()
    )
    period = (effective_from, effective_to)
    if last and last.file_key == file.sha256 and (last.effective_from, last.effective_to) == period:
        raise Invalid("This is the same file as the present version. Choose the changed file.", "file")
    version = _store_version(session, evidence, file, last.number + 1 if last else 1, *period, actor=actor, at=at)
    data = {
        "evidence": evidence.uuid,
        "version": version.number,
        "file": file.file_name,
        "sha256": version.file_key,
        "state": version.state,
    }
    summary = f"added version {version.number} of “{evidence.title}”" + _quarantine_words(version)
    _record(session, case, evidence, "evidence.version_added", summary, actor=actor, at=at, data=data)
    return version


def change_uses(
    session: Session, case: Case, evidence: Evidence, uses: Sequence[Use], *, actor: Actor, at: datetime
) -> None:
    """Make these the items that a document proves in the case; what was mapped before and is not among them ends.

    Raises: Invalid for a wrong mapping; NotOpen when the document is retired, or something would be taken away while
        the survey holds the evidence locked.
    """
    need_open(case)
    need_standing(evidence)
    if errors := mapping_errors(session, case, uses):
        raise Invalid(errors)
    wanted = {use.target: use for use in uses}
    present = {(row.standard, row.element, row.site_id): row for row in uses_of(session, case, evidence)}
    gone = [row for target, row in present.items() if target not in wanted]
    if gone:
        need_unlocked(session, case, "Items cannot be taken away", at)
    before = [_use_words(row) for row in present.values()]
    for row in gone:
        row.removed_at, row.removed_by_id = at, actor.user_id
    for target, row in present.items():
        if target in wanted:
            row.pages = wanted[target].pages
    _add_uses(
        session, case, evidence, [use for target, use in wanted.items() if target not in present], actor=actor, at=at
    )
    session.flush()
    after = [_use_words(row) for row in uses_of(session, case, evidence)]
    if before != after:
        data = {"evidence": evidence.uuid, "before": before, "after": after}
        _record(
            session,
            case,
            evidence,
            "evidence.mapped",
            f"changed what “{evidence.title}” proves",
            actor=actor,
            at=at,
            data=data,
        )


def rename(session: Session, case: Case, evidence: Evidence, title: str, *, actor: Actor, at: datetime) -> None:
    """Give a document another title.

    Raises: Invalid when it is empty or too long, NotOpen when the case has ended or the document is retired.
    """
    need_open(case)
    need_standing(evidence)
    title = title.strip()
    if not title or len(title) > 200:
        raise Invalid("Give it a title of 1 to 200 characters.", "title")
    if title != evidence.title:
        before, evidence.title = evidence.title, title
        data = {"evidence": evidence.uuid, "before": before, "after": title}
        _record(
            session,
            case,
            evidence,
            "evidence.renamed",
            f"renamed “{before}” to “{title}”",
            actor=actor,
            at=at,
            data=data,
        )


def retire(session: Session, case: Case, evidence: Evidence, reason: str, *, actor: Actor, at: datetime) -> None:
    """Take a document out of use, in every case that uses it; it stays in the record with its versions.

    Raises: Invalid without a reason; NotOpen when the case has ended, the document is retired already, or a survey of
        any case that uses it holds the evidence locked.
    """
    need_open(case)
    need_standing(evidence)
    need_free(session, evidence, "A document cannot be removed", at)
    reason = reason_of(reason, "Say in a few words why the document is removed.")
    evidence.retired_at, evidence.retired_by_id, evidence.retired_reason = at, actor.user_id, reason
    _record(
        session,
        case,
        evidence,
        "evidence.retired",
        f"removed “{evidence.title}” from the evidence",
        actor=actor,
        at=at,
        reason=reason,
        data={"evidence": evidence.uuid},
    )


def confirm_deidentified(
    session: Session,
    case: Case,
    evidence: Evidence,
    version: EvidenceVersion,
    reason: str,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Let a version out of quarantine because the practice, or staff after review, say it names no patient.

    Raises: NotOpen when it is not in quarantine, Invalid without a reason.
    """
    if version.state != QUARANTINED:
        raise NotOpen("This version is not in quarantine.")
    reason = reason_of(reason, "Say why the file names no patient, for example “The numbers are policy numbers.”")
    version.state, version.cleared_by_id, version.cleared_at, version.cleared_reason = CLEAR, actor.user_id, at, reason
    data = {"evidence": evidence.uuid, "version": version.number, "findings": version.findings}
    summary = f"confirmed that version {version.number} of “{evidence.title}” names no patient"
    _record(session, case, evidence, "evidence.cleared", summary, actor=actor, at=at, reason=reason, data=data)


def record_view(
    session: Session, case: Case, evidence: Evidence, version: EvidenceVersion, *, actor: Actor, at: datetime
) -> None:
    """Note that a surveyor opened a version; the practice sees when. Only the first time leaves an event."""
    if actor.user_id is None:
        return
    view = session.scalar(
        select(EvidenceView).where(
            EvidenceView.version_id == version.id,
            EvidenceView.case_id == case.id,
            EvidenceView.person_id == actor.user_id,
        )
    )
    if view is not None:
        view.last_at = at
        session.flush()
        return
    session.add(EvidenceView(case_id=case.id, version_id=version.id, person_id=actor.user_id, first_at=at, last_at=at))
    session.flush()
    data = {"evidence": evidence.uuid, "version": version.number}
    _record(
        session,
        case,
        evidence,
        "evidence.seen",
        f"opened version {version.number} of “{evidence.title}”",
        actor=actor,
        at=at,
        data=data,
    )


def record_quarantine_opened(
    session: Session, case: Case, evidence: Evidence, version: EvidenceVersion, *, actor: Actor, at: datetime
) -> None:
    """Note that staff opened a version in quarantine to review it."""
    data = {"evidence": evidence.uuid, "version": version.number}
    summary = f"opened version {version.number} of “{evidence.title}” in quarantine to review it"
    _record(session, case, evidence, "evidence.quarantine_opened", summary, actor=actor, at=at, data=data)


def mapping_errors(session: Session, case: Case, uses: Sequence[Use]) -> list[FieldError]:
    """Return what is wrong with a mapping in this case's edition and practice."""
    elements = {s.code: {e.id for e in s.elements} for s in current().editions[case.edition].standards.values()}
    sites = set(session.scalars(select(Site.id).where(Site.practice_id == case.practice_id)))
    return use_errors(uses, elements, sites)


def _store_version(
    session: Session,
    evidence: Evidence,
    file: Inspected,
    number: int,
    effective_from: date | None,
    effective_to: date | None,
    *,
    actor: Actor,
    at: datetime,
) -> EvidenceVersion:
    version = EvidenceVersion(
        evidence_id=evidence.id, number=number, file_key=store(file.content), original_sha256=file.original_sha256, file_name=file.file_name,
        media_type=file.media_type, size=len(file.content), effective_from=effective_from, effective_to=effective_to,
        state=QUARANTINED if file.suspicions else CLEAR, findings=[asdict(s) for s in file.suspicions], uploaded_by_id=actor.user_id, uploaded_at=at,
    )  # fmt: skip
    session.add(version)
    session.flush()
    return version


def _add_uses(
    session: Session, case: Case, evidence: Evidence, uses: Sequence[Use], *, actor: Actor, at: datetime
) -> None:
    by_target = {use.target: use for use in uses}
    session.flush()
    rows = [
        {
            "case_id": case.id, "evidence_id": evidence.id, "standard": use.standard, "element": use.element,
            "site_id": use.site_id, "pages": use.pages.strip(), "added_by_id": actor.user_id, "added_at": at,
        }
        for use in by_target.values()
    ]  # fmt: skip
    if rows:  # one statement for all: flushed as objects, each asks for its number by one of its own
        session.execute(insert(EvidenceUse), rows)


def _use_words(row: EvidenceUse) -> dict[str, Any]:
    return {"item": row.element or row.standard, "site": row.site_id, "pages": row.pages}


def _quarantine_words(version: EvidenceVersion) -> str:
    return ", held in quarantine because it may name patients" if version.state == QUARANTINED else ""


def _record(
    session: Session,
    case: Case,
    evidence: Evidence,
    kind: str,
    summary: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    data: dict[str, Any],
) -> None:
    session.flush()
    subject = f"/cases/{case.ref}/evidence/{evidence.uuid}"
    record_on(session, case, kind, summary, actor=actor, at=at, reason=reason, subject=subject, data=data)
