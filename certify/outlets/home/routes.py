"""The front pages of each role, search, and help."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify import resources
from certify.certification.cases.queries import OpenStep, actor_may, case_by_id, header_for, mine_first, openings_for
from certify.certification.cases.timeline import lines
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import PRACTICE_ROLES, Actor
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.db import db
from certify.outlets.home import ageing, queries, visits
from certify.outlets.home import practice as practice_page
from certify.outlets.home.ageing import Ageing
from certify.outlets.home.help import PAGES, read_page
from certify.outlets.home.queries import QueueFilter, QueueRow
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
    return render_template(
        "outlets/home/today.html",
        counts=counts,
        most_counted=queries.MOST_COUNTED,
        page=linked(page, url_for("home.today"), dict(kept)),
        kept={key: value for key, value in request.args.items() if key != "open" and value},
        filter=narrowed,
        opened=_opened(actor, request.args.get("open", ""), page.items, at),
        ageing=_ageing(at),
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
        missing=practice_page.gathered(case, header.missing),
        picture=practice_page.domains_of(db.session, case),
        dates=practice_page.dates_of(db.session, case, header.zone, at),
        months=practice_page.months_ahead(local_date(at, header.zone)),
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


def _opened(actor: Actor, ref: str, rows: Sequence[QueueRow], at: datetime) -> dict[str, Any] | None:
    """The case beside the list. Only a case that was asked for is judged, with what may be done and what each lacks."""
    row = next((r for r in rows if r.ref == ref), None) or (
        queries.find_row(db.session, actor, ref, at) if ref else None
    )
    steps: tuple[OpenStep, ...] = ()
    if row is not None:
        found = openings_for(db.session, case_by_id(db.session, row.case_id), actor, at)
        steps = tuple(s for s in found if s.opening.role_allowed and not s.opening.automatic and not s.opening.clock)
    elif rows:
        row = rows[0]
    else:
        return None
    book = current()
    return {
        "row": row,
        "asked": row.ref == ref,
        "openings": steps,
        "primary": next((s for s in steps if s.primary), None),
        "state": book.machine(row.kind).states[row.state],
        "deadline": book.deadlines.get(row.due_key) if row.due_key else None,
        "ageing": _ageing(at, row.state)[0],
    }


def _ageing(at: datetime, state: str = "") -> tuple[Ageing, ...]:
    """How long cases have stood in a state, or in each step."""
    kept: dict[str, tuple[float, tuple[Ageing, ...]]] = current_app.extensions.setdefault("certify_ageing", {})
    if state not in kept or time.monotonic() - kept[state][0] > AGEING_SECONDS:
        fresh = [ageing.ageing_of_state(db.session, state, at)] if state else ageing.ageing_by_step(db.session, at)
        kept[state] = (time.monotonic(), tuple(fresh))
    return kept[state][1]
