"""What the API's description says is what the API does."""

from __future__ import annotations

from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks as openapi_checks
from sqlalchemy.orm import Session

from certify.core.access.roles import Role
from tests.outlets.api.callers import make_caller, make_program

EXAMPLES = 12
CHECKS = (
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
)


def test_every_call_answers_as_described(app: Flask, session: Session) -> None:
    """Slow because it sends a dozen made-up requests to every call, on real and invented objects."""
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    everyone = make_caller(app, session, *(r for r in Role if r is not Role.SYSTEM), practice=practice)
    real = {
        "ref": ref,
        "practice_id": practice.id,
        "survey_id": 1,
        "number": "OMH-2026-0001",
        "kind": "survey-report",
        "ext": "docx",
    }
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    seen = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        seen += 1

        @settings(
            max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(), known=st.booleans(), signed_in=st.integers(0, 9))
        def speaks_the_truth(case: Any, known: bool, signed_in: int) -> None:
            if known:
                case.path_parameters = {k: real.get(k, v) for k, v in (case.path_parameters or {}).items()}
            case.headers = case.headers or {}
            if signed_in:
                case.headers["Authorization"] = f"Bearer {everyone.token}"
            response = case.call()
            case.validate_response(response, checks=CHECKS)
            assert signed_in or response.status_code != 200 or "register" in case.operation.path

        speaks_the_truth()
    assert seen >= 24


def test_a_wrong_token_a_read_token_and_none_are_told_apart(app: Flask, session: Session) -> None:
    practice, _who = make_program(app, session)
    reader = make_caller(app, session, Role.PRACTICE_ADMIN, practice=practice, scope="read")
    assert reader.ask("GET", "me")["practices"] == [{"id": practice.id, "name": practice.legal_name}]
    refused = reader.raw("POST", "cases", json={"practice": practice.id})
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    reader.token = "nonsense"
    answer = reader.raw("GET", "me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="certify"')


def test_the_same_idempotency_key_acts_once_and_answers_the_same(app: Flask, session: Session) -> None:
    practice, who = make_program(app, session)
    key = {"Idempotency-Key": "one"}
    first = who["admin"].raw("POST", "cases", headers=key, json={"practice": practice.id})
    again = who["admin"].raw("POST", "cases", headers=key, json={"practice": practice.id})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    other = who["admin"].raw("POST", "cases", headers=key, json={"practice": practice.id + 1})
    assert other.status_code == 409


def test_a_stale_version_says_who_moved_the_case(app: Flask, session: Session) -> None:
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    body = {"trigger": "withdraw", "version": 99, "data": {"reason": "No.", "confirmed": True}}
    refusal = who["admin"].ask("POST", f"cases/{ref}/transitions", status=409, json=body)
    assert who["admin"].person.name in refusal["detail"]


def test_another_practice_s_case_does_not_exist(app: Flask, session: Session) -> None:
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    _other, strangers = make_program(app, session)
    for method, path in (
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/questionnaire"),
        ("GET", "/agreement"),
        ("GET", "/requirements"),
    ):
        strangers["admin"].ask(method, f"cases/{ref}{path}", status=404)
    assert ref not in {c["ref"] for c in strangers["admin"].ask("GET", "cases")["items"]}


def test_lists_go_on_where_they_stopped(app: Flask, session: Session) -> None:
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    for number in range(5):
        who["admin"].ask("PUT", f"cases/{ref}/questionnaire", json={"answers": {"emr": f"Charts {number}"}})
    found, cursor = [], None
    while True:
        page = who["admin"].ask("GET", f"cases/{ref}/events?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        found += [e["seq"] for e in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == found[0]
    who["admin"].ask("GET", f"cases/{ref}/events?cursor=forged", status=422)
