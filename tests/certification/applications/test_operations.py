"""Answers, signatures, questions, eligibility: what is written, what is refused, and that nothing is half done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.applications.models import AgreementSignature, Answer, AnswerChange, WebinarAttendance
from certify.certification.applications.operations import (
    Posted,
    put_answers,
    record_webinar,
    save_answer,
    save_section,
    sign_agreement,
)
from certify.certification.applications.queries import (
    agreement_of,
    answers_for,
    blackout_days,
    change_requests_of,
    facts_for,
    field_for,
    missing_answers,
    open_questions,
    proposal_of,
    sections_of,
    survey_windows,
)
from certify.certification.applications.review import (
    propose_rejection,
    reply_to_question,
    request_change,
    settle_change_request,
    withdraw_rejection,
)
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotAllowed, NotOpen, RulesUnmet, Stale
from certify.platform.audit.queries import list_events, verify_chain
from tests.support.applied import ANSWERS, WINDOWS, Applied, apply
from tests.support.statements import counting


@pytest.fixture
def applied(session: Session) -> Applied:
    return apply(session)


def answers_stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Answer)) or 0


def test_each_answer_is_kept_with_its_history_author_and_event(session: Session, applied: Applied) -> None:
    case, nurse, admin = applied.case, applied.actor("nurse"), applied.actor("admin")
    first = save_answer(session, case, "emr", " Charts 4 ", 0, actor=nurse, at=now())
    second = save_answer(session, case, "emr", "Charts 5", first.rev, actor=admin, at=now())
    assert (first.rev, second.rev, answers_for(session, case)) == (1, 2, {"emr": "Charts 5"})
    changes = session.scalars(select(AnswerChange).order_by(AnswerChange.rev)).all()
    assert [(c.value, c.by_id) for c in changes] == [("Charts 4", nurse.user_id), ("Charts 5", admin.user_id)]
    event = list_events(session, f"case:{case.ref}", kind="application.answered")[0]
    assert (event.data["before"], event.data["after"]) == ("Charts 4", "Charts 5")
    assert event.subject == f"/cases/{case.ref}/application/systems#emr"
    assert verify_chain(session, f"case:{case.ref}").sound


def test_a_second_browser_gets_both_values_and_changes_nothing(session: Session, applied: Applied) -> None:
    save_answer(session, applied.case, "emr", "Charts", 0, actor=applied.actor("nurse"), at=now())
    outcome = save_answer(session, applied.case, "emr", "Records", 0, actor=applied.actor("admin"), at=now())
    assert outcome.clash is not None
    assert (outcome.clash.mine, outcome.clash.theirs, outcome.clash.by_name) == ("Records", "Charts", "Nurse One")
    assert answers_for(session, applied.case) == {"emr": "Charts"}
    settled = save_answer(
        session, applied.case, "emr", "Records", outcome.clash.theirs_rev, actor=applied.actor("admin"), at=now()
    )
    assert (settled.rev, settled.clash) == (2, None)


def test_the_same_value_again_writes_nothing(session: Session, applied: Applied) -> None:
    for _ in range(3):
        saved = save_answer(session, applied.case, "emr", "Charts", 0, actor=applied.actor("nurse"), at=now())
    assert saved.rev == 1
    assert len(list_events(session, f"case:{applied.case.ref}", kind="application.answered")) == 1


def test_all_wrong_answers_are_named_and_none_is_saved(session: Session, applied: Applied) -> None:
    wrong = {
        **ANSWERS,
        "primary_contact_email": "nobody",
        "new_patients_per_year": "many",
        "no_such_field": 1,
        "survey_mode": "by rail",
    }
    with pytest.raises(Invalid) as refusal:
        put_answers(session, applied.case, wrong, actor=applied.actor("admin"), at=now())
    assert {e.field for e in refusal.value.errors} == {
        "primary_contact_email",
        "new_patients_per_year",
        "no_such_field",
        "survey_mode",
    }
    assert answers_stored(session) == 0


def test_put_keeps_what_it_does_not_name_and_null_empties(session: Session, applied: Applied) -> None:
    applied.answer()
    after = put_answers(
        session, applied.case, {"emr": None, "pathway_tool": "Via"}, actor=applied.actor("admin"), at=now()
    )
    assert "emr" not in after
    assert after["pathway_tool"] == "Via"
    assert after["ownership_type"] == "physician_owned"


def test_many_answers_are_written_as_few_are(session: Session, applied: Applied) -> None:
    def written(answers: dict[str, object]) -> int:
        with counting(session) as sent:
            put_answers(session, applied.case, answers, actor=applied.actor("admin"), at=now())
        return sum("answer" in statement.split("(")[0] for statement in sent if statement.startswith("INSERT"))

    assert len(ANSWERS) > 15
    assert written(ANSWERS) == written({"emr": "Another record"}) + 1 == 2
    assert answers_for(session, applied.case) == ANSWERS | {"emr": "Another record"}


def test_a_page_saves_all_or_nothing_and_leaves_untouched_fields_alone(session: Session, applied: Applied) -> None:
    case, admin = applied.case, applied.actor("admin")
    emr, tool, vendor = (field_for(case, key)[1] for key in ("emr", "pathway_tool", "patient_survey_vendor"))
    save_answer(session, case, "emr", "Charts", 0, actor=applied.actor("nurse"), at=now())
    # The page was opened before: it shows emr empty, and its reader did not touch that field.
    clashes = save_section(session, case, [Posted(emr, "", 0), Posted(tool, "Via", 0)], actor=admin, at=now())
    assert clashes == []
    assert answers_for(session, case) == {"emr": "Charts", "pathway_tool": "Via"}
    clashes = save_section(
        session, case, [Posted(emr, "Records", 0), Posted(vendor, "ourselves", 0)], actor=admin, at=now()
    )
    assert [c.field.key for c in clashes] == ["emr"]
    assert "patient_survey_vendor" not in answers_for(session, case)
    with pytest.raises(Invalid):
        save_section(session, case, [Posted(tool, "x" * 201, 1), Posted(vendor, "ourselves", 0)], actor=admin, at=now())
    assert "patient_survey_vendor" not in answers_for(session, case)


def test_an_empty_application_names_every_missing_thing(session: Session, applied: Applied) -> None:
    with pytest.raises(RulesUnmet) as refusal:
        applied.take("submit", "admin")
    guards = [u.guard for u in refusal.value.unmet]
    assert guards.count("questionnaire_complete") == len(
        [k for k in ANSWERS if k not in ("survey_windows", "attestation")]
    )
    assert {"agreement_signed", "webinar_attended", "survey_dates_offered", "attested"} <= set(guards)
    assert applied.case.state == "draft"
    assert len(missing_answers(session, applied.case, applied.actor("admin"), now())) == len(ANSWERS)


def test_a_complete_application_is_sent_and_then_read_only(session: Session, applied: Applied) -> None:
    applied.submit()
    assert applied.case.state == "submitted"
    with pytest.raises(NotOpen):
        save_answer(session, applied.case, "emr", "Other", 1, actor=applied.actor("admin"), at=now())
    with pytest.raises(NotOpen):
        put_answers(session, applied.case, {"emr": "Other"}, actor=applied.actor("admin"), at=now())
    assert all(s.complete for s in sections_of(session, applied.case))


def test_windows_and_blackout_days_are_told_to_who_plans(session: Session, applied: Applied) -> None:
    applied.answer(blackout_days=["2027-02-03"])
    assert [f"{a}/{b}" for a, b in survey_windows(session, applied.case)] == [f"{w['from']}/{w['to']}" for w in WINDOWS]
    assert [a.isoformat() for a, b in blackout_days(session, applied.case) if a == b] == ["2027-02-03"]


def test_a_signature_keeps_who_what_when_and_from_where(session: Session, applied: Applied) -> None:
    applied.sign("physician")
    row = session.scalars(select(AgreementSignature)).one()
    agreement = agreement_of(applied.case)
    assert (row.text, row.text_sha256, row.agreement_version) == (agreement.text, agreement.sha256, agreement.version)
    assert (row.signer_name, row.signer_title, row.signer_role, row.address, row.signed_at) == (
        "Dr. Lee Ray", "Medical director", "physician_lead", "192.0.2.7", now(),
    )  # fmt: skip
    assert facts_for(session, applied.case, applied.actor("admin"), now()).agreement_signed


def sign(session: Session, applied: Applied, who: str, **changes: object) -> None:
    given = {
        "name": "Lee Ray",
        "title": "Lead",
        "agreed": True,
        "shown_sha256": agreement_of(applied.case).sha256,
        "address": "192.0.2.7",
    }
    sign_agreement(session, applied.case, **{**given, **changes}, actor=applied.actor(who), at=now())  # type: ignore[arg-type]


def test_only_heads_of_the_practice_sign_and_only_the_text_they_saw(session: Session, applied: Applied) -> None:
    for who in ("nurse", "staff", "council"):
        with pytest.raises(NotAllowed):
            sign(session, applied, who)
    with pytest.raises(Stale):
        sign(session, applied, "admin", shown_sha256="0" * 64)
    with pytest.raises(Invalid) as refusal:
        sign(session, applied, "admin", name=" ", title="", agreed=False)
    assert [e.field for e in refusal.value.errors] == ["signer_name", "signer_title", "agreed"]
    assert session.scalars(select(AgreementSignature)).all() == []


def test_the_webinar_counts_for_365_days_and_not_from_the_future(
    session: Session, applied: Applied, clock: FixedClock
) -> None:
    applied.attend(days_ago=0)
    assert session.scalars(select(WebinarAttendance)).one().recorded_by_name == "Admin One"
    clock.move(by=timedelta(days=365))
    assert not [u for u in unmet_to_submit(applied) if u == "webinar_attended"]
    clock.move(by=timedelta(days=1))
    assert [u for u in unmet_to_submit(applied) if u == "webinar_attended"]
    with pytest.raises(Invalid) as refusal:
        record_webinar(
            session,
            applied.case,
            person_name="X",
            attended_on=now().date() + timedelta(days=2),
            actor=applied.actor("admin"),
            at=now(),
        )
    assert [e.field for e in refusal.value.errors] == ["person_name", "attended_on"]


def unmet_to_submit(applied: Applied) -> list[str]:
    with pytest.raises(RulesUnmet) as refusal:
        applied.take("submit", "admin")
    return [u.guard for u in refusal.value.unmet]


def ask(applied: Applied, *questions: tuple[str, str]) -> None:
    applied.take(
        "ask_for_information",
        "staff",
        reason="Two things.",
        questions=[{"field": f, "question": q} for f, q in questions],
    )


def test_questions_lead_to_fields_and_must_be_answered_before_resubmission(session: Session, applied: Applied) -> None:
    applied.submit()
    ask(applied, ("emr", "Which version?"), ("policy_owner", "Who signs policies?"))
    assert applied.case.state == "returned"
    with pytest.raises(RulesUnmet) as refusal:
        applied.take("resubmit", "admin")
    assert [u.link for u in refusal.value.unmet] == [
        f"/cases/{applied.case.ref}/application/systems#emr", f"/cases/{applied.case.ref}/application/integration#policy_owner",
    ]  # fmt: skip
    save_answer(session, applied.case, "emr", "Charts 5.2", 1, actor=applied.actor("admin"), at=now())
    reply_to_question(
        session,
        applied.case,
        open_questions(session, applied.case)[1],
        "The medical director does.",
        actor=applied.actor("nurse"),
        at=now(),
    )
    applied.take("resubmit", "admin")
    assert applied.case.state == "submitted"
    assert open_questions(session, applied.case) == []


def test_a_question_points_to_a_field_that_exists(session: Session, applied: Applied) -> None:
    applied.submit()
    with pytest.raises(Invalid) as refusal:
        ask(applied, ("no_such_field", "Why?"), ("emr", " "))
    assert {e.field for e in refusal.value.errors} == {"questions-0-field", "questions-1-question"}
    assert applied.case.state == "submitted"


def test_a_rejection_takes_two_members_of_the_program(session: Session, applied: Applied) -> None:
    applied.submit()
    with pytest.raises(RulesUnmet):
        applied.take("reject", "staff", reason="Not one practice.")
    with pytest.raises(Invalid) as refusal:
        propose_rejection(session, applied.case, rule="none", reason="short", actor=applied.actor("staff"), at=now())
    assert [e.field for e in refusal.value.errors] == ["rule", "reason"]
    propose_rejection(
        session,
        applied.case,
        rule="not_integrated",
        reason="The sites share nothing.",
        actor=applied.actor("staff"),
        at=now(),
    )
    with pytest.raises(RulesUnmet):
        applied.take("reject", "staff", reason="Not one practice.")
    with pytest.raises(NotOpen):
        applied.take("accept", "second_staff")
    applied.take("reject", "second_staff", reason="Not one practice.")
    assert applied.case.state == "ineligible"
    assert proposal_of(session, applied.case) is None


def test_a_proposal_can_be_taken_back_and_stays_out_of_the_practices_sight(session: Session, applied: Applied) -> None:
    applied.submit()
    propose_rejection(
        session, applied.case, rule="other", reason="The sites share nothing.", actor=applied.actor("staff"), at=now()
    )
    withdraw_rejection(session, applied.case, "They do share an EMR.", actor=applied.actor("second_staff"), at=now())
    assert proposal_of(session, applied.case) is None
    seen = [e.kind for e in list_events(session, f"case:{applied.case.ref}", internal=False)]
    assert not [kind for kind in seen if kind.startswith("rejection")]


def test_several_sites_are_accepted_only_once_shown_to_be_one(session: Session, applied: Applied) -> None:
    applied.submit()
    with pytest.raises(RulesUnmet) as refusal:
        applied.take("accept", "staff")
    assert [u.guard for u in refusal.value.unmet] == ["practice_integrated"]
    applied.take("accept", "staff", integration="shared_governance", integration_note="Seen in the bylaws.")
    assert applied.case.state == "awaiting_payment"


def test_a_change_is_asked_for_and_answered(session: Session, applied: Applied) -> None:
    with pytest.raises(NotOpen):
        request_change(session, applied.case, "New system.", actor=applied.actor("nurse"), at=now())
    applied.submit()
    request_change(session, applied.case, "We have a new system.", field="emr", actor=applied.actor("nurse"), at=now())
    request_change(session, applied.case, "And a new name.", actor=applied.actor("nurse"), at=now())
    second, first = change_requests_of(session, applied.case)
    settle_change_request(
        session,
        applied.case,
        second,
        granted=False,
        reason="Change it in the practice record.",
        actor=applied.actor("staff"),
        at=now(),
    )
    ask(applied, ("emr", "Please enter the new system."))
    assert (first.state, second.state) == ("granted", "declined")


def test_documents_are_sent_once_every_standard_is_settled_and_gaps_come_back(
    session: Session, applied: Applied
) -> None:
    applied.pay()
    with pytest.raises(RulesUnmet) as refusal:
        applied.take("send_documents", "admin")
    assert {u.guard for u in refusal.value.unmet} == {"documents_for_each_standard"}
    applied.cover_all()
    applied.take("send_documents", "admin")
    with pytest.raises(Invalid):
        applied.take("mark_incomplete", "staff", reason="Gaps.", gaps=[{"standard": "9.9", "gap": "All"}])
    applied.take("mark_incomplete", "staff", reason="Gaps.", gaps=[{"standard": "7.3", "gap": "The log is missing."}])
    assert applied.case.state == "documents_open"
    applied.take("send_documents", "admin")
    applied.take("mark_complete", "staff")
    assert applied.case.state == "pending"


def test_someone_elses_stored_facts_never_leak_between_cases(session: Session, applied: Applied) -> None:
    other = apply(session)
    other.complete()
    facts = facts_for(session, applied.case, applied.actor("admin"), now())
    assert not facts.answers
    assert not facts.agreement_signed
    assert facts.webinar_attended_on is None
    assert replace(facts, ref="x").ref == "x"
