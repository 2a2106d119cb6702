"""Taking in the backup file of a tablet: what it could not send itself, each entry by the rules of sync."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import CaseMember
from certify.certification.cases.operations import record_on
from certify.certification.surveys.attachments import HEX, MOST_BYTES, keep_attachment
from certify.certification.surveys.journal import canonical
from certify.certification.surveys.models import Survey
from certify.certification.surveys.ops import MOST_OPS
from certify.certification.surveys.queries import OpenSurvey, survey_for
from certify.certification.surveys.sync import take_in
from certify.certification.surveys.values import UUID
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Invalid, Refusal
from certify.platform.identity.models import Person
from certify.platform.storage import parts

LARGEST = 200 * 1024 * 1024
MOST_ENTRIES, MOST_PHOTOS = 20_000, 2_000
TAKEN = {"applied", "conflict", "late", "stored"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file that could be read."""

    sha256: str  # of the file
    survey: int
    device: str
    made_at: str
    person: str
    ops: list[Any]
    photos: list[Any]
    whole: bool  # whether its own digest fits: it is as the tablet wrote it


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a backup and what became of it."""

    kind: str  # answer | photo
    id: str
    site: int | None
    element: str
    field: str
    value: Any
    author: str
    status: str  # applied | conflict | late | stored | duplicate | rejected
    reason: str = ""

    @property
    def outcome(self) -> str:
        """Return taken, known or refused."""
        return "taken" if self.status in TAKEN else "known" if self.status == "duplicate" else "refused"


def read_backup(content: bytes, survey_id: int) -> Backup:
    """Return what a backup file of this survey holds. Raises: Invalid for anything else."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as broken:
        raise Invalid("This is no backup file of a tablet, or it is damaged.", "file") from broken
    if not isinstance(body, dict) or body.get("certify_backup") != 1:
        raise Invalid("This is no backup file of a tablet.", "file")
    if body.get("survey") != survey_id or isinstance(body.get("survey"), bool):
        raise Invalid("This backup is of another survey; open that survey and add it there.", "file")
    device, ops, photos = body.get("device"), body.get("ops"), body.get("photos")
    if (
        not isinstance(device, str)
        or not UUID.fullmatch(device)
        or not isinstance(ops, list)
        or not isinstance(photos, list)
    ):
        raise Invalid("This backup file is damaged: device, ops or photos are missing.", "file")
    if len(ops) > MOST_ENTRIES or len(photos) > MOST_PHOTOS:
        raise Invalid(f"This backup holds more than {MOST_ENTRIES:,} entries or {MOST_PHOTOS:,} photos.", "file")
    person = body.get("person")
    name = person.get("name") if isinstance(person, dict) else ""
    said = {key: value for key, value in body.items() if key != "digest"}
    digest = hashlib.sha256(canonical(said).encode("utf-8", "surrogatepass")).hexdigest()
    return Backup(
        sha256=hashlib.sha256(content).hexdigest(), survey=survey_id, device=device.lower(), made_at=str(body.get("made_at", ""))[:40],
        person=name[:200] if isinstance(name, str) else "", ops=ops, photos=photos, whole=digest == body.get("digest"),
    )  # fmt: skip


def keep_backup(session: Session, survey_id: int, content: bytes, *, actor: Actor) -> Backup:
    """Put an uploaded backup aside until it is taken in, and say what it holds. Raises: NotFound, NotAllowed, Invalid."""
    survey_for(session, actor, survey_id, Permission.TAKE_BACKUP)
    backup = read_backup(content, survey_id)
    name = _name(survey_id, backup.sha256)
    if parts.offset_of(name) != len(content):
        parts.drop(name)
        parts.append(name, 0, content)
    return backup


def take_in_backup(
    session: Session, survey_id: int, sha256: str, *, actor: Actor, at: datetime
) -> tuple[Backup, list[Entry]]:
    """Take in a backup that was put aside: answers by the rules of sync, with their author where he is of the team.

    Doing it again changes nothing: what is here already is known by its id.
    Raises: NotFound, NotAllowed, Invalid.
    """
    opened = survey_for(session, actor, survey_id, Permission.TAKE_BACKUP, lock=True)
    content = parts.whole(_name(survey_id, sha256)) if HEX.fullmatch(sha256) else b""
    if not content or hashlib.sha256(content).hexdigest() != sha256:
        raise Invalid("The file is not here any more; choose it again.", "file")
    backup = read_backup(content, survey_id)
    team = _everyone_ever_on(session, opened.survey)
    found = [*_photos(session, opened, backup, team, actor, at), *_answers(session, opened, backup, team, actor, at)]
    _leave_event(session, opened, backup, found, actor, at)
    event.listen(session, "after_commit", lambda _session: parts.drop(_name(survey_id, sha256)), once=True)
    return backup, found


