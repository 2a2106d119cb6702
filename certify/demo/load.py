"""Loading the demo program."""

from __future__ import annotations

import gc
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.core.access.roles import ROLE_TITLES, Role
from certify.core.foundation.clock import now, standing_at
from certify.core.foundation.errors import Conflict
from certify.db import db
from certify.demo.people import DOMAIN, PASSWORD, Cast, add_program, add_team
from certify.demo.places import InventedPractice, invent
from certify.demo.walk import Walk, days_until
from certify.platform.identity.models import Person, RoleGrant
from certify.platform.practices.models import Practice
from certify.platform.practices.operations import add_site, create_practice, set_register_consent

# The twelve practices of the default demo, one in each of these; a larger demo goes through the second list too.
FIRST = (
    "plan_due", "draft", "survey_in_progress", "report_staff_review", "returned", "decision", "certified", "correction_open",
    "awaiting_payment", "documents_open", "scheduling", "pending",
)  # fmt: skip
SECOND = (
    "submitted", "desk_review", "surveyor_proposed", "survey_scheduled", "report_drafting", "report_council_review", "plan_review",
    "correction_review", "repeat_survey", "withdrawn", "ineligible", "denied", "certified",
)  # fmt: skip
SURVEYED = (
    "survey_in_progress", "report_drafting", "report_staff_review", "report_council_review", "plan_due", "plan_review",
    "correction_open", "correction_review", "decision", "certified",
)  # fmt: skip
EARLY = (
    "draft",
    "submitted",
    "returned",
    "awaiting_payment",
    "submitted",
    "awaiting_payment",
    "draft",
    "documents_open",
)
# A large demo surveys this share of its practices: 200 of 10,000.
SURVEYED_EACH = 50
BATCH = 100
SLACK_DAYS = 9


def load_demo(*, practices: int, seed: int, progress: bool) -> dict[str, int]:
    """Load the demo program into an empty database; commits as it goes. The same seed gives the same data.

    Raises: Conflict when the database already holds practices, or the program runs in production.
    """
    if current_app.config["SETTINGS"].production:
        raise Conflict("The demo is refused when CERTIFY_ENV=production.")
    session: Session = db.session()
    if session.scalar(select(func.count()).select_from(Practice)):
        raise Conflict("The database already holds practices; the demo is loaded into an empty one.")
    chance, today = random.Random(seed), now()
    with standing_at(today - timedelta(days=400)):
        cast = add_program(session, at=now(), many=practices > 100)
    session.commit()
    states: Counter[str] = Counter()
    with _collecting_by_hand() as collect:
        for number, target in enumerate(_targets(practices)):
            states[_load_one(session, number, target, cast, chance, today).state] += 1
            if number % BATCH == BATCH - 1 or number == practices - 1:
                session.commit()
                session.expunge_all()
                collect(1)
                if progress:
                    _show(number + 1, practices)
    return {
        "practices": practices,
        "cases": sum(states.values()),
        **{f"state {k}": v for k, v in sorted(states.items())},
    }


def demo_users(session: Session) -> list[dict[str, Any]]:
    """Return the demo's sign-ins: one for each role first, then those of every practice."""
    rows = session.execute(
        select(Person.email, RoleGrant.role, Practice.legal_name, Practice.id)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .outerjoin(Practice, Practice.id == RoleGrant.practice_id)
        .where(Person.email.endswith(f"@{DOMAIN}"))
        .order_by(Person.id)
    ).all()
    return [
        {
            "email": email,
            "password": PASSWORD,
            "role": role,
            "role_title": ROLE_TITLES[Role(role)],
            "practice": name,
            "practice_id": practice_id,
        }
        for email, role, name, practice_id in rows
    ]


def _targets(practices: int) -> Iterator[str]:
    for number in range(practices):
        if number < len(FIRST):
            yield FIRST[number]
        elif number < len(FIRST) + len(SECOND):
            yield SECOND[number - len(FIRST)]
        elif number % SURVEYED_EACH == 0:
            yield SURVEYED[(number // SURVEYED_EACH) % len(SURVEYED)]
        else:
            yield EARLY[number % len(EARLY)]


def _load_one(session: Session, number: int, target: str, cast: Cast, chance: random.Random, today: datetime) -> Case:
    large = number >= len(FIRST) + len(SECOND)
    sites = (
        3
        if large and target in SURVEYED
        else (1 if large else 3 if target in ("survey_in_progress", "decision") else None)
    )
    invented = invent(number, chance, sites=sites)
    # A surveyed case of the large demo is old enough for the 2021 edition, whose 37 standards the benchmark speaks of.
    slack = chance.randint(0, SLACK_DAYS) if not large else chance.randint(0, 20)
    begun_at = today - timedelta(
        days=days_until(target) + slack + (1 if target == "certified" else 0), minutes=chance.randint(0, 300)
    )
    with standing_at(begun_at - timedelta(days=3)):
        practice = register_practice(session, invented, cast, at=now())
        admin, lead = add_team(
            session, number, practice.id, invented.administrator, invented.physician, invented.zone, cast, at=now()
        )
        set_register_consent(session, practice.id, True, actor=admin, at=now())
    walk = Walk(
        session,
        cast,
        practice,
        admin,
        lead,
        target,
        begun_at,
        chance,
        not_met=0 if target == "certified" and number % 2 else 3,
    )
    return walk.go()


def register_practice(session: Session, invented: InventedPractice, cast: Cast, *, at: datetime) -> Practice:
    values = {
        "legal_name": invented.name, "tax_ids": [invented.tax_id], "setting": invented.setting, "ownership": "", "address": invented.address,
        "city": invented.city, "state": invented.state, "postal_code": invented.postal_code, "phone": invented.phone,
        "time_zone": invented.zone,
    }  # fmt: skip
    practice = create_practice(session, values, actor=cast.staff, at=at)
    for site in invented.sites:
        details = {
            "name": site.name, "address": site.address, "city": invented.city, "state": invented.state, "postal_code": invented.postal_code,
            "services": list(site.services), "physician_fte": site.physician_fte, "app_fte": site.app_fte, "nurse_fte": site.nurse_fte,
            "pharmacist_fte": site.pharmacist_fte, "infusion_chairs": site.chairs,
        }  # fmt: skip
        add_site(session, practice.id, details, actor=cast.staff, at=at)
    return practice


@contextmanager
def _collecting_by_hand() -> Iterator[Callable[[int], object]]:
    """Look for rows that hold on to each other after a batch, not every few hundred of them: a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield gc.collect
    finally:
        if was_on:
            gc.enable()


def _show(done: int, of: int) -> None:
    width = 40
    full = width * done // of
    sys.stderr.write(f"\r  [{'#' * full}{'.' * (width - full)}] {done:,} of {of:,} practices")
    sys.stderr.write("\n" if done == of else "")
    sys.stderr.flush()
