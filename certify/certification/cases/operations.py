"""Writes of the spine; the only writer of `Case.state` in the code base."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certify.certification.cases import registry
from certify.certification.cases.deadlines import extend, refresh_deadlines
from certify.certification.cases.events import CaseAdvanced, CaseOpened
from certify.certification.cases.inputs import read_inputs
from certify.certification.cases.models import Case, CaseDeadline, CaseMember, CaseNumber
from certify.certification.cases.queries import CaseKey, acting_roles, zone_of
from certify.core.access.roles import SYSTEM, Actor, Role
from certify.core.foundation import events
from certify.core.foundation.days import local_date, long_day, written, zone
from certify.core.foundation.errors import Conflict, FieldError, Invalid, NotAllowed, NotOpen, Stale
from certify.core.foundation.ids import initials
from certify.core.rulebook.current import current
from certify.core.workflow.machine import Machine, State, Transition, next_state
from certify.platform.audit.models import Event
from certify.platform.audit.operations import record

KIND = "certification"
# Transitions the clock sets off at once, one after the other; more than this many in a row is a circle in the rules.
MOST_FOLLOW_UPS = 5
# The events that bring a case to another version.
MOVES = (
    "case.opened",
    "case.advanced",
    "case.assigned",
    "case.edition_locked",
    "case.edition_chosen",
    "deadline.extended",
)
# The inputs that say why; the first that is given goes with the step.
REASONS = ("reason", "comments")


@dataclass(frozen=True)
class Step:
    """A machine and the answer to each of its guards for one case at one instant."""

    machine: Machine
    facts: registry.CaseFacts
    roles: Collection[Role]


def open_case(session: Session, practice_id: int, practice_name: str, *, zone: str, actor: Actor, at: datetime) -> Case:
    """Begin a case for a practice in the machine's first state, with the newest questionnaire, agreement and edition.

    Raises: Conflict when the practice has an open case already.
    """
    if twice := _open_already(session, practice_id):
        raise twice
    book, today = current(), local_date(at, zone)
    machine = book.machine(KIND)
    first = machine.states[machine.initial]
    case = Case(
        ref=_next_ref(session, practice_name, today.year),
        kind=KIND,
        practice_id=practice_id,
        edition=book.newest_edition(today).edition,
        questionnaire=book.newest_questionnaire().version,
        agreement=book.newest_agreement().version,
        state=first.key,
        step=first.step,
        holder=first.holder,
        state_since=at,
        anchors={"entered": today.isoformat(), "opened_on": today.isoformat()},
        created_at=at,
    )
    try:
        with session.begin_nested():
            session.add(case)
    except IntegrityError as meanwhile:  # two began at the same moment, and the index let one of them through
        raise _open_already(session, practice_id) or meanwhile from meanwhile
    refresh_deadlines(session, case, machine, zone=zone, at=at, entered=True)
    record_on(session, case, "case.opened", "opened the application", actor=actor, at=at)
    events.publish(session, CaseOpened(case.id, case.ref, practice_id, actor.user_id, at))
    session.flush()
    return case


def take(
    session: Session,
    case: Case,
    trigger: str,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> CaseAdvanced:
    """Perform any trigger: read its inputs, let the room write what they carry, advance, follow what happens at once.

    Pages, API, commands and the scheduler all come through here.
    Raises: Stale, NotOpen, NotAllowed, Invalid (inputs), RulesUnmet (all guards that do not hold); the caller rolls back.
    """
    machine = current().machine(case.kind)
    if version is not None and case.version != version:
        raise _stale(session, case)
    roles = acting_roles(session, case, actor, at)
    transition = _find(machine, case.state, trigger)
    if not transition.roles & roles:
        raise NotAllowed(f"“{transition.label}” is not yours to do in this case.")
    inputs = read_inputs(transition.inputs, data)
    prepare = registry.prepares.get(trigger)
    if prepare is not None:
        prepare(session, case, inputs, actor=actor, at=at)
        session.flush()
    step = Step(machine, registry.CaseFacts(session, case, actor, at), roles)
    reason = str(next((inputs[key] for key in REASONS if inputs.get(key)), ""))
    advanced = advance(
        session, case, trigger, step=step, actor=actor, at=at, version=case.version, reason=reason, data=inputs
    )
    follow_at_once(session, case, at=at)
    return advanced


def advance(
    session: Session,
    case: Case,
    trigger: str,
    *,
    step: Step,
    actor: Actor,
    at: datetime,
    version: int,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> CaseAdvanced:
    """Take one step of a declared machine, leave its event in the chain, tell who listens.

    Raises: Stale, NotOpen, NotAllowed or RulesUnmet; then nothing has changed. Flushes, never commits.
    """
    if case.version != version:
        raise _stale(session, case)
    before = case.state
    after = next_state(step.machine, before, trigger, roles=step.roles, check=step.facts.check)
    transition = _find(step.machine, before, trigger)
    zone = zone_of(session, case)
    _enter(case, step.machine.states[after], transition, today=local_date(at, zone), at=at)
    with session.no_autoflush:  # the case and its dates go to the database together
        refresh_deadlines(session, case, step.machine, zone=zone, at=at, entered=True)
        _record_step(session, case, transition, before, actor=actor, at=at, reason=reason, data=data or {})
    session.flush()
    event = CaseAdvanced(
        case.id, case.ref, case.practice_id, trigger, before, after, actor.user_id, actor.name, at, reason, dict(data or {})
    )  # fmt: skip
    events.publish(session, event)
    session.flush()
    return event


def _enter(case: Case, state: State, transition: Transition, *, today: date, at: datetime) -> None:
    case.state = state.key  # version_id_col counts up at the flush and catches two servers at once
    case.step = case.step if state.ends else state.step
    case.holder = state.holder
    case.state_since = at
    case.open = not state.ends
    case.anchors = {**case.anchors, **{key: today.isoformat() for key in ("entered", *transition.sets)}}


def _record_step(
    session: Session,
    case: Case,
    transition: Transition,
    before: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    data: Mapping[str, Any],
) -> None:
    """Record a step: the practice reads its line; what is for the program alone stands in one of its own."""
    internal = {one.key for one in transition.inputs if one.internal}
    kept = {key: value for key, value in data.items() if key in internal and value not in (None, "")}
    shown = {key: value for key, value in data.items() if key not in internal}
    told = not any(key in kept for key in REASONS)
    label = transition.label.lower()
    record_on(
        session, case, "case.advanced", transition.done or label, actor=actor, at=at, reason=reason if told else "",
        data={"trigger": transition.trigger, "from": before, "to": case.state, "inputs": shown},
    )  # fmt: skip
    if kept:
        record_on(
            session, case, "case.noted", f"added for the program: {label}", actor=actor, at=at, reason="" if told else reason,
            data={"trigger": transition.trigger, "inputs": kept}, internal=True,
        )  # fmt: skip


def follow_at_once(session: Session, case: Case, *, at: datetime) -> list[CaseAdvanced]:
    """Take every automatic transition whose guards hold, one after the other, as the program's clock."""
    machine = current().machine(case.kind)
    taken: list[CaseAdvanced] = []
    for _ in range(MOST_FOLLOW_UPS):
        facts = registry.CaseFacts(session, case, SYSTEM, at)
        ready = next(
            (t for t in machine.leaving(case.state) if t.automatic and not any(facts.check(g) for g in t.guards)), None
        )
        if ready is None:
            return taken
        step = Step(machine, facts, SYSTEM.roles)
        taken.append(advance(session, case, ready.trigger, step=step, actor=SYSTEM, at=at, version=case.version))
    raise RuntimeError(f"{case.ref}: automatic transitions of {case.kind} go in a circle around {case.state}")


