"""Who suits a case, and the guards of the proposal (process.md, section 7 and rows 10 to 12): pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from certify.core.foundation.days import written
from certify.core.foundation.errors import Unmet

# What both sides are asked, once each, before the surveyor can open anything (process.md, section 7).
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("employment", "In the last 3 years, was the surveyor employed or paid by the practice, or a consultant to it?"),
    ("family", "Does the surveyor have a family tie with anyone who owns, leads or works in the practice?"),
    (
        "market",
        "Does the surveyor work in the same market as the practice (same state, or within 100 miles), or for a competitor?",
    ),
    ("earlier_work", "Did the surveyor survey or coach the practice in its last certification cycle?"),
    ("financial", "Does the surveyor hold a financial stake in the practice?"),
    ("other", "Is there anything else that could make the surveyor's judgment look partial?"),
)
STATEMENT = "I have answered these questions truthfully, and I will say so at once if any answer changes."
QUALIFICATIONS = {
    "ocn": "Oncology certified nurse (OCN)",
    "aocnp": "Advanced oncology certified nurse practitioner (AOCNP)",
    "physician": "Oncology physician",
    "pharmacist": "Oncology pharmacist",
}
GROUNDS = {
    "employment": "Employed, paid or consulting",
    "family": "Family tie",
    "market": "Same market or competitor",
    "earlier_work": "Surveyed or coached it before",
    "financial": "Financial stake",
    "other": "Other",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of process.md, section 7, as workflows/ sets them."""

    oncology_years: int = 5
    shadowed_surveys: int = 2
    cooling_years: int = 3
    training_days: int = 365
    same_state_blocks: bool = True
    refusals: int = 2


@dataclass(frozen=True, slots=True)
class Tie:
    """A conflict on record between a surveyor and the practice in question."""

    ground: str
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A surveyor as far as the choice is concerned."""

    surveyor_id: int
    person_id: int
    name: str
    qualification: str
    qualified_until: date | None
    oncology_years: int
    home_state: str
    trained_on: date | None  # on the case's edition
    shadowed_surveys: int
    load: int
    max_load: int
    active: bool = True
    absences: tuple[tuple[date, date], ...] = ()
    ties: tuple[Tie, ...] = ()
    surveyed_before: bool = False  # surveyed or coached the practice in its last cycle
    conflict_declared: bool = False  # in this very case, by either side
    of_practice: bool = False  # holds a role in the practice itself


@dataclass(frozen=True, slots=True)
class Setting:
    """The practice that is to be surveyed, as far as the choice is concerned."""

    states: frozenset[str]  # where it has sites
    windows: tuple[tuple[date, date], ...] = ()
    edition: str = ""
    repeat_of: int | None = None  # person who surveyed this case before: seeing it again is no conflict


@dataclass(frozen=True, slots=True)
class Point:
    """One reason: good speaks for, weak against, bar forbids."""

    kind: str  # good | weak | bar
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with every reason for and against."""

    candidate: Candidate
    points: tuple[Point, ...]
    score: int

    @property
    def barred(self) -> bool:
        """Whether something forbids the choice."""
        return any(p.kind == "bar" for p in self.points)


def rank(candidates: Iterable[Candidate], setting: Setting, today: date, limits: Limits) -> list[Ranked]:
    """Return every candidate, best first, those forbidden last; equals by name."""
    judged = [judge(c, setting, today, limits) for c in candidates]
    return sorted(judged, key=lambda r: (r.barred, -r.score, r.candidate.name, r.candidate.surveyor_id))


def judge(candidate: Candidate, setting: Setting, today: date, limits: Limits) -> Ranked:
    """Return a candidate with every reason for and against."""
    points = [
        *_fitness(candidate, setting, today, limits),
        *_independence(candidate, setting, today, limits),
        _load(candidate),
        *_presence(candidate, setting),
    ]
    score = sum({"good": 2, "weak": -2, "bar": -100}[p.kind] for p in points) - candidate.load
    return Ranked(candidate, tuple(points), score)


def _fitness(c: Candidate, setting: Setting, today: date, limits: Limits) -> list[Point]:
    title = QUALIFICATIONS.get(c.qualification, c.qualification)
    points = []
    if not c.active:
        points.append(Point("bar", "inactive", "No longer surveys"))
    if c.qualified_until is None or c.qualified_until < today:
        when = f"ran out on {written(c.qualified_until)}" if c.qualified_until else "has no date it is valid until"
        points.append(Point("bar", "qualification", f"{title}: the qualification {when}"))
    else:
        last = max((end for _, end in setting.windows), default=today)
        if c.qualified_until < last:
            points.append(
                Point(
                    "weak",
                    "qualification",
                    f"{title}, valid only until {written(c.qualified_until)}: before the last window ends",
                )
            )
        else:
            points.append(Point("good", "qualification", f"{title}, valid until {written(c.qualified_until)}"))
    years = f"{c.oncology_years} years in oncology"
    enough = c.oncology_years >= limits.oncology_years
    points.append(
        Point("good", "experience", years)
        if enough
        else Point("bar", "experience", f"{years}; {limits.oncology_years} are asked for")
    )
    if c.shadowed_surveys < limits.shadowed_surveys:
        points.append(
            Point(
                "bar", "shadowed", f"Has shadowed {c.shadowed_surveys} surveys; {limits.shadowed_surveys} are asked for"
            )
        )
    if c.trained_on is None:
        points.append(Point("weak", "training", f"Not trained on edition {setting.edition} yet"))
    elif (today - c.trained_on).days > limits.training_days:
        points.append(
            Point(
                "weak",
                "training",
                f"Training on edition {setting.edition} is from {written(c.trained_on)}: due again",
            )
        )
    else:
        points.append(Point("good", "training", f"Trained on edition {setting.edition} on {written(c.trained_on)}"))
    return points