def _answers(
    session: Session, opened: OpenSurvey, backup: Backup, team: Mapping[int, str], actor: Actor, at: datetime
) -> list[Entry]:
    found = []
    for start in range(0, len(backup.ops), MOST_OPS):
        chunk = backup.ops[start : start + MOST_OPS]
        authors = {str(raw.get("op", "")).lower(): _author(raw, team, actor) for raw in chunk if isinstance(raw, dict)}
        acks = take_in(session, opened, backup.device, chunk, authors, actor=actor, at=at)
        for raw, ack in zip(chunk, acks, strict=True):
            given = raw if isinstance(raw, dict) else {}
            name, _ = authors.get(str(given.get("op", "")).lower(), (actor.name, actor.user_id))
            found.append(
                Entry(
                    "answer", str(given.get("op", ""))[:36], _whole_number(given.get("site")), str(given.get("element") or "")[:16],
                    str(given.get("field", ""))[:80], given.get("value"), name, ack["status"], ack["reason"] or "",
                )
            )  # fmt: skip
    return found


def _photos(
    session: Session, opened: OpenSurvey, backup: Backup, team: Mapping[int, str], actor: Actor, at: datetime
) -> list[Entry]:
    found = []
    for raw in backup.photos:
        given = raw if isinstance(raw, dict) else {}
        name, person = _author(given, team, actor)
        entry = Entry(
            "photo", str(given.get("uuid", ""))[:36], _whole_number(given.get("site")), "", "photo", given.get("caption"), name, "stored"
        )  # fmt: skip
        try:
            content = base64.b64decode(str(given.get("content", "")), validate=True)
            digest = hashlib.sha256(content).hexdigest()
            if digest != given.get("digest") or len(content) > MOST_BYTES:
                raise Invalid("The photo does not fit its digest, or is too large.")
            new, _ = keep_attachment(
                session, opened, str(given.get("uuid", "")), content, digest, author=Actor(person, name=name), at=at
            )
        except (Refusal, binascii.Error, ValueError) as wrong:
            reason = str(wrong) if isinstance(wrong, Refusal) else "The photo is damaged."
            found.append(replace(entry, status="rejected", reason=reason))
        else:
            found.append(entry if new else replace(entry, status="duplicate"))
    return found


def _leave_event(
    session: Session, opened: OpenSurvey, backup: Backup, found: list[Entry], actor: Actor, at: datetime
) -> None:
    counts = {outcome: sum(e.outcome == outcome for e in found) for outcome in ("taken", "known", "refused")}
    data = {
        "survey": opened.survey.id, "file": backup.sha256, "device": backup.device, "made_at": backup.made_at, "of": backup.person,
        "as_written": backup.whole, **counts, "refused_ids": [e.id for e in found if e.outcome == "refused"][:200],
    }  # fmt: skip
    of = f" of {backup.person}" if backup.person else ""
    summary = f"took in a backup file{of}: {counts['taken']} entries taken, {counts['known']} known, {counts['refused']} refused"  # fmt: skip
    record_on(
        session, opened.case, "survey.backup_taken", summary, actor=actor, at=at, subject=f"/surveys/{opened.survey.id}", data=data
    )  # fmt: skip


def _author(raw: Mapping[str, Any], team: Mapping[int, str], importer: Actor) -> tuple[str, int | None]:
    """The entry's own author when he is or was of the team, else who takes the file in."""
    by = raw.get("by_id")
    if isinstance(by, int) and not isinstance(by, bool) and by in team:
        return team[by], by
    return importer.name, importer.user_id


def _everyone_ever_on(session: Session, survey: Survey) -> dict[int, str]:
    rows = session.execute(
        select(CaseMember.person_id, Person.name)
        .join(Person, Person.id == CaseMember.person_id)
        .where(CaseMember.case_id == survey.case_id, CaseMember.role == "surveyor")
    )
    return {row[0]: row[1] for row in rows}


def _whole_number(given: Any) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _name(survey_id: int, sha256: str) -> str:
    return f"backup.{survey_id}.{sha256}"
