"""What the practice's front page shows beside the status sentence: domains, dates, documents, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_may, deadlines_of, members_of
from certify.certification.certificates.queries import certificate_of
from certify.certification.evidence.queries import coverage_of
from certify.certification.fees.queries import invoice_rows
from certify.certification.reports.queries import issued_report, list_issued
from certify.certification.surveys.queries import latest_survey
from certify.core.access.policy import Permission
from certify.core.access.roles import ROLE_TITLES, Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import Unmet
from certify.core.rulebook.current import current
from certify.platform.identity.queries import list_team, names_of

DAYS_AHEAD = 90
GATHERED_FROM = 2  # so many missing things of one place stand in one line


@dataclass(frozen=True)
class DomainCount:
    """One domain's bar: how many elements are met (or covered), open, not met."""

    number: int
    title: str
    met: int
    open: int
    not_met: int
    url: str = ""


@dataclass(frozen=True)
class DomainPicture:
    """The bars with the words that say what they count."""

    title: str
    explanation: str
    words: tuple[str, str, str]
    rows: tuple[DomainCount, ...]


@dataclass(frozen=True)
class DateLine:
    """A date of the next weeks."""

    label: str
    on: date
    days_left: int


@dataclass(frozen=True)
class DocumentLine:
    """A document to open, with its further forms."""

    title: str
    note: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PersonLine:
    """Someone with a part in the case."""

    name: str
    part: str


@dataclass(frozen=True)
class MissingGroup:
    """What is missing in one place: a section, a requirement, a domain; without a title it stands by itself."""

    title: str
    items: tuple[Unmet, ...]


def gathered(case: Case, missing: Sequence[Unmet]) -> list[MissingGroup]:
    """Return what is missing by place, in the order of its first appearance; a few of one place stay single lines."""
    places: dict[str, list[Unmet]] = {}
    for unmet in missing:
        places.setdefault(_place(case, unmet), []).append(unmet)
    found: list[MissingGroup] = []
    for title, items in places.items():
        if title and len(items) >= GATHERED_FROM:
            found.append(MissingGroup(title, tuple(items)))
        else:
            found += [MissingGroup("", (item,)) for item in items]
    return found


def domains_of(session: Session, case: Case) -> DomainPicture:
    """Return compliance as the newest issued report has it; before that, how much of each domain has evidence."""
    report = issued_report(session, case.id)
    if report is not None and report.content is not None:
        return DomainPicture(
            "Compliance by domain",
            "Elements of the standards, as your survey report has them.",
            ("Met", "Not assessed", "Not met"),
            tuple(_from_report(case.ref, domain) for domain in report.content["domains"]),
        )
    titles = {d.number: d.title for d in current().editions[case.edition].domains}
    return DomainPicture(
        "Your readiness by domain",
        "Elements of the standards that you have added evidence for.",
        ("With evidence", "Open", "Not met"),
        tuple(
            _from_coverage(case.ref, number, titles[number], standards)
            for number, standards in coverage_of(session, case).items()
        ),
    )


def dates_of(session: Session, case: Case, zone: str, at: datetime) -> list[DateLine]:
    """Return what falls into the next weeks, soonest first; of what is past only that which the case still waits for.

    The day of the site survey is there as soon as it is agreed, however far ahead: people and rooms are planned around it.
    """
    today = local_date(at, zone)
    last = today + timedelta(days=DAYS_AHEAD)
    running = [due for due in deadlines_of(session, case, at) if not due.overdue or due.key == case.due_key]
    found = [DateLine(due.label, due.on, due.days_left) for due in running if due.on <= last]
    survey = latest_survey(session, case.id)
    if survey is not None and survey.starts_on is not None and today <= survey.starts_on:
        found.append(DateLine("Site survey begins", survey.starts_on, (survey.starts_on - today).days))
    return sorted(found, key=lambda line: (line.on, line.label))


def months_ahead(today: date) -> tuple[tuple[str, int], ...]:
    """Return the months that begin within the next weeks, each with the days until its first.

    >>> months_ahead(date(2026, 11, 22))
    (('Dec', 9), ('Jan', 40), ('Feb', 71))
    """
    days = (today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 1))
    return tuple((f"{day:%b}", (day - today).days) for day in days if day.day == 1)


