"""Believable documents of a practice that does not exist, on the real standards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import yaml

from certify.certification.reports.severity import Risk, grid, placed
from certify.core.rulebook.current import current
from certify.outlets.documents.content.agreement import Clause, SignedAgreement
from certify.outlets.documents.content.certificate import Certificate, Signatory
from certify.outlets.documents.content.decision_letter import DecisionLetter, Outcome, Reason
from certify.outlets.documents.content.invoice import Invoice, InvoiceLine
from certify.outlets.documents.content.reading import read
from certify.outlets.documents.content.sample import SampledSite, SampleSheet
from certify.outlets.documents.content.survey_report import (
    Approval,
    DomainResult,
    ElementResult,
    Finding,
    FindingKind,
    Person,
    RiskMatrix,
    RiskPlace,
    Sampling,
    Seen,
    StandardResult,
    SurveyedSite,
    SurveyReport,
    Version,
)
from certify.outlets.documents.content.wording import Rating
from certify.resources import WORKFLOWS

PROGRAM = "Oncology Medical Home certification"
SITES = ("Lakeside Main", "Harbor North", "Mill Creek")
NOT_MET = {"2.1.c": (0, 1, 2), "7.3.b": (1,), "7.9.d": (1, 2)}
SEEN = {
    "documentation": "Policy of March 2026, the current form and ten recent records were read; the policy names an owner and a review date.",
    "observation": "Two nurses and a pharmacist were followed through one visit each; what they did matched the written procedure.",
    "data": "A sample of 20 charts of the last six months and the quarterly figures were reviewed with the quality lead.",
}


@cache
def standards() -> list[dict[str, Any]]:
    """Return the domains of the edition that the examples are surveyed against."""
    found = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((WORKFLOWS / "standards").rglob("*.yaml"))
    ]
    editions = [edition for document in found for edition in document.get("editions", [document])]
    return next(edition["domains"] for edition in editions if str(edition["edition"]) == "2021")


def _standard(record: dict[str, Any], sites: int, extra: int) -> StandardResult:
    code = record["code"]
    elements = []
    for letter, question in record["elements"].items():
        element = f"{code}.{letter}"
        bad = NOT_MET.get(element, ())
        absent = element.startswith("7.15.")
        ratings = tuple(
            Rating.NOT_APPLICABLE if absent else Rating.NOT_MET if site in bad else Rating.MET for site in range(sites)
        )
        elements.append(
            ElementResult(element, question, ratings, ("No intrathecal treatment is given here.",) if absent else ())
        )
    by_site = tuple(_worst([element.ratings[site] for element in elements]) for site in range(sites))
    findings = [
        Finding(
            "",
            FindingKind.REQUIREMENT,
            code,
            "Make sure that this is done and recorded every time, at each site, and show it with the revised policy and a log of "
            f"four weeks. The element asks: {element.question[0].lower()}{element.question[1:]}",
            element.code,
            tuple(
                SITES[site]
                for site, rating in enumerate(element.ratings)
                if rating is Rating.NOT_MET and sites == len(SITES)
            ),
            date(2027, 7, 16),
        )
        for element in elements
        if element.not_met_somewhere
    ]
    findings += [
        Finding(
            "",
            FindingKind.RECOMMENDATION,
            code,
            "Consider showing the figure of each month on the staff board, with its target line.",
        )
        for _ in range(extra)
    ]
    return StandardResult(
        code,
        record["title"],
        record["requirement"],
        bool(record["critical"]),
        _worst(by_site),
        by_site,
        tuple(elements),
        tuple(Seen(mode, SEEN[mode]) for mode in record["evidence"]),
        tuple(findings),
    )


def _worst(ratings: Any) -> Rating:
    for rating in (Rating.NOT_ASSESSED, Rating.NOT_MET, Rating.MET):
        if rating in ratings:
            return rating
    return Rating.NOT_APPLICABLE


def _numbered(domains: list[DomainResult]) -> tuple[DomainResult, ...]:
    letters = {FindingKind.REQUIREMENT: "R", FindingKind.RECOMMENDATION: "A", FindingKind.STRENGTH: "S"}
    counts = dict.fromkeys(FindingKind, 0)
    result = []
    for domain in domains:
        found = []
        for standard in domain.standards:
            findings = []
            for finding in standard.findings:
                counts[finding.kind] += 1
                findings.append(replace(finding, number=f"{letters[finding.kind]}{counts[finding.kind]}"))
            found.append(replace(standard, findings=tuple(findings)))
        result.append(replace(domain, standards=tuple(found)))
    return tuple(result)


def survey_report(*, issued: bool = True, recommendations: int = 0, requirements: bool = True) -> SurveyReport:
    """Return a survey of three sites; `recommendations` are added to each standard."""
    domains = []
    for domain in standards():
        results = []
        for record in domain["standards"]:
            result = _standard(record, len(SITES), recommendations)
            if not requirements:
                met = tuple(replace(e, ratings=tuple(_met(r) for r in e.ratings)) for e in result.elements)
                by_site = tuple(_worst([e.ratings[site] for e in met]) for site in range(len(SITES)))
                kept = tuple(f for f in result.findings if f.kind is not FindingKind.REQUIREMENT)
                result = replace(result, elements=met, by_site=by_site, rating=_worst(by_site), findings=kept)
            if record["code"] in ("1.3", "6.2"):
                praise = Finding(
                    "",
                    FindingKind.STRENGTH,
                    record["code"],
                    "The team reaches every new patient within two working days.",
                )
                result = replace(result, findings=(*result.findings, praise))
            results.append(result)
        domains.append(DomainResult(domain["number"], domain["key"], domain["title"], domain["aim"], tuple(results)))
    issued_at = datetime(2026, 11, 19, 14, 2, tzinfo=UTC)
    return SurveyReport(
        case_ref="LO-2026-014",
        practice="Lakeside Oncology",
        program=PROGRAM,
        edition="2021",
        edition_title="Oncology Medical Home Standards, 2021",
        version=1,
        issued_at=issued_at if issued else None,
        survey_kind="initial",
        mode="on_site",
        first_on=date(2026, 10, 14),
        last_on=date(2026, 10, 16),
        sites=(
            SurveyedSite(
                SITES[0], "1200 Shore Drive, Duluth, MN 55802", True, date(2026, 10, 14), "On site", "All sites visited"
            ),
            SurveyedSite(
                SITES[1],
                "48 Harbor Street, Two Harbors, MN 55616",
                True,
                date(2026, 10, 15),
                "On site",
                "All sites visited",
            ),
            SurveyedSite(
                SITES[2],
                "7 Mill Creek Road, Cloquet, MN 55720",
                True,
                date(2026, 10, 16),
                "On site",
                "All sites visited",
            ),
        ),
        sampling=Sampling(
            "Practices with one to three sites are visited at every site.", "LO-2026-014/1", date(2026, 9, 1)
        ),
        domains=_numbered(domains),
        plan_due_on=date(2026, 12, 4) if requirements else None,
        objection_until=date(2026, 12, 4),
        strengths=(
            "Financial counselling reaches every new patient before treatment, with a written estimate renewed at each change of regimen.",
            "Goals of care are recorded early and can be found in one place in the chart.",
            "Pharmacy and nursing review near misses together every month.",
        ),
        people=(
            Person("Surveyor", "Dana Whitfield", "Registered nurse, OCN; declared no conflict on August 20, 2026"),
            Person("Practice administrator", "Ruth Calloway", "Contact of the practice"),
            Person("Physician lead", "Samuel Ortega, MD", "Answers for clinical content"),
        ),
        approvals=(
            Approval("Written by the surveyor", "Dana Whitfield", datetime(2026, 10, 30, 9, 0, tzinfo=UTC)),
            Approval("Checked by the program", "Marta Lindqvist", datetime(2026, 11, 10, 9, 0, tzinfo=UTC)),
            Approval("Approved by the council", "Priya Raman, MD", issued_at if issued else None),
        ),
        summary="A well led practice with close teamwork; two habits at the chairside need attention before an award.",
        versions=(Version(1, issued_at, "Priya Raman, MD", "First issue"),) if issued else (),
    )


def _met(rating: Rating) -> Rating:
    return Rating.MET if rating is Rating.NOT_MET else rating


def decision_letter(outcome: Outcome = Outcome.AWARD) -> DecisionLetter:
    """Return a letter of award or denial."""
    award = outcome is Outcome.AWARD
    return DecisionLetter(
        case_ref="LO-2026-014",
        program=PROGRAM,
        practice="Lakeside Oncology",
        address=("1200 Shore Drive", "Duluth, MN 55802"),
        recipient="Samuel Ortega, MD",
        recipient_title="Physician lead",
        outcome=outcome,
        decided_on=date(2027, 3, 9),
        edition_title="Oncology Medical Home Standards, 2021",
        sites=SITES,
        signatory="Priya Raman, MD",
        signatory_title="Chair, Certification Council",
        survey_days="October 14\u201316, 2026",
        reasons=()
        if award
        else (
            Reason(
                "2.1",
                "Triage and urgent care",
                "Calls outside office hours are not answered by a clinician at any of the sites.",
            ),
            Reason(
                "7.3",
                "Independent double check",
                "The second check is not recorded at Harbor North; the plan was not carried out.",
            ),
        ),
        certificate_number="OMH-2027-0031" if award else "",
        award_on=date(2027, 3, 9) if award else None,
        end_on=date(2030, 3, 8) if award else None,
        appeal_until=None if award else date(2027, 4, 8),
        contact="certification@example.org",
    )


def certificate(sites: tuple[str, ...] = SITES) -> Certificate:
    """Return a certificate."""
    return Certificate(
        number="OMH-2027-0031",
        case_ref="LO-2026-014",
        program=PROGRAM,
        practice="Lakeside Oncology",
        sites=sites,
        edition_title="Oncology Medical Home Standards, 2021",
        award_on=date(2027, 3, 9),
        end_on=date(2030, 3, 8),
        verification_code="K7QF-2M9X-TR4D",
        register_url="https://certify.example.org/register/OMH-2027-0031",
        signatories=(
            Signatory("Priya Raman, MD", "Chair, Certification Council"),
            Signatory("Marta Lindqvist", "Program director"),
        ),
    )


def invoice() -> Invoice:
    """Return an open invoice for three sites."""
    return Invoice(
        number="INV-2026-0107",
        case_ref="LO-2026-014",
        program=PROGRAM,
        sender=("500 Program Avenue", "Alexandria, VA 22314", "finance@example.org"),
        practice="Lakeside Oncology",
        address=("1200 Shore Drive", "Duluth, MN 55802"),
        issued_on=date(2026, 3, 2),
        due_on=date(2026, 4, 1),
        reference="LO-2026-014",
        lines=(
            InvoiceLine("Certification fee, practice with 6 to 20 physicians (FTE)", 1, 900_000, 900_000),
            InvoiceLine("Each further site", 2, 50_000, 100_000),
        ),
        total_cents=1_000_000,
    )


def agreement() -> SignedAgreement:
    """Return a signed agreement."""
    return SignedAgreement(
        case_ref="LO-2026-014",
        program=PROGRAM,
        practice="Lakeside Oncology",
        title="Participation agreement",
        version="2026-1",
        clauses=(
            Clause(
                "Use of data",
                ("The program uses what the practice sends to judge compliance and to improve the standards.",),
            ),
            Clause(
                "Confidentiality",
                (
                    "Nothing about the practice is released without its request.",
                    "The register shows status only with consent.",
                ),
            ),
        ),
        text_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        signer="Samuel Ortega, MD",
        signer_title="Physician lead",
        signed_at=datetime(2026, 2, 20, 15, 30, tzinfo=UTC),
        signed_from="203.0.113.7",
    )


def sample_sheet() -> SampleSheet:
    """Return the draw of a practice with five sites."""
    return SampleSheet(
        case_ref="LO-2026-014",
        program=PROGRAM,
        practice="Lakeside Oncology",
        survey_on=date(2026, 10, 14),
        surveyor="Dana Whitfield",
        rule="More than three sites: the square root of the number of sites, rounded up, plus one.",
        seed="LO-2026-014/1",
        drawn_at=datetime(2026, 9, 1, 10, 0, tzinfo=UTC),
        drawn_by="Marta Lindqvist",
        sites=tuple(
            SampledSite(
                f"Site {letter}",
                f"{number} Main Street, Duluth, MN 55802",
                "Infusion, pharmacy",
                number < 4,
                "Drawn at random",
            )
            for number, letter in enumerate("ABCDE")
        ),
    )


PLACES = (("high", "widespread"), ("moderate", "limited"), ("high", "pattern"), ("low", "pattern"), ("low", "limited"))


def placed_report(report: SurveyReport, places: tuple[tuple[str, str], ...] = PLACES) -> SurveyReport:
    """Return the report with its requirements placed in the matrix of severity and scope, in turn at these places."""
    rules = current().survey
    numbers = [f.number for f in report.findings(FindingKind.REQUIREMENT)]
    place_of = {number: Risk(*places[n % len(places)]) for n, number in enumerate(numbers)}
    domains = tuple(
        replace(
            domain,
            standards=tuple(
                replace(
                    standard,
                    findings=tuple(
                        replace(f, risk=read(RiskPlace, placed(rules, place_of[f.number]) or {}))
                        if f.number in place_of
                        else f
                        for f in standard.findings
                    ),
                )
                for standard in domain.standards
            ),
        )
        for domain in report.domains
    )
    matrix = grid(rules, list(place_of.items()))
    return replace(report, domains=domains, matrix=read(RiskMatrix, matrix) if matrix else None)


def many_requirements(count: int) -> SurveyReport:
    """Return a report with so many requirements: every element is not met, as far as they reach, over and over."""
    report = survey_report()
    domains, left = [], count - len(report.findings(FindingKind.REQUIREMENT))
    for domain in report.domains:
        results = []
        for standard in domain.standards:
            own = tuple(f for f in standard.findings if f.kind is FindingKind.REQUIREMENT)
            share = min(left, 6)
            left -= share
            elements = [standard.elements[n % len(standard.elements)].code for n in range(share)]
            added = tuple(
                Finding(
                    "",
                    FindingKind.REQUIREMENT,
                    standard.code,
                    "Show it for four weeks, at each site.",
                    code,
                    (),
                    date(2027, 7, 16),
                )
                for code in elements
            )
            others = tuple(f for f in standard.findings if f.kind is not FindingKind.REQUIREMENT)
            results.append(replace(standard, findings=(*own, *added, *others)))
        domains.append(replace(domain, standards=tuple(results)))
    return replace(report, domains=_numbered(domains))
