"""Reads of surveys: one with its right to be seen, its sites, answers and scope, and the facts of its guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.certification.cases.queries import CaseKey, actor_may, subject_of
from certify.certification.surveys import rules
from certify.certification.surveys.blindfold import blindfolded, closed_until_scored
from certify.certification.surveys.journal import restored
from certify.certification.surveys.models import (
    Survey,
    SurveyAnswer,
    SurveyDateProposal,
    SurveyOp,
    SurveyProgress,
    SurveySite,
)
from certify.certification.surveys.ops import AGREED, Scope
from certify.certification.surveys.rules import Said
from certify.certification.surveys.seal import Sealed, Signature, signatures
from certify.core.access.policy import Permission, allowed
from certify.core.access.roles import SYSTEM, Actor
from certify.core.catalogue.standards import Edition, Standard
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.db import plain
from certify.platform.practices.models import Site


@dataclass(frozen=True, slots=True)
class OpenSurvey:
    """A survey the actor may work with, and its case."""

    survey: Survey
    case: Case


class Scoped(Protocol):
    """As much of a survey as its scope hangs on."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def edition(self) -> str:
        """The standards it is judged by."""

    @property
    def scope_standards(self) -> list[str] | None:
        """The standards a repeat visit is limited to."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What stands for one field."""

    site_id: int
    element: str | None
    field: str
    value: Any
    by_name: str
    at: datetime
    clash: bool
    seq: int


@dataclass(frozen=True, slots=True)
class PlannedSite:
    """A site of the practice in a survey."""

    site_id: int
    name: str
    city: str
    state: str
    address: str
    visited: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters of a site and domain, or of several together."""

    elements: int = 0
    met: int = 0
    not_met: int = 0
    not_applicable: int = 0
    conflicts: int = 0
    without_note: int = 0
    without_reason: int = 0

    @property
    def answered(self) -> int:
        """Elements with a rating, those in conflict included."""
        return self.met + self.not_met + self.not_applicable + self.conflicts

    @property
    def open(self) -> int:
        """Elements without any rating."""
        return self.elements - self.answered

    def __add__(self, other: Progress) -> Progress:
        return Progress(
            self.elements + other.elements, self.met + other.met, self.not_met + other.not_met,
            self.not_applicable + other.not_applicable, self.conflicts + other.conflicts,
            self.without_note + other.without_note, self.without_reason + other.without_reason,
        )  # fmt: skip


# Built once: they are part of every sync.
OPENED = select(Survey, Case).join(Case, Case.id == Survey.case_id).where(Survey.id == bindparam("survey"))
LOCKED = OPENED.with_for_update(of=Survey).execution_options(populate_existing=True)
SITES = select(SurveySite.site_id, SurveySite.visited).where(SurveySite.survey_id == bindparam("survey"))
PLANNED = (
    select(Site.id, Site.name, Site.city, Site.state, Site.address, SurveySite.visited, SurveySite.reasons)
    .join(Site, Site.id == SurveySite.site_id)
    .where(SurveySite.survey_id == bindparam("survey"))
    .order_by(SurveySite.visited.desc(), SurveySite.position, SurveySite.site_id)
)

ANSWERS = (
    select(
        SurveyAnswer.site_id, SurveyAnswer.element, SurveyAnswer.field, SurveyAnswer.value, SurveyAnswer.by_name,
        SurveyAnswer.at, SurveyAnswer.clash, SurveyAnswer.seq,
    )
    .where(SurveyAnswer.survey_id == bindparam("survey"))
    .order_by(SurveyAnswer.site_id, SurveyAnswer.element, SurveyAnswer.field)
)  # fmt: skip
NEWEST = select(func.max(Survey.id)).where(Survey.case_id == bindparam("case_id"))


def survey_for(
    session: Session,
    actor: Actor,
    survey_id: int,
    permission: Permission = Permission.VIEW_SURVEY,
    *,
    lock: bool = False,
) -> OpenSurvey:
    """Return a survey and its case if the actor may do this to it; `lock` holds the survey's row until the transaction ends.

    Raises: NotFound when it is not the actor's to see, NotAllowed when it is but this is not theirs to do, RulesUnmet
        when its answers are closed to someone who is to score a part of it blind.
    """
    found = session.execute(LOCKED if lock else OPENED, {"survey": survey_id}).one_or_none()
    if found is None:
        raise NotFound("There is no such survey.")
    opened = OpenSurvey(*found)
    let_in(session, actor, opened.case, permission)
    if permission is Permission.VIEW_DRAFT_REPORT and blindfolded(session, survey_id, actor):
        raise closed_until_scored(survey_id)
    return opened


def let_in(session: Session, actor: Actor, case: CaseKey, permission: Permission) -> None:
    """Refuse who may not do this to the survey of this case. Raises: NotFound, NotAllowed."""
    subject = subject_of(session, case, actor)
    if not allowed(actor, Permission.VIEW_SURVEY, subject) and actor is not SYSTEM:
        raise NotFound("There is no such survey.")
    if not allowed(actor, permission, subject):
        raise NotAllowed("Your role does not include this.")


def survey_of(session: Session, survey_id: int) -> Survey:
    """Return a survey by its number inside the program; access is the caller's matter. Raises NotFound."""
    survey = session.get(Survey, survey_id)
    if survey is None:
        raise NotFound("There is no such survey.")
    return survey


