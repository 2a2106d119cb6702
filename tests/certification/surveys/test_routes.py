"""The survey's pages: whole way by forms, for each role, and what is not theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.surveys.operations import answer_all
from certify.certification.surveys.queries import answers_of, late_ops, open_conflicts, places
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from tests.builders import make_person, sign_in
from tests.certification.surveys.visits import OTHER_TABLET, TABLET, Visit, pending_case, visit_under_way

SIGNED = {
    "employment": "no",
    "family": "no",
    "market": "no",
    "earlier_work": "no",
    "financial": "no",
    "other": "no",
    "signed_name": "Full Name",
}
NewClient = Callable[[], FlaskClient]


def base(visit: Visit) -> str:
    return f"/cases/{visit.case.ref}/survey"


def test_from_the_proposal_to_the_report_by_forms_alone(
    session: Session, clock: FixedClock, new_client: NewClient
) -> None:
    visit = pending_case(session, sites=4)
    staff, head, surveyor = (sign_in(new_client(), p) for p in (visit.staff, visit.head, visit.surveyor))
    page = staff.get(base(visit)).text
    assert "Choose the surveyor" in page
    assert "12 years in oncology" in page
    version = visit.case.version
    answer = staff.post(
        f"{base(visit)}/surveyor",
        data={"surveyor": visit.surveyor.id, "reason": "Knows the edition.", "version": version},
    )
    assert answer.status_code == 302
    assert surveyor.get(base(visit)).location == f"/cases/{visit.case.ref}/conflict"
    question = surveyor.get(f"/cases/{visit.case.ref}/conflict").text
    assert visit.practice.legal_name in question
    assert surveyor.get(f"/cases/{visit.case.ref}").status_code == 404
    refused = surveyor.post(f"/cases/{visit.case.ref}/conflict", data=SIGNED | {"family": ""})
    assert refused.status_code == 422
    assert "Answer with yes or no: “Does the surveyor have a family tie" in refused.text
    assert refused.text.count(" checked") == len(SIGNED) - 2  # what was answered stands there still
    assert surveyor.post(f"/cases/{visit.case.ref}/conflict", data=SIGNED).status_code == 302
    assert "Do you accept the surveyor?" in head.get(base(visit)).text
    refused = head.post(f"{base(visit)}/conflict", data=SIGNED | {"signed_name": ""})
    assert (refused.status_code, refused.text.count(" checked")) == (422, len(SIGNED) - 1)
    assert head.post(f"{base(visit)}/conflict", data=SIGNED).status_code == 302
    assert visit.case.state == "scheduling"
    day = (now().date() + timedelta(days=58)).isoformat()
    assert (
        surveyor.post(
            f"{base(visit)}/dates", data={"starts_on": day, "mode": "on_site", "note": "Suits me."}
        ).status_code
        == 302
    )
    assert "Suits me." in head.get(base(visit)).text
    assert (
        head.post(
            f"{base(visit)}/date", data={"starts_on": day, "mode": "on_site", "version": visit.case.version}
        ).status_code
        == 302
    )
    assert visit.case.state == "survey_scheduled"
    assert "drawn by lot" in staff.get(f"{base(visit)}/sites").text
    early = surveyor.post(f"{base(visit)}/check-in", data={"version": visit.case.version})
    assert early.status_code == 422
    clock.move(by=timedelta(days=58))
    surveyor = sign_in(new_client(), visit.surveyor)
    began = surveyor.post(f"{base(visit)}/check-in", data={"version": visit.case.version})
    assert began.location == f"/surveys/{visit.survey.id}"
    assert "elements are not rated" in surveyor.post(f"{base(visit)}/finish", data={"version": visit.case.version}).text
    everything = [(site, e, "rating", "yes") for site in visit.site_ids for e in places(visit.survey)[0]]
    answer_all(session, visit.survey.id, everything, actor=visit.actor("surveyor"), at=now())
    assert "Everything is answered" in surveyor.get(f"/surveys/{visit.survey.id}").text
    assert (
        surveyor.post(f"{base(visit)}/finish", data={"version": visit.case.version}).location
        == f"/cases/{visit.case.ref}/report"
    )
    assert visit.case.state == "report_drafting"


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def sheet(visit: Visit, code: str = "7.9") -> str:
    return f"/surveys/{visit.survey.id}/sites/{visit.site_ids[0]}/standards/{code}"


def stands(visit: Visit) -> dict[tuple[str | None, str], object]:
    return {(a.element, a.field): a.value for a in answers_of(visit.session, visit.survey.id)}


def test_a_page_without_script_sends_only_what_was_changed(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    form = {
        "rating:7.9.a": "yes",
        "seen_documentation:7.9.a": "on",
        "what_documentation:7.9.a": "Policy 12",
        "rating:7.9.b": "no",
        "note:7.9.b": "Not shown.",
    }
    assert client.post(sheet(visit), data=form | {"go": "next"}).location.endswith("/standards/7.10")
    assert stands(visit) == {
        ("7.9.a", "rating"): "yes", ("7.9.a", "seen_documentation"): {"what": "Policy 12"}, ("7.9.b", "rating"): "no", ("7.9.b", "note"): "Not shown.",
    }  # fmt: skip
    before = visit.survey.seq
    bases = {f"base:{a.field}:{a.element}": str(a.seq) for a in answers_of(visit.session, visit.survey.id)}
    client.post(sheet(visit), data=form | bases)
    assert visit.survey.seq == before
    client.post(sheet(visit), data=form | bases | {"rating:7.9.b": "yes", "note:7.9.b": ""})
    assert visit.survey.seq == before + 2
    assert stands(visit)[("7.9.b", "rating")] == "yes"
    assert client.post(sheet(visit), data={"go": "open"}).status_code == 302


def test_a_value_changed_meanwhile_becomes_a_conflict_that_one_tap_settles(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    visit.send(visit.op("7.9.a", value="no"), device=OTHER_TABLET)
    assert (
        "Someone of the team gave another value"
        in client.post(sheet(visit), data={"rating:7.9.a": "yes"}, follow_redirects=True).text
    )
    (conflict,) = open_conflicts(visit.session, visit.survey.id)
    assert "Two values stand" in client.get(sheet(visit)).text
    assert "Two values stand" in client.get(f"/surveys/{visit.survey.id}").text
    newest = conflict["values"][-1]["seq"]
    assert (
        client.post(f"/surveys/{visit.survey.id}/settle", data={"choice": f"{conflict['id']}:{newest}"}).status_code
        == 302
    )
    assert stands(visit) == {("7.9.a", "rating"): "yes"}
    assert (
        client.post(f"/surveys/{visit.survey.id}/settle", data={"choice": f"{conflict['id']}:{newest}"}).status_code
        == 404
    )


def test_sync_by_the_pages_own_session(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    body = {"device": TABLET, "since": 0, "ops": [visit.op("7.9.a")]}
    answer = client.post(f"/surveys/{visit.survey.id}/sync", json=body)
    assert answer.get_json()["acks"][0]["status"] == "applied"
    assert (
        client.post(f"/surveys/{visit.survey.id}/sync", data="{broken", content_type="application/json").status_code
        == 422
    )
    assert (
        client.post(f"/surveys/{visit.survey.id}/sync", json={"device": TABLET, "ops": [{}] * 501}).status_code == 422
    )
    pack = client.get(f"/surveys/{visit.survey.id}/checklist.json").get_json()
    assert pack["seq"] == 1
    assert pack["answers"][0]["value"] == "yes"
    assert [d["number"] for d in pack["domains"]] == [1, 2, 3, 4, 5, 6, 7]
    put = client.put(
        f"/surveys/{visit.survey.id}/attachments/{uuid4()}", data=b"%PDF-1.7", headers={"Content-Digest": "sha-256=:x:"}
    )
    assert put.status_code == 422


def test_who_may_see_the_checklist(new_client: NewClient, visit: Visit, session: Session) -> None:
    practice, staff, other = (
        sign_in(new_client(), p) for p in (visit.head, visit.staff, make_person(session, Role.SURVEYOR))
    )
    for path in (f"/surveys/{visit.survey.id}", sheet(visit), f"/surveys/{visit.survey.id}/checklist.json"):
        assert staff.get(path).status_code == 200
        assert practice.get(path).status_code == 403
        assert other.get(path).status_code == 404
    assert staff.post(sheet(visit), data={"rating:7.9.a": "yes"}).status_code == 403
    assert other.post(f"/surveys/{visit.survey.id}/sync", json={"device": TABLET, "ops": []}).status_code == 404
    assert staff.get(sheet(visit, "9.9")).status_code == 404
    assert practice.get(base(visit)).status_code == 200


def test_late_entries_are_shown_and_accepted_on_the_overview(client: FlaskClient, visit: Visit) -> None:
    everything = [(site, e, "rating", "yes") for site in visit.site_ids for e in places(visit.survey)[0]]
    answer_all(visit.session, visit.survey.id, everything, actor=visit.actor("surveyor"), at=now())
    visit.take("finish_survey", "surveyor")
    visit.send(visit.op("7.9.a", "note", "Came late."))
    sign_in(client, visit.staff)
    assert "Came late." in client.get(f"/surveys/{visit.survey.id}").text
    (late,) = late_ops(visit.session, visit.survey.id)
    assert client.post(f"/surveys/{visit.survey.id}/late/{late.seq}").status_code == 422, "no verdict is no verdict"
    assert client.post(f"/surveys/{visit.survey.id}/late/{late.seq}", data={"verdict": "accept"}).status_code == 302
    assert stands(visit)[("7.9.a", "note")] == "Came late."


def test_notes_on_sites_are_kept(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    path = f"/surveys/{visit.survey.id}/sites/{visit.site_ids[0]}/words"
    assert client.post(path, data={"site_note:": "Busy day.", "base:site_note:": ""}).status_code == 302
    assert stands(visit) == {(None, "site_note"): "Busy day."}
    assert "Busy day." in client.get(f"/surveys/{visit.survey.id}").text


def test_the_surveyors_pages_of_staff(client: FlaskClient, visit: Visit) -> None:
    sign_in(client, visit.staff)
    assert visit.surveyor.name in client.get("/surveyors").text
    page = f"/surveyors/people/{visit.surveyor.id}"
    assert "Profile" in client.get(page).text
    form = {
        "qualification": "ocn", "qualified_until": "2031-01-01", "oncology_years": "20", "shadowed_surveys": "4", "home_state": "oh",
        "max_load": "4", "active": "y", "trained-2021": "2026-09-01", "version": visit.profile.version,
    }  # fmt: skip
    assert client.post(page, data=form).status_code == 302
    assert visit.profile.oncology_years == 20
    assert client.post(page, data=form | {"version": "1"}).status_code == 409
    assert client.post(page, data=form | {"oncology_years": "many"}).status_code == 422
    absences = f"/surveyors/{visit.profile.id}/absences"
    assert (
        client.post(absences, data={"from_on": "2027-05-01", "to_on": "2027-05-09", "note": "Leave"}).status_code == 302
    )
    assert "Leave" in client.get(page).text
    assert client.post(absences, data={"from_on": "2027-05-09", "to_on": "2027-05-01"}).status_code == 422
    tie = {"practice": str(visit.practice.id), "ground": "family", "note": "Cousin"}
    assert client.post(f"/surveyors/{visit.profile.id}/ties", data=tie).status_code == 302
    assert "Cousin" in client.get(page).text
    client.post("/sign-out")
    sign_in(client, visit.surveyor)
    assert client.get("/surveyors").status_code == 403
