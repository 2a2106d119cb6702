"""What the pages of a report show, read in a handful of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.reports.composition import Item, compose, counts_by_domain, headline
from certify.certification.reports.drafting import Note, Rating, notes_on, rated_without_note, rating_of, seen_in
from certify.certification.reports.models import Approval, Finding, Objection, Report, ReportComment
from certify.certification.reports.queries import (
    Draft,
    approvals_of,
    comments_of,
    content_of,
    draft_of,
    findings_of,
    frame_of,
    issued_report,
    list_issued,
    newest_report,
    number_of,
    objections_of,
    requirements_of,
    statement_of,
)
from certify.certification.reports.rules import objection_open
from certify.certification.reports.severity import placed, places_in
from certify.certification.reports.visits import edition_of
from certify.core.access.roles import Actor
from certify.core.catalogue.standards import Domain, Standard
from certify.core.catalogue.survey import SurveyRules
from certify.core.rulebook.current import current


@dataclass(frozen=True)
class DomainLink:
    """One domain in the list beside the editor: how many requirements, how many ratings still lack a note."""

    number: int
    title: str
    requirements: int
    unnoted: int
    current: bool


@dataclass(frozen=True)
class StandardDraft:
    """One standard in the editor."""

    standard: Standard
    rating: str
    seen: Sequence[tuple[str, str, tuple[str, ...]]]
    items: Sequence[Item]
    unnoted: Sequence[tuple[str, str, tuple[str, ...]]]  # site name, link to the checklist, letters
    comments: Sequence[ReportComment]
    notes: Sequence[
        tuple[Note, str, bool]
    ]  # what the survey noted on it, the words of its kind, whether the report tells it


@dataclass(frozen=True)
class DraftPage:
    """The editor: the summary page, or one domain."""

    report: Report
    domains: Sequence[DomainLink]
    domain: Domain | None
    standards: Sequence[StandardDraft]
    sites: Mapping[int, str]
    comments: Sequence[ReportComment]  # open ones on the report as a whole
    open_comments: int
    counts: Sequence[Mapping[str, Any]]
    headline: str
    content: Mapping[str, Any]
    risks: Mapping[str, Mapping[str, Any]]  # number of a requirement -> its place in the matrix
    links: Mapping[str, str]  # number of a requirement -> where it is written
    places: Sequence[tuple[str, str]]  # every place of the matrix with its words


@dataclass(frozen=True)
class ReviewPage:
    """The report under review: its content, comments by what they are about, hands it went through."""

    report: Report
    content: Mapping[str, Any]
    counts: Sequence[Mapping[str, Any]]
    headline: str
    comments: Sequence[ReportComment]
    by_standard: Mapping[str, Sequence[ReportComment]]
    finding_ids: Mapping[str, int]
    approvals: Sequence[Approval]
    statement: str


@dataclass(frozen=True)
class IssuedPage:
    """An issued version with what became of its requirements since."""

    report: Report
    content: Mapping[str, Any]
    counts: Sequence[Mapping[str, Any]]
    headline: str
    requirements: Sequence[Mapping[str, Any]]
    earlier: Collection[str]  # numbers of those that stand since an earlier survey
    status: Mapping[str, Finding]
    versions: Sequence[Report]
    newest: Report | None
    objections: Sequence[Objection]
    objection_open: bool
    texts: Mapping[int, str]

    @property
    def people(self) -> list[tuple[str, str]]:
        """Return who took part and who passed the report on."""
        took_part = [(p["role"], ", ".join(x for x in (p["name"], p["detail"]) if x)) for p in self.content["people"]]
        return took_part + [(a["step"], a["name"]) for a in self.content["approvals"]]

    def outcomes(self, objection: Objection) -> list[tuple[str, str]]:
        """Return how an objection can be answered: what it is about decides."""
        choices = [("noted", "Accept: print the correction in the report"), ("declined", "Decline")]
        if objection.finding_id is not None:
            choices.insert(0, ("reworded", "Accept: change the text of the finding"))
            if objection.item.startswith("R"):
                choices.insert(0, ("withdrawn", "Accept: withdraw the requirement, the element is met"))
        return choices


def report_shown(session: Session, case: Case, version: int | None, sees_draft: bool) -> Report | None:
    """Return which report a person is shown: the version asked for, the draft for those who may, else the newest issued."""
    if version is not None:
        return issued_report(session, case.id, version)
    report = newest_report(session, case.id)
    if report is not None and sees_draft and report.issued_at is None:
        return report
    return issued_report(session, case.id)


def draft_page(session: Session, case: Case, report: Report, number: int | None, standard: str) -> DraftPage:
    """Return the editor of the summary (no domain) or of one domain."""
    draft = draft_of(session, report)
    edition = edition_of(draft.survey)
    if standard in edition.standards:
        number = edition.domain_of(standard).number
    domain = next((d for d in edition.domains if d.number == number), None)
    comments = [c for c in comments_of(session, report) if c.settled_at is None]
    bare = rated_without_note(draft.visit)
    content = compose(frame_of(session, case, draft, issued_at=None), draft.visit, draft.items)
    in_scope = {s.code for s in draft.visit.standards}
    links = [
        DomainLink(
            d.number,
            d.title,
            sum(i.kind == "requirement" and i.standard in {s.code for s in d.standards} for i in draft.items),
            sum(len(found) for (_, code), found in bare.items() if code in {s.code for s in d.standards}),
            d is domain,
        )
        for d in edition.domains
        if any(s.code in in_scope for s in d.standards)
    ]
    return DraftPage(
        report=report,
        domains=links,
        domain=domain,
        standards=[_standard_draft(draft, s, bare, comments) for s in domain.standards if s.code in in_scope]
        if domain
        else [],
        sites=draft.visit.sites,
        comments=[c for c in comments if not c.standard],
        open_comments=len(comments),
        counts=counts_by_domain(content),
        headline=headline(content),
        content=content,
        risks={i.number: place for i in draft.items if (place := placed(draft.visit.rules, i.risk)) is not None},
        links={
            i.number: f"/cases/{case.ref}/report?standard={i.standard}#e{i.element}"
            for i in draft.items
            if i.kind == "requirement"
        },
        places=places_in(current().survey),
    )


def review_page(session: Session, case: Case, report: Report, actor: Actor) -> ReviewPage:
    """Return the report as reviewers read it."""
    content = content_of(session, case, report)
    comments = comments_of(session, report)
    by_standard: dict[str, list[ReportComment]] = {}
    for left in comments:
        by_standard.setdefault(left.standard, []).append(left)
    statement = statement_of(session, case.id, actor.user_id)
    return ReviewPage(
        report=report,
        content=content,
        counts=counts_by_domain(content),
        headline=headline(content),
        comments=[c for c in comments if not c.standard],
        by_standard=by_standard,
        finding_ids=content["more"]["findings"],
        approvals=approvals_of(session, report.survey_id),
        statement=statement.answer if statement else "",
    )


def issued_page(session: Session, case: Case, report: Report, today: date) -> IssuedPage:
    """Return an issued version to be read."""
    content = report.content or {}
    findings = findings_of(session, report.survey_id)
    earlier = content.get("earlier", ())
    return IssuedPage(
        report=report,
        content=content,
        counts=counts_by_domain(content),
        headline=headline(content),
        requirements=[
            *earlier,
            *(
                f
                for d in content["domains"]
                for s in d["standards"]
                for f in s["findings"]
                if f["kind"] == "requirement"
            ),
        ],
        earlier={f["number"] for f in earlier},
        status={number_of(f): f for f in (*requirements_of(session, case.id), *findings)},
        versions=list_issued(session, case.id),
        newest=issued_report(session, case.id),
        objections=objections_of(session, case.id),
        objection_open=report.state == "issued" and objection_open(today, report.objection_until),
        texts={f.id: f.text for f in findings},
    )


def _standard_draft(
    draft: Draft, standard: Standard, bare: Mapping[tuple[int, str], tuple[str, ...]], comments: Sequence[ReportComment]
) -> StandardDraft:
    sites = draft.visit.sites
    rating: Rating = rating_of(draft.visit, standard)
    return StandardDraft(
        standard=standard,
        rating=rating.value,
        seen=[(mode, text, tuple(sites[s] for s in where)) for mode, text, where in seen_in(draft.visit, standard)],
        items=[item for item in draft.items if item.standard == standard.code],
        unnoted=[
            (
                sites[site],
                f"/surveys/{draft.survey.id}/sites/{site}/standards/{code}",
                tuple(e.rpartition(".")[2] for e in elements),
            )
            for (site, code), elements in bare.items()
            if code == standard.code
        ],
        comments=[c for c in comments if c.standard == standard.code],
        notes=[
            (note, note_word(draft.visit.rules, note.kind), (note.uuid, standard.code) in draft.visit.told)
            for note in notes_on(draft.visit, standard)
        ],
    )


def note_word(rules: SurveyRules | None, kind: str) -> str:
    """Return the words of a kind of note."""
    known = rules.note_kinds.get(kind) if rules else None
    return known.label if known else kind.replace("_", " ").capitalize()
