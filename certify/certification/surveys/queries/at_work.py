"""A survey as taking in answers needs it: its row held, past the object mapper, because every saved answer asks for it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.surveys.models import Survey
from certify.certification.surveys.queries.survey import OpenSurvey, let_in
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import NotFound
from certify.db import plain

AT_WORK = (
    select(
        Survey.id, Survey.edition, Survey.scope_standards, Survey.finished_at, Survey.seq, Survey.clashes,
        Case.id.label("case_id"), Case.ref, Case.practice_id, Case.open,
    )
    .join(Case, Case.id == Survey.case_id)
    .where(Survey.id == bindparam("survey"))
    .with_for_update(of=Survey)
)  # fmt: skip


class AtWork(NamedTuple):
    """What taking in answers needs of a survey and of its case."""

    id: int
    edition: str
    scope_standards: list[str] | None
    finished_at: datetime | None
    seq: int
    clashes: int
    case: CaseAtWork


class CaseAtWork(NamedTuple):
    """The case of a survey at work."""

    id: int
    ref: str
    practice_id: int
    open: bool


def survey_at_work(session: Session, actor: Actor, survey_id: int) -> AtWork:
    """Return a survey for taking in what the actor says, with its row held until the transaction ends.

    Raises: NotFound, NotAllowed, as `survey_for`.
    """
    found = plain(session, AT_WORK, {"survey": survey_id})
    if not found:
        raise NotFound("There is no such survey.")
    row = found[0]
    case = CaseAtWork(row.case_id, row.ref, row.practice_id, row.open)
    work = AtWork(row.id, row.edition, row.scope_standards, row.finished_at, row.seq, row.clashes, case)
    let_in(session, actor, work.case, Permission.CONDUCT_SURVEY)
    return work


def at_work(opened: OpenSurvey) -> AtWork:
    """Return the same of a survey that is open already; its row is held."""
    survey, case = opened.survey, opened.case
    return AtWork(
        survey.id, survey.edition, survey.scope_standards, survey.finished_at, survey.seq, survey.clashes,
        CaseAtWork(case.id, case.ref, case.practice_id, case.open),
    )  # fmt: skip