def latest_survey(session: Session, case_id: int, *, lock: bool = False) -> Survey | None:
    """Return the newest round of a case's survey, None before there is one."""
    if not lock:
        return next(reversed(list_surveys(session, case_id)), None)
    query = select(Survey).where(Survey.case_id == case_id).order_by(Survey.round.desc()).limit(1)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def newest_survey_ids(session: Session, case_ids: Sequence[int]) -> dict[int, int]:
    """Return the newest survey of each of these cases that has one."""
    rows = session.execute(
        select(Survey.case_id, func.max(Survey.id)).where(Survey.case_id.in_(case_ids)).group_by(Survey.case_id)
    )
    return {row[0]: row[1] for row in rows}


def newest_survey_id(session: Session, case: Case) -> int | None:
    """Return the number of the newest round, None before there is one."""
    return session.scalar(NEWEST, {"case_id": case.id})


def list_surveys(session: Session, case_id: int) -> Sequence[Survey]:
    """Return all rounds of a case, first to last."""
    query = select(Survey).where(Survey.case_id == case_id).order_by(Survey.round)
    return remembered(session, ("surveys", case_id), lambda: session.scalars(query).all())


def sites_of(session: Session, survey_id: int) -> list[PlannedSite]:
    """Return the practice's sites as they stand in the survey, visited ones first."""
    return remembered(session, ("sites of survey", survey_id), lambda: _sites_of(session, survey_id))


def _sites_of(session: Session, survey_id: int) -> list[PlannedSite]:
    return [PlannedSite(*row[:-1], tuple(row[-1])) for row in session.execute(PLANNED, {"survey": survey_id})]


def edition_of(survey: Scoped) -> Edition:
    """Return the standards edition a survey is judged by."""
    return current().editions[survey.edition]


def scope_of(session: Session, survey: Scoped) -> Scope:
    """Return what the survey's ops may be about."""
    elements, standards = places(survey)
    return Scope(dict(plain(session, SITES, {"survey": survey.id})), elements, standards)


