"""The head of a case page: step, holder, date, what may happen next, and what it still lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.deadlines import rows_of
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.queries.access import acting_roles, practice_of, subject_of, zone_of
from certify.certification.cases.rules import CaseClockFacts
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import ROLE_TITLES, Actor, Role
from certify.core.foundation.days import business_days_between, local_date
from certify.core.foundation.errors import Unmet
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Opening, openings
from certify.platform.practices.models import Site

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


def _tabs(session: Session, case: Case, actor: Actor, at_tab: str, numbers: dict[str, int]) -> tuple[Tab, ...]:
    subject = subject_of(session, case, actor)
    return tuple(
        Tab(key, label, f"/cases/{case.ref}{path}", numbers.get(key, 0), key == at_tab)
        for key, label, path, permission in TABS
        if allowed(actor, permission, subject)
    )
