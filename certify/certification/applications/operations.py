"""Writes of answers, signatures and the webinar record. Everything leaves an event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from certify.certification.applications.fields import WrongAnswer, read_answer, written
from certify.certification.applications.models import (
    AgreementSignature,
    Answer,
    AnswerChange,
    InformationQuestion,
    WebinarAttendance,
)
from certify.certification.applications.queries import (
    agreement_of,
    answer_rows,
    editable,
    field_for,
    questionnaire_of,
    value_at,
)
from certify.certification.applications.rules import Merge, Stored, is_empty, merge, merge_whole
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import zone_of
from certify.core.access.roles import PRACTICE_ROLES, Actor, Role
from certify.core.catalogue.model import Field
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotAllowed, NotOpen, Stale

READ_ONLY = (
    "The application has been sent and is read-only now. Use “Request a change” to say what should be different."
)


@dataclass(frozen=True)
class Clash:
    """A field that someone else changed since this person read it; both values, so that a person chooses."""

    field: Field
    mine: Any
    mine_words: str
    theirs: Any
    theirs_words: str
    theirs_rev: int
    by_name: str
    at: datetime


@dataclass(frozen=True)
class Saved:
    """The outcome of one field's autosave: saved (or the same as stored), or a clash."""

    rev: int
    value: Any
    at: datetime | None
    by_name: str
    clash: Clash | None = None


@dataclass(frozen=True)
class Posted:
    """One field of a page sent as a whole: what it holds, and the revision the page showed."""

    field: Field
    raw: Any
    seen_rev: int


def save_answer(
    session: Session, case: Case, key: str, raw: Any, seen_rev: int, *, actor: Actor, at: datetime
) -> Saved:
    """Save one field as it is given, unless someone else changed it since this person read it.

    Raises: NotOpen when the application is read-only, NotFound for an unknown field, Invalid on the field.
    """
    _need_editable(case)
    _section, field = field_for(case, key)
    value = _read(field, raw)
    row = _locked_row(session, case, key)
    stored = Stored(row.value, row.rev) if row else Stored()
    outcome = merge(stored, value, seen_rev)
    if outcome is Merge.CONFLICT and row is not None:
        return Saved(row.rev, row.value, row.at, row.by_name, _clash(field, value, row))
    if outcome is Merge.SAVE:
        row = _write(session, case, field, row, value, actor=actor, at=at)
    return Saved(row.rev if row else 0, row.value if row else None, row.at if row else None, row.by_name if row else "")


def save_section(session: Session, case: Case, posted: list[Posted], *, actor: Actor, at: datetime) -> list[Clash]:
    """Save a whole page of fields, all or nothing.

    Returns the clashes; when there are any, nothing is saved. Raises: NotOpen, Invalid naming every wrong field.
    """
    _need_editable(case)
    errors, clashes, writes = [], [], []
    rows = answer_rows(session, case)
    for one in posted:
        try:
            value = read_answer(one.field, one.raw)
        except WrongAnswer as wrong:
            errors.append(FieldError(one.field.key, f"{one.field.label}: {wrong}"))
            continue
        row = rows.get(one.field.key)
        stored = Stored(row.value, row.rev) if row else Stored()
        seen = (
            stored
            if one.seen_rev == stored.rev
            else Stored(value_at(session, case, one.field.key, one.seen_rev), one.seen_rev)
        )
        outcome = merge_whole(stored, seen, value)
        if outcome is Merge.CONFLICT and row is not None:
            clashes.append(_clash(one.field, value, row))
        elif outcome is Merge.SAVE:
            writes.append((one.field, row, value))
    if errors:
        raise Invalid(errors)
    if not clashes:
        for field, row, value in writes:
            _write(session, case, field, row, value, actor=actor, at=at)
    return clashes


