"""From application to certificate by the HTTP API alone, with one requirement corrected on the way."""

from __future__ import annotations

import io
import random
import uuid
from datetime import date, timedelta
from typing import Any

from docx import Document
from flask import Flask
from sqlalchemy.orm import Session

from certify.certification.surveyors.rules import QUESTIONS
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from certify.demo.answers import questionnaire
from certify.demo.paper import policy_pdf
from certify.platform.audit.queries import verify_chain
from tests.outlets.api.callers import Caller, make_program

NOT_MET = "7.16.c"


def test_a_practice_is_certified_by_the_api_alone(app: Flask, session: Session, clock: FixedClock) -> None:
    """Slow because it answers every element of two sites: there is no shorter way to a certificate."""
    practice, who = make_program(app, session)
    ref = who["admin"].ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    visit = clock.now() + timedelta(days=120)

    apply(who, ref, clock, visit.date().isoformat())
    survey = arrange(who, ref, clock, visit.date().isoformat())
    clock.move(to=visit)
    conduct(who["surveyor"], ref, survey)
    report(who, ref, clock)
    correct(who, ref, clock)

    case = who["council2"].step(ref, "award", conflict="none", comments="")
    assert (case["state"], case["step"]) == ("certified", 5)
    listed = who["admin"].ask("GET", "register?q=Lakeside")["items"]
    number = next(item["certificate_no"] for item in listed if item["practice"] == practice.legal_name)
    assert who["admin"].ask("GET", f"register/{number}")["status"] == "valid"
    for kind, ending in (
        ("certificate", "pdf"),
        ("decision-letter", "docx"),
        ("survey-report", "docx"),
        ("case-file", "zip"),
    ):
        assert len(who["admin"].ask("GET", f"cases/{ref}/documents/{kind}.{ending}")) > 2_000
    told = [e["to"] for e in who["staff"].ask("GET", f"cases/{ref}/events?limit=200")["items"] if e["to"]][::-1]
    assert (told[0], told[-1]) == ("submitted", "certified")
    assert "correction_review" in told
    assert verify_chain(session).sound


def apply(who: dict[str, Caller], ref: str, clock: FixedClock, visit: str) -> None:
    """Step 1."""
    missing = who["admin"].step(ref, "submit", status=422)["errors"]
    assert {"agreement_signed", "webinar_attended", "attested"} <= {e["field"] for e in missing}
    agreement = who["lead"].ask("GET", f"cases/{ref}/agreement")
    who["lead"].ask(
        "POST",
        f"cases/{ref}/agreement",
        json={"name": "Dr. Ada Lind", "title": "Medical director", "sha256": agreement["sha256"]},
    )
    attended = (clock.now() - timedelta(days=9)).date().isoformat()
    who["admin"].ask("POST", f"cases/{ref}/webinar", json={"person_name": "Nina Park", "attended_on": attended})
    wrong = who["admin"].ask(
        "PUT",
        f"cases/{ref}/questionnaire",
        status=422,
        json={"answers": {"emr": "X", "new_patients_per_year": -1, "nonsense": 1}},
    )
    assert {e["field"] for e in wrong["errors"]} == {"new_patients_per_year", "nonsense"}
    assert "emr" not in who["admin"].ask("GET", f"cases/{ref}/questionnaire")["answers"]
    assert who["admin"].ask("PUT", f"cases/{ref}/questionnaire", json={"answers": full_answers(visit)})["complete"]
    assert who["admin"].step(ref, "submit")["state"] == "submitted"
    assert who["staff"].step(ref, "accept", integration="common_tax_id")["state"] == "awaiting_payment"
    assert who["finance"].step(
        ref, "confirm_payment", status=422, amount=100, received_on="2026-11-02", payment_reference="x"
    )["errors"]
    paid = who["finance"].step(
        ref, "confirm_payment", amount=650000, received_on="2026-11-02", payment_reference="ACH 1"
    )
    assert paid["state"] == "documents_open"
    codes = [s["code"] for s in standards_of(ref)]
    who["admin"].upload(ref, policy_pdf(), codes)
    assert who["admin"].step(ref, "send_documents")["state"] == "desk_review"
    assert who["staff"].step(ref, "mark_complete")["state"] == "pending"


