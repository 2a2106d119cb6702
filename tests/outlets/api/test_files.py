"""Files sent by the API: looked at before anything is locked, and added once."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from certify.certification.evidence.files import Inspected, inspect
from certify.certification.evidence.models import Evidence
from certify.db import db
from certify.outlets.api.routes import files
from tests.outlets.api.callers import Caller, make_program


def send(caller: Caller, ref: str, key: str) -> TestResponse:
    data = {"file": (io.BytesIO(b"Our policy."), "policy.txt"), "elements": ["7.3.b"]}
    headers = {"Idempotency-Key": key}
    return caller.raw("POST", f"cases/{ref}/evidence", headers, data=data, content_type="multipart/form-data")


def test_the_same_file_sent_twice_is_added_once_and_answers_the_same(app: Flask, session: Session) -> None:
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    first, again = [send(who["admin"], ref, "one") for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert session.scalar(select(func.count()).select_from(Evidence)) == 1


def test_a_file_is_looked_at_while_no_transaction_is_open(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    seen: list[bool] = []

    def look(content: bytes, name: str) -> Inspected:
        seen.append(db.session().in_transaction())
        return inspect(content, name)

    monkeypatch.setattr(files, "inspect_file", look)
    assert send(who["admin"], ref, "one").status_code == 201
    assert seen == [False]
