"""Guards of step 1 and the rule that two browsers never overwrite each other; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from certify.core.foundation.errors import Unmet


@dataclass(frozen=True)
class FieldFacts:
    """One field of the questionnaire as far as the guards look at it."""

    key: str
    label: str
    kind: str
    section: str
    required: bool


@dataclass(frozen=True)
class QuestionFacts:
    """A question of the program that stands open, and where it points."""

    id: int
    field: str
    section: str
    question: str
    answered: bool


@dataclass(frozen=True)
class StandardFacts:
    """Whether a standard of the edition has a document or is stated not applicable."""

    code: str
    title: str
    settled: bool


@dataclass(frozen=True)
class ApplicationFacts:
    """What the guards of this room judge, for one case, one person and one day in the practice's zone."""

    ref: str
    today: date
    fields: tuple[FieldFacts, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    webinar_attended_on: date | None = None  # the latest
    webinar_valid_days: int = 365
    sites: int = 0
    windows_needed: int = 3
    agreement_signed: bool = False  # by someone who may, in the version of this case
    questions: tuple[QuestionFacts, ...] = ()
    proposed_by_id: int | None = None  # who proposes to reject, while it stands
    actor_id: int | None = None
    integration_basis: str = ""
    standards: tuple[StandardFacts, ...] = ()

    def link(self, section: str, key: str = "") -> str:
        """Return the address of a section, or of the very field in it."""
        return f"/cases/{self.ref}/application/{section}" + (f"#{key}" if key else "")


def questionnaire_complete(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: every field that must be answered is; windows and attestation have guards of their own."""
    return [
        Unmet("questionnaire_complete", f"“{f.label}” is not answered yet.", facts.link(f.section, f.key))
        for f in facts.fields
        if f.required and f.kind not in ("attestation", "date_windows") and is_empty(facts.answers.get(f.key))
    ]


def survey_dates_offered(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: enough survey windows that have not passed (process.md, step 1: three)."""
    asked = next((f for f in facts.fields if f.kind == "date_windows"), None)
    if asked is None:
        return []
    offered = sum(1 for _start, end in windows_in(facts.answers.get(asked.key)) if end >= facts.today)
    if offered >= facts.windows_needed:
        return []
    have = "none yet" if offered == 0 else f"{offered} so far"
    message = f"Offer {facts.windows_needed} survey windows that lie ahead: {have}."
    return [Unmet("survey_dates_offered", message, facts.link(asked.section, asked.key))]


def attested(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: the attestation is ticked (process.md, step 1)."""
    return [
        Unmet("attested", "The attestation is not ticked yet.", facts.link(f.section, f.key))
        for f in facts.fields
        if f.kind == "attestation" and facts.answers.get(f.key) is not True
    ]


def agreement_signed(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: the participation agreement of this case is signed (process.md, step 1)."""
    if facts.agreement_signed:
        return []
    return [
        Unmet("agreement_signed", "The participation agreement is not signed yet.", f"/cases/{facts.ref}/agreement")
    ]


def webinar_attended(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: someone of the practice attended the standards webinar recently enough (process.md, step 1)."""
    on = facts.webinar_attended_on
    if on is not None and webinar_counts(on, facts.today, facts.webinar_valid_days):
        return []
    message = f"No one has attended the standards webinar in the last {facts.webinar_valid_days} days."
    return [Unmet("webinar_attended", message, f"/cases/{facts.ref}/webinar")]


def webinar_counts(attended_on: date, today: date, valid_days: int) -> bool:
    """Whether an attendance on a day counts today."""
    return timedelta(0) <= today - attended_on <= timedelta(days=valid_days)


def has_site(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `submit`: the practice's record holds at least one open site (process.md, transition 1)."""
    if facts.sites >= 1:
        return []
    return [
        Unmet(
            "has_site",
            "The practice's record holds no open site yet.",
            f"/cases/{facts.ref}/application#practice-record",
        )
    ]


def questions_answered(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `resubmit`: every question of the program is answered (process.md, transition 3)."""
    return [
        Unmet("questions_answered", f"The program asks: {_short(q.question)}", facts.link(q.section, q.field))
        for q in facts.questions
        if not q.answered
    ]


def second_person_agrees(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `reject`: one member of the program proposed it, another one confirms (process.md, transition 4)."""
    link = f"/cases/{facts.ref}/application#eligibility"
    if facts.proposed_by_id is None:
        return [
            Unmet(
                "second_person_agrees",
                "Nobody has proposed to reject the application. Propose it first, with the rule that is not met.",
                link,
            )
        ]
    if facts.actor_id is None or facts.actor_id == facts.proposed_by_id:
        return [
            Unmet(
                "second_person_agrees",
                "A second member of the program has to agree: not the one who proposed it.",
                link,
            )
        ]
    return []


def practice_integrated(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `accept`: sites are shown to be one integrated practice; with one site there is nothing to show (step 1)."""
    if facts.sites == 1 or facts.integration_basis:
        return []
    link = f"/cases/{facts.ref}/application#eligibility"
    return [
        Unmet("practice_integrated", f"Say how the {facts.sites} sites are shown to be one integrated practice.", link)
    ]


def documents_for_each_standard(facts: ApplicationFacts) -> list[Unmet]:
    """Guard of `send_documents`: a document, or a stated reason why it does not apply, for each standard (transition 7)."""
    return [
        Unmet(
            "documents_for_each_standard",
            f"Standard {s.code}, {s.title}: no document yet, and it is not stated as not applicable.",
            f"/cases/{facts.ref}/evidence#s{s.code}",
        )
        for s in facts.standards
        if not s.settled
    ]


class Merge(StrEnum):
    """What becomes of a value that a browser sends."""

    SAVE = "save"
    SAME = "same"  # the same value stands already
    CONFLICT = "conflict"  # someone else changed the field since this browser read it


@dataclass(frozen=True)
class Stored:
    """The value that stands, and its revision (counted from 1; 0: never answered)."""

    value: Any = None
    rev: int = 0


def merge(stored: Stored, value: Any, seen_rev: int) -> Merge:
    """Decide about a value sent by a browser that saw revision `seen_rev` when it was changed there.

    >>> merge(Stored("a", 2), "b", 2), merge(Stored("a", 2), "b", 1), merge(Stored("a", 2), "a", 1)
    (<Merge.SAVE: 'save'>, <Merge.CONFLICT: 'conflict'>, <Merge.SAME: 'same'>)
    """
    if _same(stored.value, value):
        return Merge.SAME
    return Merge.SAVE if seen_rev == stored.rev else Merge.CONFLICT


def merge_whole(stored: Stored, seen: Stored, value: Any) -> Merge:
    """Decide about a field of a whole page sent at once, where most fields were not touched.

    `seen` is the value the page showed: a field that still holds it was not changed by this person and asks for nothing.
    """
    if _same(seen.value, value):
        return Merge.SAME
    return merge(stored, value, seen.rev)


def is_empty(value: Any) -> bool:
    """Whether a stored value stands for no answer; False and 0 are answers."""
    return value is None or value == "" or value == [] or value == {}


def windows_in(value: Any) -> list[tuple[date, date]]:
    """Return the survey windows of an answer, earliest first; what is not a window is left out."""
    found = []
    for entry in value if isinstance(value, list) else []:
        try:
            found.append((date.fromisoformat(entry["from"]), date.fromisoformat(entry["to"])))
        except (KeyError, TypeError, ValueError):
            continue
    return sorted(found)


def days_in(value: Any) -> list[date]:
    """Return the single days of an answer, earliest first; what is not a day is left out."""
    found = []
    for entry in value if isinstance(value, list) else []:
        try:
            found.append(date.fromisoformat(entry))
        except (TypeError, ValueError):
            continue
    return sorted(found)


def progress(fields: Sequence[FieldFacts], answers: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of the fields that must be answered are, and how many there are."""
    needed = [f for f in fields if f.required]
    done = sum(
        1
        for f in needed
        if (answers.get(f.key) is True if f.kind == "attestation" else not is_empty(answers.get(f.key)))
    )
    return done, len(needed)


def _same(one: Any, other: Any) -> bool:
    if is_empty(one) and is_empty(other):
        return True
    return type(one) is type(other) and bool(one == other)


def _short(text: str, limit: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
