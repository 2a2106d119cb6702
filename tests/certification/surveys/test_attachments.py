"""Photos and files of a visit: kept once, without their place (contract, section 6, rule 6)."""

from __future__ import annotations

import base64
import hashlib
import io
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from certify.certification.surveys.attachments import attachment_for, put_attachment, read_digest
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Conflict, Invalid, NotAllowed
from certify.platform.storage.operations import fetch
from tests.certification.surveys.visits import Visit, visit_under_way

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
