"""What is judged is what was sent: each document of a correction stays the version it was, whatever comes later."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.corrections.operations import judge_correction, link_evidence, write_correction
from certify.certification.corrections.queries import Proof, requirements_for
from certify.certification.evidence.models import Evidence, EvidenceUse, EvidenceVersion
from certify.certification.evidence.operations import retire
from certify.certification.reports.queries import requirements_of
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import RulesUnmet
from certify.platform.audit.queries import list_events
from certify.platform.storage.operations import store
from tests.support.surveyed import Surveyed, surveyed

REF = "LO-2026-001"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    """A case with one requirement whose correction may be written."""
    made = surveyed(session, clock.now(), not_met=[("7.3.b", 0)])
    made.to_issued()
    items = made.plan_items([the_one(made)])
    made.take("submit_plan", "admin", items=items)
    made.take("approve_plan", "staff", items=[{"requirement": items[0]["requirement"], "verdict": "accept"}])
    return made


@pytest.fixture
def document(world: Surveyed) -> Evidence:
    """A log of the practice, with a file that can be opened."""
    made = world.document()
    world.session.query(EvidenceVersion).one().file_key = store(b"%PDF-1.4 the first log")
    world.session.flush()
    return made


def the_one(world: Surveyed) -> int:
    return requirements_of(world.session, world.case.id)[0].id


def replace(world: Surveyed, document: Evidence, number: int = 2) -> None:
    """Put a new version of the document into the library, as the practice may at any time."""
    world.at += timedelta(hours=1)
    world.session.add(
        EvidenceVersion(
            evidence_id=document.id, number=number, file_key=store(f"%PDF-1.4 log {number}".encode()), original_sha256="1" * 64,
            file_name="other.pdf", media_type="application/pdf", size=10, state="clear", uploaded_at=world.at,
        )
    )  # fmt: skip
    world.session.flush()


def send(world: Surveyed, document: Evidence) -> None:
    world.take("submit_corrections", "admin", items=[{"requirement": str(the_one(world)), "evidence": document.uuid}])


def proof(world: Surveyed) -> Proof:
    return requirements_for(world.session, world.case)[0].proofs[0]


def test_the_version_that_was_sent_is_judged_and_shown_for_good(
    world: Surveyed, document: Evidence, new_client: Callable[[], FlaskClient]
) -> None:
    send(world, document)
    replace(world, document)
    shown = proof(world)
    assert (shown.number, shown.newer, shown.file_name) == (1, True, "log.pdf")
    staff = world.sign_in(new_client(), "staff")
    link = f"/cases/{REF}/evidence/{document.uuid}/versions/1/file"
    assert link in staff.get(f"/cases/{REF}/corrections").text
    assert staff.get(link).data == b"%PDF-1.4 the first log"
    closed = [{"requirement": str(the_one(world)), "verdict": "closed", "note": "The log proves it."}]
    world.take("close_requirements", "staff", items=closed)
    assert link in world.sign_in(new_client(), "decider").get(f"/cases/{REF}/decision").text


def test_a_document_removed_after_it_was_sent_can_still_be_read(
    world: Surveyed, document: Evidence, new_client: Callable[[], FlaskClient]
) -> None:
    send(world, document)
    world.at += timedelta(hours=1)
    retire(world.session, world.case, document, "Another file.", actor=world.actors["admin"], at=world.at)
    assert proof(world).remark == "removed from the library since it was sent"
    council = world.sign_in(new_client(), "council")
    assert council.get(f"/cases/{REF}/evidence/{proof(world).path}").data == b"%PDF-1.4 the first log"


def test_what_is_sent_again_is_the_newest_version_then(world: Surveyed, document: Evidence) -> None:
    send(world, document)
    one, admin = the_one(world), world.actors["admin"]
    judge_correction(
        world.session, world.case, one, "not_enough", "One shift.", actor=world.actors["staff"], at=world.at
    )
    world.take("return_corrections", "staff")
    replace(world, document)
    assert (proof(world).number, proof(world).sent) == (2, False)
    world.at += timedelta(hours=1)
    write_correction(world.session, world.case, one, "Both shifts.", actor=admin, at=world.at)
    world.take("submit_corrections", "admin")
    replace(world, document, 3)
    assert (proof(world).number, proof(world).sent) == (2, True)
    sent = [e.data for e in list_events(world.session, f"case:{REF}") if e.kind == "correction.evidence_sent"]
    assert [found["R1 (7.3.b)"][0]["version"] for found in sent] == [2, 1]


def test_a_document_removed_before_it_is_sent_is_no_evidence(world: Surveyed, document: Evidence) -> None:
    link_evidence(
        world.session, world.case, the_one(world), document.uuid, "", actor=world.actors["nurse"], at=world.at
    )
    retire(world.session, world.case, document, "Another file.", actor=world.actors["admin"], at=world.at)
    with pytest.raises(RulesUnmet, match="removed from the library"):
        world.take("submit_corrections", "admin")


def test_the_case_file_holds_the_version_that_was_sent(
    world: Surveyed, document: Evidence, new_client: Callable[[], FlaskClient]
) -> None:
    send(world, document)
    replace(world, document)
    with world.sign_in(new_client(), "staff").get(f"/cases/{REF}/documents/case-file.zip") as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.data))
    index = json.loads(archive.read("evidence/index.json"))
    sent = next(entry for entry in index if entry.get("sent_for_correction"))
    assert (sent["version"], sent["proves"]) == (1, [{"requirement": "R1", "pages": ""}])
    assert archive.read(sent["file"]) == b"%PDF-1.4 the first log"


def test_other_pages_of_the_same_document_are_kept(world: Surveyed, document: Evidence) -> None:
    one, nurse = the_one(world), world.actors["nurse"]
    link_evidence(world.session, world.case, one, document.uuid, "p. 4", actor=nurse, at=world.at)
    link_evidence(world.session, world.case, one, document.uuid, "p. 7", actor=nurse, at=world.at)
    assert proof(world).pages == "p. 7"
    link_evidence(world.session, world.case, one, document.uuid, "", actor=nurse, at=world.at)
    assert proof(world).pages == "p. 7"
    changed = [e for e in list_events(world.session, f"case:{REF}") if e.kind == "correction.evidence_changed"]
    assert [(e.data["before"], e.data["pages"]) for e in changed] == [("p. 4", "p. 7")]


def test_who_judges_can_open_a_document_that_nothing_else_in_the_case_uses(
    world: Surveyed, document: Evidence, new_client: Callable[[], FlaskClient]
) -> None:
    send(world, document)
    use = world.session.query(EvidenceUse).filter_by(evidence_id=document.id).one()
    assert (use.case_id, use.element) == (world.case.id, "7.3.b")
    for who in ("staff", "surveyor"):
        assert world.sign_in(new_client(), who).get(f"/cases/{REF}/evidence/{document.uuid}").status_code == 200
