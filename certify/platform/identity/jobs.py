"""Clearing away what has run out: sign-ins, links and counted tries."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import delete
from sqlalchemy.orm import Session

from certify.core.foundation.clock import Clock
from certify.platform.identity.models import MailedLink, SignIn, SignInAttempt
from certify.platform.identity.rules import ABSOLUTE_LIMIT, COUNTED_FOR, IDLE_LIMIT

# Long enough that a person asking "who was signed in last week" gets an answer.
KEPT_AFTER_END = timedelta(days=30)


def clear_ended(session: Session, clock: Clock) -> int:
    """Delete what ended a month ago and tries that no longer count; returns how many rows went."""
    at = clock.now()
    old = at - KEPT_AFTER_END
    gone = 0
    for statement in (
        delete(SignIn).where(
            sa.or_(SignIn.ended_at < old, SignIn.seen_at < old - IDLE_LIMIT, SignIn.created_at < old - ABSOLUTE_LIMIT)
        ),
        delete(MailedLink).where(MailedLink.expires_at < old),
        delete(SignInAttempt).where(SignInAttempt.at < at - COUNTED_FOR),
    ):
        gone += session.execute(statement).rowcount  # type: ignore[attr-defined]
    return gone
