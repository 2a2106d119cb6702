"""Pages of the spine: the list, the case, its history, and the page for any step that needs no room of its own."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from certify.certification.cases.choices import choices_for
from certify.certification.cases.forms import read_form
from certify.certification.cases.memory import remember_reads
from certify.certification.cases.operations import assign_staff, extend_deadline, open_case, take
from certify.certification.cases.queries import (
    CaseFilter,
    actor_may,
    case_for,
    deadlines_of,
    header_for,
    list_cases,
    members_of,
    openings_for,
    zone_of,
)
from certify.certification.cases.timeline import lines
from certify.core.access.policy import Permission, allowed
from certify.core.foundation.clock import now
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotFound, RulesUnmet
from certify.core.rulebook.current import current
from certify.db import db
from certify.platform.audit.queries import list_events
from certify.platform.identity.queries import find_person, list_people_in_role, names_of
from certify.platform.practices.queries import list_practices_to_apply, practice_for
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import Page, linked, read_cursor, write_cursor

bp = Blueprint("cases", __name__)

PAGE = 20
MEMBERS = {"surveyor": "Site surveyor", "proposed_surveyor": "Proposed surveyor"}
HISTORY_PAGE = 50
KINDS = (
    ("case", "Steps of the case"),
    ("application", "Application"),
    ("evidence", "Evidence"),
    ("survey", "Survey"),
    ("report", "Report"),
    ("correction", "Corrections"),
    ("decision", "Decision"),
    ("fee", "Fees"),
    ("deadline", "Dates"),
    ("message", "Messages"),
)


@bp.get("/cases")
@requires(Permission.VIEW_CASE)
def index() -> ResponseReturnValue:
    """The cases within reach, newest first, with filters that stay in the address."""
    actor = current_actor()
    narrowed = _filter()
    after = _after(request.args.get("cursor"))
    rows = list_cases(db.session, actor, narrowed, after=after, limit=PAGE + 1)
    shown = rows[:PAGE]
    query = {key: value for key, value in request.args.items() if key != "cursor"}
    page = linked(Page(shown, write_cursor((shown[-1].id,)) if len(rows) > PAGE else None), "/cases", dict(query))
    at = now()
    return render_template(
        "certification/cases/index.html", rows=shown, page=page, filter=narrowed, machine=current().machine("certification"),
        today={zone: local_date(at, zone) for zone in {row.zone for row in shown}}, may_start=allowed(actor, Permission.START_CASE),
    )  # fmt: skip


@bp.get("/cases/new")
@requires(Permission.START_CASE)
def new() -> ResponseReturnValue:
    """Choose the practice that applies."""
    practices = list_practices_to_apply(db.session, current_actor(), request.args.get("q", ""))
    return render_template("certification/cases/new.html", practices=practices, query=request.args.get("q", ""))


@bp.post("/cases")
@requires(Permission.START_CASE)
@commits
def create() -> ResponseReturnValue:
    """Begin an application for a practice."""
    actor = current_actor()
    practice_id = request.form.get("practice", type=int)
    if practice_id is None:
        raise Invalid("Choose the practice that applies.", "practice")
    practice = practice_for(db.session, actor, practice_id, Permission.START_CASE)
    case = open_case(db.session, practice.id, practice.legal_name, zone=practice.time_zone, actor=actor, at=now())
    flash("The application is open. Fill it in section by section; it is saved as you go.")
    return redirect(url_for("cases.detail", ref=case.ref))


@bp.get("/cases/<ref>")
@requires(Permission.VIEW_CASE)
def detail(ref: str) -> ResponseReturnValue:
    """Where the case stands: step, holder, date, next, what is missing, people, lately."""
    remember_reads(db.session())
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref)
    may_history = actor_may(db.session, case, actor, Permission.VIEW_HISTORY)
    may_assign = actor_may(db.session, case, actor, Permission.ASSIGN_CASE)
    internal = actor_may(db.session, case, actor, Permission.READ_INTERNAL_MESSAGES)
    members = members_of(db.session, case)
    names = names_of(db.session, {m.person_id for m in members} | ({case.staff_id} if case.staff_id else set()))
    header = header_for(db.session, case, actor, at)
    everything = openings_for(db.session, case, actor, at) if may_assign else ()
    return render_template(
        "certification/cases/detail.html",
        header=header,
        lead=True,
        case=case,
        others=[s for s in everything if not s.opening.role_allowed],
        deadlines=deadlines_of(db.session, case, at),
        events=lines(list_events(db.session, f"case:{ref}", limit=8, internal=internal)) if may_history else [],
        people=[
            (MEMBERS.get(m.role, m.role), names.get(m.person_id, ""))
            for m in members
            if m.until_at is None or m.until_at > at
        ],
        staff_name=names.get(case.staff_id or 0, ""),
        staff=list_people_in_role(db.session, "program_staff") if may_assign else [],
        rules=current().deadlines,
        may_assign=may_assign,
    )


@bp.get("/cases/<ref>/do/<trigger>")
@requires(Permission.ADVANCE_CASE)
def action(ref: str, trigger: str) -> ResponseReturnValue:
    """The page of one step: what it does, what it still lacks, what it asks."""
    return _action_page(ref, trigger, {}, (), 200)


@bp.post("/cases/<ref>/do/<trigger>")
@requires(Permission.ADVANCE_CASE)
@commits
def perform(ref: str, trigger: str) -> ResponseReturnValue:
    """Take the step."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, lock=True)
    found = next((s for s in openings_for(db.session, case, actor, now()) if s.trigger == trigger), None)
    inputs = found.opening.inputs if found else ()
    told = _told(case.kind, case.state, trigger)
    data = read_form(inputs, request.form)
    try:
        take(db.session, case, trigger, data, actor=actor, at=now(), version=_version())
    except Invalid as invalid:
        db.session.rollback()
        return _action_page(ref, trigger, data, invalid.errors, 422)
    except RulesUnmet as unmet:
        db.session.rollback()
        errors = tuple(FieldError("", u.message, link=u.link) for u in unmet.unmet)
        return _action_page(ref, trigger, data, errors, 422)
    flash(told)
    return redirect(url_for("cases.detail", ref=ref))


