"""Reads of calibration: who is to score what blind, what she has said, and how far she agrees with the first rating."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from certify.certification.calibration.models import CalibrationSample, CalibrationScore
from certify.certification.calibration.rules import Drawable
from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case, CaseMember
from certify.certification.surveys.journal import Word, fold
from certify.certification.surveys.models import Survey, SurveyOp
from certify.certification.surveys.queries import domains_of, sites_of
from certify.core.access.roles import Actor
from certify.core.catalogue.standards import Standard
from certify.core.foundation.errors import NotFound
from certify.core.rulebook.current import current
from certify.core.stats.agreement import Agreement, cohens_kappa
from certify.platform.identity.queries import names_of
from certify.platform.practices.models import Practice


@dataclass(frozen=True)
class Pair:
    """One element scored twice; `first` is empty when nobody else had rated it, or two had and differed."""

    domain: int
    site_name: str
    element: str
    question: str
    first: str
    first_by: str
    second: str
    note: str

    @property
    def counts(self) -> bool:
        """Whether both have rated it."""
        return bool(self.first and self.second)

    @property
    def differs(self) -> bool:
        """Whether the two ratings differ."""
        return self.counts and self.first != self.second


@dataclass(frozen=True)
class Compared:
    """A sample with both ratings of each element, as staff read it."""

    sample: CalibrationSample
    surveyor: str
    pairs: tuple[Pair, ...]

    @property
    def scored(self) -> int:
        """How many elements the second surveyor has rated."""
        return sum(bool(pair.second) for pair in self.pairs)

    @property
    def unrated(self) -> int:
        """How many of them had no one first rating, so that they cannot be compared."""
        return sum(bool(pair.second and not pair.first) for pair in self.pairs)

    @property
    def agreement(self) -> Agreement:
        """How far the two agree."""
        return agreement_of(self.pairs)

    @property
    def differing(self) -> list[Pair]:
        """The elements on which they differ."""
        return [pair for pair in self.pairs if pair.differs]


@dataclass(frozen=True)
class Sheet:
    """What is to be scored blind of one standard at one site."""

    site_name: str
    standard: Standard
    rows: tuple[tuple[CalibrationScore, str, str], ...]  # the score, the element's letter, its question


@dataclass(frozen=True)
class ProgramRow:
    """A finished sample in the list of the whole program."""

    id: int
    survey_id: int
    ref: str
    practice: str
    surveyor: str
    finished_at: datetime | None
    agreement: Agreement


@dataclass(frozen=True)
class ProgramPage:
    """How far surveyors of the program agree: over everything, by domain, survey by survey."""

    total: Agreement
    domains: tuple[tuple[int, str, Agreement], ...]
    rows: tuple[ProgramRow, ...]


def agreement_of(pairs: Iterable[Pair]) -> Agreement:
    """Return how far the two ratings agree, of what both have rated."""
    return cohens_kappa((pair.first, pair.second) for pair in pairs if pair.counts)


# Asked whenever someone opens a checklist, so it is put together once.
_OPEN = (
    select(CalibrationSample)
    .where(
        CalibrationSample.survey_id == bindparam("survey"),
        CalibrationSample.person_id == bindparam("person"),
        CalibrationSample.finished_at.is_(None),
        CalibrationSample.withdrawn_at.is_(None),
    )
    .limit(1)
)


def open_sample(session: Session, survey_id: int, person_id: int | None) -> CalibrationSample | None:
    """Return what a person is still to score blind in a survey."""
    if person_id is None:
        return None
    return session.scalar(_OPEN, {"survey": survey_id, "person": person_id})


def scores_blind(session: Session, survey_id: int, actor: Actor) -> bool:
    """Whether the actor must not see the answers of a survey yet, because she is to score some of it herself."""
    key = ("scores blind", survey_id, actor.user_id)
    return remembered(session, key, lambda: open_sample(session, survey_id, actor.user_id) is not None)


def samples_of(session: Session, survey_id: int) -> Sequence[CalibrationSample]:
    """Return every sample that was drawn of a survey, newest first."""
    return session.scalars(
        select(CalibrationSample).where(CalibrationSample.survey_id == survey_id).order_by(CalibrationSample.id.desc())
    ).all()


def sample_of(session: Session, survey_id: int, sample_id: int) -> CalibrationSample:
    """Return one sample of a survey. Raises: NotFound."""
    sample = session.get(CalibrationSample, sample_id)
    if sample is None or sample.survey_id != survey_id:
        raise NotFound("There is no such sample.")
    return sample


def scores_of(session: Session, sample_ids: Sequence[int]) -> dict[int, list[CalibrationScore]]:
    """Return the drawn elements of samples, in the order of the checklist."""
    found: dict[int, list[CalibrationScore]] = defaultdict(list)
    query = select(CalibrationScore).where(CalibrationScore.sample_id.in_(sample_ids)).order_by(CalibrationScore.id)
    for row in session.scalars(query):
        found[row.sample_id].append(row)
    return found


def candidates_for(session: Session, survey: Survey, person_id: int) -> list[Drawable]:
    """Return every element at every visited site that the person has never rated in this survey."""
    rows = session.execute(
        select(SurveyOp.site_id, SurveyOp.element)
        .where(SurveyOp.survey_id == survey.id, SurveyOp.field == "rating", SurveyOp.by_id == person_id)
        .distinct()
    )
    rated = {(row.site_id, row.element) for row in rows}
    sites = [site.site_id for site in sites_of(session, survey.id) if site.visited]
    return [
        Drawable(domain.number, site, element.id)
        for domain, standards in domains_of(survey)
        for standard in standards
        for element in standard.elements
        for site in sites
        if (site, element.id) not in rated
    ]


def second_surveyors(session: Session, survey: Survey, at: datetime) -> list[tuple[int, str]]:
    """Return who of the team may score blind: each has declared no conflict, or would not be of the team."""
    ids = session.scalars(
        select(CaseMember.person_id)
        .where(
            CaseMember.case_id == survey.case_id,
            CaseMember.role == "surveyor",
            CaseMember.from_at <= at,
            (CaseMember.until_at.is_(None)) | (CaseMember.until_at > at),
        )
        .distinct()
    ).all()
    names = names_of(session, ids)
    return sorted(((person, names.get(person, "")) for person in ids), key=lambda one: (one[1], one[0]))


def sheets_of(session: Session, survey: Survey, sample: CalibrationSample) -> list[Sheet]:
    """Return what is to be scored, standard by standard; nothing of what anyone else said."""
    edition = current().editions[survey.edition]
    sites = {site.site_id: site.name for site in sites_of(session, survey.id)}
    by_place: dict[tuple[int, str], list[CalibrationScore]] = defaultdict(list)
    for row in scores_of(session, [sample.id]).get(sample.id, ()):
        by_place[row.site_id, row.element.rpartition(".")[0]].append(row)
    return [
        Sheet(
            sites.get(site, ""),
            edition.standards[code],
            tuple((row, edition.elements[row.element].letter, edition.elements[row.element].question) for row in rows),
        )
        for (site, code), rows in by_place.items()
    ]


def compared(session: Session, survey: Survey) -> list[Compared]:
    """Return every sample of a survey with both ratings; the first is what stood when the second was finished."""
    samples = samples_of(session, survey.id)
    scores = scores_of(session, [sample.id for sample in samples])
    names = names_of(session, [sample.person_id for sample in samples])
    sites = {site.site_id: site.name for site in sites_of(session, survey.id)}
    elements = current().editions[survey.edition].elements
    return [
        Compared(
            sample,
            names.get(sample.person_id, ""),
            tuple(
                Pair(
                    row.domain, sites.get(row.site_id, ""), row.element, elements[row.element].question if row.element in elements else "",
                    row.first, row.first_by, row.rating, row.note,
                )
                for row in scores.get(sample.id, ())
            ),
        )
        for sample in samples
    ]  # fmt: skip


def first_ratings(session: Session, sample: CalibrationSample) -> dict[tuple[int, str], tuple[str, str]]:
    """Return what stands of the others' ratings by site and element, and whose it is; nothing where two values stand."""
    o, c = SurveyOp, CalibrationScore
    drawn = (c.sample_id == sample.id) & (c.site_id == o.site_id) & (c.element == o.element)
    ops: dict[tuple[int, str], list[tuple[Word, int | None]]] = defaultdict(list)
    for op in session.scalars(
        select(o)
        .join(c, drawn)
        .where(o.survey_id == sample.survey_id, o.field == "rating", o.verdict == "", o.by_id.is_distinct_from(sample.person_id))
    ):  # fmt: skip
        word = Word(op.device, op.seq, op.op, op.value, op.at, op.order_at, op.by_name, op.by_id)
        ops[op.site_id, op.element].append((word, op.base))
    standing = {place: fold(said) for place, said in ops.items()}
    return {
        place: (str(one.stands.value), one.stands.by)
        for place, one in standing.items()
        if not one.clash and one.stands.value is not None
    }


