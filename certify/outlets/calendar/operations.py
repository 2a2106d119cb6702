"""Giving a person a calendar, another address for it, or none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotFound
from certify.outlets.calendar.models import CalendarFeed
from certify.platform.audit.operations import record


def renew_feed(session: Session, person_id: int, *, actor: Actor, at: datetime) -> CalendarFeed:
    """Give the person's calendar a new address; the one before leads nowhere from now on."""
    feed = _locked(session, person_id)
    first = feed is None
    if feed is None:
        feed = CalendarFeed(person_id=person_id, number=0, made_at=at)
        session.add(feed)
    feed.number += 1
    feed.made_at, feed.stopped_at = at, None
    summary = (
        "Asked for a calendar address" if first else "Renewed the calendar address; the one before no longer works"
    )
    record(session, f"person:{person_id}", "calendar.renewed", summary, actor=actor, at=at, subject="/account/calendar")
    return feed


def stop_feed(session: Session, person_id: int, *, actor: Actor, at: datetime) -> None:
    """Let the address of the person's calendar lead nowhere. Raises: NotFound when there is none in use."""
    feed = _locked(session, person_id)
    if feed is None or feed.stopped_at is not None:
        raise NotFound("There is no calendar address in use.")
    feed.stopped_at = at
    summary = "Stopped the calendar address"
    record(session, f"person:{person_id}", "calendar.stopped", summary, actor=actor, at=at, subject="/account/calendar")


def _locked(session: Session, person_id: int) -> CalendarFeed | None:
    query = select(CalendarFeed).where(CalendarFeed.person_id == person_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()
