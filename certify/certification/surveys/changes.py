"""What others did: the journal as tablets are told it (contract, section 6, rule 7), and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.surveys.journal import canonical
from certify.certification.surveys.models import SurveyAnswer, SurveyOp
from certify.certification.surveys.queries import open_conflicts

OP, ANSWER = cast(sa.Table, SurveyOp.__table__), cast(sa.Table, SurveyAnswer.__table__)


def changes_since(
    session: Session, survey_id: int, since: int, most: int | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """Return the ops after `since`, oldest first, and whether there are more than the `most` that were asked for (none: all).

    `stands` says which are the answer now, or part of an open conflict.
    """
    same = sa.and_(
        ANSWER.c.survey_id == OP.c.survey_id,
        ANSWER.c.site_id == OP.c.site_id,
        ANSWER.c.element == OP.c.element,
        ANSWER.c.field == OP.c.field,
    )
    query = (
        select(OP.c.seq, OP.c.op, OP.c.site_id, OP.c.element, OP.c.field, OP.c.value, OP.c.by_name, OP.c.device, OP.c.at, OP.c.status, ANSWER.c.seq.label("standing"))
        .outerjoin(ANSWER, same)
        .where(OP.c.survey_id == survey_id, OP.c.seq > since)
        .order_by(OP.c.seq)
        .limit(None if most is None else most + 1)
    )  # fmt: skip
    clashing = {value["seq"] for conflict in open_conflicts(session, survey_id) for value in conflict["values"]}
    rows = [dict(row) for row in session.execute(query).mappings()]
    told = [change(row, row["seq"] == row["standing"] or row["seq"] in clashing) for row in rows[:most]]
    return told, len(told) < len(rows)


def change(row: Mapping[str, Any], stands: bool) -> dict[str, Any]:
    """Return one op as `changes` shows it."""
    return {
        "seq": row["seq"], "op": row["op"], "site": row["site_id"], "element": row["element"] or None, "field": row["field"],
        "value": row["value"], "by": row["by_name"], "device": row["device"], "at": row["at"].isoformat(),
        "status": row["status"], "stands": stands,
    }  # fmt: skip


def digest_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of journal rows: what each says about what, from which device, by whom and when."""
    said = [
        [
            r["seq"],
            r["op"],
            r["device"],
            r["site_id"],
            r["element"],
            r["field"],
            r["value"],
            r["base"],
            r["at"].isoformat(),
            r["by_id"],
        ]
        for r in rows
    ]
    return hashlib.sha256(canonical(said).encode()).hexdigest()