def put_answers(
    session: Session, case: Case, answers: Mapping[str, Any], *, actor: Actor, at: datetime
) -> dict[str, Any]:
    """Save these answers; fields that are not named keep theirs, null empties one. Saves nothing when any is wrong.

    Returns all answers by field key. Raises: NotOpen when read-only; Invalid naming every unknown field and wrong value.
    """
    _need_editable(case)
    fields = {field.key: field for section in questionnaire_of(case).sections for field in section.fields}
    errors, values = [], {}
    for key, raw in answers.items():
        if key not in fields:
            errors.append(FieldError(str(key)[:80], f"The questionnaire has no field {str(key)[:60]!r}."))
            continue
        try:
            values[key] = read_answer(fields[key], raw)
        except WrongAnswer as wrong:
            errors.append(FieldError(key, f"{fields[key].label}: {wrong}"))
    if errors:
        raise Invalid(errors)
    rows = answer_rows(session, case)
    stored = {key: row.value for key, row in rows.items()}
    before: dict[str, Any] = {}
    for key, value in values.items():
        row = rows.get(key)
        if merge(Stored(row.value, row.rev) if row else Stored(), value, row.rev if row else 0) is Merge.SAVE:
            before[key] = stored.get(key)
    if before:
        _store_all(session, case, rows, {key: values[key] for key in before}, actor=actor, at=at)
        changed = [key for key in before if not is_empty(values[key])]
        _answer_questions(session, case, changed, actor=actor, at=at)
        many = f"answered {len(before)} questions of the questionnaire"
        summary = many if len(before) > 1 else f"answered “{fields[next(iter(before))].label}”"
        data = {"before": before, "after": {key: values[key] for key in before}}
        subject = f"/cases/{case.ref}/application"
        record_on(session, case, "application.answered", summary, actor=actor, at=at, subject=subject, data=data)
        session.flush()
    return {key: value for key, value in (stored | {k: values[k] for k in before}).items() if not is_empty(value)}


def sign_agreement(
    session: Session,
    case: Case,
    *,
    name: str,
    title: str,
    agreed: bool,
    shown_sha256: str,
    address: str,
    user_agent: str = "",
    actor: Actor,
    at: datetime,
) -> AgreementSignature:
    """Sign the case's agreement: the very text that was shown, by a person who may bind the practice.

    Raises: NotOpen once the application is read-only; NotAllowed for anyone but the practice's administrator or
        physician lead; Stale when the text shown is not the text in force; Invalid naming what is not filled in.
    """
    _need_editable(case)
    agreement = agreement_of(case)
    roles = actor.roles_at(case.practice_id) & PRACTICE_ROLES & {Role(r) for r in agreement.signers}
    if not roles:
        raise NotAllowed("The agreement is signed by the practice's administrator or physician lead.")
    if errors := _signing_errors(name, title, agreed):
        raise Invalid(errors)
    if shown_sha256 != agreement.sha256:
        raise Stale("The agreement was replaced while you read it. Read the new text, then sign.")
    signature = AgreementSignature(
        case_id=case.id, agreement=case.agreement, agreement_version=agreement.version, text=agreement.text, text_sha256=agreement.sha256,
        signer_id=actor.user_id, signer_name=name.strip(), signer_title=title.strip(), signer_role=sorted(roles)[0].value,
        signed_at=at, address=address[:60], user_agent=user_agent[:300],
    )  # fmt: skip
    session.add(signature)
    session.flush()
    data = {
        "version": agreement.version,
        "sha256": signature.text_sha256,
        "signer": signature.signer_name,
        "title": signature.signer_title,
        "address": signature.address,
    }
    summary = f"signed the participation agreement, version {agreement.version}, as {signature.signer_name}, {signature.signer_title}"
    record_on(
        session,
        case,
        "agreement.signed",
        summary,
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/agreement",
        data=data,
    )
    return signature


def _signing_errors(name: str, title: str, agreed: bool) -> list[FieldError]:
    errors = []
    if not name.strip():
        errors.append(FieldError("signer_name", "Type your full name; it stands as your signature."))
    if not title.strip():
        errors.append(FieldError("signer_title", "Give your title in the practice, for example “Medical director”."))
    errors += [
        FieldError(key, "Write this in one line of at most 200 characters.")
        for key, value in (("signer_name", name), ("signer_title", title))
        if len(value) > 200 or "\n" in value.strip()
    ]
    if not agreed:
        errors.append(
            FieldError("agreed", "Tick the box to say that you have read the text and sign it for the practice.")
        )
    return errors


def record_webinar(
    session: Session, case: Case, *, person_name: str, attended_on: date | None, actor: Actor, at: datetime
) -> WebinarAttendance:
    """Record that a person of the practice attended the standards webinar on a day.

    Raises: Invalid when the name or the day is missing, or the day lies ahead or more than ten years back.
    """
    today = local_date(at, zone_of(session, case))
    name, errors = " ".join(person_name.split()), []
    if not 2 <= len(name) <= 200:
        errors.append(FieldError("person_name", "Give the full name of the person who attended."))
    if attended_on is None:
        errors.append(FieldError("attended_on", "Give the day of the webinar, like 2026-09-15."))
    elif attended_on > today:
        errors.append(FieldError("attended_on", "This day lies ahead. Record the webinar once it has been attended."))
    elif today.year - attended_on.year > 10:
        errors.append(FieldError("attended_on", "This day is more than ten years ago. Check the year."))
    if errors or attended_on is None:
        raise Invalid(errors)
    row = WebinarAttendance(
        practice_id=case.practice_id,
        person_name=name,
        attended_on=attended_on,
        recorded_by_id=actor.user_id,
        recorded_by_name=actor.name,
        recorded_at=at,
    )
    session.add(row)
    session.flush()
    data = {"person": name, "attended_on": attended_on.isoformat()}
    record_on(
        session,
        case,
        "webinar.recorded",
        f"recorded that {name} attended the standards webinar",
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/webinar",
        data=data,
    )
    return row


