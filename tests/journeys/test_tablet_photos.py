"""Photos and documents on the tablet, in a real browser: made small and nameless there, sent in parts, gone on with where they stopped."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from certify.certification.surveys.models import SurveyAttachment
from tests.support.tablet import ALL_SENT, POLICY, SIZE, Faults, Field, until
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

ADD = """async ([survey, site, about, caption, content]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const { blob, ...row } = await Tablet.journal.addPhoto(survey, { site, about, caption, file: new File([bytes], "IMG_1.JPG") });
  return row;
}"""
STORED = """async (uuid) => {
  const bytes = new Uint8Array(await (await Tablet.store.photo(uuid)).blob.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""


@pytest.fixture
def faults(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    made = Faults(live_server.app)
    made.match = "/attachments/"
    monkeypatch.setattr(live_server.app, "wsgi_app", made)
    yield made
    made.release.set()


def taken(width: int, height: int, *, noise: bool = False) -> bytes:
    """Return a photo as a camera takes it: lying on its side, with a place."""
    picture = Image.new("RGB", (width, height), (200, 40, 40))
    if noise:
        chance = random.Random(5)
        picture = Image.frombytes("RGB", (width // 4, height // 4), chance.randbytes(width // 4 * (height // 4) * 3))
        picture = picture.resize((width, height))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Camera of Robin"
    exif.get_ifd(0x8825).update({1: "N", 2: (44.0, 58.0, 40.0), 3: "W", 4: (93.0, 15.0, 20.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def add(field: Field, page: Page, content: bytes, *about: str, caption: str = "Kit") -> Any:
    """Take a photo; returns its row once the tablet has confirmed it."""
    return page.evaluate(ADD, [field.survey, field.site, list(about), caption, base64.b64encode(content).decode()])


def received(field: Field) -> list[tuple[str, str, int]]:
    with field.server.session() as session:
        rows = session.scalars(select(SurveyAttachment).where(SurveyAttachment.survey_id == field.survey))
        return [(row.uuid, row.original_sha256, row.size) for row in rows]


def test_a_photo_is_made_smaller_upright_and_nameless_before_it_is_kept(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    original = taken(4032, 3024)
    assert b"Camera of Robin" in original
    row = add(field, tablet, original, "7.9.a", "7.9.b")
    kept = base64.b64decode(tablet.evaluate(STORED, row["uuid"]))
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (1536, 2048)
        assert dict(picture.getexif()) == {}
    assert b"Robin" not in kept
    tablet.reload()
    field.again(tablet)
    assert field.waiting(tablet) == {"answers": 2, "photos": 1, "rejected": 0, "drafts": 0}
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    assert [(uuid, digest) for uuid, digest, _ in received(field)] == [(row["uuid"], row["digest"])]
    name = f"attachment:{row['uuid']}"
    assert field.standing() == {("7.9.a", name): {"caption": "Kit"}, ("7.9.b", name): {"caption": "Kit"}}


def test_what_is_no_picture_is_said_and_not_kept(field: Field, tablet: Page) -> None:
    outcome = tablet.evaluate(
        "([survey, site]) => Tablet.journal.addPhoto(survey, {site, about: [], file: new File(['not one'], 'a.jpg')}).catch((e) => e.name)",
        [field.survey, field.site],
    )
    assert outcome == "NotAPicture"
    assert field.waiting(tablet) == {"answers": 0, "photos": 0, "rejected": 0, "drafts": 0}


@pytest.mark.parametrize("how", ["cut", "503"])
def test_an_interrupted_photo_goes_on_where_it_stopped_even_after_a_reload(
    field: Field, browser: Browser, faults: Faults, how: str
) -> None:
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    tablet = field.tablet(context.new_page())
    # The first part comes through; of the second only the server knows, or not even it.
    faults.faults = [faults.well(), faults.cut() if how == "cut" else faults.says("503 Service Unavailable")]
    row = add(field, tablet, taken(2048, 1536, noise=True), "7.9.a")
    assert row["size"] > 3 * 256 * 1024
    until(tablet, "Tablet.sender.state().problem !== null && Tablet.sender.state().unsentPhotos === 1")
    before = len(faults.seen)
    tablet.reload()
    field.again(tablet)
    until(tablet, ALL_SENT)
    starts = [int(seen.removeprefix("bytes ").split("-")[0]) for seen in faults.seen]
    assert starts[0] == 0
    assert 0 not in starts[1:]
    assert starts[before] >= 256 * 1024
    assert received(field)[0][:2] == (row["uuid"], row["digest"])
    context.close()


def test_a_caption_and_its_elements_can_change_and_a_discarded_photo_stays_here(field: Field, tablet: Page) -> None:
    row = add(field, tablet, taken(320, 240), "7.9.a")
    until(tablet, ALL_SENT)
    name = f"attachment:{row['uuid']}"
    tablet.evaluate("([uuid]) => Tablet.journal.caption(uuid, 'Crash cart')", [row["uuid"]])
    tablet.evaluate("([uuid]) => Tablet.journal.bind(uuid, ['7.9.b', '7.9.c'])", [row["uuid"]])
    until(tablet, ALL_SENT)
    assert field.standing() == {
        ("7.9.a", name): None, ("7.9.b", name): {"caption": "Crash cart"}, ("7.9.c", name): {"caption": "Crash cart"},
    }  # fmt: skip
    tablet.context.set_offline(True)
    other = add(field, tablet, taken(320, 240))
    tablet.evaluate("([photo]) => Tablet.journal.discard({photo}, 'Blurred')", [other["uuid"]])
    assert field.waiting(tablet) == {"answers": 0, "photos": 0, "rejected": 0, "drafts": 0}
    kept = tablet.evaluate("async ([uuid]) => { const p = await Tablet.store.photo(uuid); return [p.state, p.reason, p.blob.size > 0]; }", [other["uuid"]])  # fmt: skip
    assert kept == ["discarded", "Blurred", True]


def test_a_document_taken_along_opens_at_its_own_address_without_a_network(field: Field, tablet: Page) -> None:
    told = tablet.evaluate(
        """async (survey) => {
          const { pack } = await Tablet.store.pack(survey), told = [];
          const outcome = await Tablet.offline.files(survey, pack.evidence, (p) => told.push([p.done, p.of, p.received, p.total]));
          return { outcome, last: told.at(-1), url: pack.evidence[0].url };
        }""",
        field.survey,
    )
    assert told["outcome"] == {"kept": 1, "failed": []}
    assert told["last"] == [1, 1, len(POLICY), len(POLICY)]
    tablet.context.set_offline(True)
    assert tablet.evaluate("async (url) => (await fetch(url)).text()", told["url"]) == POLICY.decode()


def test_a_pack_that_has_not_changed_is_not_sent_again(field: Field, tablet: Page) -> None:
    assert field.take(tablet)["changed"] is False
    field.record(tablet, "7.9.a", "yes")
    until(tablet, ALL_SENT)
    again = field.take(tablet)
    assert again["changed"] is True
    assert again["size"] < 1_500_000
