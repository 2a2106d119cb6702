"""Guards of the plan and the corrections: what each requirement still lacks before the case goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from certify.core.foundation.days import written
from certify.core.foundation.errors import Unmet


@dataclass(frozen=True)
class RequirementState:
    """One requirement that is not closed, with its plan and its correction as they stand."""

    id: int
    label: str  # "R2 (7.3.b)"
    standard: str
    action: str = ""
    owner: str = ""
    due_on: date | None = None
    evidence: str = ""
    demands: tuple[tuple[str, str], ...] = ()  # (key, words) of the statements its place in the matrix asks for
    level: str = ""  # that place in words: "High risk"
    leadership: str = ""
    prevention: str = ""
    plan_state: str = "draft"  # draft | sent | accepted | returned
    plan_changed: bool = True  # a returned item was changed since
    correction_state: str = (
        "draft"  # draft | sent | not_enough | closed (the last two: in review, as the program drafts it)
    )
    correction_note: str = ""
    documents: int = 0
    unreadable: int = 0  # documents held back because they look like patient data, or removed from the library
    correction_changed: bool = True


@dataclass(frozen=True)
class CorrectionFacts:
    """What the guards of corrections judge: every requirement of the case that is open."""

    ref: str
    today: date
    open: tuple[RequirementState, ...] = ()
    rounds: int = 0  # how often the plan was returned
    rounds_allowed: int = 2
    correction_due_on: date | None = None


def plan_complete(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `submit_plan`: every requirement has action, owner, due date and evidence (process.md, transition 24).

    A requirement in a cell of high risk also says what the leadership does and what keeps it from happening again.
    """
    unmet = []
    for item in facts.open:
        if item.plan_state == "accepted":
            continue
        for what, value, part in (
            ("what you will do", item.action.strip(), "action"),
            ("who is responsible", item.owner.strip(), "owner"),
            ("by when", item.due_on, "due_on"),
            ("what will prove it", item.evidence.strip(), "evidence"),
        ):
            if not value:
                unmet.append(_item_unmet(facts, "plan_complete", f"{item.label}: say {what}.", item, part))
        said = {"leadership": item.leadership, "prevention": item.prevention}
        for part, words in item.demands:
            if not said.get(part, "").strip():
                message = f"{item.label}: write “{words}”; {item.level.lower()} demands it."
                unmet.append(_item_unmet(facts, "plan_complete", message, item, part))
        if item.due_on and facts.correction_due_on and item.due_on > facts.correction_due_on:
            over = (
                " That day has passed: ask the program for more time." if facts.today > facts.correction_due_on else ""
            )
            message = (
                f"{item.label}: the date lies after {written(facts.correction_due_on)}, when all evidence is due.{over}"
            )
            unmet.append(_item_unmet(facts, "plan_complete", message, item, "due_on"))
        if item.plan_state == "returned" and not item.plan_changed:
            message = f"{item.label}: the program returned this; change it before you send the plan again."
            unmet.append(_item_unmet(facts, "plan_complete", message, item, "action"))
    return unmet


def plan_rounds_left(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `return_plan`: the plan may be returned twice (process.md, transition 25)."""
    if facts.rounds < facts.rounds_allowed:
        return []
    message = f"The plan was returned {facts.rounds} times, which is all the rules allow. Accept it, or settle it with the practice by message."
    return [Unmet("plan_rounds_left", message, f"/cases/{facts.ref}/corrections")]


def an_item_returned(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `return_plan`: at least one requirement's plan is marked as not adequate, with a comment."""
    if any(item.plan_state == "returned" for item in facts.open):
        return []
    return [Unmet("an_item_returned", "Mark what is not adequate yet and say why.", f"/cases/{facts.ref}/corrections")]


def all_items_accepted(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `approve_plan`: the plan of every requirement is accepted (story 8)."""
    return [
        _item_unmet(facts, "all_items_accepted", f"{item.label}: {_plan_word(item)}.", item)
        for item in facts.open
        if item.plan_state != "accepted"
    ]


def correction_evidence_for_each(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `submit_corrections`: evidence for every requirement (process.md, transition 27)."""
    unmet = []
    for item in facts.open:
        if not item.documents:
            unmet.append(
                _item_unmet(
                    facts, "correction_evidence_for_each", f"{item.label}: add the evidence.", item, "documents"
                )
            )
        elif item.unreadable:
            message = f"{item.label}: a document is held back because it may hold patient data, or was removed from the library; replace it or wait until it is cleared."
            unmet.append(_item_unmet(facts, "correction_evidence_for_each", message, item, "documents"))
        elif item.correction_state == "not_enough" and not item.correction_changed:
            message = f"{item.label}: what you sent was not enough; add to it before you send it again."
            unmet.append(_item_unmet(facts, "correction_evidence_for_each", message, item, "documents"))
    return unmet


def inside_correction_deadline(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `return_corrections`: there is still time to send more (process.md, transition 28)."""
    if facts.correction_due_on is None or facts.today <= facts.correction_due_on:
        return []
    message = f"The time to correct ended on {written(facts.correction_due_on)}; no further evidence can be asked for."
    return [Unmet("inside_correction_deadline", message, f"/cases/{facts.ref}/corrections")]


def a_correction_returned(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `return_corrections`: at least one requirement is marked as not enough, with a reason."""
    if any(item.correction_state == "not_enough" for item in facts.open):
        return []
    return [
        Unmet(
            "a_correction_returned", "Mark which evidence is not enough and say why.", f"/cases/{facts.ref}/corrections"
        )
    ]


def all_requirements_closed(facts: CorrectionFacts) -> list[Unmet]:
    """Guard of `close_requirements`: the evidence of every open requirement is found enough (transition 31, invariant 3)."""
    return [
        _item_unmet(facts, "all_requirements_closed", f"{item.label} is open.", item)
        for item in facts.open
        if item.correction_state != "closed"
    ]


def _item_unmet(facts: CorrectionFacts, key: str, message: str, item: RequirementState, part: str = "") -> Unmet:
    anchor = f"r{item.id}-{part}" if part else f"r{item.id}"
    return Unmet(key, message, f"/cases/{facts.ref}/corrections#{anchor}")


def _plan_word(item: RequirementState) -> str:
    return {"returned": "the plan is returned", "draft": "the plan is not sent"}.get(
        item.plan_state, "the plan is not yet judged"
    )
