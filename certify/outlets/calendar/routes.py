"""The page where a person gets the address of their calendar, and the calendar itself."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeSerializer

from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotFound
from certify.db import db
from certify.outlets.calendar.operations import renew_feed, stop_feed
from certify.outlets.calendar.queries import entries_of, feed_of
from certify.outlets.calendar.rules import write
from certify.platform.identity.queries import actor_as, find_person
from certify.platform.mail import addresses
from certify.platform.web.edges import commits, current_person, public, requires

bp = Blueprint("calendar", __name__)

SCHEME = re.compile("^https?://")


@bp.get("/account/calendar")
@requires(Permission.SIGNED_IN)
def show() -> ResponseReturnValue:
    """The address of the own calendar, or how to get one."""
    feed = feed_of(db.session(), current_person().person_id)
    address = ""
    if feed is not None and feed.stopped_at is None:
        address = addresses.absolute(f"/calendar/{_signer().dumps([feed.person_id, feed.number])}.ics")
    return render_template(
        "outlets/calendar/show.html", feed=feed, address=address, opens=SCHEME.sub("webcal://", address)
    )


@bp.post("/account/calendar")
@requires(Permission.SIGNED_IN)
@commits
def renew() -> ResponseReturnValue:
    """Make the own calendar's address, or another one in its place."""
    person = current_person()
    feed = renew_feed(db.session(), person.person_id, actor=person.actor, at=now())
    flash(
        "Your calendar has an address." if feed.number == 1 else "Your calendar has a new address; the old one is dead."
    )
    return redirect("/account/calendar")


@bp.post("/account/calendar/stop")
@requires(Permission.SIGNED_IN)
@commits
def stop() -> ResponseReturnValue:
    """Let the address lead nowhere."""
    person = current_person()
    stop_feed(db.session(), person.person_id, actor=person.actor, at=now())
    flash("The address of your calendar no longer works.")
    return redirect("/account/calendar")


@bp.get("/calendar/<secret>.ics")
@public
def feed(secret: str) -> ResponseReturnValue:
    """The calendar of whoever the secret belongs to, with what they may see today."""
    session = db.session()
    try:
        person_id, number = _signer().loads(secret)
        kept, person = feed_of(session, person_id), find_person(session, person_id)
    except (BadData, TypeError, ValueError):
        kept = person = None
    if kept is None or person is None or kept.number != number or kept.stopped_at is not None or not person.active:
        raise NotFound("There is no such calendar. Its address may have been renewed.")
    body = write(entries_of(session, actor_as(session, person), addresses.base_url(), now()), "certify")
    return Response(
        body, mimetype="text/calendar", headers={"Cache-Control": "no-store, private", "Content-Disposition": 'inline; filename="certify.ics"'}
    )  # fmt: skip


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="calendar")
