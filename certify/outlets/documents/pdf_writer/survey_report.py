"""The survey report as PDF: the same story as the Word file, in a form that cannot be edited by accident."""

from __future__ import annotations

from typing import Any

from certify.outlets.documents.content.survey_report import (
    Finding,
    FindingKind,
    RiskMatrix,
    StandardResult,
    SurveyReport,
)
from certify.outlets.documents.content.survey_words import (
    LONG_NAME,
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
from certify.outlets.documents.content.wording import MODE_WORDS, Rating, day, listed, plain_data, short_day
from certify.outlets.documents.pdf_writer.press import pdf
from certify.outlets.documents.picture import compliance_picture


def survey_report_pdf(report: SurveyReport) -> bytes:
    """Return the survey report as a tagged PDF."""
    return pdf("survey-report.typ", survey_report_data(report), on=report.issued_at)


def survey_report_data(report: SurveyReport) -> dict[str, Any]:
    """Return what the template shows, as JSON types: every word is chosen here, every place there."""
    data = {**_identity(report), **_front(report), **_inside(report), **_about(report), **_appendix(report)}
    plain: dict[str, Any] = plain_data(data)
    return plain


def _identity(report: SurveyReport) -> dict[str, Any]:
    return {
        "title_size": 24 if len(report.practice) <= LONG_NAME else 15,
        "legend": column_legend(report),
        "draft": report.draft,
        "case_ref": report.case_ref,
        "practice": report.practice,
        "program": report.program,
        "edition": report.edition,
        "edition_title": report.edition_title,
        "version": "Draft" if report.draft else f"Version {report.version}",
    }


def _front(report: SurveyReport) -> dict[str, Any]:
    picture, front = compliance_picture(report), front_page(report)
    return {
        "facts": front_facts(report),
        "headline": report.headline,
        "consequence": report.consequence,
        "summary": front.summary,
        "picture": {"svg": picture.svg, "alt": picture.alt},
        "counts": _counts(report),
        "totals": [
            sum(len(domain.standards) for domain in report.domains),
            *(report.count(rating) for rating in (Rating.MET, Rating.NOT_MET, Rating.NOT_APPLICABLE)),
            *(len(report.findings(kind)) for kind in (FindingKind.REQUIREMENT, FindingKind.RECOMMENDATION)),
        ],
        "matrix": _matrix(report.matrix),
        "front_requirements": [
            [f.number, standard_label(f.standard, f.element), text, _due(f)] for f, text in front.requirements
        ],
        "more_requirements": front.more,
        "strengths": front.strengths,
    }


def _inside(report: SurveyReport) -> dict[str, Any]:
    names = [site.name for site in report.visited]
    return {
        "requirements_intro": requirements_intro(report),
        "requirements": [
            [
                f.number,
                standard_label(f.standard, f.element),
                f.text,
                listed(f.sites) or "All sites",
                *([risk_words(f)] if report.matrix else []),
                _due(f),
            ]
            for f in report.to_answer
        ],
        "domains": [
            {
                "number": domain.number,
                "title": domain.title,
                "aim": domain.aim,
                "met": met_of(domain),
                "standards": [_standard(standard, names) for standard in domain.standards],
            }
            for domain in report.domains
        ],
    }


def _about(report: SurveyReport) -> dict[str, Any]:
    return {
        "method": method_paragraphs(report),
        "sites": [[s.name, s.address, site_how(s.visited, s.visited_on, s.how), s.why] for s in report.sites],
        "sampling": sampling_sentence(report),
        "people": [[p.role, p.name, p.detail] for p in report.people],
        "approvals": [
            [a.step, a.name, short_day(a.at.date()) if a.at else "Open", a.comment] for a in report.approvals
        ],
        "versions": [[str(v.number), short_day(v.issued_at.date()), v.by, v.reason] for v in report.versions]
        or [["Draft", "Not issued", "", "This draft may still change."]],
    }


def _appendix(report: SurveyReport) -> dict[str, Any]:
    return {
        "site_names": column_heads(report),
        "elements": [
            {
                "code": element.code,
                "question": element.question,
                "reason": "; ".join(dict.fromkeys(r for r in element.reasons if r)),
                "ratings": element.ratings,
            }
            for standard in report.standards
            for element in standard.elements
        ],
    }


def _counts(report: SurveyReport) -> list[list[Any]]:
    return [
        [
            domain.number,
            domain.title,
            len(domain.standards),
            *(domain.count(rating) for rating in (Rating.MET, Rating.NOT_MET, Rating.NOT_APPLICABLE)),
            *(
                sum(f.kind is kind for standard in domain.standards for f in standard.findings)
                for kind in (FindingKind.REQUIREMENT, FindingKind.RECOMMENDATION)
            ),
        ]
        for domain in report.domains
    ]


def _matrix(matrix: RiskMatrix | None) -> dict[str, Any] | None:
    if matrix is None:
        return None
    return {
        "scopes": [step.label for step in matrix.scopes],
        "rows": [
            [line.label, [[cell.level, cell.level_words, in_cell(cell.findings)] for cell in line.cells]]
            for line in matrix.rows
        ],
        "words": matrix_words(matrix),
    }


def _standard(standard: StandardResult, names: list[str]) -> dict[str, Any]:
    failed = []
    for element in standard.elements:
        where = [name for name, rating in zip(names, element.ratings, strict=False) if rating is Rating.NOT_MET]
        if where:
            place = f" ({listed(where)})" if len(where) < len(names) else ""
            failed.append([element.code, f"{element.question}{place}"])
    return {
        "code": standard.code,
        "title": standard.title,
        "requirement": standard.requirement,
        "critical": standard.critical,
        "rating": standard.rating,
        "where": sites_sentence(standard, names),
        "note": standard.note,
        "failed": failed,
        "seen": [[MODE_WORDS.get(seen.mode, seen.mode), listed(seen.sites), seen.text] for seen in standard.seen],
        "findings": [
            {"kind": f.kind, "number": f.number, "detail": " · ".join(_detail(f)), "text": f.text}
            for f in standard.findings
        ],
    }


def _detail(finding: Finding) -> list[str]:
    detail = [standard_label(finding.standard, finding.element), *([listed(finding.sites)] if finding.sites else [])]
    if finding.closed_on:
        detail.append(f"closed {day(finding.closed_on)}")
    elif finding.due_on:
        detail.append(f"correct by {day(finding.due_on)}")
    return [*detail, risk_words(finding)] if finding.risk else detail


def _due(finding: Finding) -> str:
    if finding.closed_on:
        return f"Closed {short_day(finding.closed_on)}"
    return short_day(finding.due_on) if finding.due_on else "Set at issue"
