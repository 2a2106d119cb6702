"""The survey report: what the surveyor saw, standard by standard, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from certify.outlets.documents.content.wording import Rating, counted, listed, number_word, sentence, weekday


class FindingKind(StrEnum):
    """Requirements must be closed before an award; recommendations are advice; strengths are praise."""

    REQUIREMENT = "requirement"
    RECOMMENDATION = "recommendation"
    STRENGTH = "strength"


@dataclass(frozen=True, slots=True)
class RiskPlace:
    """Where a finding stands in the matrix of severity and scope; `level` is low, moderate or high."""

    harm: str
    scope: str
    level: str
    level_words: str
    words: str
    demands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixStep:
    """One step of the scope, as the head of a column."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell of the matrix with the numbers of the findings placed there."""

    scope: str
    level: str
    level_words: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One likelihood of harm over all scopes."""

    harm: str
    label: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class MatrixLevel:
    """A level of risk and the statements it demands of the plan of correction, in words."""

    key: str
    label: str
    demands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskMatrix:
    """Severity and scope: the worst harm first; `unplaced` are requirements that nobody placed."""

    scopes: tuple[MatrixStep, ...]
    rows: tuple[MatrixRow, ...]
    levels: tuple[MatrixLevel, ...] = ()
    unplaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed at the end of the visit, and whether the answers are still those that were signed."""

    role: str
    name: str
    title: str
    at: datetime
    intact: bool
    site: str = ""
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One numbered remark on a standard; `element` and `sites` are empty when it concerns all of it.

    `due_on` is the day until which evidence of correction is due.
    """

    number: str
    kind: FindingKind
    standard: str
    text: str
    element: str = ""
    sites: tuple[str, ...] = ()
    due_on: date | None = None
    closed_on: date | None = None
    risk: RiskPlace | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in one review mode; `sites` is empty when it holds for all sites."""

    mode: str
    text: str
    sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ElementResult:
    """One yes/no question with its rating at each visited site, in the order of the report's visited sites."""

    code: str
    question: str
    ratings: tuple[Rating, ...]
    reasons: tuple[str, ...] = ()

    @property
    def not_met_somewhere(self) -> bool:
        """Whether the answer is no at any site."""
        return Rating.NOT_MET in self.ratings


@dataclass(frozen=True, slots=True)
class StandardResult:
    """One standard with its overall rating and the rating at each visited site, in the same order."""

    code: str
    title: str
    requirement: str
    critical: bool
    rating: Rating
    by_site: tuple[Rating, ...]
    elements: tuple[ElementResult, ...] = ()
    seen: tuple[Seen, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class DomainResult:
    """One domain of the standards, in the order of the edition."""

    number: int
    key: str
    title: str
    aim: str
    standards: tuple[StandardResult, ...]

    def count(self, rating: Rating) -> int:
        """Return how many of its standards have this overall rating."""
        return sum(standard.rating is rating for standard in self.standards)

    def at_site(self, index: int) -> tuple[int, int]:
        """Return (met, applicable) standards at one visited site."""
        ratings = [standard.by_site[index] for standard in self.standards]
        applicable = [rating for rating in ratings if rating is not Rating.NOT_APPLICABLE]
        return sum(rating is Rating.MET for rating in applicable), len(applicable)


@dataclass(frozen=True, slots=True)
class SurveyedSite:
    """A site of the practice: visited on a day, or reviewed from afar."""

    name: str
    address: str
    visited: bool
    visited_on: date | None = None
    how: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the visited sites were chosen, so that anyone can draw them again."""

    rule: str
    seed: str
    drawn_on: date | None


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who took part, with what they did."""

    role: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One hand the report went through."""

    step: str
    name: str
    at: datetime | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One issued version of the report and why it was made."""

    number: int
    issued_at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """Everything a survey report says; `issued_at` is empty while it is a draft.

    `survey_kind` is initial or repeat, `mode` on_site or virtual; `summary` is the surveyor's own word on page 1;
    `earlier` are requirements of earlier surveys that this visit did not settle.
    """

    case_ref: str
    practice: str
    program: str
    edition: str
    edition_title: str
    version: int
    issued_at: datetime | None
    survey_kind: str
    mode: str
    first_on: date | None
    last_on: date | None
    sites: tuple[SurveyedSite, ...]
    sampling: Sampling
    domains: tuple[DomainResult, ...]
    plan_due_on: date | None = None
    objection_until: date | None = None
    strengths: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    approvals: tuple[Approval, ...] = ()
    versions: tuple[Version, ...] = ()
    settled: tuple[str, ...] = ()
    matrix: RiskMatrix | None = None
    signatures: tuple[Signature, ...] = ()
    differed: int = 0
    earlier: tuple[Finding, ...] = ()
    summary: str = ""

    @property
    def draft(self) -> bool:
        """Whether it is not yet issued."""
        return self.issued_at is None

    @property
    def visited(self) -> tuple[SurveyedSite, ...]:
        """The sites with their own column of ratings."""
        return tuple(site for site in self.sites if site.visited)

    @property
    def standards(self) -> Iterator[StandardResult]:
        """All standards in the order of the edition."""
        return (standard for domain in self.domains for standard in domain.standards)

    def count(self, rating: Rating) -> int:
        """Return how many standards have this overall rating."""
        return sum(domain.count(rating) for domain in self.domains)

    def findings(self, kind: FindingKind) -> tuple[Finding, ...]:
        """Return the findings of one kind, in the order of the standards."""
        return tuple(f for standard in self.standards for f in standard.findings if f.kind is kind)

    @property
    def to_answer(self) -> tuple[Finding, ...]:
        """The requirements the practice answers: what is open since earlier surveys, then this survey's own."""
        return (*self.earlier, *self.findings(FindingKind.REQUIREMENT))

    @property
    def headline(self) -> str:
        """One sentence: how many standards are met."""
        total = sum(len(domain.standards) for domain in self.domains)
        applicable = total - self.count(Rating.NOT_APPLICABLE)
        open_ones, failed = self.count(Rating.NOT_ASSESSED), self.count(Rating.NOT_MET)
        if open_ones:
            return f"{sentence(counted(open_ones, 'standard'))} of {total} {_is(open_ones)} not yet assessed."
        if failed:
            return f"{sentence(number_word(failed))} of {applicable} applicable standards {_is(failed)} not met."
        return f"All {applicable} applicable standards are met at every site visited."

    @property
    def consequence(self) -> str:
        """What follows from the ratings, in one or two sentences."""
        required = len(self.to_answer)
        critical = [s.code for s in self.standards if s.critical and s.rating is Rating.NOT_MET]
        said = ""
        if critical:
            noun = "standard" if len(critical) == 1 else "standards"
            said = f"Of these, {noun} {listed(critical)} {_is(len(critical))} critical. "
        if not required:
            return said + "No requirement is open; the council can decide on certification."
        by = f" by {weekday(self.plan_due_on)}" if self.plan_due_on else ""
        since = f", {_of_them(len(self.earlier), required)} open since an earlier survey," if self.earlier else ""
        answers = f"The practice answers {counted(required, 'requirement')}{since} with a corrective action plan{by}; "
        return said + answers + f"certification is decided once {'it is' if required == 1 else 'all are'} closed."


def _of_them(count: int, of: int) -> str:
    if count < of:
        return f"{number_word(count)} of them"
    return "all" if of > 1 else "which has been"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
