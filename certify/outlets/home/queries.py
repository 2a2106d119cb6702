"""Reads for the front pages: the case a practice works on, what waits for whom, what a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.queries import CaseFilter, conditions, visible
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import Actor, Role
from certify.core.foundation.days import local_date
from certify.db import plain
from certify.platform.identity.models import Person
from certify.platform.identity.queries import called
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.queries import named
from certify.platform.web.paging import Key, Page, page_of

HOLDER_OF_ROLE = {Role.PROGRAM_STAFF: "program", Role.COUNCIL: "council", Role.FINANCE: "finance"}
HOLDERS = ("program", "practice", "surveyor", "council", "finance")
BUCKETS = ("late", "today", "week", "others", "all")
# More are shown as “1,000+”.
MOST_COUNTED = 1000
FAR_FUTURE = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class QueueFilter:
    """What the queue is narrowed to; everything of it stands in the address."""

    bucket: str = "all"
    step: int | None = None
    state: str = ""
    holder: str = ""
    mine: bool = False
    text: str = ""


@dataclass(frozen=True)
class QueueCounts:
    """How many cases are late, due today, due within a week, waiting for others, and waiting for this person's office.

    Counted no further than one beyond MOST_COUNTED, so that the page is as fast with 100,000 cases as with 100.
    """

    late: int
    today: int
    week: int
    others: int
    all: int


class _Found(NamedTuple):
    """A case as the queue reads it."""

    id: int
    ref: str
    kind: str
    step: int
    state: str
    holder: str
    due_key: str | None
    due_on: date | None
    due_at: datetime | None
    state_since: datetime
    practice_name: str
    zone: str
    sites: int
    staff: str


class QueueRow(NamedTuple):
    """A case in the queue."""

    case_id: int
    kind: str
    ref: str
    practice_name: str
    sites: int
    step: int
    state: str
    holder: str
    due_key: str | None
    due_on: date | None
    due_at: datetime | None
    days_left: int
    with_days: int
    surveyors: str
    staff: str


@dataclass(frozen=True)
class Found:
    """What a search found."""

    cases: Sequence[tuple[str, str, str]]  # ref, practice, state
    practices: Sequence[tuple[int, str, str]]  # id, name, place
    people: Sequence[tuple[int, str, str]]  # id, name, email


def holder_of(actor: Actor) -> str:
    """Return whose queue this person works: the program's, the council's or finance's; none for those who only read."""
    return next((holder for role, holder in HOLDER_OF_ROLE.items() if role in actor.roles), "")


def find_current_case(session: Session, actor: Actor, practice_id: int | None = None) -> Case | None:
    """Return the case that a person of a practice works on: the newest open one, else the newest."""
    practices = actor.practice_ids if practice_id is None else actor.practice_ids & {practice_id}
    if not practices:
        return None
    query = (
        sa.select(Case, Practice)
        .join(Practice, Practice.id == Case.practice_id)
        .where(visible(actor), Case.practice_id.in_(practices))
        .order_by(Case.open.desc(), Case.id.desc())
        .limit(1)
    )
    # The page names the practice too: it is read with the case, and kept as long.
    found = remembered(session, ("current case", practices), lambda: session.execute(query).one_or_none())
    return found[0] if found else None


