"""Reading the outbox."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from certify.core.foundation.errors import NotFound
from certify.platform.mail.models import Outbox

# What staff choose from: a word for each group of states.
GROUPS: dict[str, tuple[str, ...]] = {
    "queued": ("pending", "claimed"),
    "unclear": ("handed",),
    "sent": ("sent",),
    "failed": ("failed",),
}


def group_of(state: str) -> str:
    """Return the word that staff know a state by.

    >>> group_of("claimed"), group_of("sent")
    ('queued', 'sent')
    """
    return next(group for group, states in GROUPS.items() if state in states)


def list_mail(
    session: Session,
    *,
    group: str = "",
    text: str = "",
    before: int | None = None,
    after: int | None = None,
    limit: int = 20,
) -> Sequence[Outbox]:
    """Return mails, newest first (nearest first after `after`); `text` begins the address, or is a case's reference."""
    query = select(Outbox).options(defer(Outbox.text), defer(Outbox.html), defer(Outbox.context)).limit(limit)
    if group in GROUPS:
        query = query.where(Outbox.state.in_(GROUPS[group]))
    if text:
        # A range and an equality, each by its own index.
        begins = text.lower()
        by_address = select(Outbox.id).where(Outbox.to_email >= begins, Outbox.to_email < begins + "\uffff")
        of_case = select(Outbox.id).where(Outbox.case_ref == text.upper())
        query = query.where(Outbox.id.in_(sa.union_all(by_address, of_case)))
    if before is not None:
        query = query.where(Outbox.id < before)
    if after is not None:
        return session.scalars(query.where(Outbox.id > after).order_by(Outbox.id)).all()
    return session.scalars(query.order_by(Outbox.id.desc())).all()


def mail_for(session: Session, mail_id: int) -> Outbox:
    """Return one mail; raises NotFound."""
    mail = session.get(Outbox, mail_id)
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail


def count_by_group(session: Session, *, most: int | None = None) -> dict[str, int]:
    """Return how many mails are queued, unclear, sent and failed.

    Args:
        most: stop counting a state after so many; a page asks for one more than it shows, so that years of sent mail cost it nothing.
    """
    numbers = []
    for states in GROUPS.values():
        for state in states:
            rows = select(Outbox.id).where(Outbox.state == state).limit(most).subquery()
            numbers.append(select(sa.func.count()).select_from(rows).scalar_subquery().label(state))
    counts = session.execute(select(*numbers)).one()._mapping
    found = {group: sum(counts[state] for state in states) for group, states in GROUPS.items()}
    return found if most is None else {group: min(number, most) for group, number in found.items()}


def list_mail_of_case(session: Session, case_ref: str, *, limit: int = 50) -> Sequence[Outbox]:
    """Return the mails about one case, newest first."""
    return session.scalars(
        select(Outbox).where(Outbox.case_ref == case_ref).order_by(Outbox.id.desc()).limit(limit)
    ).all()
