"""Photos and files a surveyor takes: kept once, without the place a photo was taken at (contract, section 6, rule 6)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import record_on
from certify.certification.surveys.models import SurveyAttachment
from certify.certification.surveys.ops import OtherPerson
from certify.certification.surveys.pictures import Picture, without_place
from certify.certification.surveys.queries import OpenSurvey, survey_for
from certify.certification.surveys.values import UUID
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Conflict, Invalid, NotFound
from certify.platform.storage import parts
from certify.platform.storage.operations import store

MOST_BYTES = 25 * 1024 * 1024
CUT = "The content does not fit its Content-Digest: it was cut or changed on the way. Send it again."
RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")
HEX = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:?([A-Za-z0-9+/_-]{43}=?|[0-9a-fA-F]{64}):?\s*(?:,|$)")


def put_attachment(
    session: Session, survey_id: int, attachment: str, content: bytes, *, content_digest: str | None, actor: Actor, at: datetime
) -> tuple[bool, dict[str, Any]]:  # fmt: skip
    """Keep an attachment under its UUID; the same again changes nothing, so an interrupted upload is simply repeated.

    Returns: whether it is new, and what is kept of it.
    Raises: Invalid (no or wrong digest, no UUID, not a picture or PDF, too large), Conflict when the UUID already
        stands for other content, NotFound, NotAllowed.
    """
    digest = read_digest(content_digest)
    if hashlib.sha256(content).hexdigest() != digest:
        raise Invalid(CUT, "Content-Digest")
    picture = picture_of(content)  # before the first query: nobody waits while a picture is turned
    opened = survey_for(session, actor, survey_id, Permission.CONDUCT_SURVEY, lock=True)
    new, row = keep_attachment(session, opened, attachment, picture, digest, author=actor, at=at)
    return new, told(row)


def picture_of(content: bytes) -> Picture:
    """Return what is kept of a file. Raises: Invalid for what is too large, no photo and no PDF."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.", "body")
    return without_place(content)