def _independence(c: Candidate, setting: Setting, today: date, limits: Limits) -> list[Point]:
    points = []
    if c.home_state in setting.states:
        kind = "bar" if limits.same_state_blocks else "weak"
        points.append(Point(kind, "market", f"Lives in {c.home_state}, where the practice has a site: same market"))
    else:
        points.append(Point("good", "market", f"From {c.home_state}: another market"))
    for tie in c.ties:
        if tie.ended_on is None or (today - tie.ended_on).days <= 366 * limits.cooling_years:
            until = f" until {tie.ended_on:%B %Y}" if tie.ended_on else ""
            points.append(
                Point("bar", "tie", f"Conflict on record{until}: {GROUNDS.get(tie.ground, tie.ground).lower()}")
            )
    if c.of_practice:
        points.append(Point("bar", "employment", "Holds a role in this practice"))
    if c.conflict_declared:
        points.append(Point("bar", "declared", "A conflict of interest was declared in this case"))
    if c.surveyed_before and c.person_id != setting.repeat_of:
        points.append(Point("bar", "earlier_work", "Surveyed or coached this practice in its last cycle"))
    elif c.person_id == setting.repeat_of:
        points.append(Point("good", "earlier_visit", "Made the visit that is to be repeated"))
    return points


def _load(c: Candidate) -> Point:
    text = f"{c.load} of {c.max_load} cases at present"
    return Point("good" if c.load < c.max_load else "bar", "load", text)


def _presence(c: Candidate, setting: Setting) -> list[Point]:
    if not setting.windows:
        return []
    free = [w for w in setting.windows if not _covered(w, c.absences)]
    if len(free) == len(setting.windows):
        return [Point("good", "presence", "Available in every window the practice offers")]
    if free:
        return [
            Point(
                "weak",
                "presence",
                f"Away in {len(setting.windows) - len(free)} of the {len(setting.windows)} windows the practice offers",
            )
        ]
    return [Point("bar", "presence", "Away in every window the practice offers")]


def _covered(window: tuple[date, date], absences: Sequence[tuple[date, date]]) -> bool:
    """Whether no day of the window is left."""
    day, end = window
    while day <= end:
        away = next((a for a in absences if a[0] <= day <= a[1]), None)
        if away is None:
            return False
        day = away[1] + timedelta(days=1)
    return True


@dataclass(frozen=True, slots=True)
class SurveyorFacts:
    """What the guards of the proposal judge."""

    ref: str
    proposed: Ranked | None = None  # the surveyor just proposed
    refusals: int = 0  # surveyors the practice has refused in this case
    refusals_limit: int = 2
    refusing: bool = False  # the practice is the one who declares now
    declared: Mapping[str, bool] = field(default_factory=dict)  # side -> declared none

    @property
    def page(self) -> str:
        """Where the surveyor is chosen and the questions are answered."""
        return f"/cases/{self.ref}/survey"


def surveyor_free_of_conflict(facts: SurveyorFacts) -> list[Unmet]:
    """Guard of `propose_surveyor`: nothing on record forbids this surveyor for this practice."""
    if facts.proposed is None:
        return []
    return [
        Unmet("surveyor_free_of_conflict", f"{facts.proposed.candidate.name}: {p.text}.", f"{facts.page}#surveyors")
        for p in facts.proposed.points
        if p.kind == "bar" and p.key != "load"
    ]


def surveyor_within_load(facts: SurveyorFacts) -> list[Unmet]:
    """Guard of `propose_surveyor`: the surveyor can take one more case."""
    if facts.proposed is None:
        return []
    return [
        Unmet(
            "surveyor_within_load", f"{facts.proposed.candidate.name} already has {p.text}.", f"{facts.page}#surveyors"
        )
        for p in facts.proposed.points
        if p.kind == "bar" and p.key == "load"
    ]


def refusals_left(facts: SurveyorFacts) -> list[Unmet]:
    """Guard of `declare_conflict`: a practice may refuse only so many surveyors; a surveyor may always step back."""
    if not facts.refusing or facts.refusals < facts.refusals_limit:
        return []
    message = (
        f"You have refused {facts.refusals} surveyors already; write to the program if this one cannot come either."
    )
    return [Unmet("refusals_left", message, f"/cases/{facts.ref}/messages")]


def both_declared_none(facts: SurveyorFacts) -> list[Unmet]:
    """Guard of `clear_conflicts`: surveyor and practice have each signed that there is no conflict of interest."""
    waiting = {"surveyor": "The surveyor", "practice": "The practice"}
    return [
        Unmet(
            "both_declared_none",
            f"{who} has not declared yet that there is no conflict of interest.",
            f"{facts.page}#conflict",
        )
        for side, who in waiting.items()
        if not facts.declared.get(side)
    ]


def signed_text(answers: Sequence[Mapping[str, Any]], detail: str, statement: str = STATEMENT) -> str:
    """Return the digest of what a declaration says: questions, answers and statement, word for word."""
    body = json.dumps([list(answers), detail, statement], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()
