"""Photos and files of a visit: kept once, without their place (contract, section 6, rule 6)."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageOps
from sqlalchemy.orm import Session

from certify.certification.surveys.attachments import (
    attachment_for,
    part_name,
    progress_of_parts,
    put_attachment,
    read_digest,
    receive,
)
from certify.certification.surveys.pictures import without_place
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from certify.platform.identity.queries import actor_as
from certify.platform.storage import parts
from certify.platform.storage.operations import fetch
from certify.platform.storage.parts import TO_DROP, Elsewhere, sweep
from tests.builders import sign_in
from tests.certification.surveys.visits import Visit, make_surveyor, visit_under_way

GPS = 0x8825


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def photo(colour: str = "teal") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Tablet maker"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (41.0, 52.0, 55.0)
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def put(
    visit: Visit, name: str, content: bytes, *, content_digest: str | None = None, who: str = "surveyor"
) -> tuple[bool, dict[str, object]]:
    header = digest(content) if content_digest is None else content_digest
    return put_attachment(
        visit.session, visit.survey.id, name, content, content_digest=header, actor=visit.actor(who), at=now()
    )


def test_a_photo_loses_its_place_and_the_originals_digest_is_kept(visit: Visit) -> None:
    content, name = photo(), str(uuid4())
    assert Image.open(io.BytesIO(content)).getexif().get_ifd(GPS)
    created, kept = put(visit, name, content)
    assert created
    assert kept["sha256"] == hashlib.sha256(content).hexdigest()
    row = attachment_for(visit.session, visit.actor("surveyor"), visit.survey.id, name)
    stored = Image.open(io.BytesIO(fetch(row.file_key)))
    assert dict(stored.getexif()) == {}
    assert stored.size == (64, 48)
    assert b"Tablet maker" not in fetch(row.file_key)


def test_the_same_again_changes_nothing_and_other_content_is_a_conflict(visit: Visit) -> None:
    content, name = photo(), str(uuid4())
    first = put(visit, name, content)
    assert put(visit, name.upper(), content) == (False, first[1])
    with pytest.raises(Conflict):
        put(visit, name, photo("red"))


def test_a_cut_upload_is_refused_and_can_be_repeated(visit: Visit) -> None:
    content, name = photo(), str(uuid4())
    with pytest.raises(Invalid):
        put(visit, name, content[:-20], content_digest=digest(content))
    assert put(visit, name, content)[0]


@pytest.mark.parametrize("header", ["", "md5=:abc:", "sha-256=:short:", "sha-256", "sha-256=:" + "!" * 43 + "=:"])
def test_a_missing_or_broken_digest_is_refused(header: str) -> None:
    with pytest.raises(Invalid):
        read_digest(header)


def test_digests_are_read_in_the_forms_clients_send() -> None:
    content = b"x"
    hexed = hashlib.sha256(content).hexdigest()
    bare = base64.b64encode(hashlib.sha256(content).digest()).decode()
    for header in (f"sha-256=:{bare}:", f"sha-256={bare}", f"sha-256={hexed}", f"sha-512=:x:, sha-256=:{bare}:"):
        assert read_digest(header) == hexed


def two_pictures() -> bytes:
    """Return a JPEG as many phones take it: a second picture (depth, brightness) behind the first."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(
        out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "black")]
    )
    return out.getvalue()


def turned(orientation: int, *, damaged: bool = False) -> bytes:
    """Return a photo that is to be turned; damaged, its resolution (a fraction) is said to be a text."""
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = orientation, 72.0
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG", exif=exif)
    content = out.getvalue()
    if damaged:
        kind = content.index(b"\x01\x1a\x00\x05") + 3
        content = content[:kind] + b"\x02" + content[kind + 1 :]
        with Image.open(io.BytesIO(content)) as image, pytest.raises(TypeError):
            ImageOps.exif_transpose(image)
    return content


def kept_of(visit: Visit, content: bytes) -> Image.Image:
    name = str(uuid4())
    _, told = put(visit, name, content)
    assert told["media_type"] == "image/jpeg"
    row = attachment_for(visit.session, visit.actor("surveyor"), visit.survey.id, name)
    return Image.open(io.BytesIO(fetch(row.file_key)))