@bp.post("/cases/<ref>/staff")
@requires(Permission.ASSIGN_CASE)
@commits
def assign(ref: str) -> ResponseReturnValue:
    """Name the contact at the program."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.ASSIGN_CASE, lock=True)
    person_id = request.form.get("person", type=int)
    person = find_person(db.session, person_id) if person_id else None
    if person_id and (
        person is None or person_id not in {p.id for p in list_people_in_role(db.session, "program_staff")}
    ):
        raise Invalid("Choose someone of the program staff.", "person")
    assign_staff(db.session, case, person_id, person.name if person else "", actor=actor, at=now())
    flash("The contact at the program is saved.")
    return redirect(url_for("cases.detail", ref=ref))


@bp.post("/cases/<ref>/deadlines/<key>/extend")
@requires(Permission.EXTEND_DEADLINE)
@commits
def extend(ref: str, key: str) -> ResponseReturnValue:
    """Give more time, with a reason."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EXTEND_DEADLINE, lock=True)
    days = request.form.get("days", type=int) or 0
    extend_deadline(db.session, case, key, days, request.form.get("reason", ""), actor=actor, at=now())
    flash("More time is given, and the practice sees the reason.")
    return redirect(url_for("cases.detail", ref=ref))


@bp.get("/cases/<ref>/history")
@requires(Permission.VIEW_HISTORY)
def history(ref: str) -> ResponseReturnValue:
    """Every event of the case in plain words, newest first."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_HISTORY)
    internal = actor_may(db.session, case, actor, Permission.READ_INTERNAL_MESSAGES)
    kind, person = request.args.get("kind", ""), request.args.get("person", "").strip()
    kind = kind if kind in dict(KINDS) else ""
    before = _after(request.args.get("cursor"))
    found = list_events(
        db.session, f"case:{ref}", before=before, limit=HISTORY_PAGE + 1, kind=kind, person=person, internal=internal
    )
    shown = found[:HISTORY_PAGE]
    following = write_cursor((shown[-1].seq,)) if len(found) > HISTORY_PAGE else None
    page = linked(Page(shown, following), f"/cases/{ref}/history", {"kind": kind, "person": person})
    return render_template(
        "certification/cases/history.html", header=header_for(db.session, case, actor, now(), "history"),
        events=lines(shown), page=page, kinds=KINDS, kind=kind, person=person,
    )  # fmt: skip


def _action_page(
    ref: str, trigger: str, values: dict[str, Any], errors: tuple[FieldError, ...], status: int
) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref)
    step = next((s for s in openings_for(db.session, case, actor, at) if s.trigger == trigger), None)
    if step is None or step.opening.automatic or step.opening.clock:
        raise NotFound(f"The step {trigger!r} is not open in {ref} now.")
    page = render_template(
        "certification/cases/action.html",
        header=header_for(db.session, case, actor, at),
        step=step,
        values=values,
        errors=errors,
        messages={e.field: e.message for e in errors if e.field},
        choices={one.key: choices_for(db.session, case, one) for one in step.opening.inputs},
        zone=zone_of(db.session, case),
    )
    return page, status


def _after(cursor: str | None) -> int | None:
    if not cursor:
        return None
    (last,), _back = read_cursor(cursor, (int,))
    return cast(int, last)


def _told(kind: str, state: str, trigger: str) -> str:
    """What the reader has done by this step, in the words the history uses."""
    ways = current().machine(kind).leaving(state)
    way = next((t for t in ways if t.trigger == trigger), None)
    return f"You {way.done}." if way and way.done else "Done."


def _version() -> int | None:
    return request.form.get("version", type=int)


def _filter() -> CaseFilter:
    given = request.args
    due = given.get("due_before", "")
    try:
        due_before = date.fromisoformat(due) if due else None
    except ValueError:
        raise Invalid("Write the date like 2026-03-05.", "due_before") from None
    return CaseFilter(
        step=given.get("step", type=int),
        state=given.get("state", ""),
        holder=given.get("holder", ""),
        mine=bool(given.get("mine")),
        due_before=due_before,
        open_only=bool(given.get("open")),
        text=given.get("q", "")[:200],
    )
