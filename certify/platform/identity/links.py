"""Single-use links by mail: an invitation to an account, and the way back in for who forgot the password."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from certify.core.foundation.errors import Refusal
from certify.core.foundation.ids import digest, new_secret
from certify.platform.identity.models import MailedLink, Person
from certify.platform.identity.rules import INVITATION_LIFE, RESET_LIFE
from certify.platform.mail.operations import post

LIFE = {"invitation": INVITATION_LIFE, "reset": RESET_LIFE}
LABELS = {"invitation": "Accept the invitation", "reset": "Set a new password"}
# A second wish within this time does not make a second mail: the form must not flood anyone's mailbox.
RESET_PAUSE = timedelta(minutes=2)


class LinkGone(Refusal):
    """The link was used, has run out, or never was."""


def send_link(
    session: Session, person: Person, kind: str, *, at: datetime, inviter: str = "", role: str = "", place: str = ""
) -> str:
    """Make a link, mail it to the person and return its secret; links of the kind sent before stop working."""
    session.execute(
        update(MailedLink)
        .where(MailedLink.person_id == person.id, MailedLink.kind == kind, MailedLink.used_at.is_(None))
        .values(used_at=at)
    )
    secret = new_secret()
    link = MailedLink(digest=digest(secret), kind=kind, person_id=person.id, created_at=at, expires_at=at + LIFE[kind])
    session.add(link)
    session.flush()
    path = f"/{kind}/{secret}"
    if kind == "invitation":
        what = f" as {role}" if role else ""
        where = f" at {place}" if place else ""
        subject, why = f"Your invitation to certify{what}{where}", f"{inviter or 'The program'} invited you."
    else:
        subject, why = "Set a new password", "Someone, most likely you, asked for a new password for this address."
    post(
        session, dedupe_key=f"{kind}:{link.id}", kind=kind, template=kind, person_id=person.id, to_email=person.email, to_name=person.name,
        subject=subject, why=why, at=at, context={"action_path": path, "action_label": LABELS[kind], "inviter": inviter, "role": role, "place": place, "days": LIFE[kind].days, "hours": int(LIFE[kind].total_seconds() // 3600)},
    )  # fmt: skip
    return secret


def ask_for_reset(session: Session, person: Person | None, *, at: datetime) -> None:
    """Mail a way back in, if there is such an open account and none was mailed a moment ago."""
    if person is None or not person.active:
        return
    kind = "reset" if person.password_hash else "invitation"
    recent = select(MailedLink.id).where(
        MailedLink.person_id == person.id,
        MailedLink.kind == kind,
        MailedLink.used_at.is_(None),
        MailedLink.created_at > at - RESET_PAUSE,
    )
    if session.scalar(recent.limit(1)) is None:
        send_link(session, person, kind, at=at)


def person_of_link(session: Session, secret: str, kind: str, *, at: datetime, use: bool = False) -> Person:
    """Return whom a link was sent to; with `use` it stops working, for this one caller.

    Raises: LinkGone.
    """
    live = (
        MailedLink.digest == digest(secret),
        MailedLink.kind == kind,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > at,
    )
    if use:
        # One statement decides who was first, on either database.
        person_id = session.scalar(update(MailedLink).where(*live).values(used_at=at).returning(MailedLink.person_id))
    else:
        person_id = session.scalar(select(MailedLink.person_id).where(*live))
    person = session.get(Person, person_id) if person_id is not None else None
    if person is None or not person.active:
        raise LinkGone("This link has been used or has run out. Ask for a new one below.")
    return person
