"""A tablet's backup file brings what it could not send: by a second person, entry by entry, once."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member
from certify.certification.surveys.attachments import find_attachment
from certify.certification.surveys.backup import Backup, Entry, keep_backup, read_backup, take_in_backup
from certify.certification.surveys.journal import canonical
from certify.certification.surveys.models import SurveyAnswer, SurveyAttachment, SurveyOp
from certify.certification.surveys.operations import agree_not_applicable
from certify.certification.surveys.queries import OpenSurvey, open_conflicts
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.platform.audit.models import Event
from certify.platform.audit.queries import verify_chain
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from tests.builders import make_person, sign_in
from tests.certification.surveys.test_attachments import photo
from tests.certification.surveys.visits import OTHER_TABLET, TABLET, Visit, journal, make_surveyor, visit_under_way


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def file_of(visit: Visit, ops: list[Any], photos: list[Any], **more: Any) -> bytes:
    """Write a backup file as a tablet does."""
    body = {
        "certify_backup": 1, "survey": visit.survey.id, "device": OTHER_TABLET, "made_at": now().isoformat(),
        "person": {"id": visit.surveyor.id, "name": visit.surveyor.name}, "ops": ops, "photos": photos,
    } | more  # fmt: skip
    body["digest"] = hashlib.sha256(canonical(body).encode()).hexdigest()
    return canonical(body).encode()


def unsent(visit: Visit, count: int, colours: tuple[str, ...]) -> tuple[list[Any], list[Any]]:
    elements = current().editions["2021"].element_ids
    who = {"by_id": visit.surveyor.id, "by_name": visit.surveyor.name, "state": "waiting"}
    ops = [visit.op(e, "note", f"Note {n}") | who for n, e in enumerate(elements[:count])]
    photos = []
    for colour in colours:
        content, uuid = photo(colour), str(uuid4())
        photos.append(
            {"uuid": uuid, "site": visit.site_ids[0], "about": ["1.1.a"], "caption": colour, "media_type": "image/jpeg",
             "digest": hashlib.sha256(content).hexdigest(), "size": len(content), "content": base64.b64encode(content).decode(), **who}
        )  # fmt: skip
        ops.append(visit.op("1.1.a", f"attachment:{uuid}", {"caption": colour}) | who)
    return ops, photos


def take(visit: Visit, content: bytes, who: str = "staff") -> tuple[Backup, list[Entry]]:
    kept = keep_backup(visit.session, visit.survey.id, content, actor=visit.actor(who))
    return take_in_backup(visit.session, visit.survey.id, kept.sha256, actor=visit.actor(who), at=now())


def outcomes(entries: list[Entry]) -> dict[str, int]:
    return {o: sum(e.outcome == o for e in entries) for o in ("taken", "known", "refused")}


COLOURS = ("red", "green", "blue", "teal", "gold")


def test_forty_answers_and_five_photos_are_restored_by_a_second_person_once(visit: Visit) -> None:
    ops, photos = unsent(visit, 35, COLOURS)
    backup, entries = take(visit, file_of(visit, ops, photos))
    assert backup.whole
    assert outcomes(entries) == {"taken": 45, "known": 0, "refused": 0}
    rows = journal(visit.session, SurveyOp, visit.survey.id)
    assert len(rows) == 40
    assert {(r.device, r.by_id, r.by_name) for r in rows} == {(OTHER_TABLET, visit.surveyor.id, visit.surveyor.name)}
    assert len(journal(visit.session, SurveyAttachment, visit.survey.id)) == 5
    for sent in photos:
        kept = find_attachment(visit.session, visit.survey.id, sent["uuid"])
        assert kept is not None
        assert kept.original_sha256 == sent["digest"]
    event = visit.session.query(Event).filter(Event.kind == "survey.backup_taken").one()
    assert event.actor_id == visit.staff.id
    assert event.data["taken"] == 45
    again, second = take(visit, file_of(visit, ops, photos))
    assert outcomes(second) == {"taken": 0, "known": 45, "refused": 0}
    assert again.sha256 == backup.sha256
    assert visit.send(*ops, device=OTHER_TABLET)["acks"][0]["status"] == "duplicate", "the tablet comes back after all"
    assert verify_chain(visit.session).sound


def test_what_clashes_with_what_others_said_stands_beside_it(visit: Visit) -> None:
    visit.send(visit.op("1.1.a", "rating", "yes"))
    _, entries = take(visit, file_of(visit, [visit.op("1.1.a", "rating", "no") | {"by_id": visit.surveyor.id}], []))
    assert [e.status for e in entries] == ["conflict"]
    assert [v["value"] for v in open_conflicts(visit.session, visit.survey.id)[0]["values"]] == ["yes", "no"]


def test_an_author_who_was_never_on_the_team_becomes_who_takes_it_in(visit: Visit) -> None:
    stranger, _ = make_surveyor(visit.session, name="Stranger")
    _, entries = take(visit, file_of(visit, [visit.op() | {"by_id": stranger.id, "by_name": "Stranger"}], []))
    assert entries[0].author == f"{visit.staff.name} (from a backup file)"
    assert journal(visit.session, SurveyOp, visit.survey.id)[0].by_id == visit.staff.id


def test_wrong_entries_are_named_and_the_others_taken(visit: Visit) -> None:
    ops, photos = unsent(visit, 2, ("red",))
    broken = [{**photos[0], "uuid": str(uuid4()), "digest": "0" * 64}, {**photos[0], "uuid": str(uuid4()), "content": "%%"}, "x"]  # fmt: skip
    _, entries = take(visit, file_of(visit, [*ops, visit.op("9.9.z"), 7, {"op": "x"}], [*photos, *broken]))
    assert outcomes(entries) == {"taken": 4, "known": 0, "refused": 6}
    assert all(e.reason for e in entries if e.outcome == "refused")


def test_after_the_finish_what_a_backup_brings_is_late(visit: Visit) -> None:
    visit.survey.finished_at = now()
    visit.session.flush()
    _, entries = take(visit, file_of(visit, [visit.op()], []))
    assert [e.status for e in entries] == ["late"]
    assert journal(visit.session, SurveyAnswer, visit.survey.id) == []


def team_of_two(visit: Visit) -> Person:
    second = make_person(visit.session, Role.SURVEYOR, name="Sam Second")
    add_member(visit.session, visit.case, second.id, "surveyor", at=now())
    return second


def taken_by(visit: Visit, person: Person, content: bytes) -> list[Entry]:
    actor = actor_as(visit.session, person)
    kept = keep_backup(visit.session, visit.survey.id, content, actor=actor)
    return take_in_backup(visit.session, visit.survey.id, kept.sha256, actor=actor, at=now())[1]


def test_a_surveyor_cannot_speak_as_a_colleague_with_a_file(visit: Visit) -> None:
    """Whatever the file says of authors and devices: others' entries are her own words, and clash with theirs."""
    second = team_of_two(visit)
    visit.send(visit.op("1.1.a", value="yes"), device=TABLET)
    forged = visit.op("1.1.a", value="no") | {"by_id": visit.surveyor.id, "by_name": visit.surveyor.name}
    own = visit.op("1.1.b", value="no") | {"by_id": second.id}
    entries = taken_by(visit, second, file_of(visit, [forged, own], [], device=TABLET))
    assert {e.status for e in entries} == {"conflict", "applied"}
    words = {w["value"]: w for w in open_conflicts(visit.session, visit.survey.id)[0]["values"]}
    assert words["no"]["by"] == "Sam Second (from a backup file)"
    assert words["no"]["device"] != TABLET
    rows = {(r.element, r.value): r for r in journal(visit.session, SurveyOp, visit.survey.id)}
    assert rows["1.1.a", "no"].by_id == second.id
    assert (rows["1.1.b", "no"].by_id, rows["1.1.b", "no"].device) == (second.id, TABLET)


