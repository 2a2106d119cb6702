"""The facts that the guards of the survey judge."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.queries import zone_of
from certify.certification.surveys import rules
from certify.certification.surveys.models import Survey, SurveyAnswer
from certify.certification.surveys.ops import AGREED
from certify.certification.surveys.queries.survey import Progress, latest_survey, progress_of, sites_of, standards_of
from certify.certification.surveys.rules import Said, SiteGaps, SurveyFacts
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.rulebook.current import current


def facts_for(session: Session, case: Case, actor: Actor, at: datetime) -> SurveyFacts:
    """Return what the guards of the survey judge, from the newest round."""
    survey = latest_survey(session, case.id)
    settings = current().settings
    zone = zone_of(session, case)
    today = local_date(at, zone)
    base = SurveyFacts(
        rules=current().survey,
        ref=case.ref,
        today=today,
        min_notice_days=settings["survey_min_notice_days"],
        reschedule_limit=settings["reschedule_limit"],
    )
    if survey is None:
        return base
    lock_on = (
        survey.starts_on - timedelta(days=settings["evidence_lock_before_survey_days"]) if survey.starts_on else None
    )
    gaps = _gaps(session, survey)
    return SurveyFacts(
        rules=base.rules,
        ref=case.ref,
        today=today,
        min_notice_days=base.min_notice_days,
        reschedule_limit=base.reschedule_limit,
        survey_id=survey.id,
        round=survey.round,
        starts_on=survey.starts_on,
        asked_on=survey.date_asked_on or today,
        short_notice=survey.short_notice,
        reschedules=survey.reschedules,
        sampled=survey.sampled_at is not None,
        visited_sites=sum(s.visited for s in sites_of(session, survey.id)),
        evidence_lock_on=lock_on,
        scope_named=survey.round == 1 or bool(survey.scope_standards and survey.scope_sites),
        gaps=gaps,
        unagreed=_unagreed(session, survey, {g.site_id: g.name for g in gaps}),
    )


def _unagreed(session: Session, survey: Survey, names: dict[int, str]) -> tuple[tuple[int, str, str], ...]:
    if not any(progress.not_applicable for progress in progress_of(session, survey.id).values()):
        return ()
    a = SurveyAnswer
    rows = session.execute(
        select(a.site_id, a.element, a.field, a.value, a.seq).where(
            a.survey_id == survey.id, a.field.in_(("rating", AGREED)), a.clash.is_(False)
        )
    )
    waiting = rules.unagreed(current().survey, standards_of(survey), (Said(*row) for row in rows))
    return tuple((site, names.get(site, ""), code) for site, code in waiting)


def _gaps(session: Session, survey: Survey) -> tuple[SiteGaps, ...]:
    """Sum the counters per visited site; other fields' conflicts are counted from their own small index."""
    clashing = select(SurveyAnswer.site_id, func.count()).where(SurveyAnswer.survey_id == survey.id, SurveyAnswer.clash)
    clashes = {row[0]: row[1] for row in session.execute(clashing.group_by(SurveyAnswer.site_id))}
    counted: dict[int, Progress] = defaultdict(Progress)
    for (site_id, _domain), progress in progress_of(session, survey.id).items():
        counted[site_id] += progress
    return tuple(
        SiteGaps(
            site.site_id,
            site.name,
            counted[site.site_id].open,
            counted[site.site_id].without_note,
            counted[site.site_id].without_reason,
            conflicts=clashes.get(site.site_id, 0),
        )
        for site in sites_of(session, survey.id)
        if site.site_id in counted or site.site_id in clashes
    )
