"""Which document comes out for whom, and that the same bytes are given out ever after."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import docx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.reports.models import Report
from certify.certification.surveys.models import Survey
from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.outlets.documents import operations
from certify.outlets.documents.models import Document
from certify.outlets.documents.operations import MEDIA_TYPES, give_out, keep, make, plan_document
from certify.outlets.documents.queries import Plan, Wanted, plan_for, plan_invoice, report_content
from certify.platform.audit.queries import list_events, verify_chain
from certify.platform.mail import addresses
from certify.platform.storage.operations import fetch
from tests.outlets.documents.conftest import Paperwork, add_report, decide

ADDRESS = "https://certify.example.org"


def rendered(paperwork: Paperwork, who: str, kind: str, ext: str) -> bytes:
    session, actor, wanted = paperwork.session, paperwork.actors[who], Wanted(base_url=ADDRESS)
    plan = plan_document(session, actor, paperwork.ref, kind, ext, wanted, paperwork.at)
    with give_out(session, plan, actor=actor, at=paperwork.at) as stream:
        return stream.read()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Document)) or 0


def test_an_issued_report_is_made_once_and_kept(paperwork: Paperwork, monkeypatch: pytest.MonkeyPatch) -> None:
    first = rendered(paperwork, "practice_admin", "survey-report", "docx")
    monkeypatch.setitem(operations._WRITERS, ("survey-report", "docx"), lambda _content: b"another style")
    assert rendered(paperwork, "staff", "survey-report", "docx") == first
    row = paperwork.session.scalars(select(Document)).one()
    assert (row.kind, row.source, row.ext) == ("survey-report", f"report:{paperwork.report.id}", "docx")
    assert fetch(row.sha256) == first
    assert docx.Document(io.BytesIO(first)).core_properties.title == "Survey report: Lakeside Oncology"


def test_who_comes_second_gets_the_bytes_of_who_came_first(paperwork: Paperwork) -> None:
    session, actor = paperwork.session, paperwork.actors["staff"]
    plan = plan_for(session, actor, paperwork.ref, "survey-report", "pdf")
    assert plan.sha256 == ""
    first = keep(session, plan, make(plan), actor=actor, at=paperwork.at)
    assert keep(session, plan, b"made a moment later", actor=actor, at=paperwork.at) == first
    assert count(session) == 1


def test_the_name_of_the_file_says_what_it_is(paperwork: Paperwork) -> None:
    plan = plan_for(paperwork.session, paperwork.actors["staff"], paperwork.ref, "survey-report", "pdf")
    assert (MEDIA_TYPES[plan.ext], plan.file_name) == ("application/pdf", f"{paperwork.ref}-survey-report-v1.pdf")


def test_every_reading_of_a_report_is_written_down(paperwork: Paperwork) -> None:
    for who in ("practice_admin", "auditor"):
        rendered(paperwork, who, "survey-report", "pdf")
    events = [e for e in list_events(paperwork.session, f"case:{paperwork.ref}") if e.kind == "report.read"]
    assert [e.actor_name for e in events] == ["Auditor", "Practice Admin"]
    assert all(event.internal for event in events)
    assert verify_chain(paperwork.session, f"case:{paperwork.ref}").sound


@pytest.mark.parametrize("who", ["stranger", "other_surveyor"])
def test_a_case_that_is_not_theirs_does_not_exist(paperwork: Paperwork, who: str) -> None:
    for kind, ext in (("survey-report", "docx"), ("certificate", "pdf"), ("agreement", "pdf"), ("case-file", "zip")):
        with pytest.raises(NotFound):
            rendered(paperwork, who, kind, ext)


@pytest.mark.parametrize(
    ("kind", "ext"), [("survey-report", "zip"), ("poem", "pdf"), ("case-file", "pdf"), ("agreement", "docx")]
)
def test_there_is_no_other_kind_or_form(paperwork: Paperwork, kind: str, ext: str) -> None:
    with pytest.raises(NotFound):
        rendered(paperwork, "staff", kind, ext)


@pytest.fixture
def draft(paperwork: Paperwork) -> Report:
    """The report as it is before anyone has issued it."""
    paperwork.report.state, paperwork.report.issued_at = "draft", None
    content = dict(paperwork.report.content or {})
    paperwork.report.content = {**content, "issued_at": None}
    paperwork.session.flush()
    return paperwork.report


@pytest.mark.usefixtures("draft")
def test_before_issue_the_practice_sees_nothing_and_the_team_a_draft(paperwork: Paperwork) -> None:
    with pytest.raises(NotFound, match="No survey report has been issued"):
        rendered(paperwork, "practice_admin", "survey-report", "docx")
    for who in ("surveyor", "staff", "council"):
        plan = plan_for(paperwork.session, paperwork.actors[who], paperwork.ref, "survey-report", "docx")
        assert plan.content.draft
        assert plan.file_name.endswith("-draft.docx")
    assert count(paperwork.session) == 0


def test_an_earlier_version_stays_as_it_was_issued(paperwork: Paperwork) -> None:
    session = paperwork.session
    survey = session.get_one(Survey, paperwork.report.survey_id)
    paperwork.report.state = "replaced"
    newer = add_report(session, paperwork.case, survey, at=paperwork.at + timedelta(days=9), number=2)
    actor = paperwork.actors["practice_admin"]
    assert plan_for(session, actor, paperwork.ref, "survey-report", "pdf").source == f"report:{newer.id}"
    earlier = plan_for(session, actor, paperwork.ref, "survey-report", "pdf", Wanted(report_id=paperwork.report.id))
    assert (earlier.source, earlier.content.version) == (f"report:{paperwork.report.id}", 1)
    with pytest.raises(NotFound):
        plan_for(session, actor, paperwork.ref, "survey-report", "pdf", Wanted(report_id=99_999))


def test_while_a_new_version_is_drafted_only_the_team_may_ask_for_it(paperwork: Paperwork) -> None:
    session = paperwork.session
    survey = session.get_one(Survey, paperwork.report.survey_id)
    add_report(session, paperwork.case, survey, at=paperwork.at, number=2, issued=False)
    assert plan_for(
        session, paperwork.actors["staff"], paperwork.ref, "survey-report", "pdf", Wanted(draft=True)
    ).content.draft
    with pytest.raises(NotFound):
        plan_for(session, paperwork.actors["practice_admin"], paperwork.ref, "survey-report", "pdf", Wanted(draft=True))


def test_the_letter_of_an_award_names_the_certificate(paperwork: Paperwork) -> None:
    decision = decide(paperwork)
    plan = plan_for(paperwork.session, paperwork.actors["physician_lead"], paperwork.ref, "decision-letter", "pdf")
    assert plan.source == f"decision:{decision.id}"
    assert plan.content.certificate_number == "OMH-2026-0001"
    assert plan.content.sites == ("Lakeside Main", "Harbor North", "Mill Creek")


def test_a_denial_gives_its_reasons(paperwork: Paperwork) -> None:
    decide(paperwork, "denial")
    content = rendered(paperwork, "practice_admin", "decision-letter", "docx")
    text = "\n".join(p.text for p in docx.Document(io.BytesIO(content)).paragraphs)
    assert "The second check is not recorded." in text
    with pytest.raises(NotFound):
        rendered(paperwork, "practice_admin", "certificate", "pdf")


def test_the_surveyor_does_not_read_the_decision(paperwork: Paperwork) -> None:
    decide(paperwork)
    with pytest.raises(NotAllowed):
        rendered(paperwork, "surveyor", "decision-letter", "pdf")


def test_the_certificate_leads_to_its_public_page(paperwork: Paperwork) -> None:
    decide(paperwork)
    wanted = Wanted(base_url=f"{ADDRESS}/")
    plan = plan_for(paperwork.session, paperwork.actors["staff"], paperwork.ref, "certificate", "pdf", wanted)
    assert plan.content.register_url == "https://certify.example.org/register/OMH-2026-0001"
    assert plan.source == "certificate:OMH-2026-0001"


def test_a_certificate_that_bears_no_lasting_address_is_not_kept(
    paperwork: Paperwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_configured", None)
    addresses.note_request(None)  # nor has a request before left its own
    decide(paperwork)
    session, actor = paperwork.session, paperwork.actors["staff"]
    plan = plan_for(session, actor, paperwork.ref, "certificate", "pdf", Wanted())
    assert plan.content.register_url == "http://127.0.0.1:8000/register/OMH-2026-0001"
    keep(session, plan, make(plan), actor=actor, at=paperwork.at)
    assert count(session) == 0
    rendered(paperwork, "staff", "certificate", "pdf")
    assert count(session) == 1


def test_the_case_file_is_written_to_disk_not_held_in_memory(paperwork: Paperwork) -> None:
    session, actor = paperwork.session, paperwork.actors["staff"]
    plan = plan_document(session, actor, paperwork.ref, "case-file", "zip", Wanted(), paperwork.at)
    with give_out(session, plan, actor=actor, at=paperwork.at) as stream:
        assert stream.fileno() > 0
        assert zipfile.is_zipfile(stream)


def test_before_a_decision_there_is_no_letter(paperwork: Paperwork) -> None:
    with pytest.raises(NotFound):
        rendered(paperwork, "staff", "decision-letter", "pdf")


def test_the_signed_agreement_tells_its_clauses(paperwork: Paperwork) -> None:
    plan = plan_for(paperwork.session, paperwork.actors["physician_lead"], paperwork.ref, "agreement", "pdf")
    assert plan.content.clauses[0].heading == "Use of data"
    assert plan.content.signed_at.utcoffset() == timedelta(hours=-6)
    assert make(plan).startswith(b"%PDF")


def test_the_sample_sheet_can_be_printed(paperwork: Paperwork) -> None:
    plan = plan_for(paperwork.session, paperwork.actors["surveyor"], paperwork.ref, "sample-sheet", "pdf")
    assert (plan.content.seed, len(plan.content.sites), plan.source) == ("seed-7", 3, "")
    assert make(plan).startswith(b"%PDF")


def test_an_invoice_is_for_those_who_may_see_fees(paperwork: Paperwork) -> None:
    session, number = paperwork.session, paperwork.invoice.number
    plan = plan_invoice(session, paperwork.actors["finance"], number)
    assert (plan.source, plan.content.total_cents) == (f"invoice:{number}:open", 900_000)
    assert make(plan).startswith(b"%PDF")
    for actor in (paperwork.actors["stranger"], Actor(None)):
        with pytest.raises(NotFound):
            plan_invoice(session, actor, number)


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_the_case_file_holds_everything_the_reader_may_see(paperwork: Paperwork) -> None:
    decide(paperwork)
    with opened(rendered(paperwork, "practice_admin", "case-file", "zip")) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        events = json.loads(archive.read("events.json"))
        index = json.loads(archive.read("evidence/index.json"))
        evidence = archive.read(index[0]["file"])
    ref = paperwork.ref
    assert {"README.txt", "case.json", "answers.json", "findings.json", "messages.json", "events.json"} <= names
    assert {
        f"documents/{ref}-survey-report-v1.docx",
        f"documents/{ref}-survey-report-v1.pdf",
        f"documents/{ref}-decision-letter.docx",
        f"documents/{ref}-certificate-OMH-2026-0001.pdf",
        f"documents/{ref}-agreement.pdf",
        f"documents/{paperwork.invoice.number}.pdf",
    } <= names
    assert set(manifest) == names - {"manifest.json"}
    assert index[0]["proves"] == [{"standard": "2.1", "element": "2.1.c", "site": None, "pages": "p. 4"}]
    assert evidence == b"%PDF-1.7 triage policy"
    assert events[0]["summary"] == "opened the application"
    assert not any(event["internal"] for event in events)


def test_names_in_the_case_file_cannot_leave_its_folder(paperwork: Paperwork) -> None:
    with opened(rendered(paperwork, "staff", "case-file", "zip")) as archive:
        assert not any(".." in name.split("/") or name.startswith("/") for name in archive.namelist())


def test_the_auditor_gets_the_whole_chain(paperwork: Paperwork) -> None:
    rendered(paperwork, "practice_admin", "survey-report", "pdf")
    with opened(rendered(paperwork, "auditor", "case-file", "zip")) as archive:
        events = json.loads(archive.read("events.json"))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "report.read" in {event["kind"] for event in events}


@pytest.mark.parametrize("who", ["surveyor", "council", "finance"])
def test_not_everyone_on_a_case_may_take_it_away(paperwork: Paperwork, who: str) -> None:
    with pytest.raises(NotAllowed):
        rendered(paperwork, who, "case-file", "zip")


def test_taking_the_case_file_is_written_down(paperwork: Paperwork) -> None:
    rendered(paperwork, "practice_admin", "case-file", "zip")
    assert list_events(paperwork.session, f"case:{paperwork.ref}")[0].kind == "case.exported"


def test_days_are_those_of_the_practice(paperwork: Paperwork) -> None:
    data = {**(paperwork.report.content or {}), "issued_at": "2026-11-20T03:30:00+00:00"}
    assert report_content(data, "America/Chicago").issued_at.date().isoformat() == "2026-11-19"  # type: ignore[union-attr]


def test_a_plan_is_plain_data(paperwork: Paperwork) -> None:
    """So that the pages are set while no transaction is open."""
    plan = plan_for(paperwork.session, paperwork.actors["staff"], paperwork.ref, "survey-report", "pdf")
    paperwork.session.expire_all()
    assert isinstance(plan, Plan)
    assert make(plan).startswith(b"%PDF")
