"""Mail is a row in the act's own transaction."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify import resources
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotFound, NotOpen
from certify.platform.mail.models import Outbox
from certify.platform.mail.operations import Mail, post, post_all, send_again, try_now
from certify.platform.mail.queries import count_by_group
from certify.platform.mail.rules import LEASE, plain_line
from certify.platform.mail.writing import compose, message_id, write
from tests.builders import make_actor, make_person, sign_in


def put(session: Session, key: str = "k", **fields: object) -> Outbox:
    """Post a mail and return its row."""
    values = {
        "dedupe_key": key,
        "kind": "news",
        "to_email": "dana@people.example",
        "to_name": "Dana",
        "subject": "News",
        "why": "You asked.",
        "at": now(),
    }
    post(session, **{**values, **fields})  # type: ignore[arg-type]
    return session.scalars(select(Outbox).where(Outbox.dedupe_key == key)).one()


def test_the_same_key_is_written_once(session: Session) -> None:
    mails = [Mail("a", "news", "x@people.example", "A", "why"), Mail("b", "news", "x@people.example", "B", "why")]
    assert post_all(session, mails, at=now()) == 2
    assert post_all(session, [*mails, Mail("c", "news", "x@people.example", "C", "why")], at=now()) == 1
    assert post_all(session, [], at=now()) == 0


def test_a_mail_goes_with_its_transaction(session: Session) -> None:
    nested = session.begin_nested()
    put(session)
    nested.rollback()
    assert session.scalars(select(Outbox)).all() == []


@pytest.mark.parametrize("field", ["to_name", "subject"])
def test_no_header_can_be_slipped_in(session: Session, field: str) -> None:
    mail = put(session, **{field: "Dana\r\nBcc: all@evil.example\r\n\r\nBuy now"})
    message = compose(mail, sender="certify@program.example", at=now())
    assert message["Bcc"] is None
    assert [name for name in message.keys() if name.lower() == "bcc"] == []  # noqa: SIM118 - a message lists its headers twice
    assert "\n" not in message["Subject"]
    assert "\n" not in str(message["To"])


def test_an_address_that_is_none_cannot_be_written_to(session: Session) -> None:
    mail = put(session, to_email="dana@people.example\r\nBcc: x@evil.example")
    with pytest.raises((ValueError, IndexError)):
        compose(mail, sender="certify@program.example", at=now())


def test_names_of_all_scripts_survive(session: Session) -> None:
    message = compose(
        put(session, to_name="Søren Ünal, 李", subject="Größe – ok"), sender="c@program.example", at=now()
    )
    from email import message_from_bytes
    from email.policy import default

    again = message_from_bytes(message.as_bytes(), policy=default)
    assert again["Subject"] == "Größe – ok"
    assert again["To"].addresses[0].display_name == "Søren Ünal, 李"


def test_both_texts_say_the_same_and_escape_what_people_wrote(session: Session) -> None:
    mail = put(
        session,
        context={
            "lines": ["5 < 6 & <script>alert(1)</script>"],
            "action_label": "Open",
            "action_path": "/cases/LO-2026-001",
        },
    )
    text, html = write(mail)
    assert "5 < 6 & <script>" in text
    assert "http://127.0.0.1:8000/cases/LO-2026-001" in text
    assert "You asked." in text
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "You asked." in html
    assert 'style="' in html


def test_the_message_id_is_the_same_for_each_try_and_another_when_sent_again(session: Session) -> None:
    mail = put(session)
    first = message_id(mail, "program.example")
    assert message_id(mail, "program.example") == first
    assert first.endswith("@program.example>")
    mail.state = "sent"
    send_again(session, mail.id, actor=make_actor(session, Role.PROGRAM_STAFF), at=now())
    assert mail.state == "pending"
    assert message_id(mail, "program.example") != first


def test_staff_send_again_what_has_left_or_failed_and_hurry_what_waits(session: Session) -> None:
    staff, mail = make_actor(session, Role.PROGRAM_STAFF), put(session)
    with pytest.raises(NotOpen):
        send_again(session, mail.id, actor=staff, at=now())
    assert try_now(session, mail.id, actor=staff, at=now()).due_at <= now()
    mail.state = "failed"
    with pytest.raises(NotOpen):
        try_now(session, mail.id, actor=staff, at=now())
    assert send_again(session, mail.id, actor=staff, at=now()).attempts == 0
    with pytest.raises(NotFound):
        send_again(session, 10**6, actor=staff, at=now())


def test_what_is_being_handed_over_is_not_sent_a_second_time(client: FlaskClient, session: Session) -> None:
    mail, staff = put(session), make_person(session, Role.PROGRAM_STAFF)
    mail.state, mail.lease_token, mail.lease_until = "handed", "a sender's", now() + LEASE
    sign_in(client, staff)
    assert client.post(f"/mail/{mail.id}/again").status_code == 409
    assert "Send it again" not in client.get(f"/mail/{mail.id}").text
    mail.lease_until = now()
    assert "Send it again" in client.get(f"/mail/{mail.id}").text
    assert client.post(f"/mail/{mail.id}/again").status_code == 302
    assert (mail.state, mail.lease_token) == ("pending", None)


def test_a_link_that_was_sent_is_not_sent_again_by_staff(session: Session) -> None:
    mail = put(
        session,
        kind="invitation",
        template="invitation",
        context={"action_path": "/invitation/x", "days": 7, "inviter": "", "role": "", "place": ""},
    )
    mail.state = "sent"
    with pytest.raises(NotOpen):
        send_again(session, mail.id, actor=make_actor(session, Role.PROGRAM_STAFF), at=now())


def test_every_template_has_both_texts_and_can_be_written(session: Session) -> None:
    folder = resources.TEMPLATES / "mail"
    names = {p.stem for p in folder.glob("*.txt")} - {"base", "where"}
    assert names == {p.stem for p in folder.glob("*.html")} - {"base", "where"}
    facts = {
        "practice": "Lakeside", "ref": "LO-2026-001", "step": "Step 1 of 6 – Application", "state": "Sent", "status": "Check it",
        "waiting_for": "you", "next": "Then more.", "asked": True, "due": "Friday 4 December 2026", "due_away": "in 2 days", "due_after": "",
        "quoted": "", "by": "Dana", "late": False, "right": False, "deadline": "Plan", "deadline_on": "Friday", "deadline_away": "in 2 days",
        "deadline_after": "", "last": False, "days": 7, "hours": 2, "inviter": "Dana", "role": "council member", "place": "", "about": "", "read_by": "the practice",
    }  # fmt: skip
    for name in names:
        text, html = write(
            put(session, key=name, template=name, context={**facts, "action_path": "/x", "action_label": "Go"})
        )
        assert "http://127.0.0.1:8000/x" in text, name
        assert "http://127.0.0.1:8000/x" in html, name
        assert "\n\n\n" not in text, (name, text)
        assert "None" not in text, (name, text)


def test_the_staff_page_shows_filters_and_acts(client: FlaskClient, session: Session) -> None:
    rows = [
        put(session, key=f"k{n}", subject=f"News number {n}", case_ref="LO-2026-001" if n == 7 else "")
        for n in range(45)
    ]
    rows[3].state, rows[3].last_error = "failed", "550 no such mailbox"
    rows[4].state, rows[5].state = "handed", "sent"
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    page = client.get("/mail").text
    assert "News number 44" in page
    assert "News number 24" not in page
    assert 'rel="next"' in page
    assert "550 no such mailbox" in client.get("/mail?state=failed").text
    assert "News number 4<" in client.get("/mail?state=unclear").text
    assert "News number 7<" in client.get("/mail?q=lo-2026-001").text
    assert "No mail here" in client.get("/mail?q=nobody").text
    shown = client.get(f"/mail/{rows[3].id}").text
    assert "Send it again" in shown
    assert "You asked." in shown
    assert client.post(f"/mail/{rows[3].id}/again").status_code == 302
    assert client.post(f"/mail/{rows[3].id}/again").status_code == 409
    assert client.post(f"/mail/{rows[3].id}/now").status_code == 302
    assert client.get("/mail/999999").status_code == 404


def test_who_may_read_mail_may_not_therefore_send_it(client: FlaskClient, session: Session) -> None:
    mail = put(session)
    sign_in(client, make_person(session, Role.AUDITOR))
    assert client.get(f"/mail/{mail.id}").status_code == 200
    assert client.post(f"/mail/{mail.id}/now").status_code == 403


def test_a_link_that_lets_someone_in_is_shown_to_nobody_else(client: FlaskClient, session: Session) -> None:
    context = {"action_path": "/invitation/very-secret", "days": 7, "inviter": "", "role": "", "place": ""}
    mail = put(session, kind="invitation", template="invitation", context=context)
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    assert "very-secret" not in client.get(f"/mail/{mail.id}").text


def test_a_line_is_one_line() -> None:
    assert plain_line("a\x00b\u2028c\td") == "a b c d"


def test_the_mail_page_counts_no_further_than_it_shows(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certify.platform.mail.routes.MOST_COUNTED", 3)
    for n in range(9):
        put(session, key=f"k{n}").state = "sent" if n < 5 else "claimed" if n < 7 else "pending"
    put(session, key="one").state = "failed"
    session.flush()
    assert count_by_group(session) == {"queued": 4, "unclear": 0, "sent": 5, "failed": 1}
    assert count_by_group(session, most=4) == {"queued": 4, "unclear": 0, "sent": 4, "failed": 1}
    sign_in(client, make_person(session, Role.PROGRAM_STAFF))
    page = client.get("/mail").text
    assert page.count("3+") == 2
    assert ">1</span>" in page
