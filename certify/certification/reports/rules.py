"""Guards of step 3: what a report must hold before it goes on, and who may pass it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from certify.core.foundation.errors import Unmet


@dataclass(frozen=True)
class ReportFacts:
    """What the guards of the report judge; the open requirements are those of the whole case."""

    ref: str
    exists: bool = False
    survey_id: int = 0
    not_met: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # element -> sites with a no
    requirements: Mapping[str, str] = field(default_factory=dict)  # element -> text, as the report stands
    requirement_sites: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    unnoted: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)  # (site, standard) -> elements
    site_names: Mapping[int, str] = field(default_factory=dict)
    answers_changed: bool = False
    actor_id: int | None = None
    surveyor_ids: frozenset[int] = frozenset()
    reviewer_ids: frozenset[int] = frozenset()
    statement: str = ""  # the actor's answer to the conflict question: none | conflict | empty
    open_requirements: int = 0


def each_not_met_has_requirement(facts: ReportFacts) -> list[Unmet]:
    """Guard of `submit_report`: a requirement with a text for each not-met element, and for nothing else (invariant 3)."""
    key, link = "each_not_met_has_requirement", f"/cases/{facts.ref}/report"
    if not facts.exists:
        return [Unmet(key, "The report is drafted when the survey is finished.", f"/cases/{facts.ref}/survey")]
    unmet = []
    for element, sites in facts.not_met.items():
        standard = element.rpartition(".")[0]
        there = f"{link}?standard={standard}#e{element}"
        if not facts.requirements.get(element, "").strip():
            unmet.append(Unmet(key, f"{element} is not met and has no requirement text.", there))
        elif set(facts.requirement_sites.get(element, ())) != set(sites):
            unmet.append(
                Unmet(key, f"The requirement for {element} does not name the sites where it is not met.", there)
            )
    for element in facts.requirements:
        if element not in facts.not_met:
            unmet.append(Unmet(key, f"There is a requirement for {element}, which is met.", f"{link}#e{element}"))
    return unmet


def each_rating_has_note(facts: ReportFacts) -> list[Unmet]:
    """Guard of `submit_report`: each rating says what it rests on, a note or what was seen (process.md, transition 17)."""
    unmet = []
    for (site, standard), elements in facts.unnoted.items():
        letters = ", ".join(e.rpartition(".")[2] for e in elements)
        message = f"{standard} at {facts.site_names.get(site, 'a site')}: say what was seen for {letters}."
        unmet.append(
            Unmet("each_rating_has_note", message, f"/surveys/{facts.survey_id}/sites/{site}/standards/{standard}")
        )
    return unmet


def answers_unchanged(facts: ReportFacts) -> list[Unmet]:
    """Guard of `pass_report` and `approve_report`: what is passed on is what the surveyor sent."""
    if not facts.answers_changed:
        return []
    return [
        Unmet(
            "answers_unchanged",
            "Answers of the survey changed after the surveyor sent the report. Send it back, so that the surveyor sends it anew.",
            f"/cases/{facts.ref}/report",
        )
    ]


def reviewer_is_not_surveyor(facts: ReportFacts) -> list[Unmet]:
    """Guard of `pass_report`: the staff reviewer did not survey or write (process.md, transition 19 and invariant 2)."""
    if facts.actor_id is None or facts.actor_id not in facts.surveyor_ids:
        return []
    message = "You surveyed this practice or wrote its report, so another member of staff must review it."
    return [Unmet("reviewer_is_not_surveyor", message, f"/cases/{facts.ref}/report")]


def approver_is_third_person(facts: ReportFacts) -> list[Unmet]:
    """Guard of `approve_report`: the council member is neither surveyor nor staff reviewer (invariant 2)."""
    if facts.actor_id is None or facts.actor_id not in facts.surveyor_ids | facts.reviewer_ids:
        return []
    did = "surveyed this practice" if facts.actor_id in facts.surveyor_ids else "reviewed this report for the program"
    message = f"You {did}, so another council member must approve the report."
    return [Unmet("approver_is_third_person", message, f"/cases/{facts.ref}/report")]


def approver_free_of_conflict(facts: ReportFacts) -> list[Unmet]:
    """Guard of `approve_report`: the council member has stated that there is no conflict of interest."""
    link = f"/cases/{facts.ref}/report#conflict"
    if facts.statement == "none":
        return []
    if facts.statement == "conflict":
        message = (
            "You declared a conflict of interest with this practice, so another council member must approve the report."
        )
        return [Unmet("approver_free_of_conflict", message, link)]
    return [
        Unmet("approver_free_of_conflict", "Answer whether you have a conflict of interest with this practice.", link)
    ]


def no_open_requirement(facts: ReportFacts) -> list[Unmet]:
    """Guard of `proceed_to_decision`: nothing has to be corrected, or nothing any more (process.md, transition 22)."""
    if not facts.open_requirements:
        return []
    count = "1 requirement is" if facts.open_requirements == 1 else f"{facts.open_requirements} requirements are"
    return [Unmet("no_open_requirement", f"{count} open.", f"/cases/{facts.ref}/corrections")]


def has_open_requirement(facts: ReportFacts) -> list[Unmet]:
    """Guard of `open_plan`: at least one requirement is open (process.md, transition 23)."""
    if facts.open_requirements:
        return []
    return [
        Unmet(
            "has_open_requirement", "No requirement is open, so there is nothing to plan.", f"/cases/{facts.ref}/report"
        )
    ]


def objection_open(today: date, until: date | None) -> bool:
    """Whether the practice may still object to facts (process.md, step 3: 10 business days)."""
    return until is not None and today <= until
