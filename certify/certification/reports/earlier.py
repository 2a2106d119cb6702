"""Requirements of earlier surveys beside a repeat survey: what its visit settles of each, and what stays open."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.reports.composition import printed
from certify.certification.reports.drafting import Rating, Visit
from certify.certification.reports.models import Finding
from certify.certification.reports.records import number_of, open_sites, requirements_of, risk_of
from certify.platform.practices.models import Site

CORRECTED = (Rating.MET, Rating.NOT_APPLICABLE)


def open_before(session: Session, case_id: int, survey_id: int) -> list[Finding]:
    """Return the requirements of surveys before this one that are open, by number."""
    return [f for f in requirements_of(session, case_id, open_only=True) if f.survey_id < survey_id]


def sites_left(finding: Finding, visit: Visit, again: Collection[str]) -> list[int]:
    """Return the sites at which a visit settles nothing of a requirement: those it did not reach.

    Args:
        again: the elements for which the visit has a requirement of its own, which then stands for the sites visited.
    """
    return [
        site
        for site in open_sites(finding)
        if site not in visit.sites
        or (finding.element not in again and visit.rating(site, finding.element) not in CORRECTED)
    ]


def earlier_items(
    session: Session, case: Case, survey_id: int, visit: Visit, again: Collection[str]
) -> list[dict[str, Any]]:
    """Return the requirements of earlier surveys that stay open beside this visit, as a report prints them."""
    found = open_before(session, case.id, survey_id)
    staying = [(f, left) for f in found if (left := sites_left(f, visit, again)) or not open_sites(f)]
    if not staying:
        return []
    names = {
        row.id: row.name
        for row in session.execute(select(Site.id, Site.name).where(Site.practice_id == case.practice_id))
    }
    return [
        printed(
            number_of(finding), finding.kind, finding.standard, finding.element, finding.text,
            sites=[names[site] for site in left if site in names], due_on=finding.due_on, risk=risk_of(finding), rules=visit.rules,
        )
        for finding, left in staying
    ]  # fmt: skip
