"""Letting go of uploads that were begun and never finished."""

from __future__ import annotations

from sqlalchemy.orm import Session

from certify.core.foundation.clock import Clock
from certify.platform.storage.parts import sweep


def sweep_parts(session: Session, clock: Clock) -> int:
    """Delete parts that nothing was added to for 30 days; returns how many."""
    return sweep(clock.now())