def test_what_a_surveyor_takes_in_does_not_stand_in_the_way_of_the_tablet_itself(visit: Visit) -> None:
    second = team_of_two(visit)
    truth = visit.op("1.1.a", "note", "as she wrote it")
    edited = truth | {"value": "as someone changed it", "by_id": visit.surveyor.id}
    assert [e.status for e in taken_by(visit, second, file_of(visit, [edited], []))] == ["applied"]
    ack = visit.send(truth, device=OTHER_TABLET)["acks"][0]
    assert ack["status"] == "conflict", "both are kept; hers is not refused as an id that was used"
    again = taken_by(visit, second, file_of(visit, [truth | {"by_id": visit.surveyor.id}], []))
    assert [e.status for e in again] == ["duplicate"], "what the tablet sent itself is known by its own id"


def test_who_took_in_the_ratings_does_not_agree_to_them_as_second_reviewer(visit: Visit) -> None:
    standard = next(s for s in current().editions["2021"].standards.values() if s.critical)
    mine = {"by_id": visit.surveyor.id, "by_name": visit.surveyor.name}
    ops = [visit.op(e.id, value="na") | mine for e in standard.elements]
    take(visit, file_of(visit, ops, []))
    opened = OpenSurvey(visit.survey, visit.case)
    with pytest.raises(NotAllowed):
        agree_not_applicable(
            visit.session, opened, visit.site_ids[0], standard.code, actor=visit.actor("staff"), at=now()
        )
    other = actor_as(visit.session, make_person(visit.session, Role.PROGRAM_STAFF))
    agree_not_applicable(visit.session, opened, visit.site_ids[0], standard.code, actor=other, at=now())


