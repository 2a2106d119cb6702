"""Taking in the backup file of a tablet: what it could not send itself, each entry by the rules of sync.

Nothing in the file proves who wrote it. The program's word that an entry is its author's is taken; a surveyor who takes
a file in speaks for herself alone: what the file says others entered becomes her own word, on a device of its own, so
that it cannot pass for a colleague's tablet, nor stand in the way of what that tablet still sends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import CaseMember
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import actor_may
from certify.certification.surveys.attachments import HEX, keep_attachment, picture_of
from certify.certification.surveys.journal import canonical
from certify.certification.surveys.models import Survey, SurveyOp
from certify.certification.surveys.ops import MOST_OPS, op_id
from certify.certification.surveys.pictures import Picture
from certify.certification.surveys.queries import OpenSurvey, survey_for
from certify.certification.surveys.sync import take_in
from certify.certification.surveys.values import UUID
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Invalid, Refusal
from certify.platform.identity.models import Person
from certify.platform.storage import parts

LARGEST = 200 * 1024 * 1024
MOST_ENTRIES, MOST_PHOTOS, MOST_DRAFTS = 20_000, 2_000, 200
TAKEN_IN = uuid.UUID("5d0b7f0e-3c52-5c7b-8f0e-7a4a4f3f2c90")  # name space of what a surveyor takes in for others
TAKEN = {"applied", "conflict", "late", "stored"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that was written on the tablet and never became an entry: shown, not taken in."""

    site: int | None
    element: str
    field: str
    text: str
    held: bool = False  # because it may name a patient


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
    drafts: tuple[Draft, ...] = ()


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
    return Backup(
        sha256=hashlib.sha256(content).hexdigest(), survey=survey_id, device=device.lower(), made_at=str(body.get("made_at", ""))[:40],
        person=name[:200] if isinstance(name, str) else "", ops=ops, photos=photos, whole=_digest(body) == body.get("digest"),
        drafts=tuple(_drafts(body.get("drafts"))),
    )  # fmt: skip


def _digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all but the digest itself, written piece by piece: a file may hold hundreds of photos."""
    sha = hashlib.sha256()

    def say(text: str) -> None:
        sha.update(text.encode("utf-8", "surrogatepass"))

    for number, key in enumerate(sorted(body.keys() - {"digest"})):
        say(("," if number else "{") + canonical(key) + ":")
        value = body[key]
        if not isinstance(value, list) or not value:
            say(canonical(value))
            continue
        for place, entry in enumerate(value):
            say(("," if place else "[") + canonical(entry))
        say("]")
    say("}")
    return sha.hexdigest()


def _drafts(given: Any) -> Iterable[Draft]:
    for raw in (given if isinstance(given, list) else [])[:MOST_DRAFTS]:
        value = raw.get("value", raw.get("text")) if isinstance(raw, dict) else None
        text = value.get("text") if isinstance(value, dict) else value
        if isinstance(text, str) and text.strip():
            place = str(raw.get("element") or "")[:16], str(raw.get("field", ""))[:80]
            text = text.encode(errors="replace").decode()[:20_000]
            yield Draft(_whole_number(raw.get("site")), *place, text, raw.get("why") == "held")


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
    """Take in a backup that was put aside: answers by the rules of sync; one bad entry or photo keeps none from the rest.

    For the program each entry is its author's word where that is someone of the team; anyone else takes in others'
    entries as their own. Doing it again changes nothing: what is here already is known by its id.
    Raises: NotFound, NotAllowed, Invalid.
    """
    # Read, and every photo turned, before the first query: nobody waits meanwhile.
    content = parts.whole(_name(survey_id, sha256)) if HEX.fullmatch(sha256) else b""
    here = bool(content) and hashlib.sha256(content).hexdigest() == sha256
    backup = read_backup(content, survey_id) if here else None
    del content
    pictures = [_picture(raw) for raw in backup.photos] if backup is not None else []
    opened = survey_for(session, actor, survey_id, Permission.TAKE_BACKUP, lock=True)
    if backup is None:
        raise Invalid("The file is not here any more; choose it again.", "file")
    taker = _taker(session, opened, actor, at)
    found = [*_photos(taker, backup, pictures), *_answers(taker, backup)]
    _leave_event(session, opened, backup, found, actor, at)
    parts.drop_when_kept(session, _name(survey_id, sha256))
    return backup, found


@dataclass(frozen=True, slots=True)
class _Taker:
    """Who takes a file in, and whom they may name as author."""

    session: Session
    opened: OpenSurvey
    actor: Actor
    at: datetime
    team: Mapping[int, str]  # everyone whose word an entry may be
    trusted: bool  # the program: what the file says of authors and devices is taken

    def author(self, raw: Mapping[str, Any]) -> tuple[str, int | None]:
        """Return the entry's own author where the taker may name him, else the taker."""
        by = _whole_number(raw.get("by_id"))
        if by is not None and by in self.team:
            return self.team[by], by
        return f"{self.actor.name} (from a backup file)", self.actor.user_id

    def is_hers(self, raw: Any) -> bool:
        """Whether an entry goes in as the file has it: its id and device are no one else's."""
        by = _whole_number(raw.get("by_id")) if isinstance(raw, dict) else None
        return self.trusted or (by is not None and by == self.actor.user_id)


