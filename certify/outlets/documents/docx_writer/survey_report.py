"""The survey report as a Word document: page 1 tells the whole story, then one section per domain."""

from __future__ import annotations

from collections.abc import Iterator

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
    LONG_NAME,
    FrontPage,
    column_heads,
    column_legend,
    front_facts,
    front_page,
    in_cell,
    matrix_words,
    met_of,
    method_paragraphs,
    requirements_intro,
    risk_words,
    sampling_sentence,
    site_how,
    sites_sentence,
    standard_label,
)
from certify.outlets.documents.content.wording import (
    MODE_WORDS,
    RATING_SIGNS,
    RATING_WORDS,
    Rating,
    day,
    listed,
    plain_data,
    short_day,
)
from certify.outlets.documents.docx_writer import markup, package
from certify.outlets.documents.docx_writer.markup import Heading, caption, paragraph, rating_run, run, text_paragraph
from certify.outlets.documents.picture import as_png, compliance_picture

TEXT_WIDTH = 9648
SHORT_TABLE = 6
LABELS = {
    FindingKind.REQUIREMENT: ("Requirement", "LabelRequirement"),
    FindingKind.RECOMMENDATION: ("Recommendation", "LabelRecommendation"),
    FindingKind.STRENGTH: ("Strength", "LabelStrength"),
}
ANSWERS = {
    Rating.MET: "Yes",
    Rating.NOT_MET: "No",
    Rating.NOT_APPLICABLE: "n/a",
    Rating.NOT_ASSESSED: "open",
}


def survey_report_docx(report: SurveyReport) -> bytes:
    """Return the survey report as .docx with its machine-readable twin inside."""
    document = package.open_base()
    image = compliance_picture(report)
    relationship = package.add_picture(document, as_png(image.svg, 1400))
    width = TEXT_WIDTH / markup.TWIPS_PER_INCH
    shown = markup.picture(
        relationship, 1, "Standards met by domain and site", image.alt, width, width * image.height / image.width
    )
    package.fill_body(document, "".join(_Body(report, shown).parts()))
    version = "Draft" if report.draft else f"Version {report.version}"
    package.fill_margins(
        document,
        header=paragraph("Header", run(report.practice, "Strong"), run(f"\tSurvey report, {report.edition} standards")),
        footer=paragraph(
            "Footer",
            run(f"{report.case_ref} · {version} · Confidential: for the practice and the program\tPage "),
            markup.field("PAGE", "1"),
            run(" of "),
            markup.field("NUMPAGES", "1"),
        ),
        draft=report.draft,
    )
    package.set_properties(
        document,
        title=f"Survey report: {report.practice}",
        subject=f"{report.edition_title}, case {report.case_ref}, {version.lower()}",
        author=report.program,
        at=report.issued_at,
    )
    package.attach_json(document, plain_data(report))
    return package.to_bytes(document)


def title(text: str) -> str:
    """Return the title; a long name is set smaller, so that page 1 still holds the story."""
    if len(text) <= LONG_NAME:
        return text_paragraph(text, "Title")
    return paragraph("Title", markup.sized_run(text, 15))


