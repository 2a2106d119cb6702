"""What a program that calls the HTTP API wrongly is told: where in its request the mistake lies, and what would be right."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.evidence.models import Evidence
from tests.outlets.api.callers import Caller, make_program


@pytest.fixture
def who(app: Flask, session: Session) -> dict[str, Caller]:
    """The people of a program whose practice has a case in preparation."""
    practice, callers = make_program(app, session)
    callers["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})
    return callers


def the_case(who: dict[str, Caller]) -> str:
    (case,) = who["admin"].ask("GET", "cases")["items"]
    return str(case["ref"])


def pointers(problem: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["pointer"] for error in problem["errors"]}


def test_a_mistake_points_into_the_body_that_was_sent(who: dict[str, Caller]) -> None:
    ref = the_case(who)
    assert pointers(who["admin"].step(ref, "withdraw", status=422)) == {
        "reason": "/data/reason", "confirmed": "/data/confirmed",
    }  # fmt: skip
    answers = {"billing_contact_email": "nobody", "a/b": 1}
    refused = who["admin"].ask("PUT", f"cases/{ref}/questionnaire", status=422, json={"answers": answers})
    assert pointers(refused) == {"billing_contact_email": "/answers/billing_contact_email", "a/b": "/answers/a~1b"}
    body = {"legal_name": "Two Sites", "sites": [{"name": "North"}, {"name": "South", "services": ["magic"]}]}
    refused = who["staff"].ask("POST", "practices", status=422, json=body)
    assert pointers(refused) == {"services": "/sites/1/services"}
    assert who["staff"].ask("GET", "practices?q=Two")["items"] == []


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"data": "{", "content_type": "application/json"}, 400, "not JSON"),
        ({"data": b'{"legal_name": "\xff"}', "content_type": "application/json"}, 400, "not JSON"),
        ({"data": '{"legal_name": "A"}', "content_type": "text/plain"}, 415, "Content-Type: application/json"),
        ({"data": {"legal_name": "A"}}, 415, "Content-Type: application/json"),
    ],
)
def test_a_body_that_cannot_be_read_says_so_to_a_program(
    who: dict[str, Caller], sent: dict[str, Any], status: int, words: str
) -> None:
    for caller, path in (("staff", "practices"), ("surveyor", "surveys/1/sync")):
        refused = who[caller].ask("POST", path, status=status, **sent)
        assert words in refused["detail"]


def test_a_wrong_method_names_the_right_ones(who: dict[str, Caller]) -> None:
    assert who["staff"].ask("DELETE", "practices", status=405)["detail"] == "This address takes GET, HEAD, POST only."


def test_a_scheme_may_be_written_in_any_case(who: dict[str, Caller]) -> None:
    staff = who["staff"]
    for scheme in ("bearer", "BEARER"):
        assert staff.raw("GET", "me", {"Authorization": f"{scheme} {staff.token}"}).status_code == 200


def test_who_is_not_let_in_is_told_what_to_send(who: dict[str, Caller]) -> None:
    staff = who["staff"]
    for header, words in ((f"Bearer {staff.token}x", "token does not work"), ("", "Authorization: Bearer TOKEN")):
        refused = staff.raw("GET", "me", {"Authorization": header})
        assert (refused.status_code, words in refused.get_json()["detail"]) == (401, True)


def test_a_filter_that_names_nothing_is_refused(who: dict[str, Caller]) -> None:
    refused = who["staff"].ask("GET", "cases?state=drafft", status=422)
    assert pointers(refused) == {"state": "/state"}
    assert len(who["staff"].ask("GET", "cases?state=draft")["items"]) == 1
    refused = who["staff"].ask("GET", "register?changed_since=2026-03-05", status=422)
    assert "2026-03-05T14:00:00Z" in refused["detail"]


def test_evidence_is_refused_in_the_words_of_the_call(who: dict[str, Caller], session: Session) -> None:
    address = f"cases/{the_case(who)}/evidence"

    def refused(**sent: Any) -> dict[str, str]:
        answer = who["admin"].ask("POST", address, status=422, data=sent, content_type="multipart/form-data")
        return pointers(answer)

    def file(name: str = "policy.txt") -> tuple[io.BytesIO, str]:
        return io.BytesIO(b"Our policy."), name

    assert refused(file=file(), elements="99.9.z") == {"elements": "/elements"}
    assert refused(file=[file("a.txt"), file("b.txt")], elements="7.3.b") == {"file": "/file"}
    assert refused(file="no name", elements="7.3.b") == {"file": "/file"}
    assert refused(effective_from="May") == {
        "file": "/file", "elements": "/elements", "effective_from": "/effective_from",
    }  # fmt: skip
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0
    twice = {"file": file(), "elements": "7.3.b, 7.3.b"}
    added = who["admin"].ask("POST", address, status=201, data=twice, content_type="multipart/form-data")
    assert added["elements"] == ["7.3.b"]


def test_a_practice_in_a_list_has_its_sites(who: dict[str, Caller]) -> None:
    (item,) = who["admin"].ask("GET", "practices")["items"]
    assert item["sites"] == who["admin"].ask("GET", f"practices/{item['id']}")["sites"]
    assert len(item["sites"]) == 2
