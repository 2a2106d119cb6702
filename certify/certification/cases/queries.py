"""Reads of the spine: which cases a person may see, where one stands, and what may happen next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.deadlines import rows_of
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseDeadline, CaseMember
from certify.certification.cases.rules import CaseClockFacts
from certify.core.access.policy import Permission, Reach, Subject, allowed, reach
from certify.core.access.roles import ROLE_TITLES, SYSTEM, Actor, Role
from certify.core.foundation.clock import now
from certify.core.foundation.days import business_days_between, local_date
from certify.core.foundation.errors import NotAllowed, NotFound, Unmet
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Opening, openings
from certify.db import plain
from certify.platform.practices.models import Practice, Site
from certify.platform.practices.queries import named

PROPOSED = "proposed_surveyor"
PRACTICES = "practices_of_cases"
MOST_HELD = 200
HOLDERS = {
    "practice": "the practice",
    "program": "the program",
    "surveyor": "the surveyor",
    "council": "the council",
    "finance": "finance",
    "none": "no one",
}
HOLDER_ROLES = {
    "practice": {Role.PRACTICE_ADMIN, Role.PHYSICIAN_LEAD, Role.PRACTICE_STAFF},
    "program": {Role.PROGRAM_STAFF},
    "surveyor": {Role.SURVEYOR},
    "council": {Role.COUNCIL},
    "finance": {Role.FINANCE},
}


@dataclass(frozen=True)
class Due:
    """A due date as pages show it."""

    key: str
    label: str
    on: date
    weekday: str
    days_left: int  # calendar days; negative when late
    business_days_left: int
    overdue: bool
    text: str
    after: str  # what happens after it


@dataclass(frozen=True)
class StepMark:
    """One of the six steps in the tracker."""

    number: int
    title: str
    status: str  # done | current | todo
    explanation: str = ""


@dataclass(frozen=True)
class Tab:
    """One tab of the case page."""

    key: str
    label: str
    url: str
    count: int = 0
    current: bool = False


@dataclass(frozen=True)
class OpenStep:
    """An opening as a page offers it: with the address where it is done."""

    trigger: str
    label: str
    explanation: str
    primary: bool
    url: str
    opening: Opening
    who: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the reader may take it now."""
        return self.opening.allowed

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """All that it still lacks."""
        return self.opening.unmet


@dataclass(frozen=True)
class CaseHeader:
    """Everything the head of a case page says: step, holder, date, next, and what is missing."""

    ref: str
    practice_id: int
    practice_name: str
    sites_count: int
    edition_title: str
    edition_locked: bool
    state: str
    state_label: str
    public_label: str
    step: int
    steps: tuple[StepMark, ...]
    holder: str
    holder_label: str
    waiting_for_me: bool
    status: str
    next: str
    due: Due | None
    primary: OpenStep | None
    openings: tuple[OpenStep, ...]
    lead: OpenStep | None  # the step all wait for, whoever takes it
    version: int
    tabs: tuple[Tab, ...]
    zone: str
    staff_id: int | None
    open: bool

    @property
    def missing(self) -> tuple[Unmet, ...]:
        """What the leading step still lacks; asked for only by pages that show it."""
        return self.lead.unmet if self.lead else ()


_CASE_LOCKED = select(Case).where(Case.ref == bindparam("ref")).with_for_update()
_CASE_AND_PRACTICE = (
    select(Case, Practice).join(Practice, Practice.id == Case.practice_id).where(Case.ref == bindparam("ref"))
)
_MEMBER_ROLES = select(CaseMember.role).where(
    CaseMember.case_id == bindparam("case_id"),
    CaseMember.person_id == bindparam("person_id"),
    or_(CaseMember.until_at.is_(None), CaseMember.until_at > bindparam("now")),
)


def case_for(
    session: Session, actor: Actor, ref: str, permission: Permission = Permission.VIEW_CASE, *, lock: bool = False
) -> Case:
    """Return the case if the actor may do this to it; `lock` holds its row until the transaction ends.

    Raises: NotFound when it is not the actor's to see, NotAllowed when it is but this is not theirs to do.
    """
    case = session.scalar(_CASE_LOCKED, {"ref": ref}) if lock else _case_at(session, ref)
    if case is None:
        raise NotFound(f"There is no case {ref}.")
    subject = subject_of(session, case, actor)
    if not allowed(actor, Permission.VIEW_CASE, subject) and actor is not SYSTEM:
        raise NotFound(f"There is no case {ref}.")
    if not allowed(actor, permission, subject):
        raise NotAllowed("Your role does not include this.")
    return case


