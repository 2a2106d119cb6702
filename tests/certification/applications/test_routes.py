"""Step 1 through its pages: with and without scripts, refusals with their fields, and doors that stay shut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from certify.certification.applications.operations import save_answer
from certify.certification.applications.queries import agreement_of, answers_for, signature_of
from certify.certification.cases.models import Case
from certify.core.foundation.clock import now
from tests.builders import sign_in
from tests.support.applied import Applied, apply

NewClient = Callable[[], FlaskClient]


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    session.commit()
    return made


def go(client: FlaskClient, applied: Applied, who: str) -> FlaskClient:
    return sign_in(client, applied.people[who])


def test_every_page_of_step_1_opens_for_those_who_may_read_it(new_client: NewClient, applied: Applied) -> None:
    base = f"/cases/{applied.case.ref}"
    pages = [
        f"{base}/application",
        *(f"{base}/application/{s}" for s in ("practice", "systems", "contacts", "survey", "attestation")),
        f"{base}/agreement",
        f"{base}/webinar",
        f"{base}/application/history/emr",
    ]
    for who in ("admin", "nurse", "staff", "council", "auditor"):
        client = go(new_client(), applied, who)
        assert [client.get(page).status_code for page in pages] == [200] * len(pages)
    for who in ("finance",):
        client = go(new_client(), applied, who)
        assert {client.get(page).status_code for page in pages} == {403}
    stranger = sign_in(new_client(), apply(applied.session).people["admin"])
    assert {stranger.get(page).status_code for page in pages} == {404}


def test_a_section_is_saved_without_scripts_and_goes_on_to_the_next(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "nurse")
    answer = client.post(
        f"/cases/{applied.case.ref}/application/systems",
        data={"emr": " Charts ", "pathway_tool": "", "rev-emr": "0", "quality_programs": ["qopi", "eom"]},
    )
    assert (answer.status_code, answer.location) == (302, f"/cases/{applied.case.ref}/application/recognition")
    assert answers_for(applied.session, applied.case) == {"emr": "Charts", "quality_programs": ["qopi", "eom"]}


def test_rows_of_windows_are_saved_and_another_row_is_offered(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "admin")
    page = f"/cases/{applied.case.ref}/application/survey"
    data = {"survey_windows-from": ["2027-02-01", ""], "survey_windows-to": ["2027-02-05", ""], "add": "survey_windows"}
    answer = client.post(page, data=data)
    assert answer.location == f"{page}?more=survey_windows#survey_windows"
    assert client.get(answer.location).text.count('name="survey_windows-from"') == 3
    assert answers_for(applied.session, applied.case)["survey_windows"] == [{"from": "2027-02-01", "to": "2027-02-05"}]


def test_a_wrong_answer_is_shown_at_its_field_with_what_was_typed_and_nothing_is_saved(
    client: FlaskClient, applied: Applied
) -> None:
    go(client, applied, "admin")
    answer = client.post(
        f"/cases/{applied.case.ref}/application/contacts",
        data={"primary_contact_name": "Ana", "primary_contact_email": "nobody"},
    )
    assert answer.status_code == 422
    assert 'href="#primary_contact_email"' in answer.text
    assert 'value="nobody"' in answer.text
    assert 'value="Ana"' in answer.text
    assert answers_for(applied.session, applied.case) == {}


def test_a_page_opened_before_someone_elses_change_shows_both_values(client: FlaskClient, applied: Applied) -> None:
    save_answer(applied.session, applied.case, "emr", "Theirs", 0, actor=applied.actor("nurse"), at=now())
    applied.session.commit()
    go(client, applied, "admin")
    page = f"/cases/{applied.case.ref}/application/systems"
    answer = client.post(page, data={"emr": "Mine", "rev-emr": "0", "pathway_tool": "Via", "rev-pathway_tool": "0"})
    assert answer.status_code == 409
    assert "Nurse One changed this" in answer.text
    assert 'value="Mine"' in answer.text
    assert "Theirs" in answer.text
    assert answers_for(applied.session, applied.case) == {"emr": "Theirs"}
    again = client.post(page, data={"emr": "Mine", "rev-emr": "1", "pathway_tool": "Via", "rev-pathway_tool": "0"})
    assert again.status_code == 302
    assert answers_for(applied.session, applied.case) == {"emr": "Mine", "pathway_tool": "Via"}


JSON = {"Accept": "application/json"}


def test_autosave_answers_with_the_revision_and_refuses_a_stale_one(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "admin")
    url = f"/cases/{applied.case.ref}/application/answers"
    first = client.post(url, json={"field": "emr", "value": "Charts", "rev": 0}, headers=JSON)
    assert (first.status_code, first.get_json()["rev"]) == (200, 1)
    save_answer(applied.session, applied.case, "emr", "Theirs", 1, actor=applied.actor("nurse"), at=now())
    applied.session.commit()
    clash = client.post(url, json={"field": "emr", "value": "Mine", "rev": 1}, headers=JSON)
    assert clash.status_code == 409
    theirs = clash.get_json()["theirs"]
    assert (theirs["value"], theirs["by"], theirs["rev"]) == ("Theirs", "Nurse One", 2)
    assert clash.get_json()["mine"]["value"] == "Mine"
    assert client.post(url, json={"field": "emr", "value": "Mine", "rev": 2}, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"field": "emr", "value": "x" * 201, "rev": 0}, 422),
        ({"field": "no_such", "value": "x", "rev": 0}, 404),
        ({"field": "emr", "value": "x", "rev": "many"}, 422),
        ({"field": "emr", "value": "x", "rev": -1}, 422),
        ({"field": "emr", "value": "x", "rev": True}, 422),
        ({"field": 3, "value": "x"}, 422),
        ({"field": "emr", "value": {"a": 1}, "rev": 0}, 422),
        ([], 422),
        ("text", 422),
    ],
)
def test_autosave_refuses_what_it_cannot_read(client: FlaskClient, applied: Applied, body: object, status: int) -> None:
    go(client, applied, "admin")
    answer = client.post(f"/cases/{applied.case.ref}/application/answers", json=body, headers=JSON)
    assert answer.status_code == status
    assert answers_for(applied.session, applied.case) == {}


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("admin", "application/systems"),
        ("admin", "application/answers"),
        ("admin", "application/questions/1"),
        ("admin", "agreement"),
        ("admin", "webinar"),
        ("admin", "webinar/1/remove"),
        ("admin", "application/changes"),
        ("staff", "application/changes/1"),
        ("staff", "integration"),
    ],
)
def test_what_is_written_holds_the_case_so_that_no_step_is_taken_meanwhile(
    client: FlaskClient, applied: Applied, who: str, path: str
) -> None:
    url = f"/cases/{applied.case.ref}/{path}"
    go(client, applied, who)
    held: list[bool] = []

    def look(asked: ORMExecuteState) -> None:
        if asked.is_select and asked.statement.column_descriptions[0]["entity"] is Case:
            held.append(asked.statement._for_update_arg is not None)

    event.listen(Session, "do_orm_execute", look)
    try:
        client.post(url, json={"field": "emr", "value": "Charts", "rev": 0})
    finally:
        event.remove(Session, "do_orm_execute", look)
    assert held[0]


def test_autosave_without_a_sign_in_says_so_in_json(client: FlaskClient, applied: Applied) -> None:
    answer = client.post(
        f"/cases/{applied.case.ref}/application/answers", json={"field": "emr", "value": "x", "rev": 0}, headers=JSON
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("council", 403), ("auditor", 403)])
def test_only_the_practice_writes_answers(client: FlaskClient, applied: Applied, who: str, status: int) -> None:
    go(client, applied, who)
    base = f"/cases/{applied.case.ref}/application"
    assert (
        client.post(f"{base}/answers", json={"field": "emr", "value": "x", "rev": 0}, headers=JSON).status_code
        == status
    )
    assert client.post(f"{base}/systems", data={"emr": "x"}).status_code == status


def test_the_agreement_is_signed_in_the_page(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "physician")
    url = f"/cases/{applied.case.ref}/agreement"
    digest = agreement_of(applied.case).sha256
    assert digest in client.get(url).text
    wrong = client.post(url, data={"signer_name": "Dr. Ray", "signer_title": "", "sha256": digest})
    assert wrong.status_code == 422
    assert 'href="#signer_title"' in wrong.text
    assert 'href="#agreed"' in wrong.text
    stale = client.post(
        url, data={"signer_name": "Dr. Ray", "signer_title": "Director", "agreed": "yes", "sha256": "0" * 64}
    )
    assert stale.status_code == 409
    assert (
        client.post(
            url, data={"signer_name": "Dr. Ray", "signer_title": "Director", "agreed": "yes", "sha256": digest}
        ).status_code
        == 302
    )
    signature = signature_of(applied.session, applied.case)
    assert signature is not None
    assert (signature.signer_name, signature.address) == ("Dr. Ray", "127.0.0.1")
    assert "Dr. Ray, Director" in client.get(url).text


def test_nurses_do_not_sign(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "nurse")
    assert client.post(f"/cases/{applied.case.ref}/agreement", data={"agreed": "yes"}).status_code == 403
    assert 'name="signer_name"' not in client.get(f"/cases/{applied.case.ref}/agreement").text


def test_the_webinar_is_recorded_and_taken_back(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "nurse")
    url = f"/cases/{applied.case.ref}/webinar"
    assert client.post(url, data={"person_name": "", "attended_on": "yesterday"}).status_code == 422
    assert client.post(url, data={"person_name": "Ana Brook", "attended_on": "2026-10-01"}).status_code == 302
    page = client.get(url).text
    assert "Ana Brook" in page
    assert "No one has attended" not in page
    removal = page.split(f'action="{url}/')[1].split('"')[0]
    assert client.post(f"{url}/{removal}").status_code == 302
    assert "No one has attended" in client.get(url).text


def test_what_was_sent_is_read_only_with_a_way_to_ask_for_a_change(client: FlaskClient, applied: Applied) -> None:
    applied.submit()
    applied.session.commit()
    go(client, applied, "admin")
    base = f"/cases/{applied.case.ref}/application"
    page = client.get(f"{base}/systems").text
    assert "Request a change" in page
    assert 'name="emr"' not in page
    assert client.post(f"{base}/systems", data={"emr": "x"}).status_code == 409
    assert client.post(f"{base}/changes", data={"text": "", "field": "emr"}).status_code == 422
    assert client.post(f"{base}/changes", data={"text": "We changed systems.", "field": "emr"}).status_code == 302
    assert "We changed systems." in client.get(base).text


def test_a_returned_application_leads_from_the_overview_to_the_very_field(
    client: FlaskClient, applied: Applied
) -> None:
    applied.submit()
    applied.take(
        "ask_for_information", "staff", reason="One thing.", questions=[{"field": "emr", "question": "Which version?"}]
    )
    applied.session.commit()
    go(client, applied, "admin")
    base = f"/cases/{applied.case.ref}/application"
    assert f'href="{base}/systems#emr"' in client.get(base).text
    page = client.get(f"{base}/systems").text
    assert "Which version?" in page
    question = page.split(f'action="{base}/questions/')[1].split('"')[0]
    assert client.post(f"{base}/questions/{question}", data={"reply": " "}).status_code == 422
    assert client.post(f"{base}/questions/{question}", data={"reply": "Version 5."}).status_code == 302
    assert "Version 5." in client.get(f"{base}/systems").text
    assert (
        client.post(f"/cases/{applied.case.ref}/do/resubmit", data={"version": applied.case.version}).status_code == 302
    )


def test_two_members_of_the_program_reject_and_the_practice_sees_no_proposal(
    new_client: NewClient, applied: Applied
) -> None:
    applied.submit()
    applied.session.commit()
    base = f"/cases/{applied.case.ref}/application"
    first, second, practice = (
        go(new_client(), applied, "staff"),
        go(new_client(), applied, "second_staff"),
        go(new_client(), applied, "admin"),
    )
    assert first.post(f"{base}/rejection", data={"rule": "", "reason": "x"}).status_code == 422
    assert (
        first.post(
            f"{base}/rejection", data={"rule": "not_integrated", "reason": "The sites share nothing."}
        ).status_code
        == 302
    )
    assert "A second member of the program has to agree" in first.get(base).text
    assert "Agree and reject" in second.get(base).text
    assert "The sites share nothing" not in practice.get(base).text
    assert (
        practice.post(f"{base}/rejection", data={"rule": "other", "reason": "The sites share nothing."}).status_code
        == 403
    )
    refused = first.post(
        f"/cases/{applied.case.ref}/do/reject", data={"reason": "Not one practice.", "version": applied.case.version}
    )
    assert refused.status_code == 422
    done = second.post(
        f"/cases/{applied.case.ref}/do/reject", data={"reason": "Not one practice.", "version": applied.case.version}
    )
    assert done.status_code == 302
    assert applied.case.state == "ineligible"


def test_the_edition_can_be_chosen_until_the_fee_is_confirmed(client: FlaskClient, applied: Applied) -> None:
    go(client, applied, "admin")
    url = f"/cases/{applied.case.ref}/application/edition"
    assert client.post(url, data={"edition": "1900"}).status_code == 409
    page = client.get(f"/cases/{applied.case.ref}/application").text
    if 'name="edition"' in page:
        assert client.post(url, data={"edition": "2021"}).status_code == 302
        assert applied.case.edition == "2021"


def test_a_double_click_asks_for_a_change_once(client: FlaskClient, applied: Applied) -> None:
    applied.submit()
    applied.session.commit()
    go(client, applied, "admin")
    base = f"/cases/{applied.case.ref}/application"
    for _ in range(2):
        client.post(f"{base}/changes", data={"text": "Only once, please.", "form_key": "one-key"})
    assert client.get(base).text.count("Only once, please.") == 1
