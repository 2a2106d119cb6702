"""The tables of the survey report in Word: what stands in each cell, and how wide it is."""

from __future__ import annotations

from collections.abc import Sequence

from certify.outlets.documents import palette
from certify.outlets.documents.content.survey_report import (
    DomainResult,
    Finding,
    FindingKind,
    MatrixCell,
    RiskMatrix,
    StandardResult,
    SurveyReport,
)
from certify.outlets.documents.content.survey_words import (
    FrontPage,
    column_heads,
    in_cell,
    risk_words,
    site_how,
    standard_label,
)
from certify.outlets.documents.content.wording import MODE_WORDS, Rating, listed, short_day
from certify.outlets.documents.docx_writer import markup
from certify.outlets.documents.docx_writer.markup import run

TEXT_WIDTH = 9648
SHORT_TABLE = 6
ANSWERS = {
    Rating.MET: "Yes",
    Rating.NOT_MET: "No",
    Rating.NOT_APPLICABLE: "n/a",
    Rating.NOT_ASSESSED: "open",
}


def counts_table(report: SurveyReport, title: str) -> str:
    """Return how many standards of each domain are met, and how many findings it has."""
    head = ("Domain", "Standards", "Met", "Not met", "N/A", "Requirements", "Advice")
    rows: list[tuple[str, ...]] = []
    for domain in report.domains:
        failed = domain.count(Rating.NOT_MET)
        rows.append(
            (
                run(f"{domain.number}\u2002", "Quiet") + run(domain.title),
                str(len(domain.standards)),
                str(domain.count(Rating.MET)),
                run(f"▲ {failed}", "LabelRequirement") if failed else "0",
                str(domain.count(Rating.NOT_APPLICABLE)),
                str(_count(domain, FindingKind.REQUIREMENT)),
                str(_count(domain, FindingKind.RECOMMENDATION)),
            )
        )
    totals = (
        sum(len(domain.standards) for domain in report.domains),
        *(report.count(rating) for rating in (Rating.MET, Rating.NOT_MET, Rating.NOT_APPLICABLE)),
        *(len(report.findings(kind)) for kind in (FindingKind.REQUIREMENT, FindingKind.RECOMMENDATION)),
    )
    rows.append((run("All domains", "Strong"), *(run(str(total), "Strong") for total in totals)))
    widths = (4748, 1000, 560, 800, 520, 1260, 760)
    return markup.table("CertifyCompact", widths, head, rows, title=title, align=("", *["right"] * 6))


def matrix_table(matrix: RiskMatrix, title: str) -> str:
    """Return the matrix of severity and scope with the numbers placed in it."""
    rows, fills = [], []
    for line in matrix.rows:
        rows.append((run(line.label, "Strong"), *(_matrix_cell(cell) for cell in line.cells)))
        fills.append(["", *(palette.LEVEL_COLOURS.get(cell.level, ("", ""))[1] for cell in line.cells)])
    side = (TEXT_WIDTH - 1848) // len(matrix.scopes)
    return markup.table(
        "CertifyCompact",
        (TEXT_WIDTH - side * len(matrix.scopes), *[side] * len(matrix.scopes)),
        ("Likelihood of harm", *(step.label for step in matrix.scopes)),
        rows,
        title=title,
        together=True,
        fills=fills,
    )


def front_requirements_table(front: FrontPage, title: str) -> str:
    """Return the requirements page 1 has room for, shortened."""
    return markup.table(
        "CertifyCompact",
        (640, 960, 6748, 1300),
        ("No.", "Element", "What is required", "Correct by"),
        [
            (run(f.number, "LabelRequirement"), standard_label(f.standard, f.element), text, _due(f))
            for f, text in front.requirements
        ],
        title=title,
    )


def requirements_table(required: Sequence[Finding], *, risks: bool) -> str:
    """Return every requirement in full; `risks` adds the place of each in the matrix."""
    rows = [
        (
            run(f.number, "LabelRequirement"),
            standard_label(f.standard, f.element),
            f.text,
            listed(f.sites) or "All sites",
            *([risk_words(f)] if risks else []),
            _due(f),
        )
        for f in required
    ]
    widths = (640, 960, 3548, 1600, 1600, 1300) if risks else (640, 960, 4948, 1750, 1350)
    return markup.table(
        "CertifyTable",
        widths,
        ("No.", "Element", "What is required", "Where", *(["Risk"] if risks else []), "Correct by"),
        rows,
        title="All requirements with standard, place and due date",
    )


