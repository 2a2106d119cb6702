"""Reads of decisions: where each standard stands, the decision made, facts for the guards, the letter's content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.applications.models import AgreementSignature
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import actor_before, zone_of
from certify.certification.corrections.queries import Requirement, requirements_for
from certify.certification.decisions.models import Decision, DenialReason
from certify.certification.decisions.rules import DecisionFacts, StandardStanding
from certify.certification.fees.queries import InvoiceView, invoices_of
from certify.certification.reports.composition import counts_by_domain, headline
from certify.certification.reports.models import Finding, Report
from certify.certification.reports.queries import (
    ISSUED,
    list_issued,
    requirements_of,
    reviewers_of,
    statement_of,
    surveyors_of,
)
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site


def standings_of(session: Session, case: Case) -> tuple[StandardStanding, ...]:
    """Return where each standard of the edition stands: the newest rating of any survey, and its requirements."""
    return remembered(session, ("standings", case.id), lambda: _standings_of(session, case))


def _standings_of(session: Session, case: Case) -> tuple[StandardStanding, ...]:
    ratings: dict[str, str] = {}
    for report in reversed(list_issued(session, case.id)):
        for domain in (report.content or {}).get("domains", ()):
            ratings |= {standard["code"]: standard["rating"] for standard in domain["standards"]}
    findings: dict[str, list[Finding]] = {}
    for finding in requirements_of(session, case.id):
        findings.setdefault(finding.standard, []).append(finding)
    return tuple(
        StandardStanding(
            code=standard.code,
            title=standard.title,
            critical=standard.critical,
            rating=ratings.get(standard.code, "not_assessed"),
            open_requirements=sum(f.status == "open" for f in findings.get(standard.code, ())),
            requirements=len(findings.get(standard.code, ())),
        )
        for standard in current().editions[case.edition].standards.values()
    )


def decision_of(session: Session, case_id: int) -> Decision | None:
    """Return the newest decision on a case, or None."""
    return session.scalar(select(Decision).where(Decision.case_id == case_id).order_by(Decision.id.desc()).limit(1))


def denial_reasons_of(session: Session, case_id: int) -> dict[str, str]:
    """Return the reasons against an award that are being written, by standard."""
    return remembered(session, ("denial reasons", case_id), lambda: _denial_reasons_of(session, case_id))


def _denial_reasons_of(session: Session, case_id: int) -> dict[str, str]:
    return {
        row.standard: row.text for row in session.scalars(select(DenialReason).where(DenialReason.case_id == case_id))
    }


def signature_of(session: Session, case: Case) -> AgreementSignature | None:
    """Return the newest signature under the case's participation agreement."""
    return remembered(session, ("signature", case.id), lambda: _signature_of(session, case))


def _signature_of(session: Session, case: Case) -> AgreementSignature | None:
    return session.scalar(
        select(AgreementSignature)
        .where(AgreementSignature.case_id == case.id, AgreementSignature.agreement == case.agreement)
        .order_by(AgreementSignature.id.desc())
        .limit(1)
    )


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> DecisionFacts:
    """Return what the guards of the decision judge."""
    zone = zone_of(session, case)
    signature = signature_of(session, case)
    statement = statement_of(session, case.id, actor.user_id)
    issued = list_issued(session, case.id)
    return DecisionFacts(
        ref=case.ref,
        today=local_date(at, zone),
        report_issued=bool(issued),
        standards=standings_of(session, case) if issued else (),
        agreement_signed_on=local_date(signature.signed_at, zone) if signature else None,
        agreement_current=signature is not None,
        actor_id=actor_before(case, actor, "decider_uninvolved"),
        surveyor_ids=surveyors_of(session, case.id),
        reviewer_ids=reviewers_of(session, case.id),
        statement=statement.answer if statement else "",
        reasons=denial_reasons_of(session, case.id),
    )


@dataclass(frozen=True)
class DecisionPage:
    """Everything the council needs on one screen."""

    decision: Decision | None
    report: Report | None
    headline: str
    counts: Sequence[Mapping[str, Any]]
    content: Mapping[str, Any]
    requirements: Sequence[Requirement]
    standings: Sequence[StandardStanding]
    signature: AgreementSignature | None
    invoices: Sequence[InvoiceView]
    statement: str
    reasons: Mapping[str, str]

    @property
    def standing(self) -> str:
        """Return how many standards are met today, at the survey and by correction, and which are not."""
        applicable = [s for s in self.standings if s.rating != "not_applicable" or s.requirements]
        corrected = [s for s in applicable if s.met and s.rating == "not_met"]
        missing = [s.code for s in applicable if not s.met]
        said = f"{len(applicable) - len(missing)} of {len(applicable)} applicable standards met"
        if corrected:
            said += f": {len(applicable) - len(missing) - len(corrected)} at the survey, {len(corrected)} by correction"
        return f"{said}. Not met: {', '.join(missing)}." if missing else f"{said}."


def decision_page(session: Session, case: Case, actor: Actor, decision: Decision | None) -> DecisionPage:
    """Return what a decision rests on, or rested on."""
    reports = list_issued(session, case.id)
    first = next((r for r in reversed(reports) if r.state == ISSUED), None)
    content = (first.content if first else None) or {}
    statement = statement_of(session, case.id, actor.user_id)
    return DecisionPage(
        decision=decision,
        report=reports[0] if reports else None,
        headline=headline(content) if content else "",
        counts=counts_by_domain(content) if content else [],
        content=content,
        requirements=requirements_for(session, case),
        standings=standings_of(session, case),
        signature=signature_of(session, case),
        invoices=invoices_of(session, case),
        statement=statement.answer if statement else "",
        reasons=denial_reasons_of(session, case.id),
    )


def letter_for(session: Session, case: Case) -> dict[str, Any]:
    """Return what the decision letter says, in the shape of the document writers' `DecisionLetter`: as of the decision.

    Raises: NotFound when the council has not decided.
    """
    decision = decision_of(session, case.id)
    if decision is None:
        raise NotFound("The council has not decided on this case yet.")
    return decision.letter


def site_names_of(session: Session, practice_id: int) -> list[str]:
    """Return the names of a practice's open sites."""
    return list(
        session.scalars(
            select(Site.name).where(Site.practice_id == practice_id, Site.closed_on.is_(None)).order_by(Site.id)
        )
    )
