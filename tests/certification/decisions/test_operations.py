"""Award and denial through the one door of every step; an award makes the certificate at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from certify.certification.certificates.models import Certificate
from certify.certification.certificates.operations import reissue_certificate
from certify.certification.certificates.queries import (
    certificate_content_for,
    certificate_of,
    find_by_code,
    find_certificate,
    view_of,
)
from certify.certification.certificates.rules import Standing
from certify.certification.decisions.models import Decision
from certify.certification.decisions.operations import write_reason
from certify.certification.decisions.queries import decision_of, letter_for, standings_of
from certify.certification.fees.models import Invoice
from certify.certification.reports.models import Finding
from certify.core.foundation.clock import FixedClock
from certify.core.foundation.errors import Invalid, NotFound, NotOpen, RulesUnmet
from certify.platform.audit.queries import verify_chain
from certify.platform.identity.models import Person
from tests.support.surveyed import Surveyed, surveyed


@pytest.fixture
def world(session: Session, clock: FixedClock) -> Surveyed:
    made = surveyed(session, clock.now())
    made.to_issued()
    assert made.case.state == "decision"
    return made


def refused(world: Surveyed, trigger: str, who: str, **data: object) -> list[str]:
    savepoint = world.session.begin_nested()
    with pytest.raises(RulesUnmet) as refusal:
        world.take(trigger, who, **data)
    savepoint.rollback()
    return [u.guard for u in refusal.value.unmet]


def test_an_award_certifies_for_three_years(session: Session, world: Surveyed) -> None:
    world.take("award", "decider", conflict="none", comments="Well done.")
    assert world.case.state == "certified"
    certificate = certificate_of(session, world.case)
    assert certificate is not None
    assert certificate.number == "OMH-2026-0001"
    assert (certificate.awarded_on.isoformat(), certificate.ends_on.isoformat()) == ("2026-11-02", "2029-11-02")
    assert world.case.anchors["awarded_on"] == "2026-11-02"
    assert world.case.anchors["ends_on"] == "2029-11-02"
    assert [s["name"] for s in certificate.sites] == ["Lakeside Main", "Lakeside North"]
    assert certificate.signatories == [{"name": "Decider Person", "title": "RN"}]
    decision = decision_of(session, world.case.id)
    assert decision is not None
    assert (decision.outcome, decision.comment) == ("award", "Well done.")
    assert verify_chain(session, f"case:{world.case.ref}").sound


def test_the_surveyor_the_reviewer_and_who_has_a_conflict_do_not_decide(session: Session, world: Surveyed) -> None:
    assert refused(world, "award", "everything", conflict="none") == ["decider_uninvolved"]
    assert refused(world, "award", "decider", conflict="conflict", conflict_detail="Shares.") == ["decider_uninvolved"]
    assert refused(world, "deny", "everything", conflict="none", reasons=[{"standard": "1.1", "reason": "x"}]) == [
        "decider_uninvolved"
    ]


def test_no_award_while_anything_is_open(session: Session, world: Surveyed) -> None:
    """Invariant 1 of process.md, section 11, one lack after the other."""
    invoice = session.query(Invoice).one()
    invoice.state = "open"
    assert refused(world, "award", "decider", conflict="none") == ["fees_settled"]
    invoice.state = "paid"
    world.case.agreement = "another"
    assert refused(world, "award", "decider", conflict="none") == ["agreement_valid"]
    world.case.agreement = "1"
    session.add(
        Finding(
            case_id=world.case.id, survey_id=world.survey.id, kind="requirement", standard="7.3", element="7.3.b", text="x", status="open",
            number=1, created_at=world.at, updated_at=world.at,
        )
    )  # fmt: skip
    session.flush()
    assert set(refused(world, "award", "decider", conflict="none")) == {"all_standards_met", "no_open_critical"}


def test_a_denial_names_its_reasons(session: Session, world: Surveyed) -> None:
    assert refused(world, "deny", "decider", conflict="none") == ["reasons_given"]
    with pytest.raises(Invalid):
        write_reason(session, world.case, "99.9", "x", actor=world.actors["decider"], at=world.at)
    write_reason(session, world.case, "7.10", "Nobody is named.", actor=world.actors["decider"], at=world.at)
    write_reason(session, world.case, "1.1", "The handbook was made up.", actor=world.actors["decider"], at=world.at)
    world.take("deny", "decider", conflict="none", reasons=[{"standard": "7.3", "reason": "Records were changed."}])
    assert world.case.state == "denied"
    letter = letter_for(session, world.case)
    assert [(r["standard"], r["text"]) for r in letter["reasons"]] == [
        ("1.1", "The handbook was made up."),
        ("7.3", "Records were changed."),
        ("7.10", "Nobody is named."),
    ]
    assert letter["appeal_until"] == "2026-12-02"
    assert certificate_of(session, world.case) is None
    with pytest.raises(NotOpen):
        write_reason(session, world.case, "1.1", "More.", actor=world.actors["decider"], at=world.at)


def test_a_decision_is_made_once(session: Session, world: Surveyed) -> None:
    world.take("award", "decider", conflict="none")
    with pytest.raises(NotOpen):
        world.take("award", "decider", conflict="none")
    assert session.query(Decision).count() == 1
    assert session.query(Certificate).count() == 1


def test_where_each_standard_stands(session: Session, world: Surveyed) -> None:
    found = standings_of(session, world.case)
    assert len(found) > 30
    assert all(s.met and s.rating == "met" for s in found)


def test_the_letter_is_not_written_before_the_decision(session: Session, world: Surveyed) -> None:
    with pytest.raises(NotFound):
        letter_for(session, world.case)
    world.take("award", "decider", conflict="none")
    letter = letter_for(session, world.case)
    assert (letter["outcome"], letter["recipient"], letter["signatory"]) == (
        "award",
        "Physician Person",
        "Decider Person",
    )


def test_the_letter_stays_as_it_was_when_the_council_decided(session: Session, world: Surveyed) -> None:
    world.practice.address = "1 Shore Drive"
    world.take("award", "decider", conflict="none")
    letter = dict(letter_for(session, world.case))
    assert (letter["certificate_number"], letter["award_on"], letter["end_on"]) == (
        "OMH-2026-0001", "2026-11-02", "2029-11-02",
    )  # fmt: skip
    world.practice.address, world.practice.legal_name = "2 Hill Road", "Lakeside Cancer Care"
    session.get_one(Person, world.actors["physician"].user_id).active = False
    world.case.staff_id = world.actors["staff"].user_id
    reissue_certificate(session, world.case, "A new name.", actor=world.actors["staff"], at=world.at)
    session.flush()
    session.expire_all()
    assert letter_for(session, world.case) == letter
    assert (letter["address"][0], letter["recipient"], letter["contact"]) == ("1 Shore Drive", "Physician Person", "")


def test_a_certificate_is_issued_again_and_never_edited(session: Session, world: Surveyed) -> None:
    world.take("award", "decider", conflict="none")
    old = certificate_of(session, world.case)
    assert old is not None
    world.practice.legal_name = "Lakeside Cancer Care"
    with pytest.raises(Invalid):
        reissue_certificate(session, world.case, " ", actor=world.actors["staff"], at=world.at)
    new = reissue_certificate(
        session, world.case, "The practice has a new name.", actor=world.actors["staff"], at=world.at
    )
    assert (old.practice_name, new.practice_name) == ("Lakeside Oncology", "Lakeside Cancer Care")
    assert (new.awarded_on, new.ends_on) == (old.awarded_on, old.ends_on)
    assert (new.number, new.code) != (old.number, old.code)
    assert view_of(session, old, world.at).standing is Standing.REPLACED
    assert view_of(session, old, world.at).replaced_by == new.number
    assert view_of(session, new, world.at + timedelta(days=4 * 366)).standing is Standing.EXPIRED
    assert certificate_content_for(session, world.case)["number"] == new.number
    with pytest.raises(NotOpen):
        reissue_certificate(
            session, world.case, "Late.", actor=world.actors["staff"], at=world.at + timedelta(days=4 * 366)
        )


def test_a_certificate_is_found_by_number_and_by_code_however_typed(session: Session, world: Surveyed) -> None:
    world.take("award", "decider", conflict="none")
    certificate = certificate_of(session, world.case)
    assert certificate is not None
    assert find_certificate(session, f" {certificate.number.lower()} ") is certificate
    assert find_by_code(session, certificate.code.replace("-", " ").lower()) is certificate
    assert find_by_code(session, "") is None
    assert find_by_code(session, "2222-2222-2222") is None
