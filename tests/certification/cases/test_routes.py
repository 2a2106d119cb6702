"""The pages of a case: what they say after a step, and how much they say at once."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.builders import sign_in
from tests.support.applied import Applied, apply


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    session.commit()
    return made


def test_after_a_step_the_reader_is_told_what_was_done_in_the_words_of_the_history(
    client: FlaskClient, applied: Applied
) -> None:
    applied.complete()
    applied.session.commit()
    sign_in(client, applied.people["admin"])
    answer = client.post(f"/cases/{applied.case.ref}/do/submit", follow_redirects=True)
    assert "You sent the application." in answer.text
    assert "Done:" not in answer.text


def test_the_application_names_a_few_missing_things_and_folds_the_rest(client: FlaskClient, applied: Applied) -> None:
    sign_in(client, applied.people["admin"])
    page = client.get(f"/cases/{applied.case.ref}/application").text
    assert "things are missing:" in page
    assert "And 1" in page
    assert "more</summary>" in page


def test_the_practice_record_in_the_questionnaire_speaks_as_the_record_does(
    client: FlaskClient, applied: Applied
) -> None:
    sign_in(client, applied.people["admin"])
    page = client.get(f"/cases/{applied.case.ref}/application/practice").text
    record = page[page.index('class="record"') :]
    assert ">Infusion" in record
    assert ">infusion" not in record
    assert "Community practice" in record
    assert ".00<" not in record
