"""Writes of surveys: the sites, the check-in and the finish; the date and what is judged have files of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import case_by_id
from certify.certification.evidence.operations import lock
from certify.certification.surveyors.queries import accepted_proposal
from certify.certification.surveys.agenda import read_agenda
from certify.certification.surveys.attachments import put_attachment
from certify.certification.surveys.counters import recount, start_counters
from certify.certification.surveys.dates import (
    MODES,
    current_round,
    give_date_back,
    prepare_agree_date,
    propose_date,
    withdraw_date,
)
from certify.certification.surveys.events import SurveyDateAgreed
from certify.certification.surveys.judging import agree_not_applicable, judge_late
from certify.certification.surveys.models import (
    Survey,
    SurveyProgress,
    SurveySite,
)
from certify.certification.surveys.ops import MOST_OPS
from certify.certification.surveys.queries import (
    latest_survey,
    sites_of,
)
from certify.certification.surveys.sampling import SiteFacts, draw_sample
from certify.certification.surveys.sync import sync
from certify.core.access.roles import SYSTEM, Actor
from certify.core.foundation import events
from certify.core.foundation.errors import FieldError, Invalid, NotOpen
from certify.core.foundation.ids import new_secret, new_uuid
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site

__all__ = [
    "MODES", "agree_not_applicable", "answer_all", "begin_round", "draw_sites", "judge_late", "on_case_advanced", "prepare_agree_date", "prepare_check_in",
    "prepare_finish_survey", "propose_date", "put_attachment", "set_agenda", "sync", "withdraw_date",
]  # fmt: skip


def begin_round(
    session: Session,
    case: Case,
    *,
    standards: Sequence[str] | None = None,
    sites: Sequence[int] | None = None,
    reason: str = "",
    at: datetime,
) -> Survey:
    """Begin the next round of a case's survey; standards and sites limit a repeat visit to what they name."""
    before = latest_survey(session, case.id)
    survey = Survey(
        case_id=case.id, round=(before.round if before else 0) + 1, edition=case.edition, lead_id=before.lead_id if before else None,
        scope_standards=list(standards) if standards is not None else None, scope_sites=list(sites) if sites is not None else None,
        scope_reason=reason, seed=new_secret()[:20], created_at=at,
    )  # fmt: skip
    session.add(survey)
    session.flush()
    return survey


def draw_sites(session: Session, case: Case, survey: Survey, *, actor: Actor, at: datetime) -> None:
    """Choose the sites to visit, with the survey's stored seed: drawing again gives the same unless the sites changed.

    Raises: NotOpen once a date is agreed for these sites, or something was recorded.
    """
    if survey.starts_on is not None:
        raise NotOpen("A date is agreed for these sites; they can be chosen again only after the date was moved.")
    if survey.seq:
        raise NotOpen("Answers are recorded already; the sites can no longer be drawn anew.")
    facts = _site_facts(session, case)
    all_up_to = current().settings["sample_all_up_to_sites"]
    choices = draw_sample(facts, survey.seed, all_up_to=all_up_to)
    if survey.scope_sites is not None:
        named = set(survey.scope_sites)
        visits: dict[int, tuple[str, ...]] = {f.site_id: ("named",) if f.site_id in named else () for f in facts}
    else:
        visits = {c.site_id: c.reasons for c in choices}
    for table in (SurveySite, SurveyProgress):
        for row in session.scalars(select(table).where(table.survey_id == survey.id)):
            session.delete(row)
    session.flush()
    for position, site in enumerate(facts):
        reasons = visits[site.site_id]
        session.add(
            SurveySite(
                survey_id=survey.id,
                site_id=site.site_id,
                visited=bool(reasons),
                reasons=list(reasons),
                position=position,
            )
        )
    start_counters(session, survey, [site_id for site_id, reasons in visits.items() if reasons])
    survey.sampled_from = [
        {
            "site": f.site_id,
            "name": f.name,
            "services": sorted(f.services),
            "infusion_chairs": f.infusion_chairs,
            "new": f.is_new,
        }
        for f in facts
    ]
    survey.sampled_at = at
    visited = [f.name for f in facts if visits[f.site_id]]
    session.flush()
    record_on(
        session, case, "survey.sites_drawn", f"chose the sites to visit: {', '.join(visited)}", actor=actor, at=at,
        subject=f"/cases/{case.ref}/survey", data={"survey": survey.id, "seed": survey.seed, "visits": {str(k): list(v) for k, v in visits.items()}},
    )  # fmt: skip


