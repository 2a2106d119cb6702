"""Lists of cases: what they are narrowed to, and a row of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, select, true, union_all
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.queries.access import own, practice_of, visible
from certify.core.access.roles import Actor
from certify.db import plain
from certify.platform.practices.models import Practice
from certify.platform.practices.queries import named


@dataclass(frozen=True)
class CaseFilter:
    """What a list of cases is narrowed to; empty fields narrow nothing."""

    step: int | None = None
    state: str = ""
    holder: str = ""
    practice_id: int | None = None
    staff_id: int | None = None
    mine: bool = False  # the actor's own, as `own` says
    due_before: date | None = None
    open_only: bool = False
    text: str = ""


class CaseRow(NamedTuple):
    """A case with what a list shows of it."""

    id: int
    ref: str
    kind: str
    practice_id: int
    edition: str
    state: str
    step: int
    version: int
    holder: str
    due_key: str | None
    due_on: date | None
    practice_name: str
    zone: str


_SHOWN = (
    Case.id, Case.ref, Case.kind, Case.practice_id, Case.edition, Case.state, Case.step, Case.version, Case.holder, Case.due_key, Case.due_on,
)  # fmt: skip


def row_of(session: Session, case: Case) -> CaseRow:
    """Return a case as a list would show it."""
    practice = practice_of(session, case)
    shown = [getattr(case, column.key) for column in _SHOWN]
    return CaseRow._make([*shown, practice.legal_name, practice.time_zone])


def list_cases(
    session: Session, actor: Actor, narrowed: CaseFilter, *, after: int | None = None, limit: int = 50
) -> list[CaseRow]:
    """Return one page of the cases within reach, newest first, older than case id `after`; ask for one more to know of a next page."""
    query = _listing(actor, narrowed, after is not None, limit)
    return [CaseRow._make(row) for row in plain(session, query, {} if after is None else {"after": after})]


# Putting a statement together costs more than running it, and the same few are asked for all day.
@lru_cache(maxsize=256)
def _listing(actor: Actor, narrowed: CaseFilter, paged: bool, limit: int) -> Select[*tuple[Any, ...]]:
    beyond = Case.id < bindparam("after") if paged else true()
    return (
        select(*_SHOWN, Practice.legal_name, Practice.time_zone)
        .join(Practice, Practice.id == Case.practice_id)
        .where(*conditions(actor, narrowed), beyond)
        .order_by(Case.id.desc())
        .limit(limit)
    )


def conditions(actor: Actor, narrowed: CaseFilter) -> list[ColumnElement[bool]]:
    """Return the predicates of a filter, beginning with what the actor may see."""
    found = [visible(actor)]
    if narrowed.step:
        found.append(Case.step == narrowed.step)
    if narrowed.state:
        found.append(Case.state == narrowed.state)
    if narrowed.holder:
        found.append(Case.holder == narrowed.holder)
    if narrowed.practice_id is not None:
        found.append(Case.practice_id == narrowed.practice_id)
    if narrowed.staff_id is not None:
        found.append(Case.staff_id == narrowed.staff_id)
    if narrowed.mine:
        found.append(own(actor))
    if narrowed.due_before is not None:
        found.append(and_(Case.due_on.is_not(None), Case.due_on < narrowed.due_before))
    if narrowed.open_only:
        found.append(Case.open.is_(True))
    if narrowed.text:
        text = narrowed.text.strip()
        by_name = select(Case.id).join(Practice, Practice.id == Case.practice_id).where(named(text))
        found.append(Case.id.in_(union_all(select(Case.id).where(Case.ref == text.upper()), by_name)))
    return found
