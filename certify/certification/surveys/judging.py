"""What is judged about entries: those that came late, and a second reviewer's word on what does not apply."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import actor_may
from certify.certification.surveys.models import SurveyOp
from certify.certification.surveys.ops import AGREED, Op
from certify.certification.surveys.queries import (
    OpenSurvey,
    answers_of,
    edition_of,
    gaps_of,
    may_judge_late,
    newest_survey_id,
    sheet_for,
    sites_of,
)
from certify.certification.surveys.rules import Gap
from certify.certification.surveys.sync import accept_late, say
from certify.core.access.policy import Permission
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound, NotOpen, RulesUnmet, Unmet
from certify.core.foundation.ids import new_uuid

ACCEPTED_OP = uuid.UUID("6a0f3c62-7a1e-5d0a-9d3e-1c0a6f1e5b11")  # name space of the ops that accept late ones
AGREEMENT = "agreement"  # the kind of gap that a second reviewer closes


def judge_late(
    session: Session, opened: OpenSurvey, seq: int, *, accept: bool | None, actor: Actor, at: datetime
) -> None:
    """Accept or decline an entry that came after the survey was finished (contract, section 6, rule 5).

    What is accepted must keep to the rules of the finish. Accepting the last "not applicable" of a critical standard
    is agreeing to it as second reviewer.
    Raises: NotAllowed for others than the lead surveyor and the program, Invalid when neither is said (`accept` is None),
        NotFound, RulesUnmet once the report has left the program, in an earlier round, and for what would leave the survey incomplete.
    """
    if not may_judge_late(session, opened, actor):
        raise NotAllowed("The lead surveyor or the program decides about late entries.")
    if accept is None:
        raise Invalid("Say whether the entry is accepted or declined.", "verdict")
    late = session.scalar(
        select(SurveyOp)
        .where(SurveyOp.survey_id == opened.survey.id, SurveyOp.seq == seq, SurveyOp.verdict == "waiting")
        .with_for_update()
    )
    if late is None:
        raise NotFound("There is no such late entry, or it was judged already.")
    if accept:
        _check_open(session, opened)
    late.verdict, late.judged_by_id, late.judged_at = ("accepted" if accept else "declined"), actor.user_id, at
    session.flush()
    if accept:
        _accept(session, opened, late, actor, at)
    about = late.element or "the site"
    summary = f"{'accepted' if accept else 'declined'} a late entry on {about}"
    record_on(
        session, opened.case, "survey.late_judged", summary, actor=actor, at=at, subject=f"/surveys/{opened.survey.id}", internal=True,
        data={"survey": opened.survey.id, "op": late.op, "accepted": accept, "field": late.field, "value": late.value},
    )  # fmt: skip


def _check_open(session: Session, opened: OpenSurvey) -> None:
    report = f"/cases/{opened.case.ref}/report"
    if newest_survey_id(session, opened.case) != opened.survey.id:
        message = (
            "This is an earlier visit, and its report is out; a late entry can no longer change the answers under it."
        )
        raise RulesUnmet([Unmet("report_not_passed", message, report)])
    if opened.case.state not in ("report_drafting", "report_staff_review"):
        message = "The report is past the program's review; a late entry can no longer change the answers under it."
        raise RulesUnmet([Unmet("report_not_passed", message, report)])


def _accept(session: Session, opened: OpenSurvey, late: SurveyOp, actor: Actor, at: datetime) -> None:
    before = {_place(gap) for gap in _gaps(session, opened)}
    accept_late(session, opened, late, actor=actor, at=at, op=str(uuid.uuid5(ACCEPTED_OP, f"{late.survey_id}:{late.op}")))  # fmt: skip
    new = [gap for gap in _gaps(session, opened) if _place(gap) not in before]
    alone = [gap for gap in new if gap.kind == AGREEMENT]
    unmet = [_unmet(opened, gap) for gap in new if gap.kind != AGREEMENT]
    if alone and not unmet and not _has_rated(session, opened, late.site_id, alone[0].standard, actor):
        _agree(session, opened, late.site_id, alone[0].standard, actor, at)
    else:
        unmet += [_unmet(opened, gap) for gap in alone]
    if unmet:
        raise RulesUnmet(unmet)


def _gaps(session: Session, opened: OpenSurvey) -> list[Gap]:
    return gaps_of(opened.survey, answers_of(session, opened.survey.id), sites_of(session, opened.survey.id))


def _place(gap: Gap) -> tuple[int, str, str]:
    return gap.site_id, gap.element, gap.kind


def _unmet(opened: OpenSurvey, gap: Gap) -> Unmet:
    hint = {
        AGREEMENT: "Whoever rated it, or brought its ratings here, cannot accept this.",
        "unrated": "It takes the rating away.",
    }.get(gap.kind, "Accept what came late with it first, or send it; then accept this.")
    message = f"{gap.element or 'The site'}: {gap.text} {hint}"
    link = f"/surveys/{opened.survey.id}/sites/{gap.site_id}/standards/{gap.standard}"
    return Unmet("all_sites_rated", message, link if gap.standard else f"/surveys/{opened.survey.id}#late")


def agree_not_applicable(
    session: Session, opened: OpenSurvey, site_id: int, code: str, *, actor: Actor, at: datetime
) -> None:
    """Agree, as a second reviewer, that a critical standard does not apply at a site; a later rating undoes it.

    Raises: NotOpen when it is not asked (or the report has left the surveyor), NotAllowed for who rated it or brought
        its ratings here, and for all but the program and the survey team.
    """
    survey, case = opened.survey, opened.case
    if not agreement_open(session, opened) or not sheet_for(session, survey, site_id, code).alone:
        raise NotOpen("No second reviewer is asked about this standard.")
    of_program = actor_may(session, case, actor, Permission.PLAN_SURVEY)
    if not of_program and not actor_may(session, case, actor, Permission.CONDUCT_SURVEY):
        raise NotAllowed("The program or another surveyor of the team agrees to this.")
    if _has_rated(session, opened, site_id, code, actor):
        raise NotAllowed("You rated this standard yourself, or brought its ratings here; someone else has to agree.")
    _agree(session, opened, site_id, code, actor, at)


def agreement_open(session: Session, opened: OpenSurvey) -> bool:
    """Whether a second reviewer may still agree: until the finish, and while its report is drafted."""
    survey, case = opened.survey, opened.case
    if survey.finished_at is None:
        return True
    return case.state == "report_drafting" and newest_survey_id(session, case) == survey.id


def _has_rated(session: Session, opened: OpenSurvey, site_id: int, code: str, actor: Actor) -> bool:
    elements = [element.id for element in edition_of(opened.survey).standards[code].elements]
    said = select(SurveyOp.by_id, SurveyOp.brought_by_id).where(
        SurveyOp.survey_id == opened.survey.id,
        SurveyOp.site_id == site_id,
        SurveyOp.element.in_(elements),
        SurveyOp.field == "rating",
    )
    return any(actor.user_id in row for row in session.execute(said))


def _agree(session: Session, opened: OpenSurvey, site_id: int, code: str, actor: Actor, at: datetime) -> None:
    survey = opened.survey
    op = Op(new_uuid(), site_id, code, AGREED, True, survey.seq, at)
    device = str(uuid.uuid5(ACCEPTED_OP, f"reviewer:{actor.user_id}"))
    say(session, opened, op, device, by=actor.name, by_id=actor.user_id, actor=actor, at=at)
    site = next((s.name for s in sites_of(session, survey.id) if s.site_id == site_id), "")
    summary = f"agreed, as second reviewer, that {code} is not applicable at {site}"
    record_on(
        session, opened.case, "survey.not_applicable_agreed", summary, actor=actor, at=at, internal=True,
        subject=f"/surveys/{survey.id}/sites/{site_id}/standards/{code}", data={"survey": survey.id, "site": site_id, "standard": code},
    )  # fmt: skip
