"""Clearing away keys of forms and calls that nobody will send again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from certify.core.foundation.clock import Clock
from certify.platform.web.models import OnceKey

KEPT = timedelta(days=2)


def clear_once_keys(session: Session, clock: Clock) -> int:
    """Delete keys older than two days; returns how many."""
    return int(session.execute(delete(OnceKey).where(OnceKey.created_at < clock.now() - KEPT)).rowcount)  # type: ignore[attr-defined]
