"""A signature is bound to the answers it was given for, and shows when they change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from certify.certification.surveys.queries import answers_of, signatures_of
from certify.certification.surveys.seal import Sealed, digest
from certify.core.foundation.clock import FixedClock
from tests.builders import sign_in
from tests.certification.surveys.visits import OTHER_TABLET, Visit, visit_under_way


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def sealed_now(visit: Visit) -> str:
    rows = answers_of(visit.session, visit.survey.id)
    return digest(Sealed(r.site_id, r.element or "", r.field, r.value, r.clash) for r in rows)


def sign(visit: Visit, role: str = "leader", **more: Any) -> None:
    value = {"name": "Ada Chief", "title": "MD", "strokes": "", "digest": sealed_now(visit)} | more
    assert visit.send(visit.op(None, f"signature:{role}", value))["acks"][0]["status"] == "applied"


def test_the_digest_is_that_of_the_text_the_contract_of_the_tablets_names() -> None:
    answers = [
        Sealed(2, "", "site_note", "Zwölf Stühle 🪑"),
        Sealed(1, "1.1.b", "risk", {"scope": "pattern", "harm": "high"}),
        Sealed(1, "1.1.a", "rating", "no"),
        Sealed(1, "1.1.a", "note", "x", conflict=True),
        Sealed(1, "1.1.c", "rating", None),
        Sealed(10, "", "signature:leader", {"name": "Ada"}),
    ]
    text = (
        '[[1,"1.1.a","note",{"conflict":true}],[1,"1.1.a","rating","no"],'
        '[1,"1.1.b","risk",{"harm":"high","scope":"pattern"}],[2,"","site_note","Zwölf Stühle 🪑"]]'
    )
    assert digest(answers) == hashlib.sha256(text.encode()).hexdigest()
    assert digest([]) == hashlib.sha256(b"[]").hexdigest()


ANSWERS = st.lists(
    st.builds(
        Sealed, st.integers(1, 12), st.sampled_from(["", "1.1", "1.1.a", "10.1.a"]), st.sampled_from(["rating", "note", "risk"]),
        st.none() | st.sampled_from(["yes", "no"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.booleans(),
    ),
    unique_by=lambda a: (a.site, a.element, a.field), max_size=8,
)  # fmt: skip


@given(ANSWERS, st.data())
def test_any_order_gives_one_digest_and_any_change_another(answers: list[Sealed], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(answers))
    assert digest(shuffled) == digest(answers)
    if answers:
        at = data.draw(st.integers(0, len(answers) - 1))
        changed = replace(answers[at], conflict=False, value="something else entirely")
        assert digest([*answers[:at], changed, *answers[at + 1 :]]) != digest(answers)


def test_both_signatures_stay_intact_until_an_answer_changes(visit: Visit) -> None:
    visit.send(visit.op("1.1.a", "rating", "yes"), visit.op("1.1.b", "rating", "no"))
    sign(visit)
    sign(visit, "surveyor", name="Robin Surveyor")
    first, second = signatures_of(visit.session, visit.survey.id)
    assert [first.role, second.role] == ["leader", "surveyor"]
    assert first.intact
    assert second.intact
    assert first.changed == ()
    visit.send(visit.op("1.1.b", "rating", "yes", base=visit.survey.seq))
    first, second = signatures_of(visit.session, visit.survey.id)
    assert not first.intact
    assert not second.intact
    assert [(c.element, c.field) for c in first.changed] == [("1.1.b", "rating")]
    assert first.changed[0].by == visit.surveyor.name
    visit.send(visit.op("1.1.b", "rating", "no", base=visit.survey.seq))
    assert signatures_of(visit.session, visit.survey.id)[0].intact, "what was signed stands again"


def test_a_conflict_after_signing_breaks_the_seal(visit: Visit) -> None:
    visit.send(visit.op("1.1.a", "rating", "yes"))
    sign(visit)
    visit.send(visit.op("1.1.a", "rating", "no"), device=OTHER_TABLET)
    assert not signatures_of(visit.session, visit.survey.id)[0].intact


def test_a_signature_taken_back_is_none(visit: Visit) -> None:
    sign(visit)
    visit.send(visit.op(None, "signature:leader", None, base=visit.survey.seq))
    assert signatures_of(visit.session, visit.survey.id) == []


def test_the_survey_page_says_whether_the_signatures_hold(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    address = f"/surveys/{visit.survey.id}"
    assert "Signatures" not in client.get(address).text
    visit.send(visit.op("1.1.a", "rating", "yes"))
    sign(visit)
    assert "Intact" in client.get(address).text
    visit.send(visit.op("1.1.a", "rating", "no", base=visit.survey.seq))
    page = client.get(address).text
    assert "Broken: answers changed after signing" in page
    assert "1 answer said after Ada Chief signed" in page
