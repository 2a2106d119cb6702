"""Messages in the database: who gets which, what is unread, and what the chain tells."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member
from certify.certification.discussions.events import MessageWritten
from certify.certification.discussions.items import is_there
from certify.certification.discussions.operations import mark_seen, write_message
from certify.certification.discussions.queries import audiences_for, counts_by_item, items_of, messages_of, unread_count
from certify.certification.fees.models import Invoice
from certify.certification.reports.operations import write_requirement
from certify.core.foundation import events
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid
from certify.platform.audit.queries import list_events
from certify.platform.practices.models import Site
from tests.support.applied import Applied, apply
from tests.support.surveyed import surveyed


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    add_member(session, made.case, made.people["surveyor"].id, "surveyor", at=now())
    return made


def write(applied: Applied, who: str, body: str, audience: str = "practice_and_program", item: str = "") -> int:
    return write_message(
        applied.session, applied.case, body, audience=audience, item=item, actor=applied.actor(who), at=now()
    ).id


def bodies(applied: Applied, who: str, **narrow: str) -> list[str]:
    return [m.body for m in messages_of(applied.session, applied.case, applied.actor(who), now(), **narrow)]  # type: ignore[arg-type]


def test_each_reader_gets_what_is_meant_for_them(applied: Applied) -> None:
    write(applied, "admin", "open")
    write(applied, "staff", "program", "program_only")
    write(applied, "surveyor", "team", "survey_team")
    assert bodies(applied, "nurse") == ["open"]
    assert bodies(applied, "staff") == ["team", "program", "open"]
    assert bodies(applied, "surveyor") == ["team", "open"]
    assert bodies(applied, "council") == ["program", "open"]
    assert bodies(applied, "auditor") == ["team", "program", "open"]
    assert bodies(applied, "finance") == []


def test_an_internal_message_leaves_no_trace_the_practice_could_see(applied: Applied) -> None:
    write(applied, "staff", "They look weak on 7.3.", "program_only", "standard:7.3")
    admin = applied.actor("admin")
    assert items_of(applied.session, applied.case, admin, now()) == []
    assert counts_by_item(applied.session, applied.case, admin, now()) == {}
    assert unread_count(applied.session, applied.case, admin, now()) == 0
    stream = f"case:{applied.case.ref}"
    assert not [e for e in list_events(applied.session, stream, internal=False) if e.kind.startswith("message")]
    [event] = list_events(applied.session, stream, kind="message")
    assert "weak" not in f"{event.summary} {event.data}"


@pytest.mark.parametrize(
    ("who", "audience"),
    [("admin", "program_only"), ("nurse", "survey_team"), ("surveyor", "program_only"), ("council", "survey_team")],
)
def test_nobody_writes_to_an_audience_that_is_not_theirs(applied: Applied, who: str, audience: str) -> None:
    with pytest.raises(Invalid) as refusal:
        write(applied, who, "Hello", audience)
    assert [e.field for e in refusal.value.errors] == ["audience"]


def test_the_page_offers_only_the_audiences_one_may_write_to(applied: Applied) -> None:
    def offered(who: str) -> list[str]:
        return [key for key, _label, _words in audiences_for(applied.session, applied.case, applied.actor(who), now())]

    assert offered("admin") == ["practice_and_program"]
    assert offered("staff") == ["practice_and_program", "program_only", "survey_team"]
    assert offered("auditor") == []


def test_unread_counts_what_others_wrote_since_one_looked(applied: Applied) -> None:
    admin, session, case = applied.actor("admin"), applied.session, applied.case
    write(applied, "admin", "mine")
    write(applied, "staff", "one")
    write(applied, "staff", "two")
    assert unread_count(session, case, admin, now()) == 2
    assert [m.unread for m in messages_of(session, case, admin, now())] == [True, True, False]
    mark_seen(session, case, actor=admin, at=now())
    assert unread_count(session, case, admin, now()) == 0
    write(applied, "staff", "three")
    assert unread_count(session, case, admin, now()) == 1
    assert unread_count(session, case, applied.actor("nurse"), now()) == 4


def test_messages_about_an_item_are_found_with_it(applied: Applied) -> None:
    write(applied, "admin", "general")
    write(applied, "admin", "about it", item="standard:7.3")
    assert bodies(applied, "staff", item="standard:7.3") == ["about it"]
    assert items_of(applied.session, applied.case, applied.actor("staff"), now()) == [
        ("", "The case", 1),
        ("standard:7.3", "Standard 7.3", 1),
    ]


@pytest.mark.parametrize(
    "item",
    [
        "javascript:alert(1)", "standard:../../x y", "standard:7.3\n", "standard:9.9", "element:7.3.z", "section:moon",
        "requirement:1", "site:x", "site:" + "9" * 30, "invoice:none", "evidence:none",
    ],
)  # fmt: skip
def test_nobody_writes_about_what_is_not_there(applied: Applied, item: str) -> None:
    with pytest.raises(Invalid) as refusal:
        write(applied, "admin", "Hello", item=item)
    assert [e.field for e in refusal.value.errors] == ["item"]


def test_a_message_is_about_what_is_of_this_case_and_not_about_another_practice_s(applied: Applied) -> None:
    other = apply(applied.session)
    for each in (applied, other):
        each.pay()
    for kind, key in (("evidence", evidence_of), ("site", site_of), ("invoice", invoice_of)):
        write(applied, "admin", "Ours", item=f"{kind}:{key(applied)}")
        with pytest.raises(Invalid):
            write(applied, "admin", "Theirs", item=f"{kind}:{key(other)}")


def test_a_requirement_is_spoken_of_once_the_report_has_named_it(session: Session, clock: FixedClock) -> None:
    world = surveyed(session, clock.now(), not_met=[("7.3.b", 0)])
    surveyor = world.actors["surveyor"]
    item = f"requirement:{write_requirement(session, world.case, '7.3.b', 'Mine.', actor=surveyor, at=world.at).id}"
    assert not is_there(session, world.case, item)
    world.to_issued()
    assert is_there(session, world.case, item)


def evidence_of(applied: Applied) -> str:
    return applied.add("7.3.b")[0].uuid


def site_of(applied: Applied) -> int:
    return applied.session.scalars(select(Site.id).where(Site.practice_id == applied.practice.id)).first() or 0


def invoice_of(applied: Applied) -> str:
    return applied.session.scalars(select(Invoice.number).where(Invoice.case_id == applied.case.id)).first() or ""


def test_who_listens_hears_of_a_message(applied: Applied) -> None:
    heard: list[MessageWritten] = []
    events.subscribe(MessageWritten, lambda _session, event: heard.append(event))
    write(applied, "staff", "Hello", item="standard:7.3")
    assert [(e.audience, e.item, e.author_side) for e in heard] == [("practice_and_program", "standard:7.3", "program")]


def test_older_messages_come_page_by_page(applied: Applied) -> None:
    ids = [write(applied, "admin", f"m{n}") for n in range(5)]
    first = messages_of(applied.session, applied.case, applied.actor("staff"), now(), limit=2)
    second = messages_of(applied.session, applied.case, applied.actor("staff"), now(), before=first[-1].id, limit=2)
    assert [m.id for m in first + second] == [ids[4], ids[3], ids[2], ids[1]]
