"""Guards of the survey: its date, its sites, the check-in, the finish (process.md, rows 13 to 16 and 30)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any

from certify.certification.surveys.journal import filled
from certify.certification.surveys.ops import AGREED
from certify.core.catalogue.standards import Standard
from certify.core.catalogue.survey import SurveyRules
from certify.core.foundation.days import long_day
from certify.core.foundation.errors import Unmet


@dataclass(frozen=True, slots=True)
class SiteGaps:
    """What is still open at one visited site."""

    site_id: int
    name: str
    unrated: int = 0
    without_note: int = 0
    without_reason: int = 0
    conflicts: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Return how many gaps of each kind there are."""
        return {
            "unrated": self.unrated,
            "note": self.without_note,
            "na_reason": self.without_reason,
            "conflict": self.conflicts,
        }

    @property
    def nothing(self) -> bool:
        """Whether the site is complete."""
        return not any(self.counts.values())


@dataclass(frozen=True, slots=True)
class SurveyFacts:
    """What the guards judge; without a survey only the reference and the limits."""

    ref: str
    today: date  # in the practice's time zone
    _: KW_ONLY
    rules: SurveyRules  # survey.yaml
    min_notice_days: int = 45
    reschedule_limit: int = 2
    survey_id: int | None = None
    round: int = 1
    starts_on: date | None = None
    asked_on: date | None = None  # the day the notice is counted from
    short_notice: bool = False
    reschedules: int = 0
    sampled: bool = False
    visited_sites: int = 0
    evidence_lock_on: date | None = None
    scope_named: bool = False
    gaps: tuple[SiteGaps, ...] = ()
    unagreed: tuple[tuple[int, str, str], ...] = ()  # site, its name, critical standard no second reviewer agreed on

    @property
    def page(self) -> str:
        """Where the survey is arranged."""
        return f"/cases/{self.ref}/survey"


