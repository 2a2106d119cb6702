"""Sentences of the survey report that Word and PDF share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from certify.outlets.documents.content.survey_report import (
    DomainResult,
    Finding,
    RiskMatrix,
    StandardResult,
    SurveyReport,
)
from certify.outlets.documents.content.wording import (
    RATING_WORDS,
    Rating,
    day,
    listed,
    number_word,
    sentence,
    short_day,
    span,
    weekday,
)

KIND_WORDS = {"initial": "Survey", "repeat": "Repeat survey"}
VISIT_WORDS = {"on_site": "on site", "virtual": "virtual"}
# Page 1 has room for so many lines of summary, requirements and strengths together, of so many letters each.
FRONT_LINES = 9
# With a matrix on it, the counts by domain stand on the next pages, which leaves a little more room.
MATRIX_LINES = 12
LETTERS = 100
CELL_LETTERS = 85
# So many numbers or runs of numbers fit into one cell of the matrix.
CELL_NUMBERS = 5
NUMBER_LETTERS = 26
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
    room = FRONT_LINES if report.matrix is None else MATRIX_LINES - tall_cells(report.matrix)
    room -= math.ceil(len(summary) / LETTERS) + math.ceil(len(column_legend(report)) / LEGEND_LETTERS)
    room -= len(report.practice) > LONG_NAME
    required = report.to_answer
    shown, more = required[:MOST_REQUIREMENTS], max(len(required) - MOST_REQUIREMENTS, 0)
    lines = 2 if 2 * len(shown) + (2 if more else 1) <= room else 1
    room -= lines * len(shown) + bool(more)
    said = tuple((finding, shortened(finding.text, lines * CELL_LETTERS - 20 * (lines - 1))) for finding in shown)
    praise = report.strengths[: max(1, min(room, MOST_STRENGTHS))]
    return FrontPage(summary, said, more, tuple(shortened(text, LETTERS) for text in praise))


def tall_cells(matrix: RiskMatrix) -> int:
    """Return how many lines the numbers in the matrix take beyond one a row."""
    return sum(
        max(math.ceil(len(in_cell(cell.findings)) / NUMBER_LETTERS) for cell in row.cells) - 1
        for row in matrix.rows
        if any(cell.findings for cell in row.cells)
    )


def in_cell(numbers: Sequence[str], most: int = CELL_NUMBERS) -> str:
    """Return the findings of a cell as text that fits into it: neighbours joined, what is too many counted.

    >>> in_cell(["R1", "R2", "R3", "R7"]), in_cell([])
    ('R1–R3, R7', '')
    """
    runs: list[list[str]] = []
    for number in numbers:
        if (
            runs
            and number[:1] == runs[-1][-1][:1]
            and number[1:].isdigit()
            and int(number[1:]) == int(runs[-1][-1][1:]) + 1
        ):
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [_run(run) for run in runs]
    if len(said) <= most:
        return ", ".join(said)
    left = sum(len(run) for run in runs[most:])
    return f"{', '.join(said[:most])} and {left} more"


def _run(run: Sequence[str]) -> str:
    return ", ".join(run) if len(run) < 3 else f"{run[0]}–{run[-1]}"


def matrix_words(matrix: RiskMatrix) -> str:
    """Return what the matrix asks of the plan and what is not in it, as one small line under it; empty when nothing."""
    said = [
        f"{level.label} asks more of the plan of correction: {listed([d[:1].lower() + d[1:] for d in level.demands])}."
        for level in matrix.levels
        if level.demands
    ]
    if matrix.unplaced:
        said.append(f"Not placed: {in_cell(matrix.unplaced)}.")
    return " ".join(said)


def risk_words(finding: Finding) -> str:
    """Return a finding's place as a cell of a table: `High risk: high likelihood of harm, pattern`."""
    risk = finding.risk
    return f"{risk.level_words}: {risk.words[:1].lower()}{risk.words[1:]}" if risk else "Not placed"


def signature_paragraphs(report: SurveyReport) -> list[str]:
    """Return who signed at the end of the visit, and whether the answers still are what they signed."""
    said = []
    for signed in report.signatures:
        title = f", {signed.title}" if signed.title else ""
        place = f" for {signed.site}" if signed.site else ""
        state = (
            "The answers are those that were signed."
            if signed.intact
            else "Answers changed after signing" + (f": {listed(signed.changed)}." if signed.changed else ".")
        )
        said.append(
            f"Signed{place} by {signed.name}{title} ({signed.role.lower()}) on {day(signed.at.date())}, {signed.at:%H:%M}. {state}"
        )
    return said


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
    if report.earlier:
        count, numbers = len(report.earlier), in_cell([f.number for f in report.earlier])
        text += f" {numbers} {'stands' if count == 1 else 'stand'} since an earlier survey: this visit did not reach every site named."
    if report.objection_until:
        text += f" Errors of fact can be reported until {weekday(report.objection_until)}."
    return text


def sites_sentence(standard: StandardResult, names: list[str]) -> str:
    """Return where a standard is met, in one sentence that says no more than it must."""
    if not names:
        return ""
    if len(set(standard.by_site)) == 1:
        return {1: "at the site visited", 2: "at both sites visited"}.get(
            len(names), f"at all {len(names)} sites visited"
        )
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
    if report.matrix is not None:
        said.append(
            "Each requirement is placed by how likely harm is and how far the finding reaches. Where sites differ, the worst "
            "harm and the widest scope count. A place of high risk asks more of the plan of correction."
        )
    if report.differed:
        answers = "One answer" if report.differed == 1 else f"{sentence(number_word(report.differed))} answers"
        said.append(
            f"{answers} first differed between the surveyors. Both values are kept; the team settled which one stands."
        )
    said += signature_paragraphs(report)
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