def _case_at(session: Session, ref: str) -> Case | None:
    """Read a case with its practice, which nearly every page names; the practice is kept as long as the case is."""
    found = remembered(session, ("case", ref), lambda: session.execute(_CASE_AND_PRACTICE, {"ref": ref}).one_or_none())
    if found is None:
        return None
    session.info.setdefault(PRACTICES, {})[found[1].id] = found[1]
    case: Case = found[0]
    return case


def case_by_id(session: Session, case_id: int, *, lock: bool = False) -> Case:
    """Return a case by its number inside the program; access is the caller's matter. Raises NotFound."""
    query = select(Case).where(Case.id == case_id)
    case = session.scalar(query.with_for_update() if lock else query)
    if case is None:
        raise NotFound("There is no such case.")
    return case


def subject_of(session: Session, case: Case, actor: Actor) -> Subject:
    """Return the case as the policy sees it; only a surveyor's place on the team needs a look at the database."""
    on_team = Role.SURVEYOR in actor.roles and _member_roles(session, case, actor) - {PROPOSED}
    team = frozenset({actor.user_id}) if on_team and actor.user_id is not None else frozenset()
    return Subject(practice_id=case.practice_id, team=team)


def actor_may(session: Session, case: Case, actor: Actor, permission: Permission) -> bool:
    """Whether the actor may do this to this case."""
    return allowed(actor, permission, subject_of(session, case, actor))


def acting_roles(session: Session, case: Case, actor: Actor, at: datetime) -> frozenset[Role]:
    """Return the roles that count for triggers of this case: a surveyor's only while on it or proposed for it."""
    roles = actor.roles_at(case.practice_id)
    if Role.SURVEYOR in roles and not _member_roles(session, case, actor):
        roles -= {Role.SURVEYOR}
    return roles


def visible(actor: Actor, permission: Permission = Permission.VIEW_CASE) -> ColumnElement[bool]:
    """Return the predicate of the cases within the actor's reach."""
    return within(reach(actor, permission))


def within(far: Reach) -> ColumnElement[bool]:
    """Turn a reach into a predicate on `case`."""
    if far.everything:
        return true()
    parts: list[ColumnElement[bool]] = []
    if far.practice_ids:
        parts.append(Case.practice_id.in_(far.practice_ids))
    if far.team_member_id is not None:
        # By the list of one's own cases, never case by case: a surveyor has few among many.
        team = select(CaseMember.case_id).where(
            CaseMember.person_id == far.team_member_id,
            CaseMember.role != PROPOSED,
            # The clock is asked when the statement runs, so that a statement may be kept and run again.
            or_(CaseMember.until_at.is_(None), CaseMember.until_at > bindparam(None, callable_=now)),
        )
        parts.append(Case.id.in_(team))
    return or_(*parts) if parts else false()


def zone_of(session: Session, case: Case) -> str:
    """Return the practice's time zone."""
    return practice_of(session, case).time_zone


def practice_of(session: Session, case: Case) -> Practice:
    """Return the practice whose case it is."""
    # Held by the session's own memory of rows, which lets go of what nobody holds: without this it is read again and again.
    held: dict[int, Practice] = session.info.setdefault(PRACTICES, {})
    practice = held.get(case.practice_id)
    if practice is None or practice not in session:
        if len(held) >= MOST_HELD:  # a round over all cases must not end up with all practices in memory
            held.clear()
        practice = held[case.practice_id] = session.get_one(Practice, case.practice_id)
    return practice


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> CaseClockFacts:
    """Return what the clock guards judge."""
    rows = _running(session, case)
    return CaseClockFacts(case.ref, at, case.edition, {r.key: r.due_at for r in rows}, {r.key: r.due_on for r in rows})