def add_member(
    session: Session, case: Case, person_id: int, role: str, *, at: datetime, until: datetime | None = None
) -> CaseMember:
    """Put a person on the case in a role; who is on it in that role already keeps the place."""
    member = session.scalar(
        select(CaseMember).where(
            CaseMember.case_id == case.id,
            CaseMember.person_id == person_id,
            CaseMember.role == role,
            CaseMember.until_at.is_(None),
        )
    )
    if member is None:
        member = CaseMember(case_id=case.id, person_id=person_id, role=role, from_at=at, until_at=until)
        session.add(member)
    session.flush()
    return member


def end_member(session: Session, case: Case, person_id: int, role: str, *, at: datetime) -> None:
    """End a person's place on the case at an instant, which may lie ahead."""
    for member in session.scalars(
        select(CaseMember).where(
            CaseMember.case_id == case.id, CaseMember.person_id == person_id, CaseMember.role == role
        )
    ):
        if member.until_at is None or member.until_at > at:
            member.until_at = at
    session.flush()


def set_anchor(session: Session, case: Case, key: str, on: date | None, *, at: datetime) -> None:
    """Set or clear a date that deadlines are counted from, and recompute what depends on it."""
    anchors = {k: v for k, v in case.anchors.items() if k != key}
    case.anchors = anchors if on is None else {**anchors, key: on.isoformat()}
    refresh_deadlines(session, case, current().machine(case.kind), zone=zone_of(session, case), at=at, entered=False)
    session.flush()


def assign_staff(session: Session, case: Case, person_id: int | None, name: str, *, actor: Actor, at: datetime) -> None:
    """Name the member of program staff who looks after the case, or nobody."""
    before, case.staff_id = case.staff_id, person_id
    summary = (
        f"made {name} the case's contact at the program"
        if person_id
        else "left the case without a contact at the program"
    )
    record_on(session, case, "case.assigned", summary, actor=actor, at=at, data={"before": before, "after": person_id})