def date_far_enough(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `agree_date`: the visit lies far enough ahead, unless the practice agrees to less notice."""
    if facts.starts_on is None or facts.short_notice:
        return []
    days = (facts.starts_on - (facts.asked_on or facts.today)).days
    if days >= facts.min_notice_days:
        return []
    message = (
        f"{long_day(facts.starts_on)} is {days} days ahead; a visit needs {facts.min_notice_days} days' notice "
        "unless the practice agrees to less."
    )
    return [Unmet("date_far_enough", message, f"{facts.page}#date")]


def sites_sampled(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `agree_date`: the sites to visit are chosen."""
    if facts.sampled and facts.visited_sites:
        return []
    return [Unmet("sites_sampled", "The sites to visit have not been chosen yet.", f"{facts.page}#sites")]


def reschedules_left(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `reschedule`: the date was not moved too often already."""
    if facts.reschedules < facts.reschedule_limit:
        return []
    times = "once" if facts.reschedules == 1 else f"{facts.reschedules} times"
    return [
        Unmet(
            "reschedules_left", f"The date was moved {times} already; it cannot be moved again.", f"{facts.page}#date"
        )
    ]


def visit_date_reached(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `check_in`: it is the day of the visit, or later."""
    if facts.starts_on is None:
        return [Unmet("visit_date_reached", "No date has been agreed yet.", f"{facts.page}#date")]
    if facts.today >= facts.starts_on:
        return []
    return [Unmet("visit_date_reached", f"The visit begins on {long_day(facts.starts_on)}.", f"{facts.page}#date")]


def evidence_locked(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `check_in`: the practice's documents can no longer change under the surveyor's eyes."""
    if facts.evidence_lock_on is not None and facts.today >= facts.evidence_lock_on:
        return []
    if facts.evidence_lock_on is None:
        return [
            Unmet(
                "evidence_locked",
                "Documents are locked before the visit; no date has been agreed yet.",
                f"{facts.page}#date",
            )
        ]
    message = f"Documents stay open until {long_day(facts.evidence_lock_on)}."
    return [Unmet("evidence_locked", message, f"/cases/{facts.ref}/evidence")]


def repeat_scope_named(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `start_repeat_survey`: the standards and sites to see again are named."""
    if facts.round > 1 and facts.scope_named:
        return []
    return [
        Unmet("repeat_scope_named", "Name the standards and the sites that the repeat visit is limited to.", facts.page)
    ]


def all_sites_rated(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `finish_survey`: at every visited site each element is rated and has what its rating needs (survey.yaml)."""
    if facts.survey_id is None or not facts.gaps:
        return [Unmet("all_sites_rated", "Nothing has been rated yet.", facts.page)]
    found = []
    for gaps in facts.gaps:
        link = f"/surveys/{facts.survey_id}#site-{gaps.site_id}"
        for kind, count in gaps.counts.items():
            if count:
                message = f"{gaps.name}: {facts.rules.gaps[kind].counted(count)}."
                found.append(Unmet("all_sites_rated", message, link))
    for site_id, name, code in facts.unagreed:
        message = f"{name}, {code}: {facts.rules.gaps['agreement'].message}"
        found.append(Unmet("all_sites_rated", message, f"/surveys/{facts.survey_id}/sites/{site_id}/standards/{code}"))
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What stands for one field, as far as the finish is concerned; `element` is "" for the site as a whole."""

    site: int
    element: str
    field: str
    value: Any
    seq: int = 0
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that finishing the survey still waits for; `element` is a standard's code for what concerns the standard."""

    site_id: int
    element: str
    standard: str
    kind: str  # unrated | note | na_reason | conflict | agreement
    text: str


def gaps(
    rules: SurveyRules, standards: Sequence[Standard], visited: Mapping[int, bool], said: Iterable[Said]
) -> list[Gap]:
    """Return everything still open, in the order of the sites and of the checklist.

    Args:
        standards: those in the survey's scope.
        visited: every site of the survey, and whether it is visited; one that is not has only notes on the site as a whole.
    The tablet judges by the same declaration (Tablet.rules.gaps), and a test holds both against each other.
    """
    said = list(said)
    clashing = {(s.site, s.element) for s in said if s.conflict}
    standing = {(s.site, s.element, s.field): s.value for s in said if not s.conflict}
    alone = set(unagreed(rules, standards, said))
    found = []

    def add(site: int, element: str, standard: str, kind: str) -> None:
        found.append(Gap(site, element, standard, kind, rules.gaps[kind].message))

    for site, is_visited in visited.items():
        if (site, "") in clashing:
            add(site, "", "", "conflict")
        for standard in standards if is_visited else ():
            if (site, standard.code) in alone:
                add(site, standard.code, standard.code, "agreement")
            if (site, standard.code) in clashing:
                add(site, standard.code, standard.code, "conflict")
            for element in standard.elements:
                kind = _open(rules, site, element.id, clashing, standing)
                if kind is not None:
                    add(site, element.id, standard.code, kind)
    return found


def _open(
    rules: SurveyRules,
    site: int,
    element: str,
    clashing: set[tuple[int, str]],
    standing: Mapping[tuple[int, str, str], Any],
) -> str | None:
    """Return what is open on an element: one thing at a time, as its page shows it."""
    if (site, element) in clashing:
        return "conflict"
    rating = standing.get((site, element, "rating"))
    if rating is None:
        return "unrated"
    needed = rules.needs.get(rating)
    return needed if needed is not None and not filled(standing.get((site, element, needed))) else None


def unagreed(rules: SurveyRules, standards: Sequence[Standard], said: Iterable[Said]) -> list[tuple[int, str]]:
    """Return the (site, standard) set to not applicable for which a second reviewer's agreement is due and not there.

    An agreement counts while no rating of the standard is newer; what is in conflict counts as not said.
    """
    ratings: dict[tuple[int, str], tuple[Any, int]] = {}
    agreed: dict[tuple[int, str], int] = {}
    for s in said:
        if s.field == "rating" and s.element and not s.conflict:
            ratings[(s.site, s.element)] = (s.value, s.seq)
        elif s.field == AGREED and s.element and s.value is True and not s.conflict:
            agreed[(s.site, s.element)] = s.seq
    asked = [s for s in standards if rules.reviewed == "every" or (rules.reviewed == "critical" and s.critical)]
    found = []
    for site in dict.fromkeys(site for site, _ in ratings):
        for standard in asked:
            given = [ratings.get((site, e.id), (None, 0)) for e in standard.elements]
            if all(value == "na" for value, _ in given) and agreed.get((site, standard.code), 0) < max(
                seq for _, seq in given
            ):
                found.append((site, standard.code))
    return found
