"""What a mail about a case says: where it stands, what is asked next, by when, and why this person gets it."""

from __future__ import annotations

from datetime import date
from typing import Any

from certify.certification.cases.models import Case
from certify.certification.cases.queries import HOLDER_ROLES, HOLDERS
from certify.core.access.roles import PRACTICE_ROLES
from certify.core.foundation.days import long_day
from certify.core.rulebook.current import current
from certify.outlets.reminders.audience import CONTACT, Reader
from certify.outlets.reminders.rules import days_words
from certify.platform.practices.models import Practice


def case_context(case: Case, practice: Practice, reader: Reader, *, today: date) -> dict[str, Any]:
    """Return the part of a mail that says where the case stands for this reader."""
    machine = current().machine(case.kind)
    state = machine.states[case.state]
    asked = is_asked(case, reader)
    step = next((s for s in machine.steps if s.number == case.step), None)
    context: dict[str, Any] = {
        "practice": practice.legal_name,
        "ref": case.ref,
        "step": f"Step {case.step} of 6 – {step.title}" if step else "",
        "state": state.label,
        "status": state.status if asked else state.status_others or state.status,
        "waiting_for": "you" if asked else HOLDERS.get(case.holder, ""),
        "next": state.next,
        "asked": asked,
        "due": "",
        "due_away": "",
        "due_after": "",
        "action_label": "Open the case",
        "action_path": f"/cases/{case.ref}",
    }
    if is_proposed(case, reader):
        context["status"] = "Say whether you have a conflict of interest with the practice"
    if case.due_key and case.due_on:
        rule = current().deadlines.get(case.due_key)
        context |= {
            "due": long_day(case.due_on),
            "due_away": days_words(case.due_on, today),
            "due_after": rule.after if rule and asked else "",
        }
    return context | (_action(case, reader) if asked else {})


def is_proposed(case: Case, reader: Reader) -> bool:
    """Whether this reader is the surveyor whose declaration is awaited; the case's holder is the practice then."""
    return case.state == "surveyor_proposed" and reader.role == "surveyor"


def is_asked(case: Case, reader: Reader) -> bool:
    """Whether the case waits for this reader."""
    if is_proposed(case, reader):
        return True
    roles = {r.value for r in HOLDER_ROLES.get(case.holder, set())}
    return reader.role in roles or (reader.role == CONTACT and case.holder == "program")


def why(reader: Reader, practice: Practice, *, reminder: bool = False) -> str:
    """Return why this person gets the mail and how that is changed."""
    place = f" of {practice.legal_name}" if reader.role in PRACTICE_ROLES else ""
    what = "Reminders of this date go" if reminder else "News of this step goes"
    change = (
        "Your practice administrator changes roles on the team page."
        if place
        else "An administrator of the program changes roles."
    )
    return f"You are {reader.title}{place}. {what} to that role. {change}"


def why_message(reader: Reader, practice: Practice) -> str:
    """Return why this person is told of a message, and how often."""
    place = f" of {practice.legal_name}" if reader.role in PRACTICE_ROLES else ""
    return (
        f"You are {reader.title}{place} and may read this message. "
        "You get one mail about a case until you have opened its messages, however many are written."
    )


def _action(case: Case, reader: Reader) -> dict[str, str]:
    """The one thing to do, where the machine names a page for it."""
    if is_proposed(case, reader):
        # Before both sides have declared, the surveyor may not open the case.
        return {"action_label": "Answer the question", "action_path": "/my-surveys"}
    ways = current().machine(case.kind).leaving(case.state)
    way = next((w for w in ways if w.primary and reader.role in {r.value for r in w.roles}), None)
    if way is None:
        return {}
    return {
        "action_label": way.label,
        "action_path": way.page.format(ref=case.ref) if way.page else f"/cases/{case.ref}",
    }