def keep_attachment(
    session: Session, opened: OpenSurvey, attachment: str, picture: Picture, digest: str, *, author: Actor, at: datetime
) -> tuple[bool, SurveyAttachment]:
    """Keep a picture whose original has this digest; the caller holds the survey's row. Raises: Invalid, Conflict."""
    if not UUID.fullmatch(attachment):
        raise Invalid("Name the attachment by a UUID.", "uuid")
    name, survey_id = attachment.lower(), opened.survey.id
    known = find_attachment(session, survey_id, name)
    if known is not None:
        return False, _same(known, digest)
    row = SurveyAttachment(
        survey_id=survey_id, uuid=name, original_sha256=digest, file_key=store(picture.content), media_type=picture.media_type,
        size=len(picture.content), by_id=author.user_id, by_name=author.name, received_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    data = {"survey": survey_id, "attachment": name, "original_sha256": digest, "sha256": row.file_key}
    record_on(session, opened.case, "survey.attachment", "added a photo or file to the survey", actor=author, at=at, subject=f"/surveys/{survey_id}", data=data)  # fmt: skip
    return True, row


def receive(
    session: Session, survey_id: int, attachment: str, content: bytes, *, content_range: str | None, content_digest: str | None,
    person: str | None = None, actor: Actor, at: datetime,
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    """Take in a file whole or, with a Content-Range, a part of it; the last part makes it whole.

    Args:
        person: whose file this is, when the tablet says so.
    Returns: 201 or 200 and what is kept, or 202 and the offset of the next part.
    Raises: as `put_attachment`; Invalid for a range that is none; parts.Elsewhere when the part does not begin where
        the last one ended (then nothing has changed); OtherPerson when someone else is signed in.
    """
    _check_person(person, actor)
    if content_range is None:
        new, kept = put_attachment(
            session, survey_id, attachment, content, content_digest=content_digest, actor=actor, at=at
        )
        return (201 if new else 200), kept
    part, digest = _read_range(content_range, len(content)), read_digest(content_digest)
    name = part_name(survey_id, attachment, digest)
    made = _put_together(name, part, content, digest)
    opened = survey_for(session, actor, survey_id, Permission.CONDUCT_SURVEY, lock=isinstance(made, Picture))
    known = find_attachment(session, survey_id, attachment.lower())
    if known is not None:
        return 200, told(_same(known, digest))
    if not isinstance(made, Picture):
        if made is not None:
            parts.drop(name)  # it can never become a file that is kept
            raise made
        return 202, {"offset": parts.append(name, part.first, content)}
    _, row = keep_attachment(session, opened, attachment, made, digest, author=actor, at=at)
    parts.drop_when_kept(session, name)
    return 201, told(row)


def _put_together(name: str, part: _Range, content: bytes, digest: str) -> Picture | Invalid | None:
    """Return what a last part makes whole or why that cannot be kept; None when more is to come or some is missing.

    Asks no database: nobody waits while a picture is turned.
    """
    if part.first + len(content) < part.total or parts.offset_of(name) != part.first:
        return None
    whole = parts.whole(name) + content
    if hashlib.sha256(whole).hexdigest() != digest:
        return Invalid(CUT, "Content-Digest")
    try:
        return picture_of(whole)
    except Invalid as unfit:
        return unfit


def _check_person(person: str | None, actor: Actor) -> None:
    if person is None:
        return
    if not person.isascii() or not person.isdigit() or len(person) > 10:
        raise Invalid("person: give the number of the person whose file this is, or nothing.", "person")
    if int(person) != actor.user_id:
        raise OtherPerson("Someone else is signed in. This file waits until the person who made it signs in again.")


def progress_of_parts(
    session: Session, survey_id: int, attachment: str, digest: str, *, actor: Actor
) -> dict[str, Any]:
    """Return how much of a file has come. Raises: NotFound, NotAllowed, Invalid."""
    survey_for(session, actor, survey_id, Permission.CONDUCT_SURVEY)
    if not HEX.fullmatch(digest):
        raise Invalid("Give the SHA-256 of the whole file in hex.", "digest")
    known = find_attachment(session, survey_id, attachment.lower())
    if known is not None and known.original_sha256 == digest:
        return {"offset": 0, "complete": True}
    return {"offset": parts.offset_of(part_name(survey_id, attachment, digest)), "complete": False}


def part_name(survey_id: int, attachment: str, digest: str) -> str:
    """Return under which name the parts of a file are kept."""
    return f"{survey_id}.{attachment.lower()}.{digest}"


def _same(known: SurveyAttachment, digest: str) -> SurveyAttachment:
    if known.original_sha256 != digest:
        raise Conflict("This attachment's id already stands for another file; give the new one an id of its own.")
    return known


@dataclass(frozen=True, slots=True)
class _Range:
    first: int
    total: int


def _read_range(header: str, length: int) -> _Range:
    found = RANGE.fullmatch(header.strip())
    if found is None:
        raise Invalid("Give the range as: Content-Range: bytes first-last/total.", "Content-Range")
    first, last, total = (int(n) for n in found.groups())
    if not first <= last < total or last - first + 1 != length:
        raise Invalid("The Content-Range does not fit what was sent.", "Content-Range")
    if total > MOST_BYTES:
        raise Invalid(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.", "Content-Range")
    return _Range(first, total)


def find_attachment(session: Session, survey_id: int, name: str) -> SurveyAttachment | None:
    """Return an attachment of a survey."""
    return session.scalar(
        select(SurveyAttachment).where(SurveyAttachment.survey_id == survey_id, SurveyAttachment.uuid == name)
    )


def attachment_for(session: Session, actor: Actor, survey_id: int, name: str) -> SurveyAttachment:
    """Return an attachment the actor may see. Raises: NotFound, NotAllowed."""
    survey_for(session, actor, survey_id, Permission.VIEW_DRAFT_REPORT)
    found = find_attachment(session, survey_id, name.lower())
    if found is None:
        raise NotFound("There is no such attachment.")
    return found


def told(row: SurveyAttachment) -> dict[str, Any]:
    """Return an attachment as the API shows it."""
    return {
        "id": row.uuid, "sha256": row.original_sha256, "stored_sha256": row.file_key, "media_type": row.media_type, "size": row.size,
        "by": row.by_name, "at": row.received_at.isoformat(),
    }  # fmt: skip


def read_digest(header: str | None) -> str:
    """Return the SHA-256, in hex, that a Content-Digest header names (RFC 9530 `sha-256=:base64:`; bare base64 and hex too).

    Raises: Invalid without one.

    >>> read_digest("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")[:16]
    'e3b0c44298fc1c14'
    """
    found = DIGEST.search(header or "")
    if found is None:
        raise Invalid("Send the header Content-Digest: sha-256=:…: with the SHA-256 of the content.", "Content-Digest")
    text = found.group(1)
    if len(text) == 64:
        return text.lower()
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise Invalid("Content-Digest does not hold a SHA-256.", "Content-Digest")
    return raw.hex()
