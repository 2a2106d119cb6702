"""The library in the database: versions, mapping, quarantine, the lock, and who sees what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member, open_case
from certify.certification.evidence.models import Evidence, EvidenceUse, EvidenceVersion, EvidenceView
from certify.certification.evidence.operations import (
    add_version,
    change_uses,
    confirm_deidentified,
    inspect_file,
    lock,
    record_view,
    release_lock,
    retire,
    state_not_applicable,
    use_of,
    withdraw_not_applicable,
)
from certify.certification.evidence.queries import (
    counts_for,
    coverage_of,
    document_for,
    documents_of,
    evidence_for_elements,
    evidence_for_standard,
    evidence_of_case,
    locked_case_of,
    quarantined_in,
    unused_documents_of,
    uses_of,
    versions_of,
)
from certify.certification.evidence.rules import StandardCoverage, Standing, percent_covered, standings
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotFound, NotOpen
from certify.platform.audit.queries import list_events, verify_chain
from certify.platform.practices.models import Site
from certify.platform.storage.operations import fetch
from tests.support.applied import Applied, apply


@pytest.fixture
def applied(session: Session) -> Applied:
    return apply(session)


def surveyor_on(applied: Applied) -> None:
    add_member(applied.session, applied.case, applied.people["surveyor"].id, "surveyor", at=now())


def sites_of(applied: Applied) -> list[int]:
    return list(
        applied.session.scalars(select(Site.id).where(Site.practice_id == applied.practice.id).order_by(Site.id))
    )


def standard(applied: Applied, code: str) -> StandardCoverage:
    return next(row for rows in coverage_of(applied.session, applied.case).values() for row in rows if row.code == code)


def test_one_file_proves_several_elements_and_counts_once(session: Session, applied: Applied) -> None:
    evidence, version = applied.add(
        "7.3.b",
        "7.3.c",
        "1.1",
        "7.3.b",
        page="p. 4-6",
        effective_from=date(2026, 1, 1),
        effective_to=date(2026, 12, 31),
    )
    assert [(u.standard, u.element, u.pages) for u in uses_of(session, applied.case, evidence)] == [
        ("1.1", None, "p. 4-6"), ("7.3", "7.3.b", "p. 4-6"), ("7.3", "7.3.c", "p. 4-6"),
    ]  # fmt: skip
    assert (version.effective_from, version.uploaded_at) == (date(2026, 1, 1), now())
    assert len(documents_of(session, applied.case, applied.actor("nurse"))) == 1
    assert (standard(applied, "7.3").documents, standard(applied, "7.3").covered) == (1, 2)
    assert standard(applied, "1.1").covered == standard(applied, "1.1").elements
    assert fetch(version.file_key) == b"Our policy."
    assert verify_chain(session, f"case:{applied.case.ref}").sound


@pytest.mark.parametrize(
    ("items", "more", "field"),
    [
        ((), {}, "uses"),
        (("9.9",), {}, "uses"),
        (("7.3.z",), {}, "uses"),
        (("7.3.b",), {"site_id": 999_999}, "site"),
        (("7.3.b",), {"page": "x" * 121}, "pages"),
        (("7.3.b",), {"title": "x" * 201}, "title"),
        (("7.3.b",), {"effective_from": date(2026, 2, 1), "effective_to": date(2026, 1, 1)}, "effective_to"),
        (("7.3.b",), {"content": b""}, "file"),
    ],
)
def test_a_wrong_mapping_is_named_and_nothing_is_kept(
    session: Session, applied: Applied, items: tuple[str, ...], more: dict, field: str
) -> None:  # type: ignore[type-arg]
    with pytest.raises(Invalid) as refusal:
        applied.add(*items, **more)
    assert {e.field for e in refusal.value.errors} == {field}
    assert session.scalars(select(Evidence)).all() == []


def test_a_site_of_another_practice_is_not_a_site(session: Session, applied: Applied) -> None:
    with pytest.raises(Invalid):
        applied.add("7.3.b", site_id=sites_of(apply(session))[0])


def test_new_versions_keep_old_ones_and_the_same_file_is_refused(session: Session, applied: Applied) -> None:
    evidence, first = applied.add("7.3.b")
    nurse = applied.actor("nurse")
    second = add_version(
        session, applied.case, evidence, inspect_file(b"Our new policy.", "policy.txt"), actor=nurse, at=now()
    )
    assert (first.number, second.number) == (1, 2)
    assert [r.version.number for r in versions_of(session, applied.case, nurse, evidence)] == [2, 1]
    assert fetch(first.file_key) == b"Our policy."
    with pytest.raises(Invalid):
        add_version(
            session, applied.case, evidence, inspect_file(b"Our new policy.", "policy.txt"), actor=nurse, at=now()
        )
    [row] = evidence_of_case(session, applied.case)
    assert row.number == 2


def test_quarantine_hides_a_version_from_everyone_but_the_practice(session: Session, applied: Applied) -> None:
    surveyor_on(applied)
    evidence, version = applied.add("7.3", content=b"MRN 1234567", name="log.txt")
    assert (version.state, version.findings) == ("quarantined", [{"kind": "mrn", "where": "the text", "count": 1}])
    assert "1234567" not in str(version.findings)
    assert [d.evidence.id for d in documents_of(session, applied.case, applied.actor("nurse"))] == [evidence.id]
    for who in ("surveyor", "council", "auditor", "staff"):
        assert documents_of(session, applied.case, applied.actor(who)) == []
    for who in ("surveyor", "council", "auditor"):
        with pytest.raises(NotFound):
            document_for(session, applied.case, applied.actor(who), evidence.uuid)
    assert document_for(session, applied.case, applied.actor("staff"), evidence.uuid).id == evidence.id
    assert evidence_of_case(session, applied.case) == []
    assert not standard(applied, "7.3").settled
    assert len(quarantined_in(session, applied.case)) == 1


def test_a_reason_lets_it_out_and_a_clean_new_version_shows_only_itself(session: Session, applied: Applied) -> None:
    nurse = applied.actor("nurse")
    evidence, version = applied.add("7.3", content=b"MRN 1234567", name="log.txt")
    with pytest.raises(Invalid):
        confirm_deidentified(session, applied.case, evidence, version, "no", actor=nurse, at=now())
    add_version(
        session, applied.case, evidence, inspect_file(b"Numbers blacked out.", "log.txt"), actor=nurse, at=now()
    )
    assert [r.version.number for r in versions_of(session, applied.case, applied.actor("council"), evidence)] == [2]
    confirm_deidentified(
        session, applied.case, evidence, version, "It is the number of a policy.", actor=nurse, at=now()
    )
    assert [r.version.number for r in versions_of(session, applied.case, applied.actor("council"), evidence)] == [2, 1]
    with pytest.raises(NotOpen):
        confirm_deidentified(
            session, applied.case, evidence, version, "It is the number of a policy.", actor=nurse, at=now()
        )


def test_a_sites_own_file_stands_before_one_for_all_sites(session: Session, applied: Applied) -> None:
    site_a, site_b = sites_of(applied)
    everywhere, _ = applied.add("7.3.b", "7.3.c", name="all.txt")
    own, _ = applied.add("7.3.b", name="b.txt", content=b"For site B.", site_id=site_b)
    at_b = {(r.uuid, r.item): r.standing for r in evidence_for_elements(session, applied.case, site_b)}
    assert at_b == {
        (everywhere.uuid, "7.3.b"): Standing.OVERRIDDEN, (everywhere.uuid, "7.3.c"): Standing.INHERITED, (own.uuid, "7.3.b"): Standing.OWN,
    }  # fmt: skip
    assert {r.standing for r in evidence_for_standard(session, applied.case, "7.3", site_a)} == {Standing.INHERITED}
    assert standings([("7.3.b", site_a)], site_b) == {}


def tab_count(applied: Applied, who: str) -> int | None:
    return applied.session.scalar(select(counts_for(applied.session, applied.case, applied.actor(who))["evidence"]))


def test_a_document_the_case_uses_only_since_the_lock_is_not_opened_to_the_survey(
    session: Session, applied: Applied, clock: FixedClock
) -> None:
    surveyor_on(applied)
    surveyor = applied.actor("surveyor")
    evidence, _ = applied.add("7.3.b")
    session.execute(update(EvidenceUse).values(added_at=now() + timedelta(hours=2)))
    lock(session, applied.case, actor=surveyor, at=now() + timedelta(hours=1))
    with pytest.raises(NotFound):
        document_for(session, applied.case, surveyor, evidence.uuid)
    release_lock(session, applied.case.id, now() + timedelta(hours=3))
    assert document_for(session, applied.case, surveyor, evidence.uuid) is evidence


def test_the_survey_sees_what_was_there_at_the_lock(session: Session, applied: Applied, clock: FixedClock) -> None:
    surveyor_on(applied)
    nurse, surveyor = applied.actor("nurse"), applied.actor("surveyor")
    evidence, _ = applied.add("7.3.b")
    lock(session, applied.case, actor=surveyor, at=now())
    clock.move(by=timedelta(hours=1))
    add_version(session, applied.case, evidence, inspect_file(b"Changed.", "policy.txt"), actor=nurse, at=now())
    applied.add("1.1", content=b"Late.")
    [row] = evidence_of_case(session, applied.case)
    assert (row.number, row.after_lock) == (1, False)
    assert [r.version.number for r in versions_of(session, applied.case, surveyor, evidence)] == [1]
    assert [r.after_lock for r in versions_of(session, applied.case, nurse, evidence)] == [True, False]
    assert len(documents_of(session, applied.case, surveyor)) == 1
    assert len(documents_of(session, applied.case, nurse)) == 2
    assert tab_count(applied, "surveyor") == 1
    assert tab_count(applied, "nurse") == 2
    at_lock = {c.code: c.documents for rows in coverage_of(session, applied.case, at_lock=True).values() for c in rows}
    assert (at_lock["7.3"], at_lock["1.1"]) == (1, 0)
    assert standard(applied, "1.1").documents == 1
    with pytest.raises(NotOpen):
        retire(session, applied.case, evidence, "No longer in use.", actor=nurse, at=now())
    with pytest.raises(NotOpen):
        change_uses(session, applied.case, evidence, [use_of("7.3.c")], actor=nurse, at=now())
    change_uses(session, applied.case, evidence, [use_of("7.3.b"), use_of("7.3.c")], actor=nurse, at=now())
    assert [r.item for r in evidence_of_case(session, applied.case)] == ["7.3.b"]
    release_lock(session, applied.case.id, now())
    assert {(r.item, r.number) for r in evidence_of_case(session, applied.case)} == {
        ("1.1", 1),
        ("7.3.b", 2),
        ("7.3.c", 2),
    }


def test_a_document_of_a_running_survey_cannot_be_removed_by_way_of_another_case(
    session: Session, applied: Applied, clock: FixedClock
) -> None:
    nurse, earlier = applied.actor("nurse"), applied.case
    evidence, _ = applied.add("7.3.b")
    lock(session, earlier, actor=applied.actor("surveyor"), at=now())
    applied.take("withdraw", "admin", reason="We come back next year.", confirmed=True)
    running = open_case(
        session, applied.practice.id, applied.practice.legal_name, zone="UTC", actor=applied.actor("admin"), at=now()
    )
    clock.move(by=timedelta(hours=1))
    change_uses(session, running, evidence, [use_of("7.3.b")], actor=nurse, at=now())
    with pytest.raises(NotOpen, match="has ended"):
        retire(session, earlier, evidence, "No longer in use.", actor=nurse, at=now())
    lock(session, running, actor=applied.actor("surveyor"), at=now())
    clock.move(by=timedelta(hours=1))
    assert locked_case_of(session, evidence, now()) == running.ref
    with pytest.raises(NotOpen, match=running.ref):
        retire(session, running, evidence, "No longer in use.", actor=nurse, at=now())
    assert [row.uuid for row in evidence_of_case(session, running)] == [evidence.uuid]
    release_lock(session, running.id, now())
    retire(
        session, running, evidence, "No longer in use.", actor=nurse, at=now()
    )  # the earlier case keeps nothing back


def test_a_second_lock_moves_nothing_and_a_repeat_survey_locks_anew(
    session: Session, applied: Applied, clock: FixedClock
) -> None:
    surveyor = applied.actor("surveyor")
    first = lock(session, applied.case, actor=surveyor, at=now()).locked_at
    clock.move(by=timedelta(days=1))
    assert lock(session, applied.case, actor=surveyor, at=now()).locked_at == first
    release_lock(session, applied.case.id, now())
    clock.move(by=timedelta(days=90))
    row = lock(session, applied.case, actor=surveyor, at=now())
    assert (row.locked_at, row.released_at) == (now(), None)


def test_what_a_surveyor_opened_is_told_to_the_practice(session: Session, applied: Applied, clock: FixedClock) -> None:
    surveyor_on(applied)
    evidence, version = applied.add("7.3.b")
    surveyor = applied.actor("surveyor")
    record_view(session, applied.case, evidence, version, actor=surveyor, at=now())
    clock.move(by=timedelta(days=1))
    record_view(session, applied.case, evidence, version, actor=surveyor, at=now())
    view = session.scalars(select(EvidenceView)).one()
    assert (view.first_at, view.last_at) == (now() - timedelta(days=1), now())
    assert len(list_events(session, f"case:{applied.case.ref}", kind="evidence.seen")) == 1
    [row] = versions_of(session, applied.case, applied.actor("nurse"), evidence)
    assert row.views == (("Surveyor One", now()),)
    [seen] = evidence_of_case(session, applied.case)
    assert seen.seen_on == date(2026, 11, 3)


def test_removed_documents_stay_in_the_record(session: Session, applied: Applied) -> None:
    evidence, _ = applied.add("7.3.b")
    with pytest.raises(Invalid):
        retire(session, applied.case, evidence, " ", actor=applied.actor("nurse"), at=now())
    retire(session, applied.case, evidence, "Replaced by the handbook.", actor=applied.actor("nurse"), at=now())
    assert documents_of(session, applied.case, applied.actor("nurse")) == []
    assert not standard(applied, "7.3").settled
    assert session.scalars(select(EvidenceVersion)).one()
    with pytest.raises(NotOpen):
        retire(session, applied.case, evidence, "Replaced by the handbook.", actor=applied.actor("nurse"), at=now())
    assert (
        list_events(session, f"case:{applied.case.ref}", kind="evidence.retired")[0].reason
        == "Replaced by the handbook."
    )


def test_not_applicable_needs_a_reason_and_can_be_taken_back(session: Session, applied: Applied) -> None:
    admin = applied.actor("admin")
    with pytest.raises(Invalid) as refusal:
        state_not_applicable(session, applied.case, "7.3", "no", actor=admin, at=now())
    assert [e.field for e in refusal.value.errors] == ["na-7.3"]
    with pytest.raises(Invalid):
        state_not_applicable(session, applied.case, "9.9", "We do not do that here.", actor=admin, at=now())
    state_not_applicable(session, applied.case, "7.3", "We do not do that here.", actor=admin, at=now())
    assert standard(applied, "7.3").settled
    withdraw_not_applicable(session, applied.case, "7.3", actor=admin, at=now())
    assert not standard(applied, "7.3").settled
    with pytest.raises(NotOpen):
        withdraw_not_applicable(session, applied.case, "7.3", actor=admin, at=now())


def test_the_library_offers_what_the_case_does_not_use_to_the_practice_alone(
    session: Session, applied: Applied
) -> None:
    evidence, _ = applied.add("7.3.b")
    for use in uses_of(session, applied.case, evidence):
        use.removed_at = now()
    session.flush()
    assert [d.evidence.id for d in unused_documents_of(session, applied.case, applied.actor("nurse"))] == [evidence.id]
    assert unused_documents_of(session, applied.case, applied.actor("staff")) == []
    change_uses(session, applied.case, evidence, [use_of("1.1.a")], actor=applied.actor("nurse"), at=now())
    assert [r.item for r in evidence_of_case(session, applied.case)] == ["1.1.a"]


def test_another_practices_library_is_out_of_reach(session: Session, applied: Applied) -> None:
    evidence, _ = applied.add("7.3.b")
    other = apply(session)
    with pytest.raises(NotFound):
        document_for(session, other.case, other.actor("nurse"), evidence.uuid)
    assert documents_of(session, other.case, other.actor("nurse")) == []


def test_filters_narrow_the_documents(session: Session, applied: Applied) -> None:
    applied.add("7.3.b", name="double check.txt", title="Double check log")
    applied.add("1.1", name="welcome.txt", content=b"Welcome.", site_id=sites_of(applied)[1])
    nurse = applied.actor("nurse")
    assert [d.evidence.title for d in documents_of(session, applied.case, nurse, text="DOUBLE")] == ["Double check log"]
    assert [d.evidence.title for d in documents_of(session, applied.case, nurse, standard="1.1")] == ["welcome"]
    assert len(documents_of(session, applied.case, nurse, site_id=sites_of(applied)[0])) == 1
    assert documents_of(session, applied.case, nurse, text="100%") == []


def test_the_share_covered_is_whole_percent() -> None:
    rows = [
        StandardCoverage("1.1", "A", False, 3, 0, 1),
        StandardCoverage("1.2", "B", False, 3, 0, 0, "No."),
        StandardCoverage("1.3", "C", False, 3, 0, 0),
    ]
    assert percent_covered(rows) == 66
    assert percent_covered([]) == 0
