"""A new message is told by mail to those who may read it, once until they have opened the messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import add_member, assign_staff
from certify.certification.discussions.operations import mark_seen, write_message
from certify.certification.discussions.rules import READERS, Audience
from certify.core.access.roles import Role
from certify.core.catalogue.loading import MESSAGE_AUDIENCES
from certify.core.foundation.clock import now
from certify.core.rulebook.current import current
from certify.platform.identity.models import RoleGrant
from certify.platform.mail.models import Outbox
from certify.platform.mail.writing import write as write_mail
from tests.support.applied import Applied, apply


@pytest.fixture
def applied(session: Session) -> Applied:
    made = apply(session)
    add_member(session, made.case, made.people["surveyor"].id, "surveyor", at=now())
    contact = made.people["staff"]
    assign_staff(session, made.case, contact.id, contact.name, actor=made.actor("staff"), at=now())
    return made


def write(applied: Applied, who: str, audience: Audience = Audience.PRACTICE_AND_PROGRAM, body: str = "Hello.") -> None:
    write_message(
        applied.session,
        applied.case,
        body,
        audience=audience.value,
        item="standard:7.3",
        actor=applied.actor(who),
        at=now(),
    )


def told(applied: Applied) -> list[str]:
    """Return who has been told of messages, by the names of this world, in the order of the mails."""
    names = {person.id: name for name, person in applied.people.items()}
    rows = applied.session.scalars(select(Outbox).where(Outbox.kind == "message").order_by(Outbox.id))
    return [names[row.person_id or 0] for row in rows]


def reads(applied: Applied, who: str) -> None:
    mark_seen(applied.session, applied.case, actor=applied.actor(who), at=now())


def test_everyone_concerned_but_the_author_is_told(applied: Applied) -> None:
    write(applied, "staff")
    assert {"admin", "physician", "nurse", "surveyor"} == set(told(applied))


def test_what_is_said_within_the_program_is_never_told_to_the_practice(applied: Applied) -> None:
    write(applied, "council", Audience.PROGRAM_ONLY)
    assert set(told(applied)) == {"staff"}
    write(applied, "staff", Audience.SURVEY_TEAM)
    assert set(told(applied)) == {"staff", "surveyor"}


def test_who_is_of_the_practice_is_told_nothing_internal_whatever_else_they_are(applied: Applied) -> None:
    applied.session.add(
        RoleGrant(person_id=applied.people["nurse"].id, role=Role.COUNCIL.value, practice_id=None, granted_at=now())
    )
    applied.session.flush()
    write(applied, "staff", Audience.PROGRAM_ONLY)
    assert told(applied) == ["council"]


def test_a_surveyor_who_is_only_proposed_or_has_left_is_not_told(session: Session) -> None:
    made = apply(session)
    add_member(session, made.case, made.people["surveyor"].id, "proposed_surveyor", at=now())
    write(made, "staff")
    assert "surveyor" not in told(made)
    member = add_member(session, made.case, made.people["surveyor"].id, "surveyor", at=now() - timedelta(days=9))
    member.until_at = now() - timedelta(days=1)
    write(made, "admin")
    assert "surveyor" not in told(made)


def test_one_mail_until_the_messages_are_opened_however_many_are_written(applied: Applied) -> None:
    for body in ("One.", "Two.", "Three."):
        write(applied, "staff", body=body)
    assert told(applied).count("admin") == 1
    reads(applied, "admin")
    write(applied, "staff", body="Four.")
    write(applied, "staff", body="Five.")
    assert told(applied).count("admin") == 2
    assert told(applied).count("nurse") == 1


def test_an_answer_finds_who_asked_though_another_looks_after_the_case(applied: Applied) -> None:
    write(applied, "second_staff")
    write(applied, "council")
    before = told(applied)
    assert {"second_staff", "council"} & set(before) == {"second_staff"}
    write(applied, "admin")
    assert "council" in told(applied)


def test_without_a_contact_all_program_staff_are_told(session: Session) -> None:
    made = apply(session)
    write(made, "admin")
    assert {"staff", "second_staff"} <= set(told(made))


def test_someone_who_has_left_is_not_told(applied: Applied) -> None:
    write(applied, "nurse")
    applied.people["nurse"].active = False
    applied.session.flush()
    write(applied, "staff")
    assert "nurse" not in told(applied)


def test_the_mail_says_who_wrote_and_who_reads_it_but_not_what(applied: Applied) -> None:
    write(applied, "staff", body="Bed 4 has a name on it.")
    admin = applied.people["admin"].id
    mail = applied.session.scalars(select(Outbox).where(Outbox.kind == "message", Outbox.person_id == admin)).one()
    text, html = write_mail(mail)
    for part in (text, html):
        assert applied.people["staff"].name in part
        assert "about standard 7.3" in part
        assert "the practice, the program and the survey team" in part
        assert f"/cases/{applied.case.ref}/messages" in part
        assert "Bed 4" not in part + mail.subject


def test_the_rules_name_a_notice_for_every_audience_and_tell_no_role_that_may_not_read_it() -> None:
    assert set(MESSAGE_AUDIENCES) == {a.value for a in Audience}
    notices = {n.audience: n for n in current().message_notices}
    assert set(notices) == set(MESSAGE_AUDIENCES)
    for key, notice in notices.items():
        roles = {Role(role) for role in notice.to if role not in ("contact", "writers")}
        assert roles <= READERS[Audience(key)]