def documents_of(session: Session, case: Case, actor: Actor) -> list[DocumentLine]:
    """Return the documents of the case that this person may open, newest matter first."""
    base = f"/cases/{case.ref}/documents"
    found: list[DocumentLine] = []
    certificate = certificate_of(session, case)
    if certificate is not None:
        found.append(_written("Certificate", certificate.number, f"{base}/certificate"))
        found.append(_written("Decision letter", "", f"{base}/decision-letter"))
    if actor_may(session, case, actor, Permission.VIEW_REPORT):
        versions = list_issued(session, case.id)
        if versions:
            found.append(
                _written(
                    "Survey report",
                    f"version {versions[0].number}" if len(versions) > 1 else "",
                    f"{base}/survey-report",
                )
            )
    if actor_may(session, case, actor, Permission.VIEW_APPLICATION):
        found.append(DocumentLine("Participation agreement", "", (("Open", f"/cases/{case.ref}/agreement"),)))
    if actor_may(session, case, actor, Permission.VIEW_FEES):
        found += [
            DocumentLine(f"Invoice {invoice.number}", invoice.state, (("PDF", f"/invoices/{invoice.number}.pdf"),))
            for invoice in reversed(invoice_rows(session, case))
        ]
    if actor_may(session, case, actor, Permission.EXPORT_CASE):
        found.append(DocumentLine("Case file", "everything in one archive", (("ZIP", f"{base}/case-file.zip"),)))
    return found


def people_of(session: Session, case: Case, at: datetime) -> list[PersonLine]:
    """Return the contact at the program, the survey team and the practice's own team."""
    members = [m for m in members_of(session, case) if m.role == "surveyor" and (m.until_at is None or m.until_at > at)]
    names = names_of(session, [m.person_id for m in members] + ([case.staff_id] if case.staff_id else []))
    found = (
        [PersonLine(names[case.staff_id], "Your contact at the program")]
        if case.staff_id in names and case.staff_id
        else []
    )
    found += [PersonLine(names[m.person_id], "Your surveyor") for m in members if m.person_id in names]
    for person in list_team(session, case.practice_id):
        found.append(PersonLine(person.name, ", ".join(ROLE_TITLES[g.role] for g in person.grants)))
    return found


def _place(case: Case, unmet: Unmet) -> str:
    """The words for where a missing thing belongs, by the address of its field; empty when it stands alone."""
    path, _, anchor = unmet.link.partition("#")
    base = f"/cases/{case.ref}"
    if path.startswith(f"{base}/application/"):
        sections = current().questionnaires[case.questionnaire].sections
        return next((section.title for section in sections if section.key == path.rsplit("/", 1)[1]), "")
    if path == f"{base}/evidence" and anchor.startswith("s"):
        domains = current().editions[case.edition].domains
        number = anchor[1:].split(".")[0]
        return next((f"Domain {d.number}, {d.title}" for d in domains if str(d.number) == number), "")
    if path == f"{base}/corrections":
        label = unmet.message.partition(":")[0]
        standard = current().editions[case.edition].standard_of.get(label.partition("(")[2].rstrip(")"))
        return f"{label} {standard.title}" if standard else label
    return ""


def _from_report(ref: str, domain: Mapping[str, Any]) -> DomainCount:
    ratings = [_overall(element["ratings"]) for standard in domain["standards"] for element in standard["elements"]]
    met, not_met = ratings.count("met"), ratings.count("not_met")
    open_ = ratings.count("not_assessed")
    return DomainCount(
        domain["number"], domain["title"], met, open_, not_met, f"/cases/{ref}/report" if not_met else ""
    )


def _overall(ratings: Sequence[str]) -> str:
    """One element over all sites: any site that fails it fails it."""
    for rating in ("not_met", "not_assessed", "met"):
        if rating in ratings:
            return rating
    return "not_applicable"


def _from_coverage(ref: str, number: int, title: str, standards: Sequence[Any]) -> DomainCount:
    elements = sum(s.elements for s in standards)
    covered = sum(s.elements if s.not_applicable else s.covered for s in standards)
    return DomainCount(
        number,
        title,
        covered,
        elements - covered,
        0,
        f"/cases/{ref}/evidence#d{number}" if covered < elements else "",
    )


def _written(title: str, note: str, address: str) -> DocumentLine:
    return DocumentLine(title, note, (("Word", f"{address}.docx"), ("PDF", f"{address}.pdf")))