def test_a_photo_with_a_second_picture_in_it_is_kept_as_its_first(visit: Visit) -> None:
    assert Image.open(io.BytesIO(two_pictures())).format == "MPO"
    assert kept_of(visit, two_pictures()).format == "JPEG"


def test_a_photo_is_turned_upright_even_with_other_metadata_damaged(visit: Visit) -> None:
    assert kept_of(visit, turned(6)).size == (48, 64)
    assert kept_of(visit, turned(6, damaged=True)).size == (48, 64)


def test_a_photo_whose_turn_cannot_be_read_is_kept_as_it_is(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_image: Image.Image) -> Image.Exif:
        raise TypeError("object of type 'NoneType' has no len()")

    content = turned(6)
    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "getexif", unreadable)
        made = without_place(content)
    assert Image.open(io.BytesIO(made.content)).size == (64, 48)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><script>alert(1)</script>", b"GIF89a" + b"\0" * 40, photo()[:200], b"\xff\xd8\xff" + b"\0" * 100],
)
def test_what_is_no_photo_and_no_pdf_is_refused(visit: Visit, content: bytes) -> None:
    with pytest.raises(Invalid):
        put(visit, str(uuid4()), content)


def test_a_pdf_is_kept_as_it_is(visit: Visit) -> None:
    content, name = b"%PDF-1.7\n%%EOF", str(uuid4())
    put(visit, name, content)
    assert fetch(attachment_for(visit.session, visit.actor("staff"), visit.survey.id, name).file_key) == content


def test_only_the_team_adds_attachments(visit: Visit) -> None:
    with pytest.raises(NotAllowed):
        put(visit, str(uuid4()), photo(), who="staff")
    with pytest.raises(Invalid):
        put(visit, "not-a-uuid", photo())


def in_parts(visit: Visit, uuid: str, content: bytes, first: int, last: int, **more: Any) -> tuple[int, dict[str, Any]]:
    """Send the bytes from first to before last as one part."""
    fields = {"content_range": f"bytes {first}-{last - 1}/{len(content)}", "content_digest": "sha-256=" + sha256(content).hexdigest()}  # fmt: skip
    return receive(
        visit.session, visit.survey.id, uuid, content[first:last], actor=visit.actor("surveyor"), at=now(), **(fields | more)
    )  # fmt: skip


def so_far(visit: Visit, uuid: str, content: bytes) -> dict[str, Any]:
    digest = sha256(content).hexdigest()
    return progress_of_parts(visit.session, visit.survey.id, uuid, digest, actor=visit.actor("surveyor"))


def test_a_photo_sent_in_parts_goes_on_where_it_stopped(visit: Visit) -> None:
    content, uuid = photo(), str(uuid4())
    half = len(content) // 2
    assert so_far(visit, uuid, content) == {"offset": 0, "complete": False}
    assert in_parts(visit, uuid, content, 0, half) == (202, {"offset": half})
    assert so_far(visit, uuid, content) == {"offset": half, "complete": False}
    for first, last in ((0, half), (half + 5, len(content))):  # the same part again, a part too far on: nothing changes
        with pytest.raises(Elsewhere) as misplaced:
            in_parts(visit, uuid, content, first, last)
        assert misplaced.value.members == {"offset": half}
    assert so_far(visit, uuid, content) == {"offset": half, "complete": False}
    status, kept = in_parts(visit, uuid, content, half, len(content))
    assert status == 201
    assert kept["sha256"] == sha256(content).hexdigest()
    visit.session.commit()
    assert so_far(visit, uuid, content) == {"offset": 0, "complete": True}
    assert in_parts(visit, uuid, content, half, len(content))[0] == 200, "the last part again"
    with pytest.raises(Conflict):
        in_parts(visit, uuid, content + b"x", 0, half)


def test_parts_that_do_not_make_the_named_file_are_begun_anew(visit: Visit) -> None:
    content, uuid = photo(), str(uuid4())
    half = len(content) // 2
    other = b"?" * half + content[half:]
    digest = "sha-256=" + sha256(content).hexdigest()
    assert in_parts(visit, uuid, other, 0, half, content_digest=digest)[0] == 202
    with pytest.raises(Invalid):
        in_parts(visit, uuid, other, half, len(content), content_digest=digest)
    assert so_far(visit, uuid, content) == {"offset": 0, "complete": False}
    assert in_parts(visit, uuid, content, 0, len(content))[0] == 201