class _Body:
    """Writes the body from top to bottom and counts headings, figures and tables on the way."""

    def __init__(self, report: SurveyReport, picture: str) -> None:
        self.report = report
        self.picture = picture
        self.tables = 0
        self.order = 10
        self.site_names = [site.name for site in report.visited]
        self.headings = list(self._outline())
        self.remaining = iter(self.headings)

    def _outline(self) -> Iterator[Heading]:
        titles: list[tuple[int, str, str, str, bool]] = [(1, "", "Outcome", "", False)]
        required = len(self.report.to_answer)
        if required:
            titles.append((1, "", "Requirements and due dates", str(required), False))
        for domain in self.report.domains:
            titles.append((1, str(domain.number), domain.title, met_of(domain), False))
            for standard in domain.standards:
                word = f"{RATING_SIGNS[standard.rating]} {RATING_WORDS[standard.rating]}"
                titles.append((2, standard.code, standard.title, word, standard.rating is Rating.NOT_MET))
        titles.append((1, "", "About this survey", "", False))
        titles += [
            (2, "", title, "", False) for title in ("Method", "Sites", "People and approval", "Edition and versions")
        ]
        titles.append((1, "", "Every element, site by site", "", False))
        for number, (level, code, title, beside, warning) in enumerate(titles, start=1):
            yield Heading(level, code, title, f"_Toc{number:06d}", beside, warning)

    def heading(self, *, new_page: bool = False, small: bool = False) -> str:
        """Return the next heading of the outline."""
        self.order += 1
        return markup.heading(next(self.remaining), self.order, new_page=new_page, small=small)

    def table_caption(self, text: str) -> str:
        """Return the caption of the next table."""
        self.tables += 1
        return caption("Table", self.tables, text)

    def parts(self) -> Iterator[str]:
        """Yield the body in order."""
        yield from self._front()
        yield paragraph("TOCHeading", run("Contents"), extra="<w:pageBreakBefore/>")
        yield markup.contents(self.headings[1:])
        yield from self._requirements()
        for number, domain in enumerate(self.report.domains):
            yield self.heading(new_page=number == 0 and not self.report.to_answer)
            yield from self._domain(domain)
        yield from self._about()
        yield from self._elements()

    # Page 1
    def _front(self) -> Iterator[str]:
        report = self.report
        yield text_paragraph(f"Survey report · {report.edition_title}", "Eyebrow")
        yield title(report.practice)
        yield text_paragraph("\n".join(front_facts(report)), "Subtitle")
        yield self.heading(small=True)
        yield paragraph("Outcome", run(report.headline, "Strong"), run(f" {report.consequence}"))
        front = front_page(report)
        if front.summary:
            yield text_paragraph(front.summary)
        yield caption("Figure", 1, "Standards met, by domain and site visited")
        yield paragraph("Normal", self.picture)
        if legend := column_legend(report):
            yield text_paragraph(legend, "Small")
        if report.matrix is None:
            yield from self._counted()
        else:
            yield from self._matrix(report.matrix)
        yield from self._front_requirements(front)
        if front.strengths:
            yield text_paragraph("Strengths", "Heading2")
            yield from (text_paragraph(text, "ListBullet") for text in front.strengths)

    def _counted(self) -> Iterator[str]:
        yield self.table_caption("Ratings and findings by domain")
        yield self._counts()

    def _matrix(self, matrix: RiskMatrix) -> Iterator[str]:
        title = "Severity and scope: requirements by likelihood of harm and by how far they reach"
        yield self.table_caption(title)
        rows, fills = [], []
        for line in matrix.rows:
            rows.append((run(line.label, "Strong"), *(_matrix_cell(cell) for cell in line.cells)))
            fills.append(["", *(palette.LEVEL_COLOURS.get(cell.level, ("", ""))[1] for cell in line.cells)])
        side = (TEXT_WIDTH - 1848) // len(matrix.scopes)
        yield markup.table(
            "CertifyCompact",
            (TEXT_WIDTH - side * len(matrix.scopes), *[side] * len(matrix.scopes)),
            ("Likelihood of harm", *(step.label for step in matrix.scopes)),
            rows,
            title=title,
            together=True,
            fills=fills,
        )
        if words := matrix_words(matrix):
            yield text_paragraph(words, "Small")

    def _counts(self) -> str:
        head = ("Domain", "Standards", "Met", "Not met", "N/A", "Requirements", "Advice")
        rows: list[tuple[str, ...]] = []
        for domain in self.report.domains:
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
        rows.append(
            (
                run("All domains", "Strong"),
                *(
                    run(text, "Strong")
                    for text in (
                        str(sum(len(domain.standards) for domain in self.report.domains)),
                        str(self.report.count(Rating.MET)),
                        str(self.report.count(Rating.NOT_MET)),
                        str(self.report.count(Rating.NOT_APPLICABLE)),
                        str(len(self.report.findings(FindingKind.REQUIREMENT))),
                        str(len(self.report.findings(FindingKind.RECOMMENDATION))),
                    )
                ),
            )
        )
        widths = (4748, 1000, 560, 800, 520, 1260, 760)
        return markup.table(
            "CertifyCompact", widths, head, rows, title="Ratings and findings by domain", align=("", *["right"] * 6)
        )

    def _front_requirements(self, front: FrontPage) -> Iterator[str]:
        if not front.requirements:
            return
        yield self.table_caption("Requirements and dates")
        yield markup.table(
            "CertifyCompact",
            (640, 960, 6748, 1300),
            ("No.", "Element", "What is required", "Correct by"),
            [
                (run(f.number, "LabelRequirement"), standard_label(f.standard, f.element), text, _due(f))
                for f, text in front.requirements
            ],
            title="Requirements and dates",
        )
        if front.more:
            word = "requirement stands" if front.more == 1 else "requirements stand"
            yield text_paragraph(f"{front.more} more {word} under “Requirements and due dates”.", "Small")

    # All requirements
    def _requirements(self) -> Iterator[str]:
        required = self.report.to_answer
        if not required:
            return
        yield self.heading(new_page=True)
        if self.report.matrix is not None:
            yield from self._counted()
        yield text_paragraph(requirements_intro(self.report))
        yield self.table_caption("All requirements")
        risks = self.report.matrix is not None
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
        yield markup.table(
            "CertifyTable",
            widths,
            ("No.", "Element", "What is required", "Where", *(["Risk"] if risks else []), "Correct by"),
            rows,
            title="All requirements with standard, place and due date",
        )

    # Domains
    def _domain(self, domain: DomainResult) -> Iterator[str]:
        yield text_paragraph(domain.aim, "Aim")
        for standard in domain.standards:
            yield from self._standard(standard)

    def _standard(self, standard: StandardResult) -> Iterator[str]:
        yield self.heading()
        said = [rating_run(standard.rating)]
        if standard.critical:
            said.append(run("  Critical standard", "Strong"))
        detail = sites_sentence(standard, self.site_names)
        yield paragraph("RatingLine", *said, run(f"  {detail}", "Quiet"))
        yield text_paragraph(standard.requirement, "Asked")
        if standard.note:
            yield text_paragraph(standard.note)
        failed = [element for element in standard.elements if element.not_met_somewhere]
        if failed:
            yield paragraph("Heading3", run("Elements not met"))
            for element in failed:
                where = [n for n, r in zip(self.site_names, element.ratings, strict=False) if r is Rating.NOT_MET]
                place = f" ({listed(where)})" if len(where) < len(self.site_names) else ""
                yield paragraph("ListBullet", run(f"{element.code}  ", "Strong"), run(f"{element.question}{place}"))
        if standard.seen:
            yield self._seen(standard)
        if standard.findings:
            yield paragraph("Heading3", run("Findings"))
            yield from (_finding(f) for f in standard.findings)

    def _seen(self, standard: StandardResult) -> str:
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

    # About
    def _about(self) -> Iterator[str]:
        report = self.report
        yield self.heading()
        yield self.heading()
        yield from (text_paragraph(text) for text in method_paragraphs(report))
        yield self.heading()
        yield self.table_caption("Sites of the practice and how each was surveyed")
        yield markup.table(
            "CertifyTable",
            (2700, 3348, 1800, 1800),
            ("Site", "Address", "Surveyed", "Chosen because"),
            [(run(s.name, "Strong"), s.address, site_how(s.visited, s.visited_on, s.how), s.why) for s in report.sites],
            title="Sites of the practice and how each was surveyed",
        )
        yield text_paragraph(sampling_sentence(report), "Small")
        yield self.heading()
        if report.people:
            yield self.table_caption("People who took part")
            yield markup.table(
                "CertifyTable",
                (2700, 3000, 3948),
                ("Role", "Name", "Detail"),
                [(p.role, run(p.name, "Strong"), p.detail) for p in report.people],
                title="People who took part",
            )
        yield from self._approvals()
        yield self.heading()
        yield text_paragraph(
            f"{report.edition_title}. The edition was fixed when the fee was confirmed and holds for the whole case."
        )
        yield self.table_caption("Versions of this report")
        yield markup.table(
            "CertifyTable",
            (1100, 2100, 2500, 3948),
            ("Version", "Issued", "By", "Reason"),
            [(str(v.number), short_day(v.issued_at.date()), v.by, v.reason) for v in report.versions]
            or [("Draft", "Not issued", "", "This draft may still change.")],
            title="Versions of this report",
        )

    def _approvals(self) -> Iterator[str]:
        rows = [
            (a.step, run(a.name, "Strong"), short_day(a.at.date()) if a.at else "Open", a.comment)
            for a in self.report.approvals
        ]
        if not rows:
            return
        title = "Who wrote, checked and approved this report"
        yield self.table_caption(title)
        if any(comment for *_, comment in rows):
            widths, head = (2700, 2600, 1700, 2648), ("Step", "Name", "Date", "Comment")
            yield markup.table("CertifyTable", widths, head, rows, title=title)
        else:
            shorter = [row[:3] for row in rows]
            yield markup.table("CertifyTable", (3600, 3900, 2148), ("Step", "Name", "Date"), shorter, title=title)

    # Appendix
    def _elements(self) -> Iterator[str]:
        yield self.heading(new_page=True)
        yield text_paragraph("Yes: met. No: not met. n/a: not applicable, with the reason beside it.", "Small")
        sites = column_heads(self.report)
        if legend := column_legend(self.report):
            yield text_paragraph(legend, "Small")
        wide = 1080 if len(sites) <= 4 else max(420, 4600 // len(sites))
        question = TEXT_WIDTH - 940 - wide * len(sites)
        yield self.table_caption("Answers to every element at each site visited")
        rows = [
            _element_row(standard, number)
            for standard in self.report.standards
            for number in range(len(standard.elements))
        ]
        yield markup.table(
            "CertifyCompact",
            (940, question, *[wide] * len(sites)),
            ("Element", "Question", *sites),
            rows,
            title="Answers to every element at each site visited",
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


def _finding(finding: Finding) -> str:
    word, style = LABELS[finding.kind]
    detail = [standard_label(finding.standard, finding.element), *([listed(finding.sites)] if finding.sites else [])]
    if finding.closed_on:
        detail.append(f"closed {day(finding.closed_on)}")
    elif finding.due_on:
        detail.append(f"correct by {day(finding.due_on)}")
    if finding.risk is not None:
        detail.append(risk_words(finding))
    label = run(f"{word} {finding.number}".strip(), style) + run(f"  {' · '.join(detail)}\n", "Quiet")
    return paragraph(word, label, run(finding.text))


def _due(finding: Finding) -> str:
    if finding.closed_on:
        return f"Closed {short_day(finding.closed_on)}"
    return short_day(finding.due_on) if finding.due_on else "Set at issue"


def _count(domain: DomainResult, kind: FindingKind) -> int:
    return sum(f.kind is kind for standard in domain.standards for f in standard.findings)
