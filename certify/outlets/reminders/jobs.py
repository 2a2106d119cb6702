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
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.outlets.reminders.audience import Reader, readers_of
from certify.outlets.reminders.rules import CATCH_UP_DAYS, days_words, due_dates, long_day, morning_of, offset_due
from certify.outlets.reminders.wording import case_context, why
from certify.platform.mail.models import Outbox
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice

# Every zone's today, from UTC-11 to UTC+10, lies between yesterday and tomorrow of UTC.
ZONE_DAYS = 1


@dataclass(frozen=True)
class Ripe:
    """A deadline that is reminded of today."""

    rule: Reminder
    deadline: CaseDeadline
    case: Case
    practice: Practice
    offset: int
    today: date

    @property
    def roles(self) -> tuple[str, ...]:
        """Whom it goes to: after the date others join."""
        return tuple(dict.fromkeys((*self.rule.to, *(self.rule.late_to if self.offset < 0 else ()))))

    @property
    def key(self) -> str:
        """The same reminder has the same key, however often the job runs."""
        return f"reminder:{self.case.ref}:{self.deadline.key}:{self.deadline.due_on}:{self.offset}"


def remind(session: Session, clock: Clock) -> int:
    """Post the reminders that are due; returns how many mails were new. Safe to repeat."""
    at = clock.now()
    ripe = _not_yet_sent(session, [r for rule in current().reminders for r in _ripe(session, rule, at)])
    posted = 0
    for roles in {r.roles for r in ripe}:
        group = [r for r in ripe if r.roles == roles]
        readers = readers_of(session, [r.case for r in group], roles, at=at)
        posted += post_all(session, [_mail(r, reader, at) for r in group for reader in readers[r.case.id]], at=at)
    return posted


def _ripe(session: Session, rule: Reminder, at: datetime) -> list[Ripe]:
    around = at.astimezone(UTC).date()
    days = [around + timedelta(days=d) for d in range(-CATCH_UP_DAYS - ZONE_DAYS, ZONE_DAYS + 1)]
    dates = due_dates(rule, days)
    if not dates:
        return []
    # The range walks the index of running deadlines; the exact dates are picked from it.
    earliest = datetime.combine(min(dates), datetime.min.time(), tzinfo=UTC) - timedelta(days=1)
    latest = datetime.combine(max(dates), datetime.min.time(), tzinfo=UTC) + timedelta(days=3)
    rows = session.execute(
        select(CaseDeadline, Case, Practice)
        .join(Case, Case.id == CaseDeadline.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(
            CaseDeadline.ended_at.is_(None),
            CaseDeadline.due_at.between(earliest, latest),
            CaseDeadline.key == rule.deadline,
            CaseDeadline.due_on.in_(dates),
            Case.open,
        )
        .order_by(CaseDeadline.due_at, CaseDeadline.id)
    ).all()
    found = []
    for deadline, case, practice in rows:
        today = local_date(at, practice.time_zone)
        offset = offset_due(rule, deadline.due_on, today=today, set_on=local_date(deadline.set_at, practice.time_zone))
        if offset is not None:
            found.append(Ripe(rule, deadline, case, practice, offset, today))
    return found


def _not_yet_sent(session: Session, ripe: Sequence[Ripe]) -> list[Ripe]:
    """Leave out what went out before, so that a job that runs each minute reads much and writes nothing."""
    keys = [r.key for r in ripe]
    if not keys:
        return []
    sent: set[str | None] = set()
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        sent |= set(session.scalars(select(Outbox.reminder_key).where(Outbox.reminder_key.in_(some))).all())
    return [r for r in ripe if r.key not in sent]


def _mail(ripe: Ripe, reader: Reader, at: datetime) -> Mail:
    rule = current().deadlines.get(ripe.deadline.key)
    label = rule.label if rule else ripe.deadline.key.replace("_", " ")
    away = days_words(ripe.deadline.due_on, ripe.today)
    context = case_context(ripe.case, ripe.practice, reader, today=ripe.today)
    context |= {
        "headline": f"{label}: {'was due' if ripe.offset < 0 else 'due'} {away}",
        "deadline": label,
        "deadline_on": long_day(ripe.deadline.due_on),
        "deadline_away": away,
        "late": ripe.deadline.due_on < ripe.today,
        "deadline_after": rule.after if rule else "",
        "last": ripe.offset == min(_all_offsets(ripe.rule)),
    }
    return Mail(
        dedupe_key=f"{ripe.key}:{reader.person_id}", kind="reminder", template="reminder", person_id=reader.person_id,
        to_email=reader.email, to_name=reader.name, subject=f"{label}: {'was due' if ripe.offset < 0 else 'due'} {away} ({ripe.practice.legal_name}, {ripe.case.ref})",
        why=why(reader, ripe.practice, reminder=True), context=context, case_ref=ripe.case.ref, reminder_key=ripe.key,
        due_at=max(at, morning_of(ripe.today, ripe.practice.time_zone)),
    )  # fmt: skip


def _all_offsets(rule: Reminder) -> set[int]:
    return {*rule.before, *(-days for days in rule.after)}