def places(survey: Scoped) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the survey's elements and standards, each with the number of its domain, in the edition's order."""
    edition = edition_of(survey)
    if survey.scope_standards is None:
        return edition.element_domains, edition.standard_domains
    wanted = set(survey.scope_standards)
    return (
        {key: number for key, number in edition.element_domains.items() if edition.standard_of[key].code in wanted},
        {code: number for code, number in edition.standard_domains.items() if code in wanted},
    )


def progress_of(session: Session, survey_id: int) -> dict[tuple[int, int], Progress]:
    """Return the counters by site and domain."""
    return remembered(session, ("progress of survey", survey_id), lambda: _progress_of(session, survey_id))


def _progress_of(session: Session, survey_id: int) -> dict[tuple[int, int], Progress]:
    rows = session.scalars(select(SurveyProgress).where(SurveyProgress.survey_id == survey_id))
    return {
        (r.site_id, r.domain): Progress(
            r.elements, r.met, r.not_met, r.not_applicable, r.conflicts, r.without_note, r.without_reason
        )
        for r in rows
    }  # fmt: skip


def answers_of(
    session: Session, survey_id: int, *, site_id: int | None = None, about: Sequence[str] | None = None
) -> list[AnswerRow]:
    """Return what stands in a survey, or at one site, or for the elements and standards named."""
    query = ANSWERS
    if site_id is not None:
        query = query.where(SurveyAnswer.site_id == site_id)
    if about is not None:
        query = query.where(SurveyAnswer.element.in_(about))
    rows = session.execute(query, {"survey": survey_id})
    return [AnswerRow(r[0], r[1] or None, *r[2:]) for r in rows]


def open_conflicts(session: Session, survey_id: int) -> list[dict[str, Any]]:
    """Return the fields on which more than one value stands, every value with its author and time."""
    query = (
        select(
            SurveyAnswer.id,
            SurveyAnswer.site_id,
            SurveyAnswer.element,
            SurveyAnswer.field,
            SurveyAnswer.seen,
            SurveyAnswer.latest,
        )
        .where(SurveyAnswer.survey_id == survey_id, SurveyAnswer.clash)
        .order_by(SurveyAnswer.site_id, SurveyAnswer.element, SurveyAnswer.field)
    )
    return [
        {
            "id": row.id, "site": row.site_id, "element": row.element or None, "field": row.field,
            "values": [
                {"seq": w.seq, "op": w.op, "value": w.value, "by": w.by, "device": w.device, "at": w.at.isoformat()}
                for w in restored(row.seen, row.latest).words
            ],
        }
        for row in session.execute(query)
    ]  # fmt: skip


def count_clashes(session: Session, survey_id: int) -> int:
    """Count the fields on which two values stand."""
    query = (
        select(func.count()).select_from(SurveyAnswer).where(SurveyAnswer.survey_id == survey_id, SurveyAnswer.clash)
    )
    return session.scalar(query) or 0


def late_ops(session: Session, survey_id: int) -> Sequence[SurveyOp]:
    """Return what arrived after the survey was finished and waits for the lead surveyor or the program."""
    query = (
        select(SurveyOp).where(SurveyOp.survey_id == survey_id, SurveyOp.verdict == "waiting").order_by(SurveyOp.seq)
    )
    return session.scalars(query).all()


def history_of(
    session: Session, survey_id: int, site_id: int, about: Sequence[str], limit: int = 200
) -> Sequence[SurveyOp]:
    """Return everything that was ever said about some elements at a site, newest first."""
    query = (
        select(SurveyOp)
        .where(SurveyOp.survey_id == survey_id, SurveyOp.site_id == site_id, SurveyOp.element.in_(about))
        .order_by(SurveyOp.seq.desc())
        .limit(limit)
    )
    return session.scalars(query).all()


def date_proposals(session: Session, survey_id: int) -> Sequence[SurveyDateProposal]:
    """Return the dates either side has proposed and not taken back."""
    query = (
        select(SurveyDateProposal)
        .where(SurveyDateProposal.survey_id == survey_id, SurveyDateProposal.ended_at.is_(None))
        .order_by(SurveyDateProposal.id)
    )
    return session.scalars(query).all()


def may_judge_late(session: Session, opened: OpenSurvey, actor: Actor) -> bool:
    """Whether the actor may accept what came late: the lead surveyor, or the program."""
    if actor_may(session, opened.case, actor, Permission.PLAN_SURVEY):
        return True
    lead = actor.user_id is not None and actor.user_id == opened.survey.lead_id
    return lead and actor_may(session, opened.case, actor, Permission.CONDUCT_SURVEY)


def standards_of(survey: Survey) -> list[Standard]:
    """Return the standards in the survey's scope, in the edition's order."""
    known = edition_of(survey).standards
    return [known[code] for code in places(survey)[1]]


def said_of(rows: Iterable[AnswerRow]) -> list[Said]:
    """Return what stands, as the rules of the finish judge it."""
    return [Said(r.site_id, r.element or "", r.field, r.value, r.seq, r.clash) for r in rows]


def signatures_of(session: Session, survey_id: int, rows: Iterable[AnswerRow] | None = None) -> list[Signature]:
    """Return who signed the survey and whether what they signed is unchanged; `rows` when all that stands is at hand."""
    found = answers_of(session, survey_id) if rows is None else rows
    sealed = [Sealed(r.site_id, r.element or "", r.field, r.value, r.clash, r.seq, r.by_name, r.at) for r in found]
    return signatures(sealed, current().survey)


def unagreed(survey: Survey, rows: Iterable[AnswerRow]) -> list[tuple[int, str]]:
    """Return the (site, standard) that wait for a second reviewer to agree that the standard is not applicable."""
    asked = (r for r in rows if r.field in ("rating", AGREED))
    return rules.unagreed(current().survey, standards_of(survey), said_of(asked))
