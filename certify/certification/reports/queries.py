"""Reads of reports: the draft as the answers make it, issued versions, findings of a case, facts for the guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from certify.certification.cases.deadlines import anchors_of, expected_due
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseMember
from certify.certification.cases.queries import actor_before
from certify.certification.reports.composition import LETTERS, Frame, Item, compose, counts_by_domain, in_order
from certify.certification.reports.drafting import (
    Visit,
    draft_requirements,
    fingerprint,
    not_met_elements,
    rated_without_note,
)
from certify.certification.reports.earlier import earlier_items
from certify.certification.reports.history import count_settled, signature_lines
from certify.certification.reports.models import Approval, Finding, Objection, Report
from certify.certification.reports.records import (
    DRAFT,
    IN_REVIEW,
    ISSUED,
    REPLACED,
    WITH_COUNCIL,
    amended_of,
    approvals_of,
    comments_of,
    count_open_requirements,
    findings_of,
    issued_report,
    label_of,
    list_issued,
    newest_report,
    number_of,
    objection_for,
    objections_of,
    open_requirements_of,
    open_sites,
    requirement_for,
    requirements_of,
    reviewers_of,
    risk_of,
    statement_of,
    survey_of,
    surveyors_of,
)
from certify.certification.reports.rules import ReportFacts
from certify.certification.reports.visits import edition_of, places_of, visit_of
from certify.certification.surveys.models import Survey
from certify.core.access.roles import Actor
from certify.core.catalogue.deadlines import due_on
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.practices.models import Practice

__all__ = [
    "DRAFT",
    "IN_REVIEW",
    "ISSUED",
    "REPLACED",
    "WITH_COUNCIL",
    "DomainCount",
    "Draft",
    "amended_of",
    "approval_lines",
    "approvals_of",
    "comments_of",
    "compliance_of",
    "content_for",
    "content_of",
    "count_open_requirements",
    "draft_of",
    "due_after_issue",
    "facts_for",
    "findings_of",
    "followed_items",
    "frame_of",
    "issued_report",
    "label_of",
    "list_issued",
    "newest_report",
    "number_of",
    "numbered",
    "objection_for",
    "objection_until",
    "objections_of",
    "open_sites",
    "requirement_for",
    "requirements_of",
    "reviewers_of",
    "risk_of",
    "statement_of",
    "stored_items",
    "survey_of",
    "surveyors_of",
    "tab_counts",
]


STAGES = {"surveyor": "Written by", "program_staff": "Reviewed by", "council": "Approved by"}


OBJECTION = "objection"


@dataclass(frozen=True)
class Draft:
    """A report as it stands now: its survey, what was seen, and every finding it would print."""

    report: Report
    survey: Survey
    visit: Visit
    items: tuple[Item, ...]
    findings: tuple[Finding, ...]


def draft_of(session: Session, report: Report) -> Draft:
    """Return a report that is not issued as it stands; while it is written it follows the answers."""
    return remembered(session, ("draft", report.id), lambda: _draft_of(session, report))


def _draft_of(session: Session, report: Report) -> Draft:
    survey = survey_of(session, report)
    findings = tuple(findings_of(session, survey.id))
    visit = visit_of(session, survey, amended_of(findings))
    items = followed_items(findings, visit) if report.state == DRAFT else stored_items(findings)
    return Draft(
        report, survey, visit, tuple(numbered(session, report.case_id, in_order(items, edition_of(survey)))), findings
    )


def followed_items(findings: Sequence[Finding], visit: Visit) -> list[Item]:
    """Return the findings that follow from the answers, with the texts that people wrote."""
    requirements = {f.element: f for f in findings if f.kind == "requirement"}
    items = []
    for drafted in draft_requirements(visit):
        row = requirements.get(drafted.element)
        text = row.text if row is not None and row.edited else drafted.text
        items.append(
            Item(
                row.id if row else None, "", "requirement", drafted.standard, drafted.element, drafted.site_ids, text,
                edited=bool(row and row.edited), version=row.version if row else 0, fresh_text=drafted.text, risk=drafted.risk,
            )
        )  # fmt: skip
    remarks = {f.source: f for f in findings if f.kind != "requirement" and f.source}
    for remark in visit.remarks:
        row = remarks.get(remark.source)
        if row is not None and row.status == "dropped":
            continue
        text = row.text if row is not None and row.edited else remark.text
        items.append(
            Item(
                row.id if row else None, "", remark.kind, remark.standard, "", remark.site_ids, text,
                edited=bool(row and row.edited), version=row.version if row else 0, fresh_text=remark.text,
            )
        )  # fmt: skip
    items += [_stored(f) for f in findings if f.kind != "requirement" and not f.source]
    return items


def stored_items(findings: Sequence[Finding]) -> list[Item]:
    """Return the findings as they are stored, without those that were dropped or withdrawn."""
    return [_stored(f) for f in findings if f.status not in ("dropped", "withdrawn")]


def numbered(session: Session, case_id: int, items: Sequence[Item]) -> list[Item]:
    """Return the items with a number each: the one they have, else the next of the case."""
    last = {
        kind: number or 0
        for kind, number in session.execute(
            select(Finding.kind, func.max(Finding.number)).where(Finding.case_id == case_id).group_by(Finding.kind)
        )
    }
    out = []
    for item in items:
        if item.number:
            out.append(item)
            continue
        last[item.kind] = last.get(item.kind, 0) + 1
        out.append(_with_number(item, f"{LETTERS[item.kind]}{last[item.kind]}"))
    return out


def content_of(session: Session, case: Case, report: Report) -> dict[str, Any]:
    """Return what a report says: the frozen content once issued, before that the draft as it stands."""
    if report.content is not None:
        return report.content
    draft = draft_of(session, report)
    return compose(frame_of(session, case, draft, issued_at=None), draft.visit, draft.items)


def content_for(session: Session, case: Case, *, report_id: int | None = None, draft: bool = False) -> dict[str, Any]:
    """Return the content of the newest issued report, of one version, or (`draft`) of the report as it stands.

    Raises: NotFound when there is none yet.
    """
    report = newest_report(session, case.id) if draft else issued_report(session, case.id, report_id)
    if report is None:
        raise NotFound("No survey report has been issued in this case yet.")
    return content_of(session, case, report)


def frame_of(
    session: Session, case: Case, draft: Draft, *, issued_at: datetime | None, by: str = "", reason: str = ""
) -> Frame:
    """Return who, when, where and which version of a report, as of now or of its issue."""
    report, survey = draft.report, draft.survey
    practice = session.get_one(Practice, case.practice_id)
    today = local_date(issued_at, practice.time_zone) if issued_at else None
    required = [item for item in draft.items if item.kind == "requirement"]
    again = {item.element for item in required}
    earlier = earlier_items(session, case, survey.id, draft.visit, again) if survey.round > 1 else []
    has_open = bool(earlier) or any(item.status in ("draft", "open") for item in required)
    versions = [
        {"number": v.number, "issued_at": v.issued_at.isoformat(), "by": _issuer(v), "reason": v.reason or FIRST_ISSUE}
        for v in session.scalars(
            select(Report).where(Report.survey_id == survey.id, Report.issued_at.is_not(None)).order_by(Report.number)
        )
        if v.id != report.id and v.issued_at
    ]
    if issued_at is not None:
        versions.append(
            {"number": report.number, "issued_at": issued_at.isoformat(), "by": by, "reason": reason or FIRST_ISSUE}
        )
    return Frame(
        case_ref=case.ref,
        practice=practice.legal_name,
        edition=edition_of(survey),
        number=report.number,
        kind="initial" if survey.round == 1 else "repeat",
        mode=survey.mode,
        first_on=survey.starts_on,
        last_on=survey.ends_on or survey.starts_on,
        places=places_of(session, survey),
        sampling=_sampling(survey, practice.time_zone),
        people=tuple(_people(session, case, survey)),
        approvals=tuple(approval_lines(session, survey.id)),
        versions=tuple(versions),
        settled=tuple(_settled(session, survey.id)),
        summary=report.summary,
        issued_at=issued_at,
        plan_due_on=due_after_issue(session, case, "plan_due", today) if today and has_open else None,
        objection_until=objection_until(case, today) if today else None,
        signatures=tuple(signature_lines(session, survey)) if draft.visit.signed else (),
        differed=count_settled(session, survey.id),
        earlier=tuple(earlier),
    )


def due_after_issue(session: Session, case: Case, state: str, today: date) -> date | None:
    """Return when something is due in a state that would be entered today, with the time the program has given."""
    key = current().machine(case.kind).states[state].due
    anchors = anchors_of(case) | {"entered": today, "report_issued_on": today}
    return expected_due(session, case, key, anchors) if key else None


def objection_until(case: Case, issued_on: date) -> date | None:
    """Return the last day for a factual objection to a report issued on a day (process.md: 10 business days)."""
    return due_on(current().deadlines[OBJECTION], {"entered": issued_on, "report_issued_on": issued_on})


def approval_lines(session: Session, survey_id: int) -> list[dict[str, Any]]:
    """Return who wrote, reviewed and approved: the last of each, as documents print it; comments stay inside the program."""
    last: dict[str, Approval] = {}
    for approval in approvals_of(session, survey_id):
        if approval.action in ("submitted", "passed", "approved"):
            last[approval.role] = approval
    return [
        {"step": STAGES[role], "name": last[role].person_name, "at": last[role].at.isoformat(), "comment": ""}
        for role in STAGES
        if role in last
    ]


# The guards that look at the reader's own part in the survey and the review.
OF_A_THIRD_PERSON = ("reviewer_is_not_surveyor", "approver_is_third_person")


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> ReportFacts:
    """Return what the guards of step 3 judge; an issued report is frozen, so its answers are not read again."""
    report = newest_report(session, case.id)
    if report is None or report.state in (ISSUED, REPLACED):
        open_requirements = count_open_requirements(session, case.id)
        return ReportFacts(
            case.ref,
            exists=report is not None,
            actor_id=actor_before(case, actor, *OF_A_THIRD_PERSON),
            open_requirements=open_requirements,
        )
    draft = draft_of(session, report)
    requirements = [item for item in draft.items if item.kind == "requirement"]
    written = ReportFacts(
        ref=case.ref,
        exists=True,
        survey_id=draft.survey.id,
        not_met=not_met_elements(draft.visit),
        requirements={item.element: item.text for item in requirements},
        requirement_sites={item.element: item.site_ids for item in requirements},
        unnoted=rated_without_note(draft.visit),
        site_names=draft.visit.sites,
        actor_id=actor_before(case, actor, *OF_A_THIRD_PERSON),
    )
    if report.state == DRAFT:
        return written
    # Who passed it on, and who may, is asked only once the surveyor has sent it.
    statement = statement_of(session, case.id, actor.user_id)
    hands = approvals_of(session, report.survey_id)
    return replace(
        written,
        answers_changed=report.answers_sha256 != fingerprint(draft.visit),
        surveyor_ids=surveyors_of(session, case.id),
        reviewer_ids=frozenset(a.person_id for a in hands if a.role == "program_staff" and a.person_id),
        statement=statement.answer if statement else "",
    )


@dataclass(frozen=True)
class DomainCount:
    """How many standards of a domain an issued report found met, open (not assessed) and not met."""

    number: int
    title: str
    met: int
    open: int
    not_met: int


def compliance_of(session: Session, case: Case) -> list[DomainCount] | None:
    """Return the counts per domain of the newest issued report, None when none is issued."""
    report = issued_report(session, case.id)
    if report is None or report.content is None:
        return None
    return [
        DomainCount(row["number"], row["title"], row["met"], row["not_assessed"], row["not_met"])
        for row in counts_by_domain(report.content)
    ]


def tab_counts(session: Session, case: Case, actor: Actor) -> dict[str, ColumnElement[int]]:
    """Return the numbers on the tabs of a case: open requirements on corrections."""
    return {"corrections": open_requirements_of(case.id)}


FIRST_ISSUE = "First issue"


LIMITED_RULE = "The repeat visit is limited to the sites the program named."


SAMPLING_RULE = (
    "Practices with up to three sites are visited at every site. Larger ones at the square root of the number of sites, rounded up, "
    "plus one: always the largest infusion site, each site with a service that others lack, and each new site; the rest is drawn by lot."
)


def _stored(f: Finding) -> Item:
    number = number_of(f) if f.number else ""
    return Item(
        f.id, number, f.kind, f.standard, f.element, tuple(f.site_ids), f.text, f.due_on, f.status, f.edited, f.version,
        risk=risk_of(f),
    )  # fmt: skip


def _with_number(item: Item, number: str) -> Item:
    return replace(item, number=number)


def _issuer(report: Report) -> str:
    versions = (report.content or {}).get("versions") or []
    return str(versions[-1].get("by", "")) if versions else ""


def _sampling(survey: Survey, zone: str) -> dict[str, Any]:
    return {
        "rule": SAMPLING_RULE if survey.scope_sites is None else LIMITED_RULE,
        "seed": survey.seed,
        "drawn_on": local_date(survey.sampled_at, zone).isoformat() if survey.sampled_at else None,
    }


def _people(session: Session, case: Case, survey: Survey) -> list[dict[str, str]]:
    ids = [survey.lead_id] if survey.lead_id is not None else []
    ids += [
        p
        for p in session.scalars(
            select(CaseMember.person_id)
            .where(CaseMember.case_id == case.id, CaseMember.role == "surveyor")
            .order_by(CaseMember.id)
        )
        if p not in ids and survey.round == 1
    ]
    named = {*ids, case.staff_id} - {None}
    people = {p.id: p for p in session.scalars(select(Person).where(Person.id.in_(named)))} if named else {}
    found = [{"role": "Surveyor", "name": people[i].name, "detail": people[i].title} for i in ids if i in people]
    contact = people.get(case.staff_id) if case.staff_id else None
    return [
        *found,
        *([{"role": "Contact at the program", "name": contact.name, "detail": contact.title}] if contact else []),
    ]


def _settled(session: Session, survey_id: int) -> list[str]:
    rows = session.scalars(
        select(Objection)
        .join(Report, Report.id == Objection.report_id)
        .where(Report.survey_id == survey_id, Objection.state == "accepted")
        .order_by(Objection.id)
    )
    return [f"{o.item}: {o.answer}" for o in rows]
