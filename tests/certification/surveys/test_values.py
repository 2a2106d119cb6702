"""What the fields of the checklist may hold: risk, notes that feed several elements, signatures."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from certify.certification.surveys.models import SurveyAnswer
from certify.certification.surveys.ops import OtherPerson
from certify.certification.surveys.queries import answers_of
from certify.certification.surveys.sync import sync
from certify.certification.surveys.values import Malformed, check_name, check_value
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import Invalid
from tests.certification.surveys.visits import OTHER_TABLET, Visit, journal, visit_under_way

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()
NOTE = f"note:{uuid4()}"
GOOD_NOTE = {"kind": "interview", "text": "Two nurses, on the double check.", "about": ["1.1.a", "7.2"]}
GOOD_SIGNATURE = {"name": "Ada Chief", "title": "MD", "strokes": PNG, "digest": "0" * 64}


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def status(visit: Visit, element: str | None, field: str, value: Any) -> tuple[str, str]:
    ack = visit.send(visit.op(element, field, value))["acks"][0]
    return ack["status"], ack["reason"] or ""


GOOD = [
    ("1.1.a", "risk", {"harm": "high", "scope": "pattern"}),
    ("1.1.a", "risk", None),
    (None, NOTE, GOOD_NOTE),
    (None, NOTE, GOOD_NOTE | {"kind": "tracer", "pseudonym": "P-07", "about": []}),
    (None, NOTE, None),
    (None, "signature:leader", GOOD_SIGNATURE),
    (None, "signature:surveyor", GOOD_SIGNATURE | {"strokes": ""}),
    (None, "signature:leader", None),
]
WRONG = [
    ("1.1.a", "risk", {"harm": "high"}, "value: give"),
    ("1.1.a", "risk", {"harm": "high", "scope": "everywhere"}, "one of limited, pattern, widespread"),
    ("1.1.a", "risk", {"harm": ["high"], "scope": "pattern"}, "value: give"),
    ("1.1.a", "risk", "high", "value: give"),
    ("1.1", "risk", {"harm": "high", "scope": "pattern"}, "'risk' is not a field of a standard"),
    (None, "risk", {"harm": "high", "scope": "pattern"}, "'risk' is not a field of a site"),
    ("1.1.a", NOTE, GOOD_NOTE, "is not a field of an element"),
    (None, "note", "text", "'note' is not a field of a site"),
    (None, "note:7", GOOD_NOTE, "name a note as note:UUID"),
    (None, NOTE, "text", "value: give"),
    (None, NOTE, GOOD_NOTE | {"kind": "gossip"}, "one of interview, observation, record_review, tracer"),
    (None, NOTE, GOOD_NOTE | {"kind": ["interview"]}, "the kind of a note"),
    (None, NOTE, GOOD_NOTE | {"about": ["9.9.z"]}, "'9.9.z' is not part"),
    (None, NOTE, GOOD_NOTE | {"about": ["1.1.a", "1.1.a"]}, "twice"),
    (None, NOTE, GOOD_NOTE | {"about": "1.1.a"}, "about is a list"),
    (None, NOTE, GOOD_NOTE | {"about": [["1.1.a"]]}, "about is a list"),
    (None, NOTE, GOOD_NOTE | {"patient": "Ann"}, "value: give"),
    (None, NOTE, GOOD_NOTE | {"pseudonym": "x" * 201}, "pseudonym is a text of at most 200"),
    (None, NOTE, GOOD_NOTE | {"text": "\x00"}, "cannot be stored"),
    (None, "signature:owner", GOOD_SIGNATURE, "a signature is signature:leader or signature:surveyor"),
    (None, "signature:leader", GOOD_SIGNATURE | {"name": " "}, "needs the name"),
    (None, "signature:leader", GOOD_SIGNATURE | {"digest": "0"}, "SHA-256"),
    (None, "signature:leader", GOOD_SIGNATURE | {"strokes": "data:image/svg+xml;base64,PHN2Zy8+"}, "PNG"),
    (None, "signature:leader", GOOD_SIGNATURE | {"strokes": "data:image/png;base64,AAAA"}, "PNG"),
    (None, "signature:leader", GOOD_SIGNATURE | {"strokes": PNG + "A" * 70_000}, "at most 60 KB"),
    (None, "signature:leader", "Ada Chief", "value: give"),
    ("1.1.a", "signature:leader", GOOD_SIGNATURE, "is not a field of an element"),
]  # fmt: skip


def test_risk_notes_and_signatures_are_taken_in_and_stand(visit: Visit) -> None:
    for element, field, value in GOOD:
        assert status(visit, element, field, value) == ("applied", ""), (field, value)
    for element, field, value, reason in WRONG:
        said, why = status(visit, element, field, value)
        assert said == "rejected", (field, value)
        assert reason in why, (field, value, why)


def test_a_note_of_a_repeat_visit_is_about_what_it_was_limited_to(visit: Visit) -> None:
    visit.survey.scope_standards = ["1.1"]
    assert status(visit, None, NOTE, GOOD_NOTE | {"about": ["1.1.b"]})[0] == "applied"
    assert "'7.2' is not part" in status(visit, None, f"note:{uuid4()}", GOOD_NOTE)[1]


def test_two_tablets_that_place_a_finding_differently_clash_and_both_places_stay(visit: Visit) -> None:
    low, high = {"harm": "low", "scope": "limited"}, {"harm": "high", "scope": "limited"}
    visit.send(visit.op("1.1.a", "risk", low))
    answer = visit.send(visit.op("1.1.a", "risk", high), device=OTHER_TABLET)
    assert [a["status"] for a in answer["acks"]] == ["conflict"]
    assert [v["value"] for v in answer["conflicts"][0]["values"]] == [low, high]


def test_entries_of_one_person_are_not_taken_in_as_anothers(visit: Visit) -> None:
    body = {"device": OTHER_TABLET, "since": 0, "ops": [visit.op()]}
    actor = visit.actor("surveyor")
    assert actor.user_id is not None
    at = visit.survey.created_at
    with pytest.raises(OtherPerson):
        sync(visit.session, visit.survey.id, body | {"person": actor.user_id + 1}, actor=actor, at=at)
    assert journal(visit.session, SurveyAnswer, visit.survey.id) == []
    with pytest.raises(Invalid):
        sync(visit.session, visit.survey.id, body | {"person": "me"}, actor=actor, at=at)
    taken = sync(visit.session, visit.survey.id, body | {"person": actor.user_id}, actor=actor, at=at)
    assert taken["acks"][0]["status"] == "applied"
    assert len(answers_of(visit.session, visit.survey.id)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["kind", "text", "about", "harm", "scope", "name", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    st.sampled_from(["rating", "note", "risk", "seen_data", "attachment:x", NOTE, "signature:leader", "site_note"]),
    JSON,
)
def test_whatever_a_field_is_given_is_taken_or_refused_in_words(app: object, field: str, value: Any) -> None:
    refused = ""
    try:
        check_value(field, value, {"1.1.a"}.__contains__)
        check_name(field)
    except Malformed as wrong:
        refused = str(wrong)
    assert refused == "" or refused.startswith(("value: ", "field: "))
