"""Evidence through its pages: adding, opening, settling; files only ever leave as attachments."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from certify.certification.cases.operations import add_member
from certify.certification.evidence import forms
from certify.certification.evidence.files import Inspected, inspect
from certify.certification.evidence.models import Evidence, EvidenceVersion
from certify.certification.evidence.queries import documents_of
from certify.core.foundation.clock import now
from certify.db import db
from tests.builders import sign_in
from tests.support.applied import Applied, apply

NewClient = Callable[[], FlaskClient]


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    add_member(session, made.case, made.people["surveyor"].id, "surveyor", at=now())
    session.commit()
    return made


def upload(client: FlaskClient, applied: Applied, *files: tuple[str, bytes], **data: Any) -> TestResponse:
    body = {"item": ["7.3.b"], **data, "file": [(io.BytesIO(content), name) for name, content in files]}
    return client.post(f"/cases/{applied.case.ref}/evidence", data=body, content_type="multipart/form-data")


def documents(applied: Applied) -> list[str]:
    return [d.evidence.title for d in documents_of(applied.session, applied.case, applied.actor("nurse"))]


def test_several_files_are_added_at_once_each_a_document_of_its_own(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    answer = upload(
        client,
        applied,
        ("a.txt", b"One."),
        ("b.txt", b"Two."),
        item=["7.3.b", "1.1"],
        pages="p. 2",
        effective_from="2026-01-01",
    )
    assert (answer.status_code, answer.location) == (302, f"/cases/{applied.case.ref}/evidence#s7.3")
    assert documents(applied) == ["a", "b"]
    page = client.get(f"/cases/{applied.case.ref}/evidence").text
    assert page.count("p. 2") == 4


def test_the_same_files_sent_twice_are_added_once(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    files = [("a.txt", b"One."), ("b.txt", b"Two.")]
    answers = [upload(client, applied, *files, form_key="one-and-the-same") for _ in range(2)]
    assert [a.location for a in answers] == [f"/cases/{applied.case.ref}/evidence#s7.3"] * 2
    assert documents(applied) == ["a", "b"]


def test_files_are_looked_at_while_no_transaction_is_open(
    client: FlaskClient, applied: Applied, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, applied.people["nurse"])
    seen: list[bool] = []

    def look(content: bytes, name: str) -> Inspected:
        seen.append(db.session().in_transaction())
        return inspect(content, name)

    monkeypatch.setattr(forms, "inspect_file", look)
    assert upload(client, applied, ("a.txt", b"One.")).status_code == 302
    assert seen == [False]


def test_the_same_new_version_sent_twice_answers_twice_and_is_one(client: FlaskClient, applied: Applied) -> None:
    document, _first = applied.add("7.3.b")
    sign_in(client, applied.people["nurse"])
    address = f"/cases/{applied.case.ref}/evidence/{document.uuid}"
    answers = [
        client.post(
            f"{address}/versions",
            data={"form_key": "one-and-the-same", "file": (io.BytesIO(b"Changed."), "new.txt")},
            content_type="multipart/form-data",
        )
        for _ in range(2)
    ]
    assert [(a.status_code, a.location) for a in answers] == [(302, address), (303, address)]
    count = select(func.count()).select_from(EvidenceVersion).where(EvidenceVersion.evidence_id == document.id)
    assert applied.session.scalar(count) == 2


@pytest.mark.parametrize(
    ("files", "data", "field"),
    [
        ([], {}, "file"),
        ([("a.exe", b"MZ\x90\x00")], {}, "file"),
        ([("a.txt", b"One."), ("b.txt", b"")], {}, "file"),
        ([("a.txt", b"One.")], {"item": []}, "uses"),
        ([("a.txt", b"One.")], {"item": ["9.9"]}, "uses"),
        ([("a.txt", b"One.")], {"site": "other"}, "site"),
        ([("a.txt", b"One.")], {"effective_from": "soon"}, "effective_from"),
    ],
)
def test_a_refused_upload_says_where_and_keeps_nothing(
    client: FlaskClient, applied: Applied, files: list[tuple[str, bytes]], data: dict[str, Any], field: str
) -> None:
    sign_in(client, applied.people["nurse"])
    answer = upload(client, applied, *files, **data)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert documents(applied) == []


def test_a_request_beyond_all_bounds_is_answered_413(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    answer = client.post(
        f"/cases/{applied.case.ref}/evidence",
        data=b"--x--",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(61 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "too large" in answer.text
    assert documents(applied) == []


def test_a_file_leaves_only_as_an_attachment_of_no_known_type(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    evidence, _ = applied.add("7.3.b", name="grüße <b>.txt")
    applied.session.commit()
    answer = client.get(f"/cases/{applied.case.ref}/evidence/{evidence.uuid}/versions/1/file")
    assert answer.data == b"Our policy."
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"
    assert "no-store" in answer.headers["Cache-Control"]


def test_what_the_surveyor_opens_is_seen_by_the_practice(new_client: NewClient, applied: Applied) -> None:
    evidence, _ = applied.add("7.3.b")
    applied.session.commit()
    surveyor, nurse = sign_in(new_client(), applied.people["surveyor"]), sign_in(new_client(), applied.people["nurse"])
    url = f"/cases/{applied.case.ref}/evidence"
    assert "seen by the surveyor" not in nurse.get(url).text
    assert surveyor.get(f"{url}/{evidence.uuid}/versions/1/file").status_code == 200
    assert "seen by the surveyor Mon 2 Nov 2026" in nurse.get(url).text
    assert "Seen by Surveyor One" in nurse.get(f"{url}/{evidence.uuid}").text


def test_a_file_that_may_name_patients_stays_inside_the_practice_until_settled(
    new_client: NewClient, applied: Applied
) -> None:
    nurse, surveyor, staff = (sign_in(new_client(), applied.people[who]) for who in ("nurse", "surveyor", "staff"))
    answer = upload(nurse, applied, ("log.txt", b"MRN: 1234567"))
    page = answer.location
    assert "may name patients" in nurse.get(page).text
    assert "1234567" not in nurse.get(page).text
    assert surveyor.get(page).status_code == 404
    assert surveyor.get(f"{page}/versions/1/file").status_code == 404
    assert answer.location not in surveyor.get(f"/cases/{applied.case.ref}/evidence").text
    assert staff.get(page).status_code == 200
    assert nurse.post(f"{page}/versions/1/confirm", data={"reason": "no"}).status_code == 422
    assert surveyor.post(f"{page}/versions/1/confirm", data={"reason": "It is a policy number."}).status_code == 403
    assert nurse.post(f"{page}/versions/1/confirm", data={"reason": "It is a policy number."}).status_code == 302
    assert surveyor.get(page).status_code == 200


def test_versions_mapping_and_removal_through_the_pages(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    evidence, _ = applied.add("7.3.b")
    applied.session.commit()
    page = f"/cases/{applied.case.ref}/evidence/{evidence.uuid}"
    sent = client.post(
        f"{page}/versions", data={"file": (io.BytesIO(b"Second."), "p.txt")}, content_type="multipart/form-data"
    )
    assert sent.status_code == 302
    assert client.post(f"{page}/versions", data={}, content_type="multipart/form-data").status_code == 422
    assert "checked" in client.get(f"{page}/mapping").text
    assert client.post(f"{page}/mapping", data={"item": [], "title": "Handbook"}).status_code == 422
    assert (
        client.post(f"{page}/mapping", data={"item": ["1.1", "7.3.c"], "title": "Handbook", "site": ""}).status_code
        == 302
    )
    shown = client.get(page).text
    assert "Handbook" in shown
    assert "7.3.c" in shown
    assert client.post(f"{page}/retire", data={"reason": ""}).status_code == 422
    assert client.post(f"{page}/retire", data={"reason": "Replaced by another."}).status_code == 302
    assert documents(applied) == []
    assert "Replaced by another." in client.get(page).text


def test_not_applicable_is_stated_with_a_reason_through_the_page(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["admin"])
    url = f"/cases/{applied.case.ref}/evidence"
    refused = client.post(f"{url}/not-applicable", data={"standard": "7.3", "reason": "no"})
    assert refused.status_code == 422
    assert 'href="#na-7.3"' in refused.text
    assert (
        client.post(f"{url}/not-applicable", data={"standard": "7.3", "reason": "We do not do that here."}).status_code
        == 302
    )
    assert "We do not do that here." in client.get(url).text
    assert client.post(f"{url}/not-applicable", data={"standard": "7.3", "withdraw": "yes"}).status_code == 302


@pytest.mark.parametrize("who", ["staff", "surveyor", "council", "auditor"])
def test_only_the_practice_adds_and_changes(client: FlaskClient, applied: Applied, who: str) -> None:
    evidence, _ = applied.add("7.3.b")
    applied.session.commit()
    sign_in(client, applied.people[who])
    url = f"/cases/{applied.case.ref}/evidence"
    assert client.get(url).status_code == 200
    assert client.get(f"{url}/{evidence.uuid}").status_code == 200
    refused = [
        client.get(f"{url}/new"), upload(client, applied, ("a.txt", b"x")), client.post(f"{url}/{evidence.uuid}/retire", data={"reason": "Because I can."}),
        client.get(f"{url}/{evidence.uuid}/mapping"), client.post(f"{url}/not-applicable", data={"standard": "7.3"}),
    ]  # fmt: skip
    assert [r.status_code for r in refused] == [403] * 5


def test_another_practice_finds_nothing(new_client: NewClient, applied: Applied) -> None:
    evidence, _ = applied.add("7.3.b")
    other = apply(applied.session)
    applied.session.commit()
    client = sign_in(new_client(), other.people["admin"])
    url = f"/cases/{applied.case.ref}/evidence"
    own = f"/cases/{other.case.ref}/evidence/{evidence.uuid}"
    for path in (
        url,
        f"{url}/{evidence.uuid}",
        f"{url}/{evidence.uuid}/versions/1/file",
        own,
        f"{own}/versions/1/file",
    ):
        assert client.get(path).status_code == 404
    assert applied.session.scalars(select(Evidence)).one().retired_at is None


def test_the_evidence_page_asks_as_often_whatever_its_size(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["nurse"])
    asked: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    def queries() -> int:
        asked.clear()
        event.listen(applied.session.connection().engine, "before_cursor_execute", count)
        client.get(f"/cases/{applied.case.ref}/evidence")
        event.remove(applied.session.connection().engine, "before_cursor_execute", count)
        return sum(s.lstrip().upper().startswith("SELECT") for s in asked)

    applied.add("7.3.b")
    applied.session.commit()
    few = queries()
    for n in range(15):
        applied.add("7.3.b", "1.1.a", "2.1", content=f"File {n}.".encode(), name=f"f{n}.txt")
    applied.session.commit()
    assert queries() == few
    assert few <= 20
