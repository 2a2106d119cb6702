"""The front pages of each role, search, and help."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify import resources
from certify.certification.cases.queries import actor_may, case_for, header_for, mine_first
from certify.certification.cases.timeline import lines
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation.clock import now
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.db import db
from certify.outlets.home import practice as practice_page
from certify.outlets.home import queries, visits
from certify.outlets.home.help import PAGES, read_page
from certify.outlets.home.queries import Ageing, QueueFilter
from certify.platform.audit.queries import list_events
from certify.platform.web.edges import current_actor, current_person, public, requires
from certify.platform.web.paging import linked

bp = Blueprint("home", __name__)

ROWS = 20
LATELY = 6
# How long counts over all open cases may be old: they change by the day, and counting costs more than the page.
AGEING_SECONDS = 60.0
HOLDERS = (
    ("program", "The program"),
    ("practice", "Practices"),
    ("surveyor", "Surveyors"),
    ("council", "The council"),
    ("finance", "Finance"),
)


@bp.get("/")
@requires(Permission.SIGNED_IN)
def index() -> ResponseReturnValue:
    """The front page of the person's role."""
    actor = current_actor()
    if allowed(actor, Permission.VIEW_QUEUE):
        return redirect(url_for("home.today"))
    if actor.roles & PRACTICE_ROLES:
        return _practice(actor)
    if allowed(actor, Permission.VIEW_OWN_SURVEYS):
        return redirect(url_for("home.my_surveys"))
    return render_template(
        "outlets/home/start.html",
        may_people=allowed(actor, Permission.MANAGE_PEOPLE),
        may_mail=allowed(actor, Permission.VIEW_MAIL),
    )


@bp.get("/today")
@requires(Permission.VIEW_QUEUE)
def today() -> ResponseReturnValue:
    """What needs this person today: the queue by due date, with one case open beside it."""
    actor, at = current_actor(), now()
    narrowed = _filter()
    counts = queries.count_queue(db.session, actor, narrowed, at)
    page = queries.list_queue(db.session, actor, narrowed, at, cursor=request.args.get("cursor"), limit=ROWS)
    kept = {key: value for key, value in request.args.items() if key not in ("cursor", "open") and value}
    opened = request.args.get("open", "") or (page.items[0].ref if page.items else "")
    return render_template(
        "outlets/home/today.html",
        counts=counts,
        page=linked(page, url_for("home.today"), dict(kept)),
        kept={key: value for key, value in request.args.items() if key != "open" and value},
        filter=narrowed,
        opened=_opened(actor, opened, at),
        ageing=_ageing_by_step(at),
        machine=current().machine("certification"),
        holders=HOLDERS,
        own_holder=queries.holder_of(actor),
        may_mine=allowed(actor, Permission.ASSIGN_CASE),
    )


@bp.get("/my-surveys")
@requires(Permission.VIEW_OWN_SURVEYS)
def my_surveys() -> ResponseReturnValue:
    """The surveyor's surveys by date, and the questions she has not answered."""
    actor, at = current_actor(), now()
    cards = visits.list_my_surveys(db.session, actor, at)
    return render_template(
        "outlets/home/my_surveys.html", cards=cards, questions=visits.list_questions(db.session, actor, at)
    )


@bp.get("/search")
@requires(Permission.VIEW_QUEUE)
def search() -> ResponseReturnValue:
    """Cases, practices and people whose name or number begins with what was typed."""
    text = request.args.get("q", "")[:100]
    found = queries.search(db.session, current_actor(), text)
    if len(found.cases) == 1 and found.cases[0][0] == text.strip().upper():
        return redirect(f"/cases/{found.cases[0][0]}")
    return render_template(
        "outlets/home/search.html", found=found, text=text, machine=current().machine("certification")
    )


@bp.get("/help")
@public
def help_index() -> ResponseReturnValue:
    """The help page of practices is the one most people want."""
    return redirect(url_for("home.help_page", page="practice"))


@bp.get("/help/<page>")
@public
def help_page(page: str) -> ResponseReturnValue:
    """A page of help, drawn from docs/."""
    found = read_page(resources.DOCS, page)
    if found is None:
        raise NotFound("There is no help page of that name.")
    return render_template("outlets/home/help.html", page=found, pages=PAGES)


def _practice(actor: Actor) -> ResponseReturnValue:
    at = now()
    own = queries.list_own_practices(db.session, actor)
    wanted = request.args.get("practice", type=int)
    case = queries.find_current_case(db.session, actor, wanted)
    practice_id = (
        case.practice_id
        if case
        else wanted
        if wanted in actor.practice_ids
        else next(iter(sorted(actor.practice_ids)), None)
    )
    if case is None:
        return render_template(
            "outlets/home/practice_empty.html",
            own=own,
            practice_id=practice_id,
            practice=next((p for p in own if p[0] == practice_id), None),
            may_start=allowed(actor, Permission.START_CASE),
        )
    header = header_for(db.session, case, actor, at)
    may_history = actor_may(db.session, case, actor, Permission.VIEW_HISTORY)
    return render_template(
        "outlets/home/practice.html",
        header=mine_first(header),
        picture=practice_page.domains_of(db.session, case),
        dates=practice_page.dates_of(db.session, case, header.zone, at),
        documents=practice_page.documents_of(db.session, case, actor),
        people=practice_page.people_of(db.session, case, at),
        events=lines(list_events(db.session, f"case:{case.ref}", limit=LATELY, internal=False)) if may_history else [],
        own=own,
        practice_id=practice_id,
        name=current_person().name,
    )


def _filter() -> QueueFilter:
    given = request.args
    bucket = given.get("show", "")
    return QueueFilter(
        bucket=bucket if bucket in queries.BUCKETS else "all",
        step=given.get("step", type=int),
        state=given.get("state", "")[:40],
        holder=given.get("holder", "") if given.get("holder", "") in dict(HOLDERS) else "",
        mine=bool(given.get("mine")),
        text=given.get("q", "")[:100],
    )


def _opened(actor: Actor, ref: str, at: datetime) -> dict[str, Any] | None:
    """The case beside the list, as its own page would show it: the same openings, the same missing things."""
    if not ref:
        return None
    row = queries.find_row(db.session, actor, ref, at)
    if row is None:
        return None
    case = case_for(db.session, actor, ref)
    return {
        "row": row,
        "header": header_for(db.session, case, actor, at),
        "ageing": queries.ageing_of_state(db.session, case.state, at),
        "state": current().machine(case.kind).states[case.state],
    }


def _ageing_by_step(at: datetime) -> list[Ageing]:
    kept: tuple[float, list[Ageing]] | None = current_app.extensions.get("certify_ageing")
    if kept is None or time.monotonic() - kept[0] > AGEING_SECONDS:
        kept = (time.monotonic(), queries.ageing_by_step(db.session, at))
        current_app.extensions["certify_ageing"] = kept
    return kept[1]
