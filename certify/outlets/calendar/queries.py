"""What stands in a person's calendar: deadlines and visits of the cases that are theirs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseDeadline
from certify.certification.cases.queries import visible
from certify.certification.surveys.models import Survey
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import Actor
from certify.core.rulebook.current import current
from certify.outlets.calendar.models import CalendarFeed
from certify.outlets.calendar.rules import Entry, Span, version_of
from certify.platform.practices.models import Practice

# A person who looks after more open cases than this sees the newest.
MOST_CASES = 500
# For so long a case that has ended tells calendars that its dates no longer hold.
LOOKS_BACK = timedelta(days=60)
HOW = {"on_site": "The surveyors come to your sites.", "virtual": "By video."}


class _Case(NamedTuple):
    id: int
    ref: str
    kind: str
    open: bool
    state_since: datetime
    practice_name: str


def feed_of(session: Session, person_id: int) -> CalendarFeed | None:
    """Return the person's calendar, stopped or not, or None before one was asked for."""
    return session.get(CalendarFeed, person_id)


def entries_of(session: Session, actor: Actor, base: str, at: datetime) -> list[Entry]:
    """Return the entries of a person's calendar, soonest first; three queries however many cases.

    A practice has every date of its cases, a surveyor those of the cases she is on, the program's people those of the cases
    that they are the contact of.

    Args:
        base: the address of this program, for the links in the entries.
    """
    cases = {case.id: case for case in (_Case._make(row) for row in session.execute(_cases_of(actor, at)))}
    if not cases:
        return []
    found = [*_deadlines(session, cases, base), *_visits(session, cases, base)]
    return sorted(found, key=lambda entry: (entry.first, entry.uid))


def _cases_of(actor: Actor, at: datetime) -> Select[int, str, str, bool, datetime, str]:
    mine = [Case.staff_id == actor.user_id] if allowed(actor, Permission.VIEW_QUEUE) else []
    return (
        select(Case.id, Case.ref, Case.kind, Case.open, Case.state_since, Practice.legal_name)
        .join(Practice, Practice.id == Case.practice_id)
        .where(visible(actor), *mine, or_(Case.open, Case.state_since > at - LOOKS_BACK))
        .order_by(Case.id.desc())
        .limit(MOST_CASES)
    )


def _deadlines(session: Session, cases: dict[int, _Case], base: str) -> Iterable[Entry]:
    """One entry for each deadline that a case has had, as it was last set."""
    book = current()
    query = select(CaseDeadline).where(CaseDeadline.case_id.in_(cases)).order_by(CaseDeadline.case_id, CaseDeadline.id)
    rows = sorted(session.scalars(query), key=lambda row: (row.case_id, row.key))  # stable: oldest first within
    for (case_id, key), group in groupby(rows, key=lambda row: (row.case_id, row.key)):
        rule, case = book.deadlines.get(key), cases[case_id]
        if rule is None:
            continue
        history = list(group)
        last = history[-1]
        sequence, changed_at = version_of(Span(r.set_at, r.moved_at, r.ended_at) for r in history)
        yield Entry(
            uid=f"{case.ref}-{key}@certify", title=f"{rule.label}: {case.practice_name}", text=rule.after, first=last.due_on,
            last=last.due_on, url=f"{base}/cases/{case.ref}", sequence=sequence, changed_at=changed_at,
            # What ended before its day is done or no longer asked; what ended after it stays where it was.
            held=last.ended_at is None or last.ended_at > last.due_at,
        )  # fmt: skip


def _visits(session: Session, cases: dict[int, _Case], base: str) -> Iterable[Entry]:
    query = select(Survey).where(Survey.case_id.in_(cases)).order_by(Survey.case_id, Survey.round)
    for survey in session.scalars(query):
        stands = survey.starts_on is not None
        first = survey.starts_on or survey.given_back_on
        changed_at = survey.agreed_at if stands else survey.given_back_at
        if first is None or changed_at is None:
            continue
        case = cases[survey.case_id]
        called_off = stands and not case.open and survey.checked_in_at is None
        yield Entry(
            uid=f"{case.ref}-visit-{survey.round}@certify", title=f"Site survey: {case.practice_name}", text=HOW.get(survey.mode, ""),
            first=first, last=_last_day(survey, first), url=f"{base}/cases/{case.ref}/survey", busy=True,
            sequence=2 * survey.reschedules + (1 if called_off else 0 if stands else -1),
            changed_at=case.state_since if called_off else changed_at, held=stands and not called_off,
        )  # fmt: skip


def _last_day(survey: Survey, first: date) -> date:
    return survey.ends_on if survey.ends_on is not None and survey.ends_on >= first else first
