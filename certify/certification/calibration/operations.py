"""Writes of calibration: drawing what is scored blind, the scores, and the end of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from certify.certification.calibration.models import CalibrationSample, CalibrationScore
from certify.certification.calibration.queries import (
    candidates_for,
    first_ratings,
    open_sample,
    scores_of,
    second_surveyors,
)
from certify.certification.calibration.rules import draw
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.surveys.models import Survey
from certify.core.access.roles import Actor
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.foundation.ids import new_uuid

RATINGS = ("yes", "no", "na")
MAX_NOTE = 2000


def draw_sample(
    session: Session,
    case: Case,
    survey: Survey,
    person_id: int,
    share: int,
    *,
    actor: Actor,
    at: datetime,
    seed: str = "",
) -> CalibrationSample:
    """Draw a share of a survey's elements for a second surveyor of the team to score blind.

    Args:
        share: percent of what she has not rated herself, 1 to 100; at least one element of each domain is drawn.
        seed: for a draw that is to be repeated; by default a new one, kept with the sample.
    Raises: NotOpen before the visit has begun or when she has not finished an earlier sample, Invalid.
    """
    if survey.checked_in_at is None or not case.open:
        raise NotOpen("A part of a survey is drawn once the surveyor has checked in, and while the case is open.")
    errors = []
    if person_id not in dict(second_surveyors(session, survey, at)):
        errors.append(FieldError("person", "Choose a surveyor of the team."))
    if not 1 <= share <= 100:
        errors.append(FieldError("share", "Give a share of 1 to 100 percent."))
    if errors:
        raise Invalid(errors)
    if open_sample(session, survey.id, person_id) is not None:
        raise NotOpen("This surveyor has not finished what was drawn for her before.")
    candidates = candidates_for(session, survey, person_id)
    if not candidates:
        raise Invalid("She has rated every element of this survey herself; choose someone else.", "person")
    sample = CalibrationSample(
        survey_id=survey.id, person_id=person_id, share=share, seed=seed or new_uuid(), drawn_at=at,
        drawn_by_id=actor.user_id, drawn_by_name=actor.name,
    )  # fmt: skip
    session.add(sample)
    session.flush()
    chosen = draw(candidates, share, sample.seed)
    session.add_all(
        CalibrationScore(sample_id=sample.id, site_id=one.site_id, element=one.element, domain=one.domain)
        for one in chosen
    )
    session.flush()
    record_on(
        session, case, "calibration.drawn", f"drew {len(chosen)} elements of the survey to be scored blind", actor=actor, at=at,
        subject=f"/surveys/{survey.id}/calibration", internal=True,
        data={"sample": sample.id, "person": person_id, "share": share, "seed": sample.seed},
    )  # fmt: skip
    return sample


def save_scores(
    session: Session,
    case: Case,
    sample: CalibrationSample,
    given: Mapping[int, tuple[str, str]],
    *,
    actor: Actor,
    at: datetime,
) -> int:
    """Keep ratings and notes by the id of the score; returns how many changed. Raises: NotOpen, Invalid."""
    _still_open(sample, actor)
    rows = {row.id: row for row in scores_of(session, [sample.id]).get(sample.id, ())}
    errors, changed = [], []
    for score_id, (rating, written) in given.items():
        row, note = rows.get(score_id), written.replace("\r\n", "\n").strip()
        if row is None or (rating and rating not in RATINGS):
            errors.append(FieldError(f"rating-{score_id}", "Choose yes, no or not applicable."))
        elif len(note) > MAX_NOTE:
            errors.append(
                FieldError(f"note-{score_id}", f"This is {len(note):,} characters; at most {MAX_NOTE:,} fit.")
            )
        elif (row.rating, row.note) != (rating or row.rating, note):
            changed.append((row, rating or row.rating, note))
    if errors:
        raise Invalid(errors)
    for row, rating, note in changed:
        row.rating, row.note, row.scored_at = rating, note, at
    session.flush()
    if changed:
        record_on(
            session, case, "calibration.scored", f"scored {len(changed)} elements of the survey blind", actor=actor, at=at,
            subject=f"/surveys/{sample.survey_id}/calibration", internal=True,
            data={"sample": sample.id, "scores": {f"{r.site_id}:{r.element}": rating for r, rating, _ in changed}},
        )  # fmt: skip
    return len(changed)


def finish_sample(session: Session, case: Case, sample: CalibrationSample, *, actor: Actor, at: datetime) -> None:
    """End the blind scoring; nothing can be changed after it, and what it is compared with is kept with it.

    Raises: NotOpen, Invalid while anything is not scored.
    """
    _still_open(sample, actor)
    rows = scores_of(session, [sample.id]).get(sample.id, [])
    left = [row.id for row in rows if not row.rating]
    if left:
        raise Invalid([FieldError(f"rating-{score}", "Score every element first.") for score in left])
    firsts = first_ratings(session, sample)
    for row in rows:
        row.first, row.first_by = firsts.get((row.site_id, row.element), ("", ""))
    sample.finished_at = at
    session.flush()
    record_on(
        session, case, "calibration.finished", "finished scoring a part of the survey blind", actor=actor, at=at,
        subject=f"/surveys/{sample.survey_id}/calibration", data={"sample": sample.id}, internal=True,
    )  # fmt: skip


def withdraw_sample(
    session: Session, case: Case, sample: CalibrationSample, reason: str, *, actor: Actor, at: datetime
) -> None:
    """Take a sample back that is not finished: it counts nowhere, what was scored is kept. Raises: NotOpen, Invalid."""
    if sample.finished_at is not None or sample.withdrawn_at is not None:
        raise NotOpen("This sample is finished or was taken back before.")
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why it is taken back; it is kept with the survey.", "reason")
    sample.withdrawn_at, sample.withdrawn_reason = at, reason[:MAX_NOTE]
    session.flush()
    record_on(
        session, case, "calibration.withdrawn", "took back what was drawn to be scored blind", actor=actor, at=at, reason=reason,
        subject=f"/surveys/{sample.survey_id}/calibration", data={"sample": sample.id}, internal=True,
    )  # fmt: skip


def _still_open(sample: CalibrationSample, actor: Actor) -> None:
    if sample.person_id != actor.user_id or sample.finished_at is not None or sample.withdrawn_at is not None:
        raise NotOpen("There is nothing for you to score here.")