def program_page(
    session: Session, *, before: int | None = None, after: int | None = None, limit: int = 20
) -> ProgramPage:
    """Return how far surveyors agree over all finished samples, and some of them, the newest drawn first.

    Args:
        before: the number of the sample after which a page goes on.
        after: the number of the sample before which a page going back ends; its rows come the nearest first.
    """
    s, c = CalibrationSample, CalibrationScore
    counts = session.execute(
        select(c.domain, c.first, c.rating, func.count())
        .join(s, s.id == c.sample_id)
        .where(*FINISHED, c.first != "", c.rating != "")
        .group_by(c.domain, c.first, c.rating)
    ).all()
    total: Counter[tuple[str, str]] = Counter()
    domains: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for domain, first, second, number in counts:
        total[first, second] += number
        domains[domain][first, second] += number
    titles = {d.number: d.title for e in current().editions.values() for d in e.domains}
    return ProgramPage(
        cohens_kappa(total),
        tuple((n, titles.get(n, ""), cohens_kappa(pairs)) for n, pairs in sorted(domains.items())),
        tuple(_program_rows(session, before, after, limit)),
    )


FINISHED = (CalibrationSample.finished_at.is_not(None), CalibrationSample.withdrawn_at.is_(None))


def _program_rows(session: Session, before: int | None, after: int | None, limit: int) -> list[ProgramRow]:
    s = CalibrationSample
    query = (
        select(s, Case.ref, Practice.legal_name)
        .join(Survey, Survey.id == s.survey_id)
        .join(Case, Case.id == Survey.case_id)
        .join(Practice, Practice.id == Case.practice_id)
        .where(*FINISHED)
        .order_by(s.id.asc() if after is not None else s.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(s.id < before)
    if after is not None:
        query = query.where(s.id > after)
    found = session.execute(query).all()
    scores = scores_of(session, [sample.id for sample, _, _ in found])
    names = names_of(session, [sample.person_id for sample, _, _ in found])
    return [
        ProgramRow(
            sample.id, sample.survey_id, ref, practice, names.get(sample.person_id, ""), sample.finished_at,
            cohens_kappa((row.first, row.rating) for row in scores.get(sample.id, ()) if row.first and row.rating),
        )
        for sample, ref, practice in found
    ]  # fmt: skip