def test_parts_stay_until_what_they_became_is_committed(visit: Visit) -> None:
    """And nothing is left behind that later commits would do."""
    content, uuid = photo(), str(uuid4())
    half, survey, actor = len(content) // 2, visit.survey.id, visit.actor("surveyor")
    in_parts(visit, uuid, content, 0, half)
    visit.session.commit()
    in_parts(visit, uuid, content, half, len(content))
    name = part_name(survey, uuid, sha256(content).hexdigest())
    assert parts.offset_of(name) == half
    visit.session.rollback()
    assert TO_DROP not in visit.session.info
    visit.session.commit()
    assert parts.offset_of(name) == half, "the file was not kept: its parts are still needed"
    fields = {"content_range": f"bytes {half}-{len(content) - 1}/{len(content)}", "content_digest": digest(content)}
    receive(visit.session, survey, uuid, content[half:], actor=actor, at=now(), **fields)
    visit.session.commit()
    assert parts.offset_of(name) == 0
    assert TO_DROP not in visit.session.info


def test_a_misplaced_part_is_answered_by_a_problem_that_says_where_to_go_on(
    client: FlaskClient, session: Session, visit: Visit
) -> None:
    """Contract, section 5: RFC 9457, here with an extension member."""
    sign_in(client, visit.surveyor)
    content, uuid = photo(), str(uuid4())
    address = f"/surveys/{visit.survey.id}/attachments/{uuid}"
    headers = {"Content-Digest": digest(content), "Accept": "application/json"}
    part = headers | {"Content-Range": f"bytes 0-9/{len(content)}"}
    assert client.put(address, data=content[:10], headers=part).status_code == 202
    again = client.put(address, data=content[:10], headers=part)
    assert (again.status_code, again.mimetype) == (409, "application/problem+json")
    told = again.get_json()
    assert (told["type"], told["status"], told["offset"]) == (
        "urn:certify:problem:Elsewhere",
        409,
        10,
    )


def test_a_file_is_not_taken_in_while_someone_else_is_signed_in(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    content, uuid = photo(), str(uuid4())
    address = f"/surveys/{visit.survey.id}/attachments/{uuid}"
    headers = {"Content-Digest": digest(content), "Accept": "application/json"}
    other = client.put(f"{address}?person={visit.staff.id}", data=content, headers=headers)
    assert (other.status_code, other.get_json()["type"]) == (409, "urn:certify:problem:OtherPerson")
    assert client.put(f"{address}?person=me", data=content, headers=headers).status_code == 422
    assert client.put(f"{address}?person={visit.surveyor.id}", data=content, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "header", ["bytes 0-9/5", "bytes 5-2/10", "0-9/10", "bytes 0-2/10", "bytes 0-9/99999999999", "bytes */10"]
)
def test_a_range_that_is_none_is_refused(visit: Visit, header: str) -> None:
    with pytest.raises(Invalid):
        in_parts(visit, str(uuid4()), b"0123456789", 0, 10, content_range=header)


def test_parts_of_a_survey_that_is_not_theirs_tell_nothing(session: Session, visit: Visit) -> None:
    stranger, _ = make_surveyor(session, name="Other Surveyor")
    actor = actor_as(session, stranger)
    with pytest.raises(NotFound):
        progress_of_parts(session, visit.survey.id, str(uuid4()), "0" * 64, actor=actor)
    with pytest.raises(NotFound):
        receive(
            session, visit.survey.id, str(uuid4()), b"0", content_range="bytes 0-0/2", content_digest="sha-256=" + "0" * 64, actor=actor, at=now()
        )  # fmt: skip


def test_parts_nobody_went_on_with_are_swept_after_a_month(visit: Visit, clock: FixedClock) -> None:
    content, uuid = photo(), str(uuid4())
    in_parts(visit, uuid, content, 0, 10)
    assert sweep(datetime.now(UTC) + timedelta(days=29)) == 0
    assert sweep(datetime.now(UTC) + timedelta(days=31)) >= 1
    assert so_far(visit, uuid, content)["offset"] == 0
