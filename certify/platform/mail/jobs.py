"""Sending what is due: claim, hand over, note. Safe with several senders and with a crash at any point."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.core.foundation.clock import Clock
from certify.core.foundation.ids import new_secret
from certify.db import UtcDateTime
from certify.platform.mail import transport
from certify.platform.mail.models import Outbox
from certify.platform.mail.rules import (
    BATCH,
    LEASE,
    PAUSE,
    REFUSALS_UNTIL_FAILED,
    SECRET,
    is_for_good,
    is_the_servers,
    next_try,
)
from certify.platform.mail.writing import (
    compose,
    sender_of,
    write_html,
    write_text,
)

log = logging.getLogger(__name__)


def send_due(session: Session, clock: Clock) -> int:
    """Send every mail that is due; returns how many left. Without a mail server set, nothing moves."""
    url = transport.smtp_url()
    sent = 0
    while url is not None:
        done, more = _send_batch(session, clock, url)
        sent += done
        if not more:
            break
    return sent


def claim(session: Session, at: datetime, *, limit: int = BATCH) -> tuple[str, list[int]]:
    """Take mails for ourselves for a minute and commit; no other sender gets them meanwhile."""
    token = new_secret()
    taken = _take(session, WAITING, Outbox.due_at, token, at, limit)
    if len(taken) < limit:
        taken += _take(session, LEFT_OVER, Outbox.lease_until, token, at, limit - len(taken))
    session.commit()
    return token, sorted(taken)


_AT = sa.bindparam("at", type_=UtcDateTime())
# Each walks an index of its own, in its order: what waits by its date, what a broken-off sender left in hand.
WAITING = (Outbox.state == "pending", Outbox.due_at <= _AT)
LEFT_OVER = (
    Outbox.state.in_(["claimed", "handed"]),
    sa.or_(Outbox.state == "claimed", Outbox.once_only.is_(False)),
    Outbox.lease_until < _AT,
)


def _take(
    session: Session, due: Sequence[sa.ColumnElement[bool]], order: Any, token: str, at: datetime, limit: int
) -> list[int]:
    query = select(Outbox.id).where(*due).order_by(order, Outbox.id).limit(limit)
    if session.get_bind().dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    change = (
        update(Outbox)
        .where(Outbox.id.in_(query.scalar_subquery()))
        .values(state="claimed", lease_token=token, lease_until=at + LEASE)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return list(session.scalars(change, {"at": at}))


def _send_batch(session: Session, clock: Clock, url: str) -> tuple[int, bool]:
    if not _anything_due(session, clock.now()):
        session.rollback()
        return 0, False
    session.rollback()
    token, ids = claim(session, clock.now())
    sent = 0
    try:
        with transport.connection(url) as server:
            for mail_id in ids:
                sent += _send_one(session, clock, server, url, token, mail_id)
    except (OSError, smtplib.SMTPException) as trouble:
        # The server, not the mail: what is still ours waits and is tried again for as long as it takes.
        log.warning("mail server not usable: %s", trouble)
        _put_back(session, token, clock.now(), f"The mail server could not be used: {trouble}")
        return sent, False
    return sent, len(ids) == BATCH


def _anything_due(session: Session, at: datetime) -> bool:
    """One look at two small indexes, so that an idle round takes no write lock."""
    given = {"at": at}
    return any(
        session.scalar(select(Outbox.id).where(*due).limit(1), given) is not None for due in (WAITING, LEFT_OVER)
    )


def _send_one(session: Session, clock: Clock, server: smtplib.SMTP, url: str, token: str, mail_id: int) -> int:
    mail = session.get(Outbox, mail_id, populate_existing=True)
    if mail is None or mail.lease_token != token or mail.state != "claimed":
        session.rollback()
        return 0
    sender = sender_of(url)
    try:
        text, html = write_text(mail), write_html(mail)
        mail.text, mail.html = text, html
        message = compose(mail, sender=sender, at=clock.now())
        kept = {} if mail.kind in SECRET else {"text": text, "html": html}
        forgotten: dict[str, Any] = {"context": {}} if mail.kind in SECRET else {}
    except Exception as broken:
        log.exception("mail %s cannot be written", mail_id)
        session.rollback()
        _note(
            session,
            token,
            mail_id,
            state="failed",
            last_error=f"The mail could not be written: {broken}",
            lease_token=None,
            lease_until=None,
        )
        return 0
    once_only = mail.once_only
    session.rollback()
    _check_line(server)
    handed = {"state": "handed", **kept, "attempts": Outbox.attempts + 1, "lease_until": clock.now() + LEASE}
    if not _note(session, token, mail_id, message_id=message["Message-ID"], **handed):
        return 0
    try:
        server.send_message(message)
    except smtplib.SMTPException as refusal:
        # An SMTPException is an OSError too, so this comes first.
        if isinstance(refusal, smtplib.SMTPServerDisconnected):
            _cut_off(session, token, mail_id, once_only)
            raise
        if is_the_servers(_answer(refusal)[0], sender_refused=isinstance(refusal, smtplib.SMTPSenderRefused)):
            _step_back(session, token, mail_id, clock.now(), refusal)
            raise
        _refused(session, clock, token, mail_id, refusal)
        return 0
    except OSError:
        _cut_off(session, token, mail_id, once_only)
        raise
    done = {
        "state": "sent",
        "sent_at": clock.now(),
        "last_error": "",
        "lease_token": None,
        "lease_until": None,
        **forgotten,
    }
    return int(_note(session, token, mail_id, **done))


def _cut_off(session: Session, token: str, mail_id: int, once_only: bool) -> None:
    """The connection broke before the answer: nobody knows whether the mail left.

    What may go out twice waits with the rest of the batch; what may not stays as it is, for a person to look at.
    """
    if not once_only:
        _note(session, token, mail_id, state="claimed")


def _check_line(server: smtplib.SMTP) -> None:
    """Ask whether the server still listens, before a mail is noted as handed over: a silent end must not look like a try.

    Raises: SMTPException, OSError.
    """
    code, words = server.noop()
    if code >= 400:
        raise smtplib.SMTPResponseException(code, words)


def _step_back(session: Session, token: str, mail_id: int, at: datetime, refusal: smtplib.SMTPException) -> None:
    """The server has trouble of its own: this was no try, and the mails behind this one go first next time."""
    code, words = _answer(refusal)
    _note(
        session, token, mail_id, state="pending", attempts=Outbox.attempts - 1, last_error=f"{code} {words}".strip(),
        due_at=at + 2 * PAUSE, lease_token=None, lease_until=None,
    )  # fmt: skip


def _refused(session: Session, clock: Clock, token: str, mail_id: int, refusal: smtplib.SMTPException) -> None:
    """The server took the call and refused this mail: for good, or for now."""
    code, words = _answer(refusal)
    attempts = session.scalar(select(Outbox.attempts).where(Outbox.id == mail_id)) or 0
    session.rollback()
    given_up = is_for_good(code) or attempts >= REFUSALS_UNTIL_FAILED
    _note(
        session, token, mail_id, state="failed" if given_up else "pending", last_error=f"{code} {words}".strip(),
        due_at=clock.now() + next_try(attempts), lease_token=None, lease_until=None,
    )  # fmt: skip


def _answer(refusal: smtplib.SMTPException) -> tuple[int, str]:
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(refusal.recipients.values()))
        return code, _words(words)
    if isinstance(refusal, smtplib.SMTPResponseException):
        return refusal.smtp_code, _words(refusal.smtp_error)
    return 0, str(refusal)


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _note(session: Session, token: str, mail_id: int, **values: object) -> bool:
    """Write what happened to a mail that is still ours, and commit; False when another sender has it by now."""
    mine = update(Outbox).where(Outbox.id == mail_id, Outbox.lease_token == token).values(**values).returning(Outbox.id)
    changed = session.scalars(mine.execution_options(synchronize_session=False)).all()
    session.commit()
    return bool(changed)


def _put_back(session: Session, token: str, at: datetime, why: str) -> None:
    session.rollback()
    session.execute(
        update(Outbox)
        .where(Outbox.lease_token == token, Outbox.state == "claimed")
        .values(state="pending", due_at=at + PAUSE, last_error=why, lease_token=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    session.commit()
