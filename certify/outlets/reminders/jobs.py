"""Reminders of running deadlines: each once, to those the rules name, and with an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case, CaseDeadline
from certify.core.catalogue.model import Reminder
from certify.core.foundation.clock import Clock
from certify.core.foundation.days import local_date, long_day
from certify.core.rulebook.current import current
from certify.db import write_intent
from certify.outlets.reminders.audience import Reader, readers_of
from certify.outlets.reminders.rules import CATCH_UP_DAYS, days_words, due_dates, morning_of, offset_due
from certify.outlets.reminders.wording import case_context, why
from certify.platform.mail.models import Outbox
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice

# Every zone's today, from UTC-11 to UTC+10, lies between yesterday and tomorrow of UTC.
ZONE_DAYS = 1
BATCH = 500


@dataclass(frozen=True)
class Found:
    """A deadline that is reminded of today, before it is known whether the mail went out already."""

    rule: Reminder
    deadline_id: int
    offset: int
    today: date
    key: str  # the same reminder has the same key, however often the job runs


@dataclass(frozen=True)
class Ripe:
    """A reminder to be written now."""

    rule: Reminder
    deadline: CaseDeadline
    case: Case
    practice: Practice
    offset: int
    today: date
    key: str

    @property
    def roles(self) -> tuple[str, ...]:
        """Whom it goes to: after the date others join."""
        return tuple(dict.fromkeys((*self.rule.to, *(self.rule.late_to if self.offset < 0 else ()))))


def remind(session: Session, clock: Clock) -> int:
    """Post the reminders that are due; returns how many mails were new. Safe to repeat.

    Looks first, with what little it takes to name a reminder, and writes only when one has not gone out: nearly always
    there is nothing to do, and no writer waits for that.
    """
    at = clock.now()
    intent = write_intent.set(False)
    try:
        found = _not_yet_sent(session, [f for rule in current().reminders for f in _found(session, rule, at)])
        session.commit()
    finally:
        write_intent.reset(intent)
    posted = 0
    for start in range(0, len(found), BATCH):
        posted += _post(session, found[start : start + BATCH], at)
    return posted


def _post(session: Session, found: Sequence[Found], at: datetime) -> int:
    by_id = {f.deadline_id: f for f in found}
    rows = session.execute(
        select(CaseDeadline, Case, Practice)
        .join(Case, Case.id == CaseDeadline.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(CaseDeadline.id.in_(by_id), CaseDeadline.ended_at.is_(None))
        .order_by(CaseDeadline.due_at, CaseDeadline.id)
    ).all()
    ripe = []
    for deadline, case, practice in rows:
        f = by_id[deadline.id]
        ripe.append(Ripe(f.rule, deadline, case, practice, f.offset, f.today, f.key))
    posted = 0
    for roles in {r.roles for r in ripe}:
        group = [r for r in ripe if r.roles == roles]
        readers = readers_of(session, [r.case for r in group], roles, at=at)
        posted += post_all(session, [_mail(r, reader, at) for r in group for reader in readers[r.case.id]], at=at)
    return posted


def _found(session: Session, rule: Reminder, at: datetime) -> list[Found]:
    around = at.astimezone(UTC).date()
    days = [around + timedelta(days=d) for d in range(-CATCH_UP_DAYS - ZONE_DAYS, ZONE_DAYS + 1)]
    dates = due_dates(rule, days)
    if not dates:
        return []
    # The range walks the index of running deadlines; the exact dates are picked from it.
    earliest = datetime.combine(min(dates), datetime.min.time(), tzinfo=UTC) - timedelta(days=1)
    latest = datetime.combine(max(dates), datetime.min.time(), tzinfo=UTC) + timedelta(days=3)
    rows = session.execute(
        select(CaseDeadline.id, CaseDeadline.due_on, CaseDeadline.set_at, Case.ref, Practice.time_zone)
        .join(Case, Case.id == CaseDeadline.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(
            CaseDeadline.ended_at.is_(None),
            CaseDeadline.due_at.between(earliest, latest),
            CaseDeadline.key == rule.deadline,
            CaseDeadline.due_on.in_(dates),
        )
        .order_by(CaseDeadline.due_at, CaseDeadline.id)
    )
    found = []
    for deadline_id, due_on, set_at, ref, zone in rows:
        today = local_date(at, zone)
        offset = offset_due(rule, due_on, today=today, set_on=local_date(set_at, zone))
        if offset is not None:
            key = f"reminder:{ref}:{rule.deadline}:{due_on}:{offset}"
            found.append(Found(rule, deadline_id, offset, today, key))
    return found


def _not_yet_sent(session: Session, found: Sequence[Found]) -> list[Found]:
    """Leave out what went out before, so that a job that runs each minute reads much and writes nothing."""
    sent: set[str | None] = set()
    for start in range(0, len(found), BATCH):
        some = [f.key for f in found[start : start + BATCH]]
        sent |= set(session.scalars(select(Outbox.reminder_key).where(Outbox.reminder_key.in_(some))).all())
    return [f for f in found if f.key not in sent]


def _mail(ripe: Ripe, reader: Reader, at: datetime) -> Mail:
    rule = current().deadlines.get(ripe.deadline.key)
    label = rule.label if rule else ripe.deadline.key.replace("_", " ")
    away, right = days_words(ripe.deadline.due_on, ripe.today), bool(rule and rule.lapses)
    falls = "the time ends" if right else "was due" if ripe.offset < 0 else "due"
    context = case_context(ripe.case, ripe.practice, reader, today=ripe.today)
    context |= {
        "headline": f"{label}: {falls} {away}",
        "deadline": label,
        "deadline_on": long_day(ripe.deadline.due_on),
        "deadline_away": away,
        "right": right,
        "late": ripe.deadline.due_on < ripe.today,
        "deadline_after": rule.after if rule else "",
        "last": ripe.offset == min(_all_offsets(ripe.rule)),
    }
    return Mail(
        dedupe_key=f"{ripe.key}:{reader.person_id}", kind="reminder", template="reminder", person_id=reader.person_id,
        to_email=reader.email, to_name=reader.name, subject=f"{label}: {falls} {away} ({ripe.practice.legal_name}, {ripe.case.ref})",
        why=why(reader, ripe.practice, reminder=True), context=context, case_ref=ripe.case.ref, reminder_key=ripe.key,
        due_at=max(at, morning_of(ripe.today, ripe.practice.time_zone)),
    )  # fmt: skip


def _all_offsets(rule: Reminder) -> set[int]:
    return {*rule.before, *(-days for days in rule.after)}
