"""What happens on a case beside its steps: a message, a new version of the report, an objection and its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.discussions.events import MessageWritten
from certify.certification.discussions.queries import readers_among, seen_by, writers_of
from certify.certification.discussions.rules import WORDS, Audience, item_label
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.certification.reports.models import Report
from certify.certification.reports.queries import issued_report
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current
from certify.outlets.reminders.audience import people_as, readers_of
from certify.outlets.reminders.wording import case_context, why, why_message
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice

PRACTICE_HEADS = ("practice_admin", "physician_lead")
PROGRAM = ("contact",)
CRITICAL = ("physician_lead", "contact", "council")
WRITERS = "writers"


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
    """Tell the practice of a new version of its report and why it was made; the first one is told by its step.

    Of a critical standard that is not met others are told at once (process.md, section 10).
    """
    told = _critical_not_met(session, event)
    if event.number == 1:
        return told
    subject = f"Version {event.number} of your survey report"
    return told + _tell(session, event, f"report:{event.report_id}", PRACTICE_HEADS, subject, quoted=event.reason)


def _critical_not_met(session: Session, event: ReportIssued) -> int:
    """Tell who answers for the practice, for the case and for the council; once for what a survey found, in any version."""
    report = issued_report(session, event.case_id, event.report_id)
    missed = _missed(report) if report else {}
    if report is None or not missed:
        return 0
    case, practice = session.get_one(Case, event.case_id), session.get_one(Practice, event.practice_id)
    headline = "A critical standard is not met" if len(missed) == 1 else f"{len(missed)} critical standards are not met"
    lines = [
        f"{practice.legal_name}, case {case.ref}: by the survey report that has just been issued, {headline[0].lower()}{headline[1:]}.",
        *missed.values(),
        "Certification is not possible before that is corrected, and it cannot be waived.",
    ]
    words = {
        "headline": headline,
        "lines": lines,
        "action_label": "Open the report",
        "action_path": f"/cases/{case.ref}/report",
    }
    mails = [
        Mail(
            dedupe_key=f"critical:{report.survey_id}:{'+'.join(missed)}:{reader.person_id}", kind="critical", template="notice",
            person_id=reader.person_id, to_email=reader.email, to_name=reader.name,
            subject=f"{headline} ({practice.legal_name}, {case.ref})", why=why(reader, practice), context=words, case_ref=case.ref,
        )
        for reader in readers_of(session, [case], CRITICAL, at=event.at)[case.id]
    ]  # fmt: skip
    return post_all(session, mails, at=event.at)


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


def _missed(report: Report) -> dict[str, str]:
    """Return the critical standards that a report rates as not met, code to words."""
    standards = [s for domain in (report.content or {}).get("domains", ()) for s in domain["standards"]]
    return {s["code"]: f"{s['code']} {s['title']}" for s in standards if s["critical"] and s["rating"] == "not_met"}


def message_written(session: Session, event: MessageWritten) -> int:
    """Tell of a new message those whom the rules name and who may read it, but its author.

    The key of the mail holds the last message its reader has had before them, so that one mail goes out until they have
    opened the messages, however many are written meanwhile. It says who wrote, not what: mail is read by more eyes.
    """
    notice = next((n for n in current().message_notices if n.audience == event.audience), None)
    if notice is None:
        return 0
    case, practice = session.get_one(Case, event.case_id), session.get_one(Practice, event.practice_id)
    audience = Audience(event.audience)
    named = {
        r.person_id for r in readers_of(session, [case], [t for t in notice.to if t != WRITERS], at=event.at)[case.id]
    }
    if WRITERS in notice.to:
        named.update(writers_of(session, case, audience))
    readers = people_as(session, readers_among(session, case, audience, named - {event.author_id}, event.at))
    seen = seen_by(session, case, [r.person_id for r in readers])
    words = {
        "headline": f"{event.author_name} wrote a message", "by": event.author_name, "practice": practice.legal_name, "ref": case.ref,
        "about": item_label(event.item).lower() if event.item else "", "read_by": WORDS[audience],
        "action_label": "Read the message", "action_path": f"/cases/{case.ref}/messages",
    }  # fmt: skip
    mails = [
        Mail(
            dedupe_key=f"message:{case.id}:{reader.person_id}:{seen.get(reader.person_id, 0)}", kind="message", template=notice.template,
            person_id=reader.person_id, to_email=reader.email, to_name=reader.name,
            subject=f"{notice.subject} ({practice.legal_name}, {case.ref})", why=why_message(reader, practice), context=words,
            case_ref=case.ref, once_only=notice.resend == "ask",
        )
        for reader in readers
    ]  # fmt: skip
    return post_all(session, mails, at=event.at)


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
