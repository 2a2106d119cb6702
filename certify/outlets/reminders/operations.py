"""Telling those whom a step concerns, in the transaction of the step."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.core.catalogue.model import Notice
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.outlets.reminders.audience import Reader, readers_of
from certify.outlets.reminders.rules import QUOTED
from certify.outlets.reminders.wording import case_context, why
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice

# Whoever takes a step knows of it already. For these the mail is the receipt, so the one who took it gets it too.
RECEIPTS = frozenset({"submit", "resubmit", "agree_date", "withdraw"})


def tell(session: Session, event: CaseAdvanced) -> int:
    """Post the notices of a step; returns how many mails were new. Listener of CaseAdvanced."""
    notices = [n for n in current().notices if n.trigger == event.trigger]
    if not notices:
        return 0
    case = session.get(Case, event.case_id)
    practice = session.get(Practice, event.practice_id)
    if case is None or practice is None:
        raise LookupError("an event names a case and a practice that are there")
    audiences = readers_of(session, [case], [role for n in notices for role in n.to], at=event.at)[case.id]
    return post_all(session, [m for n in notices for m in _mails(n, event, case, practice, audiences)], at=event.at)


def _mails(
    notice: Notice, event: CaseAdvanced, case: Case, practice: Practice, readers: Sequence[Reader]
) -> list[Mail]:
    today = local_date(event.at, practice.time_zone)
    quoted = event.reason if event.trigger in QUOTED else ""
    mails = []
    for reader in readers:
        own_act = reader.person_id == event.actor_id and event.trigger not in RECEIPTS
        if reader.role not in notice.to or own_act:
            continue
        context = case_context(case, practice, reader, today=today)
        context |= {"headline": notice.subject, "quoted": quoted, "by": event.actor_name}
        mails.append(
            Mail(
                dedupe_key=f"step:{case.ref}:{case.version}:{event.trigger}:{reader.person_id}",
                kind=event.trigger, template=notice.template, person_id=reader.person_id, to_email=reader.email, to_name=reader.name,
                subject=f"{notice.subject} ({practice.legal_name}, {case.ref})", why=why(reader, practice), context=context,
                case_ref=case.ref, once_only=notice.resend == "ask",
            )
        )  # fmt: skip
    return mails
