"""Writes of surveyors' profiles: what makes a person fit, when she is away, and with whom she has a tie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.surveyors.models import Surveyor, SurveyorAbsence, SurveyorTie
from certify.certification.surveyors.queries import profile_of_person
from certify.certification.surveyors.rules import GROUNDS, QUALIFICATIONS
from certify.core.access.roles import Actor, Role
from certify.core.foundation.days import written
from certify.core.foundation.errors import FieldError, Invalid, NotFound, Stale
from certify.core.rulebook.current import current
from certify.platform.audit.operations import record
from certify.platform.identity.models import RoleGrant

DAY_NEAR = "Write a day between 1950 and 2100."


@dataclass(frozen=True, slots=True)
class Profile:
    """What a surveyor's profile says; `trained` maps an edition to the day of the last training on it."""

    qualification: str
    qualified_until: date | None
    oncology_years: int
    home_state: str
    licence: str = ""
    home_city: str = ""
    trained: Mapping[str, date] | None = None
    shadowed_surveys: int = 0
    max_load: int = 3
    active: bool = True


def save_surveyor(
    session: Session, person_id: int, profile: Profile, *, actor: Actor, at: datetime, version: int | None = None
) -> Surveyor:
    """Make or change the profile of a person who holds the role surveyor.

    Raises: NotFound without such a person, Stale, Invalid with every field that is wrong.
    """
    holds = session.scalar(
        select(RoleGrant.id).where(RoleGrant.person_id == person_id, RoleGrant.role == Role.SURVEYOR.value)
    )
    if holds is None:
        raise NotFound("This person does not hold the role of site surveyor; the administrator grants it.")
    _check_profile(profile)
    surveyor = profile_of_person(session, person_id)
    before: dict[str, Any] = {}
    if surveyor is None:
        surveyor = Surveyor(person_id=person_id)
        session.add(surveyor)
    else:
        if version is not None and surveyor.version != version:
            raise Stale("This profile has changed since you opened it. Open it again.")
        before = _told(surveyor)
    given = asdict(profile) | {"trained": {edition: on.isoformat() for edition, on in (profile.trained or {}).items()}}
    for name, value in given.items():
        setattr(surveyor, name, value)
    session.flush()
    record(
        session, f"surveyor:{surveyor.id}", "surveyor.saved", "changed the surveyor's profile" if before else "added a surveyor",
        actor=actor, at=at, subject=f"/surveyors/{surveyor.id}", data={"before": before, "after": _told(surveyor)},
    )  # fmt: skip
    return surveyor


def add_absence(
    session: Session, surveyor: Surveyor, from_on: date, to_on: date, note: str, *, actor: Actor, at: datetime
) -> SurveyorAbsence:
    """Note days on which the surveyor cannot visit. Raises Invalid."""
    _check_days(from_on=from_on, to_on=to_on)
    if to_on < from_on:
        raise Invalid("The last day lies before the first.", "to_on")
    if (to_on - from_on).days > 730:
        raise Invalid("An absence lasts two years at most; set the surveyor to “no longer surveys” instead.", "to_on")
    absence = SurveyorAbsence(surveyor_id=surveyor.id, from_on=from_on, to_on=to_on, note=note.strip()[:200])
    session.add(absence)
    session.flush()
    summary = f"noted an absence from {written(from_on)} to {written(to_on)}"
    record(session, f"surveyor:{surveyor.id}", "surveyor.absence", summary, actor=actor, at=at, reason=absence.note)
    return absence


def remove_absence(session: Session, surveyor: Surveyor, absence_id: int, *, actor: Actor, at: datetime) -> None:
    """Take an absence back. Raises NotFound."""
    absence = session.get(SurveyorAbsence, absence_id)
    if absence is None or absence.surveyor_id != surveyor.id:
        raise NotFound("There is no such absence.")
    session.delete(absence)
    session.flush()
    summary = f"took back the absence from {written(absence.from_on)} to {written(absence.to_on)}"
    record(session, f"surveyor:{surveyor.id}", "surveyor.absence", summary, actor=actor, at=at)


def add_tie(
    session: Session,
    surveyor: Surveyor,
    practice_id: int,
    ground: str,
    note: str,
    *,
    on: date,
    ended_on: date | None,
    actor: Actor,
    at: datetime,
) -> SurveyorTie:
    """Put a conflict of interest between a surveyor and a practice on record; it is never removed. Raises Invalid."""
    if ground not in GROUNDS:
        raise Invalid("Choose what kind of tie it is.", "ground")
    _check_days(ended_on=ended_on)
    tie = SurveyorTie(
        surveyor_id=surveyor.id,
        practice_id=practice_id,
        ground=ground,
        note=note.strip(),
        noted_on=on,
        ended_on=ended_on,
    )
    session.add(tie)
    session.flush()
    data = {"practice": practice_id, "ground": ground, "ended_on": ended_on.isoformat() if ended_on else None}
    record(
        session,
        f"surveyor:{surveyor.id}",
        "surveyor.tie",
        "put a conflict of interest on record",
        actor=actor,
        at=at,
        reason=tie.note,
        data=data,
    )
    return tie


def _check_days(**days: date | None) -> None:
    if errors := _day_errors(days):
        raise Invalid(errors)


def _day_errors(days: Mapping[str, date | None]) -> list[FieldError]:
    return [FieldError(name, DAY_NEAR) for name, on in days.items() if on is not None and not 1950 <= on.year <= 2100]


def _check_profile(profile: Profile) -> None:
    errors = _day_errors({"qualified_until": profile.qualified_until})
    errors += _day_errors({f"trained-{edition}": on for edition, on in (profile.trained or {}).items()})
    if profile.qualification not in QUALIFICATIONS:
        errors.append(FieldError("qualification", "Choose the qualification."))
    if profile.qualified_until is None:
        errors.append(FieldError("qualified_until", "Give the day until which the qualification is valid."))
    if not (
        len(profile.home_state) == 2
        and profile.home_state.isascii()
        and profile.home_state.isalpha()
        and profile.home_state.isupper()
    ):
        errors.append(FieldError("home_state", "Write the state as two capital letters, for example OH."))
    for name, value, most in (
        ("oncology_years", profile.oncology_years, 70),
        ("shadowed_surveys", profile.shadowed_surveys, 500),
        ("max_load", profile.max_load, 500),
    ):
        if not 0 <= value <= most:
            errors.append(FieldError(name, f"Give a number from 0 to {most}."))
    unknown = [edition for edition in profile.trained or {} if edition not in current().editions]
    if unknown:
        errors.append(FieldError("trained", f"There is no edition {', '.join(unknown)}."))
    if errors:
        raise Invalid(errors)


def _told(surveyor: Surveyor) -> dict[str, Any]:
    return {
        "qualification": surveyor.qualification, "qualified_until": str(surveyor.qualified_until or ""), "licence": surveyor.licence,
        "oncology_years": surveyor.oncology_years, "home_state": surveyor.home_state, "home_city": surveyor.home_city,
        "trained": dict(surveyor.trained or {}), "shadowed_surveys": surveyor.shadowed_surveys, "max_load": surveyor.max_load,
        "active": surveyor.active,
    }  # fmt: skip