def remove_webinar(session: Session, case: Case, row: WebinarAttendance, *, actor: Actor, at: datetime) -> None:
    """Take a webinar record back that was made in error; it stays in the history."""
    row.removed_at = at
    session.flush()
    data = {"person": row.person_name, "attended_on": row.attended_on.isoformat()}
    record_on(
        session,
        case,
        "webinar.removed",
        f"removed the webinar record of {row.person_name}",
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/webinar",
        data=data,
    )


def _store(
    session: Session, case: Case, field: Field, row: Answer | None, value: Any, *, actor: Actor, at: datetime
) -> Answer:
    """Store an answer and the change that led to it."""
    change = _change(case, field.key, row, value, actor, at)
    if row is None:
        row = Answer(**change)
        session.add(row)
    else:
        _take_over(row, change)
    session.add(AnswerChange(**change))
    return row


def _store_all(
    session: Session, case: Case, rows: Mapping[str, Answer], values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> None:
    """Store many answers and the changes that led to them: a statement for each kind of row, not for each row."""
    changes = [_change(case, key, rows.get(key), value, actor, at) for key, value in values.items()]
    for change in changes:
        if change["field"] in rows:
            _take_over(rows[change["field"]], change)
    new = [change for change in changes if change["field"] not in rows]
    if new:
        session.execute(insert(Answer), new)
    session.execute(insert(AnswerChange), changes)


def _change(case: Case, key: str, row: Answer | None, value: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "case_id": case.id, "field": key, "value": value, "rev": row.rev + 1 if row else 1,
        "by_id": actor.user_id, "by_name": actor.name, "at": at,
    }  # fmt: skip


def _take_over(row: Answer, change: Mapping[str, Any]) -> None:
    for name in ("value", "rev", "by_id", "by_name", "at"):
        setattr(row, name, change[name])


def _write(
    session: Session, case: Case, field: Field, row: Answer | None, value: Any, *, actor: Actor, at: datetime
) -> Answer:
    """Store one answer with an event of its own."""
    before = row.value if row else None
    row = _store(session, case, field, row, value, actor=actor, at=at)
    if not is_empty(value):
        _answer_questions(session, case, [field.key], actor=actor, at=at)
    session.flush()
    section, _field = field_for(case, field.key)
    data = {"field": field.key, "rev": row.rev, "before": before, "after": value}
    verb = "answered" if is_empty(before) else "changed" if not is_empty(value) else "emptied"
    record_on(
        session,
        case,
        "application.answered",
        f"{verb} “{field.label}”",
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/application/{section.key}#{field.key}",
        data=data,
    )
    return row


def _answer_questions(session: Session, case: Case, keys: Collection[str], *, actor: Actor, at: datetime) -> None:
    """Changed answers answer the program's open questions about their fields."""
    asked = session.scalars(
        select(InformationQuestion).where(
            InformationQuestion.case_id == case.id,
            InformationQuestion.field.in_(keys),
            InformationQuestion.closed_at.is_(None),
            InformationQuestion.answered_at.is_(None),
        )
    )
    for question in asked:
        question.answered_at, question.answered_by_id = at, actor.user_id


def _locked_row(session: Session, case: Case, key: str) -> Answer | None:
    return session.scalar(select(Answer).where(Answer.case_id == case.id, Answer.field == key).with_for_update())


def _read(field: Field, raw: Any) -> Any:
    try:
        return read_answer(field, raw)
    except WrongAnswer as wrong:
        raise Invalid(f"{field.label}: {wrong}", field.key) from wrong


def _clash(field: Field, mine: Any, row: Answer) -> Clash:
    return Clash(field, mine, written(field, mine), row.value, written(field, row.value), row.rev, row.by_name, row.at)


def _need_editable(case: Case) -> None:
    if not editable(case):
        raise NotOpen(READ_ONLY)
