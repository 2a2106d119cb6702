"""Guards of the survey: its date, its sites, the check-in, the finish (process.md, rows 13 to 16 and 30)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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
    def nothing(self) -> bool:
        """Whether the site is complete."""
        return not (self.unrated or self.without_note or self.without_reason or self.conflicts)


@dataclass(frozen=True, slots=True)
class SurveyFacts:
    """What the guards judge; without a survey only the reference and the limits."""

    ref: str
    today: date  # in the practice's time zone
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
        f"{facts.starts_on:%A %d %B %Y} is {days} days ahead; a visit needs {facts.min_notice_days} days' notice "
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
    return [Unmet("visit_date_reached", f"The visit begins on {facts.starts_on:%A %d %B %Y}.", f"{facts.page}#date")]


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
    message = f"Documents stay open until {facts.evidence_lock_on:%A %d %B %Y}."
    return [Unmet("evidence_locked", message, f"/cases/{facts.ref}/evidence")]


def repeat_scope_named(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `start_repeat_survey`: the standards and sites to see again are named."""
    if facts.round > 1 and facts.scope_named:
        return []
    return [
        Unmet("repeat_scope_named", "Name the standards and the sites that the repeat visit is limited to.", facts.page)
    ]


def all_sites_rated(facts: SurveyFacts) -> list[Unmet]:
    """Guard of `finish_survey`: at every visited site each element is rated, each No has a note, each N/A a reason."""
    if facts.survey_id is None or not facts.gaps:
        return [Unmet("all_sites_rated", "Nothing has been rated yet.", facts.page)]
    found = []
    for gaps in facts.gaps:
        link = f"/surveys/{facts.survey_id}#site-{gaps.site_id}"
        for count, one, many in (
            (gaps.unrated, "1 element is not rated", "{} elements are not rated"),
            (gaps.without_note, "1 “No” has no note", "{} “No” have no note"),
            (gaps.without_reason, "1 “Not applicable” has no reason", "{} “Not applicable” have no reason"),
            (gaps.conflicts, "1 conflict is not settled", "{} conflicts are not settled"),
        ):
            if count:
                found.append(
                    Unmet("all_sites_rated", f"{gaps.name}: {one if count == 1 else many.format(count)}.", link)
                )
    for site_id, name, code in facts.unagreed:
        message = f"{name}: {code} is critical; a second reviewer has to agree that it is not applicable."
        found.append(Unmet("all_sites_rated", message, f"/surveys/{facts.survey_id}/sites/{site_id}/standards/{code}"))
    return found
