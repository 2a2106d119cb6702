"""What happens on a case beside its steps: a new version of the report, an objection and its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.core.foundation.days import local_date
from certify.outlets.reminders.audience import readers_of
from certify.outlets.reminders.wording import case_context, why
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice

PRACTICE_HEADS = ("practice_admin", "physician_lead")
PROGRAM = ("contact",)


class OnCase(Protocol):
    """What every event of a case says."""

    @property
    def case_id(self) -> int: ...
    @property
    def practice_id(self) -> int: ...
    @property
    def actor_id(self) -> int | None: ...
    @property
    def at(self) -> datetime: ...


def report_issued(session: Session, event: ReportIssued) -> int:
    """Tell the practice of a new version of its report and why it was made; the first one is told by its step."""
    if event.number == 1:
        return 0
    subject = f"Version {event.number} of your survey report"
    return _tell(session, event, f"report:{event.report_id}", PRACTICE_HEADS, subject, quoted=event.reason)


def objection_made(session: Session, event: ObjectionMade) -> int:
    """Tell the case's contact that the practice objects to a fact of its report."""
    return _tell(
        session,
        event,
        f"objection:{event.objection_id}",
        PROGRAM,
        "The practice objects to a fact of its survey report",
    )


def objection_answered(session: Session, event: ObjectionAnswered) -> int:
    """Tell the practice what came of its objection, in the program's own words."""
    subject = "Your objection is accepted; the report is corrected" if event.accepted else "Answer to your objection"
    return _tell(session, event, f"objection-answer:{event.objection_id}", PRACTICE_HEADS, subject, quoted=event.answer)


def _tell(session: Session, event: OnCase, key: str, roles: tuple[str, ...], subject: str, *, quoted: str = "") -> int:
    case, practice = session.get_one(Case, event.case_id), session.get_one(Practice, event.practice_id)
    today = local_date(event.at, practice.time_zone)
    where = {"action_label": "Open the report", "action_path": f"/cases/{case.ref}/report"}
    mails = []
    for reader in readers_of(session, [case], roles, at=event.at)[case.id]:
        if reader.person_id == event.actor_id:
            continue
        words = {
            "headline": subject,
            "quoted": quoted,
            "by": "The program" if roles is PRACTICE_HEADS else "The practice",
        }
        mails.append(
            Mail(
                dedupe_key=f"{key}:{reader.person_id}", kind=key.split(":")[0], template="step", person_id=reader.person_id,
                to_email=reader.email, to_name=reader.name, subject=f"{subject} ({practice.legal_name}, {case.ref})",
                why=why(reader, practice), context=case_context(case, practice, reader, today=today) | where | words, case_ref=case.ref,
            )
        )  # fmt: skip
    return post_all(session, mails, at=event.at)