def arrange(who: dict[str, Caller], ref: str, clock: FixedClock, visit: str) -> int:
    """Step 2 up to the date; returns the survey's id."""
    who["staff"].step(ref, "propose_surveyor", surveyor=who["surveyor"].person.id)
    assert who["surveyor"].raw("GET", f"cases/{ref}").status_code == 404  # nothing to see before she has declared
    for name in ("surveyor", "admin"):
        body = {"signed_name": who[name].person.name, "answers": dict.fromkeys(conflict_keys(), False)}
        who[name].ask("POST", f"cases/{ref}/conflict-declarations", json=body)
    case = who["surveyor"].step(ref, "agree_date", starts_on=visit)
    assert case["state"] == "survey_scheduled"
    early = who["surveyor"].step(ref, "check_in", status=422)
    assert "visit_date_reached" in {e["field"] for e in early["errors"]}
    return int(case["survey"])


def conduct(surveyor: Caller, ref: str, survey: int) -> None:
    """Step 2 on the day: check in, answer everything, finish."""
    surveyor.step(ref, "check_in")
    checklist = surveyor.ask("GET", f"surveys/{survey}")
    sites = [s["id"] for s in checklist["sites"] if s["visited"]]
    elements = [e["id"] for d in checklist["domains"] for s in d["standards"] for e in s["elements"]]
    at = "2027-03-02T15:00:00Z"
    ops: list[dict[str, Any]] = []
    for site in sites:
        for element in elements:
            bad = element == NOT_MET and site == sites[0]
            for field, value in (("rating", "no" if bad else "yes"), ("note", "Seen in ten charts.")):
                ops.append(
                    {
                        "op": str(uuid.uuid4()),
                        "site": site,
                        "element": element,
                        "field": field,
                        "value": value,
                        "base": None,
                        "at": at,
                    }
                )
    device = str(uuid.uuid4())
    unfinished = surveyor.step(ref, "finish_survey", status=422)
    assert unfinished["errors"]
    for start in range(0, len(ops), 500):
        answer = surveyor.ask(
            "POST", f"surveys/{survey}/sync", json={"device": device, "since": 0, "ops": ops[start : start + 500]}
        )
        assert {a["status"] for a in answer["acks"]} == {"applied"}
    assert surveyor.step(ref, "finish_survey")["state"] == "report_drafting"


def report(who: dict[str, Caller], ref: str, clock: FixedClock) -> None:
    """Step 3: three different people."""
    clock.move(by=timedelta(days=5))
    who["surveyor"].step(ref, "submit_report")
    who["staff2"].step(ref, "pass_report")
    assert who["council"].step(ref, "approve_report", conflict="none")["state"] == "plan_due"
    document = Document(io.BytesIO(who["admin"].ask("GET", f"cases/{ref}/documents/survey-report.docx")))
    assert any(NOT_MET in p.text or "7.16" in p.text for p in document.paragraphs)


def correct(who: dict[str, Caller], ref: str, clock: FixedClock) -> None:
    """Steps 3 and 4: plan, evidence, closing."""
    unmet = next(a for a in who["admin"].ask("GET", f"cases/{ref}")["actions"] if a["trigger"] == "submit_plan")[
        "unmet"
    ]
    requirement = unmet[0]["link"].rsplit("#r", 1)[1].split("-")[0]
    due = (clock.now() + timedelta(days=30)).date().isoformat()
    item = {
        "requirement": requirement,
        "action": "Change the form.",
        "owner": "Ada Lind",
        "due_on": due,
        "evidence": "The form.",
    }
    who["admin"].step(ref, "submit_plan", items=[item])
    who["staff"].step(ref, "approve_plan", items=[{"requirement": requirement, "verdict": "accept"}])
    added = who["admin"].upload(ref, policy_pdf("Revised form"), [NOT_MET], "form.pdf")
    who["admin"].step(
        ref, "submit_corrections", items=[{"requirement": requirement, "note": "Done.", "evidence": added["id"]}]
    )
    closed = who["staff"].step(
        ref, "close_requirements", items=[{"requirement": requirement, "verdict": "closed", "note": "Shown."}]
    )
    assert closed["state"] == "decision"


def full_answers(visit: str) -> dict[str, Any]:
    """A complete questionnaire, as any program could send it."""
    return questionnaire(date.fromisoformat(visit), random.Random(1), several_sites=True)


def standards_of(_ref: str) -> list[dict[str, str]]:
    """The standards of the edition a case begun today gets."""
    return [{"code": code} for code in current().newest_edition(now().date()).standards]


def conflict_keys() -> tuple[str, ...]:
    """The questions a declaration answers."""
    return tuple(key for key, _question in QUESTIONS)