def extend_deadline(
    session: Session, case: Case, key: str, days: int, reason: str, *, actor: Actor, at: datetime
) -> CaseDeadline:
    """Give more time for a running deadline, with a reason (process.md, section 5: only the program does).

    Raises: NotOpen when it is not running, Invalid when it may not be extended so far or so often, or no reason is given.
    """
    row = session.scalar(
        select(CaseDeadline).where(
            CaseDeadline.case_id == case.id, CaseDeadline.key == key, CaseDeadline.ended_at.is_(None)
        )
    )
    if row is None:
        raise NotOpen(f"The deadline {key!r} is not running in {case.ref}.")
    rule = current().deadlines[key]
    errors = []
    if not reason.strip():
        errors.append(FieldError("reason", "Say why more time is given; the practice reads it."))
    if row.extensions >= rule.extend_times:
        errors.append(FieldError("days", f"This date can be extended {rule.extend_times} times, and has been."))
    elif not 1 <= days <= rule.extend_days:
        errors.append(FieldError("days", f"Between 1 and {rule.extend_days} days can be given."))
    if errors:
        raise Invalid(errors)
    before = row.due_on
    extend(session, case, row, days, zone=zone_of(session, case), at=at)
    data = {"deadline": key, "before": before.isoformat(), "after": row.due_on.isoformat()}
    summary = f"gave more time: {rule.label.lower()} is now due on {long_day(row.due_on)}"
    record_on(session, case, "deadline.extended", summary, actor=actor, at=at, reason=reason.strip(), data=data)
    return row


def lock_edition(session: Session, case: Case, *, actor: Actor, at: datetime) -> None:
    """Fix the standards edition for good (process.md, transition 6 and invariant 5); a second call changes nothing."""
    if case.edition_locked_at is None:
        case.edition_locked_at = at
        record_on(
            session, case, "case.edition_locked", f"fixed the standards edition: {case.edition}", actor=actor, at=at
        )


def choose_edition(session: Session, case: Case, edition: str, *, actor: Actor, at: datetime) -> None:
    """Choose the edition before the fee is confirmed.

    Raises: NotOpen once the edition is fixed, or when that edition is not offered today.
    """
    offered = {e.edition for e in current().editions_open_on(local_date(at, zone_of(session, case)))}
    if case.edition_locked_at is not None:
        raise NotOpen("The standards edition was fixed when the fee was confirmed.")
    if edition not in offered:
        raise NotOpen(f"Edition {edition} is not offered today; offered: {', '.join(sorted(offered))}.")
    before, case.edition = case.edition, edition
    data = {"before": before, "after": edition}
    record_on(
        session, case, "case.edition_chosen", f"chose the standards edition {edition}", actor=actor, at=at, data=data
    )


def record_on(
    session: Session,
    case: CaseKey,
    kind: str,
    summary: str,
    *,
    actor: Actor,
    at: datetime,
    reason: str = "",
    subject: str = "",
    data: dict[str, Any] | None = None,
    internal: bool = False,
) -> None:
    """Add an event to the case's chain; `summary` goes on after the actor's name, past tense."""
    record(
        session,
        f"case:{case.ref}",
        kind,
        summary,
        actor=actor,
        at=at,
        reason=reason,
        subject=subject,
        data=data,
        internal=internal,
    )


def _find(machine: Machine, state: str, trigger: str) -> Transition:
    for transition in machine.leaving(state):
        if transition.trigger == trigger:
            return transition
    if not any(t.trigger == trigger for t in machine.transitions):
        raise NotOpen(
            f"There is no step {trigger!r}; open from here: {', '.join(t.trigger for t in machine.leaving(state)) or 'none'}."
        )
    raise NotOpen(f"{trigger!r} is not open while the case is at “{machine.states[state].label}”.")


def _open_already(session: Session, practice_id: int) -> Conflict | None:
    ref = session.scalar(select(Case.ref).where(Case.practice_id == practice_id, Case.open.is_(True)).limit(1))
    return Conflict(f"The practice has an open case already: {ref}. Go on with that one.") if ref else None


def _stale(session: Session, case: Case) -> Stale:
    # Not the newest line of all: what the program keeps to itself is not told here, and what was only read moved nothing.
    moved = select(Event).where(Event.stream == f"case:{case.ref}", Event.kind.in_(MOVES), Event.internal.is_(False))
    last = session.scalar(moved.order_by(Event.seq.desc()).limit(1))
    who = ""
    if last is not None:
        at = last.at.astimezone(zone(zone_of(session, case)))
        who = f" {last.actor_name} {last.summary} on {written(at)} at {at:%H:%M} ({at.tzname()})."
    return Stale(f"{case.ref} has moved on since you opened it.{who} Open it again to see where it stands.")


def _next_ref(session: Session, practice_name: str, year: int) -> str:
    number = session.get(CaseNumber, year, with_for_update=True, populate_existing=True)
    if number is None:
        number = CaseNumber(year=year, last=0)
        session.add(number)
    number.last += 1
    session.flush()
    return f"{initials(practice_name)}-{year}-{number.last:03d}"