def openings_for(session: Session, case: Case, actor: Actor, at: datetime) -> tuple[OpenStep, ...]:
    """Return every step that leads on from here, whoever takes it, with all that each still lacks."""
    return remembered(session, ("openings", case.id, actor), lambda: _openings_for(session, case, actor, at))


def _openings_for(session: Session, case: Case, actor: Actor, at: datetime) -> tuple[OpenStep, ...]:
    machine = current().machine(case.kind)
    facts = registry.CaseFacts(session, case, actor, at)
    found = openings(machine, case.state, roles=acting_roles(session, case, actor, at), check=facts.check)
    return tuple(_open_step(case, opening) for opening in found)


def deadlines_of(session: Session, case: Case, at: datetime) -> list[Due]:
    """Return the case's running deadlines, soonest first; a right that was not used by its day is over, not late."""
    today, rules = local_date(at, zone_of(session, case)), current().deadlines
    running = [row for row in _running(session, case) if row.due_on >= today or not rules[row.key].lapses]
    return [_due(row.key, row.due_on, today) for row in running]


def _running(session: Session, case: Case) -> list[CaseDeadline]:
    running = [row for row in rows_of(session, case) if row.ended_at is None]
    return sorted(running, key=lambda row: row.due_at)


def header_for(session: Session, case: Case, actor: Actor, at: datetime, tab: str = "overview") -> CaseHeader:
    """Return the head of a case page as this actor sees it."""
    book = current()
    machine = book.machine(case.kind)
    state = machine.states[case.state]
    practice = practice_of(session, case)
    numbers = _numbers(session, case, actor)
    steps = openings_for(session, case, actor, at)
    mine = [s for s in steps if s.opening.role_allowed and not s.opening.automatic and not s.opening.clock]
    primary = next((s for s in mine if s.primary), None)
    waiting_for_me = _waits_for(session, case, actor, at)
    # What is missing is the holder's business first, but everyone on the case may see it.
    lead = primary or next((s for s in steps if s.primary), None)
    today = local_date(at, practice.time_zone)
    return CaseHeader(
        ref=case.ref,
        practice_id=practice.id,
        practice_name=practice.legal_name,
        sites_count=numbers[SITES],
        edition_title=book.editions[case.edition].title,
        edition_locked=case.edition_locked_at is not None,
        state=case.state,
        state_label=state.label,
        public_label=state.public_label,
        step=case.step,
        steps=_step_marks(case),
        holder=case.holder,
        holder_label=_holder_label(case.holder, waiting_for_me),
        waiting_for_me=waiting_for_me,
        status=state.status if waiting_for_me else state.status_others,
        next=state.next,
        due=_due(case.due_key, case.due_on, today) if case.due_key and case.due_on else None,
        primary=primary,
        openings=tuple(mine),
        lead=lead,
        version=case.version,
        tabs=_tabs(session, case, actor, tab, numbers),
        zone=practice.time_zone,
        staff_id=case.staff_id,
        open=case.open,
    )


def status_for(session: Session, case: Case, actor: Actor, at: datetime) -> str:
    """Return the sentence that says where the case stands, as this actor reads it."""
    state = current().machine(case.kind).states[case.state]
    return state.status if _waits_for(session, case, actor, at) else state.status_others


def _waits_for(session: Session, case: Case, actor: Actor, at: datetime) -> bool:
    return bool(HOLDER_ROLES.get(case.holder, set()) & acting_roles(session, case, actor, at))


def _numbers(session: Session, case: Case, actor: Actor) -> dict[str, int]:
    """Return all that the head counts, in one statement: the practice's open sites, and by tab key what the rooms count."""
    sites = select(func.count()).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None))
    counts: dict[str, ColumnElement[int]] = {SITES: sites.scalar_subquery()}
    for asked in registry.counts:
        counts |= asked(session, case, actor)
    row = session.execute(select(*(count.label(key) for key, count in counts.items()))).one()
    return dict(zip(counts, row, strict=True))


def mine_first(header: CaseHeader) -> CaseHeader:
    """Return the header with the openings that can be taken now before those that lack something."""
    return replace(header, openings=tuple(sorted(header.openings, key=lambda s: (not s.primary, not s.allowed))))


