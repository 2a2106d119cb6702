"""Telling both sides that they are asked about a further surveyor; she learns no more than her page shows her."""

from __future__ import annotations

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.surveyors.events import FurtherSurveyorProposed
from certify.core.access.roles import Role
from certify.outlets.reminders.audience import people_as, readers_of
from certify.outlets.reminders.news import PRACTICE_HEADS
from certify.outlets.reminders.wording import why
from certify.platform.mail.operations import Mail, post_all
from certify.platform.practices.models import Practice


def further_surveyor_proposed(session: Session, event: FurtherSurveyorProposed) -> int:
    """Ask the proposed surveyor and the practice's heads for their declarations."""
    case, practice = session.get_one(Case, event.case_id), session.get_one(Practice, event.practice_id)
    lines = {
        "surveyor": "You are proposed as a further surveyor for a visit. Say first whether there is a conflict of interest; the case opens to you once the practice has declared as well.",
        "practice": f"{event.name} is proposed to visit you together with your surveyor. Say first whether there is a conflict of interest: nothing of yours is shown before both sides have declared.",
    }  # fmt: skip
    told = [
        *((r, "surveyor", f"/cases/{case.ref}/conflict") for r in people_as(session, {event.person_id: Role.SURVEYOR})),
        *((r, "practice", f"/cases/{case.ref}/survey") for r in readers_of(session, [case], PRACTICE_HEADS, at=event.at)[case.id]),
    ]  # fmt: skip
    mails = [
        Mail(
            dedupe_key=f"further-surveyor:{event.proposal_id}:{reader.person_id}", kind="further-surveyor", template="notice",
            person_id=reader.person_id, to_email=reader.email, to_name=reader.name,
            subject=f"A further surveyor is proposed ({practice.legal_name}, {case.ref})", why=why(reader, practice),
            context={"headline": "A further surveyor is proposed", "lines": [lines[side]], "action_label": "Answer the question", "action_path": path},
            case_ref=case.ref,
        )
        for reader, side, path in told
    ]  # fmt: skip
    return post_all(session, mails, at=event.at)