def _taker(session: Session, opened: OpenSurvey, actor: Actor, at: datetime) -> _Taker:
    trusted = actor_may(session, opened.case, actor, Permission.PLAN_SURVEY)
    everyone = _everyone_ever_on(session, opened.survey)
    named = everyone if trusted else {i: name for i, name in everyone.items() if i == actor.user_id}
    return _Taker(session, opened, actor, at, named, trusted)


def _answers(taker: _Taker, backup: Backup) -> list[Entry]:
    found: list[Entry] = []
    for start in range(0, len(backup.ops), MOST_OPS):
        chunk = backup.ops[start : start + MOST_OPS]
        known = _known(taker, chunk)
        as_sent = [taker.is_hers(raw) or op_id(raw) in known for raw in chunk]
        found += _take_in(taker, backup.device, [raw for raw, so in zip(chunk, as_sent, strict=True) if so])
        theirs = [_as_her_own(taker, raw) for raw, so in zip(chunk, as_sent, strict=True) if not so]
        found += _take_in(taker, str(uuid.uuid5(TAKEN_IN, f"{taker.actor.user_id}:{backup.device}")), theirs)
    return found


def _take_in(taker: _Taker, device: str, ops: list[Any]) -> list[Entry]:
    authors = {known: taker.author(raw) for raw in ops if (known := op_id(raw)) is not None}
    acks = take_in(taker.session, taker.opened, device, ops, authors, actor=taker.actor, at=taker.at)
    found = []
    for raw, ack in zip(ops, acks, strict=True):
        given = raw if isinstance(raw, dict) else {}
        name, _ = authors.get(op_id(raw) or "", (taker.actor.name, taker.actor.user_id))
        found.append(
            Entry(
                "answer", str(given.get("op", ""))[:36], _whole_number(given.get("site")), str(given.get("element") or "")[:16],
                str(given.get("field", ""))[:80], given.get("value"), name, ack["status"], ack["reason"] or "",
            )
        )  # fmt: skip
    return found


def _known(taker: _Taker, chunk: list[Any]) -> set[str]:
    """Return which of these entries are here already, as their own tablet sent them or the program took them in."""
    ids = [found for raw in chunk if (found := op_id(raw)) is not None]
    query = select(SurveyOp.op).where(SurveyOp.survey_id == taker.opened.survey.id, SurveyOp.op.in_(ids))
    return set(taker.session.scalars(query))


def _as_her_own(taker: _Taker, raw: Any) -> Any:
    """Return an entry of someone else under an id of its own, so that it does not stand for the one their tablet has."""
    given = op_id(raw)
    return raw if given is None else {**raw, "op": str(uuid.uuid5(TAKEN_IN, f"{taker.actor.user_id}:{given}"))}


def _picture(raw: Any) -> tuple[Picture, str] | str:
    """Return a photo as it is to be kept and the digest of its original, or why it cannot be."""
    given = raw if isinstance(raw, dict) else {}
    try:
        content = base64.b64decode(str(given.pop("content", "")), validate=True)
        digest = hashlib.sha256(content).hexdigest()
        return (picture_of(content), digest) if digest == given.get("digest") else "The photo does not fit its digest."
    except Invalid as wrong:
        return str(wrong)
    except (binascii.Error, ValueError):
        return "The photo is damaged."


def _photos(taker: _Taker, backup: Backup, pictures: list[tuple[Picture, str] | str]) -> list[Entry]:
    found = []
    for raw, made in zip(backup.photos, pictures, strict=True):
        given = raw if isinstance(raw, dict) else {}
        name, person = taker.author(given)
        entry = Entry(
            "photo", str(given.get("uuid", ""))[:36], _whole_number(given.get("site")), "", "photo", given.get("caption"), name, "stored"
        )  # fmt: skip
        if isinstance(made, str):
            found.append(replace(entry, status="rejected", reason=made))
            continue
        try:
            new, _ = keep_attachment(
                taker.session, taker.opened, str(given.get("uuid", "")), *made, author=Actor(person, name=name), at=taker.at
            )  # fmt: skip
        except Refusal as wrong:
            found.append(replace(entry, status="rejected", reason=str(wrong)))
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