@dataclass(frozen=True)
class CaseFilter:
    """What a list of cases is narrowed to; empty fields narrow nothing."""

    step: int | None = None
    state: str = ""
    holder: str = ""
    practice_id: int | None = None
    staff_id: int | None = None
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
    if narrowed.due_before is not None:
        found.append(and_(Case.due_on.is_not(None), Case.due_on < narrowed.due_before))
    if narrowed.open_only:
        found.append(Case.open.is_(True))
    if narrowed.text:
        text = narrowed.text.strip()
        by_name = select(Case.id).join(Practice, Practice.id == Case.practice_id).where(named(text))
        found.append(Case.id.in_(union_all(select(Case.id).where(Case.ref == text.upper()), by_name)))
    return found


def members_of(session: Session, case: Case) -> Sequence[CaseMember]:
    """Return the people on the case, past ones too."""
    return session.scalars(select(CaseMember).where(CaseMember.case_id == case.id).order_by(CaseMember.id)).all()


def team_of(session: Session, case: Case, at: datetime) -> set[int]:
    """Return the people on the case in force; a surveyor who is only proposed is not on it yet."""
    query = select(CaseMember.person_id).where(
        CaseMember.case_id == case.id,
        CaseMember.role != PROPOSED,
        or_(CaseMember.until_at.is_(None), CaseMember.until_at > at),
    )
    return set(session.scalars(query))


def _member_roles(session: Session, case: Case, actor: Actor) -> set[str]:
    if actor.user_id is None:
        return set()
    given = {"case_id": case.id, "person_id": actor.user_id, "now": now()}
    return remembered(session, ("member", case.id, actor.user_id), lambda: set(session.scalars(_MEMBER_ROLES, given)))


def _open_step(case: Case, opening: Opening) -> OpenStep:
    url = opening.page.format(ref=case.ref) if opening.page else f"/cases/{case.ref}/do/{opening.trigger}"
    return OpenStep(
        opening.trigger, opening.label, opening.explanation, opening.primary, url, opening,
        ", ".join(sorted(ROLE_TITLES[role] for role in opening.roles)),
    )  # fmt: skip


def _due(key: str, on: date, today: date) -> Due:
    rule = current().deadlines[key]
    left = (on - today).days
    text = (
        f"{-left} days late"
        if left < -1
        else "1 day late"
        if left == -1
        else "today"
        if left == 0
        else f"{left} days left"
    )
    return Due(
        key,
        rule.label,
        on,
        f"{on:%A}",
        left,
        business_days_between(today, on),
        left < 0,
        "1 day left" if left == 1 else text,
        rule.after,
    )


def _holder_label(holder: str, mine: bool) -> str:
    if holder == "none":
        return "Nothing is asked of anyone"
    return "Waiting for you" if mine else f"Waiting for {HOLDERS[holder]}"


def _step_marks(case: Case) -> tuple[StepMark, ...]:
    marks = []
    for info in current().machine(case.kind).steps:
        status = "done" if info.number < case.step else "current" if info.number == case.step else "todo"
        marks.append(StepMark(info.number, info.title, status, info.explanation))
    return tuple(marks)


SITES = "sites"
TABS = (
    ("overview", "Overview", "", Permission.VIEW_CASE),
    ("application", "Application", "/application", Permission.VIEW_APPLICATION),
    ("evidence", "Evidence", "/evidence", Permission.VIEW_EVIDENCE),
    ("survey", "Survey", "/survey", Permission.VIEW_SURVEY),
    ("report", "Report", "/report", Permission.VIEW_REPORT),
    ("corrections", "Corrections", "/corrections", Permission.VIEW_CORRECTIONS),
    ("decision", "Decision", "/decision", Permission.VIEW_DECISION),
    ("fees", "Fees", "/fees", Permission.VIEW_FEES),
    ("messages", "Messages", "/messages", Permission.READ_MESSAGES),
    ("history", "History", "/history", Permission.VIEW_HISTORY),
)


def _tabs(session: Session, case: Case, actor: Actor, at_tab: str, numbers: dict[str, int]) -> tuple[Tab, ...]:
    subject = subject_of(session, case, actor)
    return tuple(
        Tab(key, label, f"/cases/{case.ref}{path}", numbers.get(key, 0), key == at_tab)
        for key, label, path, permission in TABS
        if allowed(actor, permission, subject)
    )
