"""The messages of a case."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.memory import remember_reads
from certify.certification.cases.queries import actor_may, case_for, header_for
from certify.certification.discussions.operations import mark_seen, write_message
from certify.certification.discussions.queries import audiences_for, items_of, messages_of
from certify.certification.discussions.rules import ITEM_FORM, item_label, item_url
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import FieldError, Invalid
from certify.db import db
from certify.platform.web.edges import commits, current_actor, records_reading, requires
from certify.platform.web.paging import Page, linked, read_cursor, write_cursor

bp = Blueprint("discussions", __name__)

PAGE = 30


@bp.get("/cases/<ref>/messages")
@requires(Permission.READ_MESSAGES)
@records_reading
def index(ref: str) -> ResponseReturnValue:
    """Read the messages of a case; those before this person are noted as read."""
    return _page(ref, {}, (), 200)


@bp.post("/cases/<ref>/messages")
@requires(Permission.WRITE_MESSAGE)
@commits
def write(ref: str) -> ResponseReturnValue:
    """Send a message."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.WRITE_MESSAGE)
    given = {key: request.form.get(key, "") for key in ("body", "audience", "item")}
    try:
        message = write_message(
            db.session, case, given["body"], audience=given["audience"], item=given["item"], actor=actor, at=now()
        )
    except Invalid as invalid:
        db.session.rollback()
        return _page(ref, given, invalid.errors, 422)
    flash("Your message is sent.")
    back = url_for("discussions.index", ref=ref, item=given["item"] or None)
    return redirect(f"{back}#m{message.id}")


def _page(ref: str, given: dict[str, str], errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    remember_reads(db.session)
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.READ_MESSAGES)
    item = given.get("item") or request.args.get("item", "")
    item = item if ITEM_FORM.fullmatch(item) else ""
    before = _before(request.args.get("cursor"))
    rows = messages_of(db.session, case, actor, at, item=item, before=before, limit=PAGE + 1)
    shown = rows[:PAGE]
    following = write_cursor((shown[-1].id,)) if len(rows) > PAGE else None
    writes = actor_may(db.session, case, actor, Permission.WRITE_MESSAGE)
    page = render_template(
        "certification/discussions/index.html", header=header_for(db.session, case, actor, at, "messages"), messages=shown, item=item,
        item_label=item_label(item), item_url=item_url(ref, item), items=items_of(db.session, case, actor, at), given=given, errors=errors,
        messages_by_field={e.field: e.message for e in errors}, audiences=audiences_for(db.session, case, actor, at) if writes else [],
        page=linked(Page(shown, following), f"/cases/{ref}/messages", {"item": item}),
    )  # fmt: skip
    if status == 200 and not item and before is None:
        mark_seen(db.session, case, actor=actor, at=at)
    return page, status


def _before(cursor: str | None) -> int | None:
    if not cursor:
        return None
    (last,), _back = read_cursor(cursor, (int,))
    return cast(int, last)
