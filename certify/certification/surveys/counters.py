"""The counters of progress: begun when the sites are drawn, counted anew from what stands when the survey is finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from certify.certification.surveys.journal import NOTHING, Tally, restored, tally
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyProgress
from certify.certification.surveys.queries import places
from certify.core.catalogue.survey import NEEDS
from certify.core.rulebook.current import current

PROGRESS = cast(sa.Table, SurveyProgress.__table__)
COUNTERS = tuple(asdict(NOTHING))
SET_COUNTERS = (
    update(PROGRESS)
    .where(
        PROGRESS.c.survey_id == bindparam("survey"),
        PROGRESS.c.site_id == bindparam("site"),
        PROGRESS.c.domain == bindparam("dom"),
    )
    .values({name: bindparam(f"n_{name}") for name in COUNTERS})
)


def start_counters(session: Session, survey: Survey, visited: Sequence[int]) -> None:
    """Begin the counters of the visited sites."""
    elements, _ = places(survey)
    sizes: dict[int, int] = {}
    for domain in elements.values():
        sizes[domain] = sizes.get(domain, 0) + 1
    rows = [
        {"survey_id": survey.id, "site_id": site, "domain": domain, "elements": size, **asdict(NOTHING)}
        for site in visited
        for domain, size in sizes.items()
    ]
    if rows:
        session.execute(insert(SurveyProgress), rows)


def recount(session: Session, survey: Survey) -> None:
    """Count anew from what stands, by survey.yaml as it is now: the counters kept at save time know it as it was then."""
    elements, _ = places(survey)
    needs = current().survey.needs
    ratings: dict[tuple[int, str], tuple[Any, bool]] = {}
    texts: dict[tuple[int, str], dict[str, Any]] = defaultdict(dict)
    a = SurveyAnswer
    query = select(a.site_id, a.element, a.field, a.value, a.clash, a.seen, a.latest).where(
        a.survey_id == survey.id, a.field.in_(("rating", *NEEDS))
    )
    for site, element, field, value, clash, seen, latest in session.execute(query):
        if field == "rating":
            ratings[(site, element)] = (value, clash)
        else:
            texts[(site, element)][field] = restored(seen, latest).text if clash else value
    sums: dict[tuple[int, int], Tally] = defaultdict(Tally)
    for (site, element), (value, clash) in ratings.items():
        if element in elements:
            sums[(site, elements[element])] += tally(value, clash, texts[(site, element)], needs)
    stored = session.execute(select(PROGRESS.c.site_id, PROGRESS.c.domain).where(PROGRESS.c.survey_id == survey.id))
    rows = [
        {"survey": survey.id, "site": site, "dom": domain}
        | {f"n_{k}": v for k, v in asdict(sums[(site, domain)]).items()}
        for site, domain in stored.all()
    ]
    if rows:
        session.connection().execute(SET_COUNTERS, rows)
