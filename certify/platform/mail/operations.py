"""Putting mail into the outbox, and what staff do with it there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotFound, NotOpen
from certify.platform.audit.operations import record
from certify.platform.mail.addresses import base_url
from certify.platform.mail.models import Outbox
from certify.platform.mail.rules import ONCE_ONLY, SECRET, goes_again, plain_line


@dataclass(frozen=True)
class Mail:
    """A mail to write: to whom, which template with which facts, and why this person gets it."""

    dedupe_key: str
    kind: str
    to_email: str
    subject: str
    why: str
    to_name: str = ""
    template: str = "notice"
    context: dict[str, Any] = field(default_factory=dict)
    person_id: int | None = None
    case_ref: str = ""
    due_at: datetime | None = None
    reminder_key: str | None = None  # what all mails of one reminder share
    once_only: bool = False  # never sent again by itself when nobody can know whether it left


def post(
    session: Session,
    *,
    dedupe_key: str,
    kind: str,
    to_email: str,
    subject: str,
    why: str,
    at: datetime,
    to_name: str = "",
    template: str = "notice",
    context: dict[str, Any] | None = None,
    person_id: int | None = None,
    case_ref: str = "",
    due_at: datetime | None = None,
) -> int:
    """Put one mail into the outbox in the caller's transaction; returns 1, or 0 when that key was written before."""
    mail = Mail(dedupe_key, kind, to_email, subject, why, to_name, template, context or {}, person_id, case_ref, due_at)
    return post_all(session, [mail], at=at)


def post_all(session: Session, mails: Iterable[Mail], *, at: datetime) -> int:
    """Put several mails into the outbox with one statement; returns how many were new.

    Texts are written from the template when the mail leaves, so an act waits for no template.
    """
    rows = {m.dedupe_key: _row(m, at) for m in mails}
    if not rows:
        return 0
    session.flush()
    connection = session.connection()
    options = {"preserve_rowcount": True}
    insert = _insert_new(connection.dialect.name)
    return connection.execute(insert, list(rows.values()), execution_options=options).rowcount


@lru_cache(maxsize=2)
def _insert_new(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(cast(Table, Outbox.__table__)).on_conflict_do_nothing(index_elements=["dedupe_key"])


def send_again(session: Session, mail_id: int, *, actor: Actor, at: datetime) -> Outbox:
    """Let a mail that was sent, has failed or hangs go out once more.

    Raises: NotFound; NotOpen while it is still waiting, or a sender has it in hand.
    """
    mail = _locked(session, mail_id)
    if mail.state == "handed" and not goes_again(mail.state, mail.lease_until, at):
        raise NotOpen("This mail is being handed to the mail server at this moment. Look again in a minute.")
    if not goes_again(mail.state, mail.lease_until, at):
        raise NotOpen("This mail has not left yet; it goes out by itself.")
    if mail.kind in SECRET and mail.state == "sent":
        raise NotOpen("Its link is not kept. Invite the person again, or let them ask for a new password.")
    if mail.state == "sent" or (mail.state == "handed" and mail.once_only):
        mail.again += 1  # a new Message-ID: the receiver must not take it for the one before
    _queue(mail, at)
    record(
        session,
        "mail",
        "mail.sent_again",
        f"Sent “{mail.subject}” to {mail.to_email} again",
        actor=actor,
        at=at,
        subject=f"/mail/{mail.id}",
    )
    return mail


def try_now(session: Session, mail_id: int, *, actor: Actor, at: datetime) -> Outbox:
    """Let a waiting mail be tried at the next round, not at its next date; raises NotFound, NotOpen."""
    mail = _locked(session, mail_id)
    if mail.state != "pending":
        raise NotOpen("This mail is not waiting for another try.")
    _queue(mail, min(mail.due_at, at))
    record(
        session,
        "mail",
        "mail.hurried",
        f"Asked to try “{mail.subject}” to {mail.to_email} now",
        actor=actor,
        at=at,
        subject=f"/mail/{mail.id}",
    )
    return mail


def _queue(mail: Outbox, due_at: datetime) -> None:
    mail.state, mail.due_at, mail.attempts, mail.last_error = "pending", due_at, 0, ""
    mail.lease_token = mail.lease_until = None


def _locked(session: Session, mail_id: int) -> Outbox:
    mail = session.scalars(select(Outbox).where(Outbox.id == mail_id).with_for_update()).one_or_none()
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail


def _row(mail: Mail, at: datetime) -> dict[str, Any]:
    return {
        "dedupe_key": mail.dedupe_key, "kind": mail.kind, "template": mail.template, "context": {**mail.context, "base": base_url()},
        "person_id": mail.person_id, "to_email": mail.to_email, "to_name": plain_line(mail.to_name),
        "subject": plain_line(mail.subject, 300), "why": mail.why, "case_ref": mail.case_ref, "reminder_key": mail.reminder_key,
        "once_only": mail.once_only or mail.kind in ONCE_ONLY, "state": "pending", "due_at": mail.due_at or at, "attempts": 0, "again": 0,
        "last_error": "", "message_id": "", "created_at": at,
    }  # fmt: skip