def prepare_check_in(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Lock the documents and note the check-in."""
    survey = current_round(session, case, lock=True)
    lock(session, case, actor=actor, at=at)
    survey.checked_in_at = at


def prepare_finish_survey(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Close the survey; its row is held, so that an entry under way comes before or, late, after."""
    survey = current_round(session, case, lock=True)
    recount(session, survey)
    survey.finished_at, survey.finished_by_id = at, actor.user_id


def set_agenda(
    session: Session, case: Case, survey: Survey, items: list[dict[str, str]], *, actor: Actor, at: datetime
) -> None:
    """Change the agenda of the visit. Raises: NotOpen, Invalid with each line that is wrong."""
    if survey.starts_on is None or survey.finished_at is not None:
        raise NotOpen("There is an agenda from the day the date is agreed until the survey is finished.")
    survey.agenda = read_agenda(items, {s.site_id for s in sites_of(session, survey.id)})
    record_on(
        session,
        case,
        "survey.agenda",
        "changed the agenda of the site survey",
        actor=actor,
        at=at,
        subject=f"/cases/{case.ref}/survey",
    )


def answer_all(
    session: Session,
    survey_id: int,
    entries: Iterable[tuple[int, str | None, str, Any]],
    *,
    actor: Actor,
    at: datetime,
    device: str | None = None,
) -> None:
    """Record many entries (site, element, field, value) as one tablet would, through sync.

    Raises: Invalid with the first entries that were rejected.
    """
    tablet = device or new_uuid()
    ops = [
        {
            "op": new_uuid(),
            "site": site,
            "element": element,
            "field": field,
            "value": value,
            "base": None,
            "at": at.isoformat(),
        }
        for site, element, field, value in entries
    ]
    since = 0
    for start in range(0, len(ops), MOST_OPS):
        sent = {"device": tablet, "since": since, "ops": ops[start : start + MOST_OPS]}
        answer = sync(session, survey_id, sent, actor=actor, at=at)
        since = answer["seq"]
        wrong = [
            FieldError("ops", str(ack["reason"]), row=start + n)
            for n, ack in enumerate(answer["acks"])
            if ack["status"] == "rejected"
        ]
        if wrong:
            raise Invalid(wrong[:20])


def on_case_advanced(session: Session, event: CaseAdvanced) -> None:
    """Keep the survey in step with its case."""
    if event.trigger == "clear_conflicts":
        _begin_planning(session, case_by_id(session, event.case_id), event.at)
    elif event.trigger == "agree_date":
        survey = current_round(session, case_by_id(session, event.case_id))
        events.publish(session, SurveyDateAgreed(event.case_id, event.case_ref, survey.id, event.at))
    elif event.trigger == "reschedule":
        give_date_back(session, case_by_id(session, event.case_id), event)
    elif event.trigger == "require_visit":
        case = case_by_id(session, event.case_id)
        standards, sites = _named_scope(session, case, event.data)
        begin_round(session, case, standards=standards, sites=sites, reason=event.reason, at=event.at)


def _named_scope(session: Session, case: Case, data: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    """Return the standards and sites a repeat visit is limited to. Raises: Invalid when there are no such."""
    known = current().editions[case.edition].standards
    theirs = {str(s): s for s in session.scalars(select(Site.id).where(Site.practice_id == case.practice_id))}
    codes, sites = [str(c) for c in data.get("standards") or ()], [str(s) for s in data.get("sites") or ()]
    errors = [
        FieldError("standards", f"There is no standard {code!r} in this edition.")
        for code in codes
        if code not in known
    ]
    errors += [FieldError("sites", f"{site!r} is not a site of this practice.") for site in sites if site not in theirs]
    if errors:
        raise Invalid(errors)
    return [code for code in known if code in codes], [theirs[site] for site in dict.fromkeys(sites)]


def _begin_planning(session: Session, case: Case, at: datetime) -> None:
    survey = latest_survey(session, case.id)
    if survey is None or survey.finished_at is not None:
        survey = begin_round(session, case, at=at)
    accepted = accepted_proposal(session, case.id)
    survey.lead_id = accepted.person_id if accepted else survey.lead_id
    session.flush()
    if survey.sampled_at is None:
        draw_sites(session, case, survey, actor=SYSTEM, at=at)


def _site_facts(session: Session, case: Case) -> list[SiteFacts]:
    rows = session.scalars(
        select(Site).where(Site.practice_id == case.practice_id, Site.closed_on.is_(None)).order_by(Site.id)
    ).all()
    last = session.scalar(
        select(Survey)
        .join(Case, Case.id == Survey.case_id)
        .where(Case.practice_id == case.practice_id, Case.id != case.id, Survey.finished_at.is_not(None))
        .order_by(Survey.finished_at.desc())
        .limit(1)
    )
    known = {entry["site"] for entry in last.sampled_from} if last else None
    return [
        SiteFacts(
            s.id, s.name, frozenset(s.services or ()), s.infusion_chairs, is_new=known is not None and s.id not in known
        )
        for s in rows
    ]
