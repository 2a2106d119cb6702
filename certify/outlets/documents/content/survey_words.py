"""Sentences of the survey report that Word and PDF share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from certify.outlets.documents.content.survey_report import (
    DomainResult,
    Finding,
    FindingKind,
    StandardResult,
    SurveyReport,
)
from certify.outlets.documents.content.wording import RATING_WORDS, Rating, day, listed, short_day, span, weekday

KIND_WORDS = {"initial": "Survey", "repeat": "Repeat survey"}
VISIT_WORDS = {"on_site": "on site", "virtual": "virtual"}
# Page 1 has room for so many lines of summary, requirements and strengths together, of so many letters each.
FRONT_LINES = 9
LETTERS = 100
CELL_LETTERS = 85
LEGEND_LETTERS = 130
MOST_REQUIREMENTS = 4
MOST_STRENGTHS = 3
# A longer name of a practice is set smaller and may take a second line.
LONG_NAME = 48
# Beyond so many visited sites a column is too narrow for a name; sites are then numbered.
MOST_NAMED_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class FrontPage:
    """What page 1 has room for; `more` requirements stand on the next pages only."""

    summary: str
    requirements: tuple[tuple[Finding, str], ...]
    more: int
    strengths: tuple[str, ...]


def front_page(report: SurveyReport) -> FrontPage:
    """Return what of summary, requirements and strengths fits on page 1, shortened where it must be."""
    summary = shortened(report.summary, 2 * LETTERS)
    room = FRONT_LINES - math.ceil(len(summary) / LETTERS) - math.ceil(len(column_legend(report)) / LEGEND_LETTERS)
    room -= len(report.practice) > LONG_NAME
    required = report.findings(FindingKind.REQUIREMENT)
    shown, more = required[:MOST_REQUIREMENTS], max(len(required) - MOST_REQUIREMENTS, 0)
    lines = 2 if 2 * len(shown) + (2 if more else 1) <= room else 1
    room -= lines * len(shown) + bool(more)
    said = tuple((finding, shortened(finding.text, lines * CELL_LETTERS - 20 * (lines - 1))) for finding in shown)
    praise = report.strengths[: max(1, min(room, MOST_STRENGTHS))]
    return FrontPage(summary, said, more, tuple(shortened(text, LETTERS) for text in praise))


def column_heads(report: SurveyReport) -> list[str]:
    """Return what stands over the column of each visited site: its name, or its number when there are many."""
    names = [site.name for site in report.visited]
    return names if len(names) <= MOST_NAMED_COLUMNS else [str(number) for number in range(1, len(names) + 1)]


def column_legend(report: SurveyReport) -> str:
    """Return which number stands for which site, nothing when names stand over the columns."""
    names = [site.name for site in report.visited]
    if len(names) <= MOST_NAMED_COLUMNS:
        return ""
    return "Sites: " + "; ".join(f"{number} {name}" for number, name in enumerate(names, start=1)) + "."


def standard_label(code: str, element: str) -> str:
    """Return "7.3" or "7.3.b"."""
    return element or code


def met_of(domain: DomainResult) -> str:
    """Return how many of the applicable standards of a domain are met."""
    applicable = len(domain.standards) - domain.count(Rating.NOT_APPLICABLE)
    return f"{domain.count(Rating.MET)} of {applicable} met" if applicable else "not applicable"


def front_facts(report: SurveyReport) -> list[str]:
    """Return the two lines under the title: when and where, and which paper this is."""
    visited, total = len(report.visited), len(report.sites)
    when = span(report.first_on, report.last_on or report.first_on) if report.first_on else "date not set"
    names = listed([site.name for site in report.visited])
    where = f"{visited} of {total} sites visited" if total != 1 else "one site"
    state = (
        f"version {report.version}, issued {day(report.issued_at.date())}" if report.issued_at else "draft, not issued"
    )
    kind = KIND_WORDS.get(report.survey_kind, report.survey_kind)
    mode = VISIT_WORDS.get(report.mode, report.mode)
    first = f"{kind} of {when}, {mode} · {where}{': ' + names if names and visited <= 4 else ''}"
    return [first, f"Case {report.case_ref} · {state}"]


def requirements_intro(report: SurveyReport) -> str:
    """Return what the practice does with the requirements, and until when."""
    by = f" by {weekday(report.plan_due_on)}" if report.plan_due_on else ""
    text = (
        "For each requirement the corrective action plan names what is done, who does it, by when, and which evidence will "
        f"show it. The plan is due{by or ' within 10 business days of this report'}; "
        "evidence of correction is due by the date beside each requirement."
    )
    if report.objection_until:
        text += f" Errors of fact can be reported until {weekday(report.objection_until)}."
    return text


def sites_sentence(standard: StandardResult, names: list[str]) -> str:
    """Return where a standard is met, in one sentence that says no more than it must."""
    if not names:
        return ""
    if len(set(standard.by_site)) == 1:
        return "at the site visited" if len(names) == 1 else f"at all {len(names)} sites visited"
    parts = []
    for rating in (Rating.NOT_MET, Rating.NOT_ASSESSED, Rating.MET, Rating.NOT_APPLICABLE):
        where = [name for name, site_rating in zip(names, standard.by_site, strict=False) if site_rating is rating]
        if where:
            parts.append(f"{RATING_WORDS[rating].lower()} at {listed(where)}")
    return "; ".join(parts)


def method_paragraphs(report: SurveyReport) -> list[str]:
    """Return how the survey was done."""
    said = [
        "Each standard is cut into elements that are answered yes, no or not applicable at every site visited. A standard is "
        "met when every applicable element is met; one “no” makes it not met. Not applicable needs a written reason.",
        "Three review modes are used: documentation (policies, procedures, forms, logs and records), observation (processes "
        "watched, staff and patients interviewed) and data (pathway use, patient feedback, quality figures, chart audit).",
        "A requirement must be closed before certification can be awarded. A recommendation is advice and blocks nothing.",
    ]
    return [*said, *(f"Settled by the program: {text}" for text in report.settled)]


def sampling_sentence(report: SurveyReport) -> str:
    """Return the rule and seed of the draw, so that it can be repeated."""
    seed = f" Seed: {report.sampling.seed}." if report.sampling.seed else ""
    drawn = f" Drawn on {day(report.sampling.drawn_on)}." if report.sampling.drawn_on else ""
    return f"Sampling rule: {report.sampling.rule}{drawn}{seed}"


def site_how(visited: bool, on: date | None, how: str) -> str:
    """Return how a site was surveyed, with the day of a visit."""
    when = f", {short_day(on)}" if on else ""
    return f"{how or ('Visited' if visited else 'Not visited')}{when}"


def shortened(text: str, letters: int) -> str:
    """Return the text cut at a word, with an ellipsis when something is left out."""
    flat = " ".join(text.split())
    return flat if len(flat) <= letters else flat[:letters].rsplit(" ", 1)[0].rstrip(",;:") + " …"