def find_current_ref(session: Session, actor: Actor) -> str | None:
    """Return the reference of that case, for the header."""
    if not actor.practice_ids:
        return None
    query = (
        sa.select(Case.ref)
        .where(Case.practice_id.in_(actor.practice_ids))
        .order_by(Case.open.desc(), Case.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def list_own_practices(session: Session, actor: Actor) -> Sequence[tuple[int, str, str]]:
    """Return id, name and time zone of the practices a person works for, by name."""
    query = (
        sa.select(Practice.id, Practice.legal_name, Practice.time_zone)
        .where(Practice.id.in_(actor.practice_ids))
        .order_by(Practice.name_key, Practice.id)
    )
    return [(r.id, r.legal_name, r.time_zone) for r in session.execute(query)]


def count_queue(session: Session, actor: Actor, narrowed: QueueFilter, at: datetime) -> QueueCounts:
    """Return the numbers above the queue; `narrowed.bucket` does not count.

    A due date ends at the end of the practice's day: what ends within 24 hours is due on that practice's today.
    """
    (row,) = plain(session, _counting(actor, replace(narrowed, bucket="all")), _moments(at))
    return QueueCounts(**row._mapping)


def list_queue(
    session: Session, actor: Actor, narrowed: QueueFilter, at: datetime, *, cursor: str | None, limit: int
) -> Page[QueueRow]:
    """Return one page of the queue, the most urgent first; cases without a date come last."""

    def fetch(key: Key | None, back: bool, most: int) -> Sequence[_Found]:
        return _urgent_first(session, actor, narrowed, at, key, back, most)

    def key_of(found: _Found) -> Key:
        return (found.due_at.isoformat() if found.due_at else None, found.id)

    page = page_of(fetch, key_of, cursor=cursor, shape=(str | None, int), limit=limit)
    rows = _rows(session, page.items, at)
    return Page(rows, page.next, page.previous)


def find_row(session: Session, actor: Actor, ref: str, at: datetime) -> QueueRow | None:
    """Return one case as a row of the queue, or None when it is not there for this person."""
    found = _read(session, _walk([Case.ref == ref, visible(actor)], [], 1), at)
    return _rows(session, found, at)[0] if found else None


def search(session: Session, actor: Actor, text: str, *, limit: int = 20) -> Found:
    """Return cases, practices and people whose number, name or address begins so; people only for those who manage them."""
    text = text.strip()
    if not text:
        return Found((), (), ())
    wanted = CaseFilter(text=text)
    cases = session.execute(
        sa.select(Case.ref, Practice.legal_name, Case.state)
        .join(Practice, Practice.id == Case.practice_id)
        .where(*conditions(actor, wanted))
        .order_by(Case.id.desc())
        .limit(limit)
    ).all()
    practices = session.execute(
        sa.select(Practice.id, Practice.legal_name, Practice.city, Practice.state)
        .where(named(text))
        .order_by(Practice.name_key, Practice.id)
        .limit(limit)
    ).all()
    people = (
        ()
        if not allowed(actor, Permission.MANAGE_PEOPLE)
        else session.execute(
            sa.select(Person.id, Person.name, Person.email)
            .where(called(text))
            .order_by(Person.name_key, Person.id)
            .limit(limit)
        ).all()
    )
    return Found(
        [(r.ref, r.legal_name, r.state) for r in cases],
        [(r.id, r.legal_name, ", ".join(x for x in (r.city, r.state) if x)) for r in practices],
        [(r.id, r.name, r.email) for r in people],
    )


def _predicates(actor: Actor, narrowed: QueueFilter) -> list[sa.ColumnElement[bool]]:
    staff_id = actor.user_id if narrowed.mine else None
    return conditions(
        actor, CaseFilter(step=narrowed.step, state=narrowed.state, staff_id=staff_id, text=narrowed.text)
    )


def _held(actor: Actor, narrowed: QueueFilter) -> list[sa.ColumnElement[bool]]:
    """Cases that wait for this person's office, or for the one chosen; for those who only read, all open ones."""
    holder = narrowed.holder or holder_of(actor)
    return [Case.holder == holder] if holder else [Case.open.is_(True)]


def _others(actor: Actor, narrowed: QueueFilter) -> list[sa.ColumnElement[bool]]:
    """Cases that wait for someone else; named one by one, so that the index on the holder counts them."""
    holder = narrowed.holder or holder_of(actor)
    return [Case.holder.in_([other for other in HOLDERS if other != holder])] if holder else [sa.false()]


def _moments(at: datetime) -> dict[str, datetime]:
    """The instants that the statements below are bound to when they run."""
    return {"now": at, "tomorrow": at + timedelta(days=1), "next_week": at + timedelta(days=7)}


def _within(bucket: str) -> list[sa.ColumnElement[bool]]:
    """When a case of the bucket is due."""
    now, tomorrow, next_week = (sa.bindparam(key, type_=Case.due_at.type) for key in ("now", "tomorrow", "next_week"))
    return {
        "late": [Case.due_at < now],
        "today": [Case.due_at >= now, Case.due_at < tomorrow],
        "week": [Case.due_at >= now, Case.due_at < next_week],
    }.get(bucket, [])


def _bucket(actor: Actor, narrowed: QueueFilter) -> list[sa.ColumnElement[bool]]:
    if narrowed.bucket == "others":
        # Said the other way round than in the count: so the index on the due date gives the rows already sorted.
        holder = narrowed.holder or holder_of(actor)
        return [Case.holder.not_in([holder, "none"])] if holder else [sa.false()]
    return [*_held(actor, narrowed), *_within(narrowed.bucket)]


# Putting a statement together costs more than running it, and the same few are asked for all day.
@lru_cache(maxsize=256)
def _counting(actor: Actor, narrowed: QueueFilter) -> sa.Select[*tuple[Any, ...]]:
    base, held = _predicates(actor, narrowed), _held(actor, narrowed)
    parts = {bucket: [*held, *_within(bucket)] for bucket in BUCKETS} | {"others": _others(actor, narrowed)}
    return sa.select(*(_count([*base, *predicates], narrowed).label(name) for name, predicates in parts.items()))


@lru_cache(maxsize=256)
def _first_dated(actor: Actor, narrowed: QueueFilter, most: int) -> sa.Select[*tuple[Any, ...]]:
    predicates = [*_predicates(actor, narrowed), *_bucket(actor, narrowed), Case.due_at.is_not(None)]
    return _walk(predicates, [Case.due_at, Case.id], most)


def _count(predicates: list[sa.ColumnElement[bool]], narrowed: QueueFilter) -> sa.ScalarSelect[int]:
    some = sa.select(sa.literal(1)).select_from(Case).where(*predicates).limit(MOST_COUNTED + 1)
    if narrowed.text:
        some = some.join(Practice, Practice.id == Case.practice_id)
    return sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery()


def _urgent_first(
    session: Session, actor: Actor, narrowed: QueueFilter, at: datetime, key: Key | None, back: bool, most: int
) -> list[_Found]:
    """Rows beyond the key. Dated and undated cases are two walks, each on an index that sorts them already."""
    if key is None:
        rows = _read(session, _first_dated(actor, narrowed, most), at)
        if len(rows) == most:
            return rows
    else:
        rows = []
    due_at, case_id = _read_key(key)
    predicates = [*_predicates(actor, narrowed), *_bucket(actor, narrowed)]
    dated, undated = Case.due_at.is_not(None), Case.due_at.is_(None)
    here = sa.tuple_(Case.due_at, Case.id)
    there = sa.tuple_(_instant(due_at), sa.literal(case_id)) if due_at is not None else None
    if not back:
        if there is not None:
            rows = _read(session, _walk([*predicates, dated, here > there], [Case.due_at, Case.id], most), at)
        if len(rows) < most:
            beyond = Case.id > case_id if key is not None and due_at is None else sa.true()
            rows += _read(session, _walk([*predicates, undated, beyond], [Case.id], most - len(rows)), at)
        return rows
    if due_at is None:
        rows = _read(session, _walk([*predicates, undated, Case.id < case_id], [Case.id.desc()], most), at)
    if len(rows) < most:
        beyond = here < there if there is not None else sa.true()
        order = [Case.due_at.desc(), Case.id.desc()]
        rows += _read(session, _walk([*predicates, dated, beyond], order, most - len(rows)), at)
    return rows


def _walk(predicates: list[sa.ColumnElement[bool]], order: Sequence[Any], most: int) -> sa.Select[*tuple[Any, ...]]:
    sites = (
        sa.select(sa.func.count())
        .where(Site.practice_id == Case.practice_id, Site.closed_on.is_(None))
        .correlate(Case)
        .scalar_subquery()
    )
    return (
        sa.select(
            Case.id, Case.ref, Case.kind, Case.step, Case.state, Case.holder, Case.due_key, Case.due_on, Case.due_at, Case.state_since,
            Practice.legal_name.label("practice_name"), Practice.time_zone.label("zone"), sites.label("sites"),
            sa.func.coalesce(Person.name, "").label("staff"),
        )
        .join(Practice, Practice.id == Case.practice_id)
        .outerjoin(Person, Person.id == Case.staff_id)
        .where(*predicates)
        .order_by(*order)
        .limit(most)
    )  # fmt: skip


def _read(session: Session, query: sa.Select[*tuple[Any, ...]], at: datetime) -> list[_Found]:
    return [_Found(*row) for row in plain(session, query, _moments(at))]


def _read_key(key: Key | None) -> tuple[datetime | None, int]:
    if key is None:
        return None, 0
    due, case_id = key
    try:
        due_at = datetime.fromisoformat(str(due)) if due is not None else None
    except ValueError:
        due_at = FAR_FUTURE
    if due_at is not None and due_at.tzinfo is None:
        due_at = due_at.replace(tzinfo=UTC)
    return due_at, case_id if isinstance(case_id, int) else 0


def _instant(at: datetime) -> sa.BindParameter[datetime]:
    return sa.literal(at, Case.due_at.type)


_SURVEYORS = (
    sa.select(CaseMember.case_id, Person.name)
    .join(Person, Person.id == CaseMember.person_id)
    .where(
        CaseMember.case_id.in_(sa.bindparam("cases", expanding=True)),
        CaseMember.role == "surveyor",
        sa.or_(CaseMember.until_at.is_(None), CaseMember.until_at > sa.bindparam("now")),
    )
    .order_by(CaseMember.id)
)


def _rows(session: Session, found: Sequence[_Found], at: datetime) -> list[QueueRow]:
    """Make rows of a page of cases; one more query for the surveyors, however many rows, if any case may have one."""
    surveyed = [f.id for f in found if f.step > 1]
    surveyors: dict[int, list[str]] = {}
    for case_id, name in plain(session, _SURVEYORS, {"cases": surveyed, "now": at}) if surveyed else ():
        surveyors.setdefault(case_id, []).append(name)
    today = {zone: local_date(at, zone) for zone in {f.zone for f in found}}
    return [_row(f, ", ".join(surveyors.get(f.id, ())), today[f.zone], at) for f in found]


def _row(found: _Found, surveyors: str, today: date, at: datetime) -> QueueRow:
    return QueueRow(
        case_id=found.id,
        kind=found.kind,
        ref=found.ref,
        practice_name=found.practice_name,
        sites=found.sites,
        step=found.step,
        state=found.state,
        holder=found.holder,
        due_key=found.due_key,
        due_on=found.due_on,
        due_at=found.due_at,
        days_left=(found.due_on - today).days if found.due_on else 0,
        with_days=max((at - found.state_since).days, 0),
        surveyors=surveyors,
        staff=found.staff,
    )