def seen_table(standard: StandardResult) -> str:
    """Return what was seen of a standard, by review mode."""
    rows = []
    for seen in standard.seen:
        place = f"{listed(seen.sites)}: " if seen.sites else ""
        rows.append(
            (
                run(MODE_WORDS.get(seen.mode, seen.mode), "Quiet"),
                run(place, "Strong") + run(seen.text) if place else seen.text,
            )
        )
    return markup.table(
        "CertifySeen",
        (1600, 8048),
        ("Review mode", "What was seen"),
        rows,
        title=f"What was seen for standard {standard.code}",
        together=len(rows) <= SHORT_TABLE,
    )


def sites_table(report: SurveyReport, title: str) -> str:
    """Return every site, how it was surveyed and why it was chosen."""
    return markup.table(
        "CertifyTable",
        (2700, 3348, 1800, 1800),
        ("Site", "Address", "Surveyed", "Chosen because"),
        [(run(s.name, "Strong"), s.address, site_how(s.visited, s.visited_on, s.how), s.why) for s in report.sites],
        title=title,
    )


def people_table(report: SurveyReport, title: str) -> str:
    """Return who took part."""
    return markup.table(
        "CertifyTable",
        (2700, 3000, 3948),
        ("Role", "Name", "Detail"),
        [(p.role, run(p.name, "Strong"), p.detail) for p in report.people],
        title=title,
    )


def approvals_table(report: SurveyReport, title: str) -> str:
    """Return whose hands the report went through; the column of comments only where there are some."""
    rows = [
        (a.step, run(a.name, "Strong"), short_day(a.at.date()) if a.at else "Open", a.comment) for a in report.approvals
    ]
    if any(comment for *_, comment in rows):
        widths, head = (2700, 2600, 1700, 2648), ("Step", "Name", "Date", "Comment")
        return markup.table("CertifyTable", widths, head, rows, title=title)
    shorter = [row[:3] for row in rows]
    return markup.table("CertifyTable", (3600, 3900, 2148), ("Step", "Name", "Date"), shorter, title=title)


def versions_table(report: SurveyReport, title: str) -> str:
    """Return every issued version and why it was made."""
    return markup.table(
        "CertifyTable",
        (1100, 2100, 2500, 3948),
        ("Version", "Issued", "By", "Reason"),
        [(str(v.number), short_day(v.issued_at.date()), v.by, v.reason) for v in report.versions]
        or [("Draft", "Not issued", "", "This draft may still change.")],
        title=title,
    )


def elements_table(report: SurveyReport, title: str) -> str:
    """Return the answer to every element at each site visited."""
    sites = column_heads(report)
    wide = 1080 if len(sites) <= 4 else max(420, 4600 // len(sites))
    question = TEXT_WIDTH - 940 - wide * len(sites)
    rows = [_element_row(standard, number) for standard in report.standards for number in range(len(standard.elements))]
    return markup.table(
        "CertifyCompact",
        (940, question, *[wide] * len(sites)),
        ("Element", "Question", *sites),
        rows,
        title=title,
        align=("", "", *["center"] * len(sites)),
    )


def _matrix_cell(cell: MatrixCell) -> markup.Markup:
    ink = palette.LEVEL_COLOURS.get(cell.level, (palette.INK, ""))[0]
    level = markup.toned_run(cell.level_words, ink)
    numbers = in_cell(cell.findings)
    return level + markup.toned_run(f"\n{numbers}", ink, bold=True) if numbers else level + run("\n–")


def _element_row(standard: StandardResult, number: int) -> tuple[str, ...]:
    element = standard.elements[number]
    reasons = f"\n{'; '.join(dict.fromkeys(r for r in element.reasons if r))}" if any(element.reasons) else ""
    answers = [
        run(f"▲ {ANSWERS[rating]}", "LabelRequirement") if rating is Rating.NOT_MET else ANSWERS[rating]
        for rating in element.ratings
    ]
    return (element.code, run(element.question) + run(reasons, "Quiet") if reasons else element.question, *answers)


def _due(finding: Finding) -> str:
    if finding.closed_on:
        return f"Closed {short_day(finding.closed_on)}"
    return short_day(finding.due_on) if finding.due_on else "Set at issue"


def _count(domain: DomainResult, kind: FindingKind) -> int:
    return sum(f.kind is kind for standard in domain.standards for f in standard.findings)
