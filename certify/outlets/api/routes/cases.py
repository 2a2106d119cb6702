"""Cases: the list, the case with its actions, its steps, its events."""

from __future__ import annotations

from typing import Any, cast

from flask import Response, jsonify

from certify.certification.applications.operations import put_answers
from certify.certification.applications.queries import answers_for, missing_answers
from certify.certification.cases.operations import open_case, take
from certify.certification.cases.queries import (
    CaseFilter,
    actor_may,
    case_for,
    list_cases,
)
from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid
from certify.core.rulebook.current import current
from certify.db import db
from certify.outlets.api.cases import line_of, whole_of
from certify.outlets.api.problems import Doors, within
from certify.outlets.api.schemas import (
    CaseArguments,
    CasePage,
    CaseWhole,
    EventPage,
    ListArguments,
    NewCase,
    PutAnswers,
    QuestionnaireAnswers,
    Transition,
)
from certify.platform.audit.queries import list_events
from certify.platform.practices.queries import practice_for
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import read_cursor, write_cursor

doors = Doors("api_cases", __name__, url_prefix="/api/v1", description="Cases and their six steps")


@doors.route("/cases")
@requires(Permission.VIEW_CASE)
@doors.arguments(CaseArguments, location="query")
@doors.response(200, CasePage)
@doors.alt_response(422, "UNPROCESSABLE_ENTITY")
def list_(arguments: dict[str, Any]) -> Response:
    """Cases within reach, newest first."""
    actor, at = current_actor(), now()
    if arguments["state"] and not current().knows_state(arguments["state"]):
        raise Invalid(f"There is no state {arguments['state']!r}; a case shows its own as `state`.", "state")
    narrowed = CaseFilter(
        step=arguments["step"],
        state=arguments["state"],
        practice_id=arguments["practice"],
        mine=arguments["mine"],
        due_before=arguments["due_before"],
    )
    limit = arguments["limit"]
    rows = list_cases(db.session, actor, narrowed, after=_after(arguments["cursor"]), limit=limit + 1)
    # Written as it stands: sent through its schema, a page of lines would cost more than reading it.
    return jsonify(
        items=[line_of(row, at) for row in rows[:limit]],
        next=write_cursor((rows[limit - 1].id,)) if len(rows) > limit else None,
    )


@doors.route("/cases", methods=["POST"])
@requires(Permission.START_CASE)
@commits
@doors.arguments(NewCase)
@doors.response(201, CaseWhole)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Begin an application for a practice."""
    actor = current_actor()
    practice = practice_for(db.session, actor, body["practice"], Permission.START_CASE)
    case = open_case(db.session, practice.id, practice.legal_name, zone=practice.time_zone, actor=actor, at=now())
    return whole_of(db.session(), case, actor, now())


@doors.route("/cases/<ref>")
@requires(Permission.VIEW_CASE)
@doors.response(200, CaseWhole)
def show(ref: str) -> dict[str, Any]:
    """A case: where it stands, what may happen next, what each step still lacks."""
    return whole_of(db.session(), case_for(db.session, current_actor(), ref), current_actor(), now())


@doors.route("/cases/<ref>/transitions", methods=["POST"])
@requires(Permission.ADVANCE_CASE)
@commits
@doors.arguments(Transition)
@doors.response(200, CaseWhole)
def transition(body: dict[str, Any], ref: str) -> dict[str, Any]:
    """Take a step of the case; answers the case after it."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, lock=True)
    with within("data"):
        take(db.session, case, body["trigger"], body["data"], actor=actor, at=now(), version=body["version"])
    return whole_of(db.session(), case, actor, now())


@doors.route("/cases/<ref>/events")
@requires(Permission.VIEW_HISTORY)
@doors.arguments(ListArguments, location="query")
@doors.response(200, EventPage)
def events(arguments: dict[str, Any], ref: str) -> dict[str, Any]:
    """What happened, newest first."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.VIEW_HISTORY)
    internal = actor_may(db.session, case, actor, Permission.READ_INTERNAL_MESSAGES)
    limit = arguments["limit"]
    found = list_events(
        db.session, f"case:{case.ref}", before=_after(arguments["cursor"]), limit=limit + 1, internal=internal
    )
    items = [
        {
            "seq": e.seq, "at": e.at, "who": e.actor_name, "what": e.summary, "kind": e.kind, "from_": e.data.get("from"),
            "to": e.data.get("to"), "reason": e.reason, "hash": e.hash,
        }
        for e in found[:limit]
    ]  # fmt: skip
    return {"items": items, "next": write_cursor((found[limit - 1].seq,)) if len(found) > limit else None}


@doors.route("/cases/<ref>/questionnaire")
@requires(Permission.VIEW_APPLICATION)
@doors.response(200, QuestionnaireAnswers)
def questionnaire(ref: str) -> dict[str, Any]:
    """Answers by field key."""
    case = case_for(db.session, current_actor(), ref, Permission.VIEW_APPLICATION)
    return _answers(case.ref)


@doors.route("/cases/<ref>/questionnaire", methods=["PUT"])
@requires(Permission.EDIT_APPLICATION)
@commits
@doors.arguments(PutAnswers)
@doors.response(200, QuestionnaireAnswers)
def put_questionnaire(body: dict[str, Any], ref: str) -> dict[str, Any]:
    """Set answers; every mistake is reported, and then nothing is saved."""
    actor = current_actor()
    case = case_for(db.session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
    with within("answers"):
        put_answers(db.session, case, body["answers"], actor=actor, at=now())
    return _answers(ref)


def _answers(ref: str) -> dict[str, Any]:
    actor, at = current_actor(), now()
    case = case_for(db.session, actor, ref, Permission.VIEW_APPLICATION)
    missing = missing_answers(db.session, case, actor, at)
    return {
        "version": case.questionnaire,
        "answers": answers_for(db.session, case),
        "complete": not missing,
        "missing": [{"guard": u.guard, "message": u.message, "link": u.link} for u in missing],
    }


def _after(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (last,), _back = read_cursor(cursor, (int,))
    return cast(int, last)
