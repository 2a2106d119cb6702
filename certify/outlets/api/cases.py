"""How the API writes a case: as a line of a list, and whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.cases.memory import remember_reads
from certify.certification.cases.models import Case
from certify.certification.cases.queries import (
    CaseRow,
    deadlines_of,
    openings_for,
    row_of,
    status_for,
)
from certify.certification.surveys.queries import newest_survey_id
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date


def line_of(row: CaseRow, at: datetime) -> dict[str, Any]:
    """Return a case as a line of a list, in the words of the schema `CaseItem`, ready to be written as JSON."""
    line = item_of(row, at)
    if line["due"] is not None:
        line["due"]["on"] = line["due"]["on"].isoformat()
    return line


def item_of(row: CaseRow, at: datetime) -> dict[str, Any]:
    """Return a case with its next date."""
    due = (
        {"key": row.due_key, "on": row.due_on, "overdue": row.due_on < local_date(at, row.zone)} if row.due_on else None
    )
    return {
        "ref": row.ref, "kind": row.kind, "practice": row.practice_id, "practice_name": row.practice_name, "edition": row.edition,
        "state": row.state, "step": row.step, "version": row.version, "waiting_for": row.holder, "due": due,
    }  # fmt: skip


def whole_of(session: Session, case: Case, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return a case with what may happen next, what each step lacks, and its dates.

    The last thing a request does: what is to be written is written first, so what is read is read once.
    """
    session.flush()
    remember_reads(session)
    actions = [
        {
            "trigger": s.trigger, "label": s.label, "explanation": s.explanation, "allowed": s.allowed,
            "yours": s.opening.role_allowed, "roles": sorted(r.value for r in s.opening.roles),
            "inputs": [{"key": i.key, "label": i.label, "kind": i.kind, "required": i.required} for i in s.opening.inputs],
            "unmet": [{"guard": u.guard, "message": u.message, "link": u.link} for u in s.unmet],
        }
        for s in openings_for(session, case, actor, at)
    ]  # fmt: skip
    deadlines = [
        {"key": d.key, "on": d.on, "overdue": d.overdue, "label": d.label, "days_left": d.days_left}
        for d in deadlines_of(session, case, at)
    ]
    return {
        **item_of(row_of(session, case), at),
        "status": status_for(session, case, actor, at),
        "survey": newest_survey_id(session, case),
        "actions": actions,
        "deadlines": deadlines,
    }