def test_one_bad_photo_is_named_and_keeps_nothing_else_from_being_taken_in(visit: Visit) -> None:
    ops, photos = unsent(visit, 3, ("red", "green", "blue"))
    bad = b"\xff\xd8\xff no photo at all"
    photos[1] |= {"content": base64.b64encode(bad).decode(), "digest": hashlib.sha256(bad).hexdigest()}
    photos[2] |= {"content": "!!"}
    _, entries = take(visit, file_of(visit, ops, photos))
    refused = [e for e in entries if e.outcome == "refused"]
    assert [(e.kind, e.value, bool(e.reason)) for e in refused] == [("photo", "green", True), ("photo", "blue", True)]
    assert outcomes(entries) == {"taken": 7, "known": 0, "refused": 2}
    assert len(journal(visit.session, SurveyAttachment, visit.survey.id)) == 1


def test_texts_that_were_only_begun_are_shown_to_who_opens_the_file(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.staff)
    site = visit.site_ids[0]
    drafts = [
        {"site": site, "element": "1.1.a", "field": "note", "value": "Half a sen", "why": "draft"},
        {"site": site, "element": "", "field": f"note:{uuid4()}", "value": {"kind": "tracer", "text": "MRN 12"}, "why": "held"},
        {"value": 7}, "x",
    ]  # fmt: skip
    content = file_of(visit, [], [], drafts=drafts)
    looked = client.post(f"/surveys/{visit.survey.id}/backup", data={"file": (io.BytesIO(content), "backup.json")})
    assert "Half a sen" in looked.text
    assert "Held back: may name a patient" in looked.text
    assert read_backup(content, visit.survey.id).whole


def test_a_file_that_was_edited_is_said_to_be_so(visit: Visit) -> None:
    body = json.loads(file_of(visit, [visit.op("1.1.a", "note", "as written")], []))
    body["ops"][0]["value"] = "edited"
    assert not read_backup(json.dumps(body).encode(), visit.survey.id).whole


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"certify_backup": 2}', b"[" * 100_000, b'{"certify_backup": 1, "survey": true}'])  # fmt: skip
def test_what_is_no_backup_is_refused(visit: Visit, content: bytes) -> None:
    with pytest.raises(Invalid):
        read_backup(content, 1)


def test_a_backup_of_another_survey_is_refused_and_strangers_see_nothing(session: Session, visit: Visit) -> None:
    with pytest.raises(Invalid):
        read_backup(file_of(visit, [], []), visit.survey.id + 1)
    stranger, _ = make_surveyor(session, name="Stranger")
    with pytest.raises(NotFound):
        keep_backup(session, visit.survey.id, file_of(visit, [], []), actor=actor_as(session, stranger))
    with pytest.raises(NotAllowed):
        take(visit, file_of(visit, [], []), who="head")


def test_the_page_says_what_the_file_holds_then_what_became_of_it(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.staff)
    address = f"/surveys/{visit.survey.id}/backup"
    assert "Choose the file" in client.get(address).text
    ops, photos = unsent(visit, 3, ("red",))
    content = file_of(visit, [*ops, visit.op("9.9.z")], photos)
    looked = client.post(address, data={"file": (io.BytesIO(content), "backup.json")})
    assert looked.status_code == 200
    assert "What the file holds" in looked.text
    assert journal(visit.session, SurveyOp, visit.survey.id) == []
    done = client.post(f"{address}/take", data={"file": hashlib.sha256(content).hexdigest()})
    assert done.status_code == 200
    assert "5 taken in, 0 here already, 1 refused" in done.text
    assert len(journal(visit.session, SurveyOp, visit.survey.id)) == 4
    assert client.post(f"{address}/take", data={"file": "../../secret_key"}).status_code == 422
    assert client.post(address, data={}).status_code == 422
