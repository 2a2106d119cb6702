"""The survey report as a Word document: page 1 tells the whole story, then one section per domain."""

from __future__ import annotations

from collections.abc import Iterator

from certify.outlets.documents.content.survey_report import (
    DomainResult,
    Finding,
    FindingKind,
    RiskMatrix,
    StandardResult,
    SurveyReport,
)
from certify.outlets.documents.content.survey_words import (
    LONG_NAME,
    FrontPage,
    column_legend,
    front_facts,
    front_page,
    matrix_words,
    met_of,
    method_paragraphs,
    requirements_intro,
    risk_words,
    sampling_sentence,
    sites_sentence,
    standard_label,
)
from certify.outlets.documents.content.wording import (
    RATING_SIGNS,
    RATING_WORDS,
    Rating,
    day,
    listed,
    plain_data,
)
from certify.outlets.documents.docx_writer import markup, package
from certify.outlets.documents.docx_writer import survey_tables as tables
from certify.outlets.documents.docx_writer.markup import Heading, caption, paragraph, rating_run, run, text_paragraph
from certify.outlets.documents.picture import as_png, compliance_picture

LABELS = {
    FindingKind.REQUIREMENT: ("Requirement", "LabelRequirement"),
    FindingKind.RECOMMENDATION: ("Recommendation", "LabelRecommendation"),
    FindingKind.STRENGTH: ("Strength", "LabelStrength"),
}


def survey_report_docx(report: SurveyReport) -> bytes:
    """Return the survey report as .docx with its machine-readable twin inside."""
    document = package.open_base()
    image = compliance_picture(report)
    relationship = package.add_picture(document, as_png(image.svg, 1400))
    width = tables.TEXT_WIDTH / markup.TWIPS_PER_INCH
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
        self.counted = 0
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
        self.counted += 1
        return caption("Table", self.counted, text)

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
        title = "Ratings and findings by domain"
        yield self.table_caption(title)
        yield tables.counts_table(self.report, title)

    def _matrix(self, matrix: RiskMatrix) -> Iterator[str]:
        title = "Severity and scope: requirements by likelihood of harm and by how far they reach"
        yield self.table_caption(title)
        yield tables.matrix_table(matrix, title)
        if words := matrix_words(matrix):
            yield text_paragraph(words, "Small")

    def _front_requirements(self, front: FrontPage) -> Iterator[str]:
        if not front.requirements:
            return
        title = "Requirements and dates"
        yield self.table_caption(title)
        yield tables.front_requirements_table(front, title)
        if front.more:
            word = "requirement stands" if front.more == 1 else "requirements stand"
            yield text_paragraph(f"{front.more} more {word} under “Requirements and due dates”.", "Small")

    def _requirements(self) -> Iterator[str]:
        required = self.report.to_answer
        if not required:
            return
        yield self.heading(new_page=True)
        if self.report.matrix is not None:
            yield from self._counted()
        yield text_paragraph(requirements_intro(self.report))
        yield self.table_caption("All requirements")
        yield tables.requirements_table(required, risks=self.report.matrix is not None)

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
            yield tables.seen_table(standard)
        if standard.findings:
            yield paragraph("Heading3", run("Findings"))
            yield from (_finding(f) for f in standard.findings)

    def _about(self) -> Iterator[str]:
        report = self.report
        yield self.heading()
        yield self.heading()
        yield from (text_paragraph(text) for text in method_paragraphs(report))
        yield self.heading()
        title = "Sites of the practice and how each was surveyed"
        yield self.table_caption(title)
        yield tables.sites_table(report, title)
        yield text_paragraph(sampling_sentence(report), "Small")
        yield self.heading()
        if report.people:
            title = "People who took part"
            yield self.table_caption(title)
            yield tables.people_table(report, title)
        if report.approvals:
            title = "Who wrote, checked and approved this report"
            yield self.table_caption(title)
            yield tables.approvals_table(report, title)
        yield self.heading()
        yield text_paragraph(
            f"{report.edition_title}. The edition was fixed when the fee was confirmed and holds for the whole case."
        )
        title = "Versions of this report"
        yield self.table_caption(title)
        yield tables.versions_table(report, title)

    def _elements(self) -> Iterator[str]:
        yield self.heading(new_page=True)
        yield text_paragraph("Yes: met. No: not met. n/a: not applicable, with the reason beside it.", "Small")
        if legend := column_legend(self.report):
            yield text_paragraph(legend, "Small")
        title = "Answers to every element at each site visited"
        yield self.table_caption(title)
        yield tables.elements_table(self.report, title)


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
