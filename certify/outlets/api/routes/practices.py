"""Practices with their sites."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from certify.core.access.policy import Permission
from certify.core.foundation.clock import now
from certify.db import db
from certify.outlets.api.problems import Doors, within
from certify.outlets.api.schemas import NewPractice, PatchPractice, PracticeArguments, PracticePage, PracticeWhole
from certify.platform.practices.operations import PRACTICE_FIELDS, add_site, create_practice, edit_practice
from certify.platform.practices.queries import list_practices, list_sites, practice_for, sites_of
from certify.platform.web.edges import commits, current_actor, requires
from certify.platform.web.paging import page_of

doors = Doors("api_practices", __name__, url_prefix="/api/v1", description="Practices and their sites")


@doors.route("/practices")
@requires(Permission.VIEW_PRACTICE)
@doors.arguments(PracticeArguments, location="query")
@doors.response(200, PracticePage)
def list_(arguments: dict[str, Any]) -> dict[str, Any]:
    """Practices within reach, by name."""
    actor = current_actor()
    page = page_of(
        lambda key, back, limit: list_practices(
            db.session, actor, text=arguments["q"], after=key, back=back, limit=limit
        ),
        lambda line: (line.name_key, line.id),
        cursor=arguments["cursor"],
        shape=(str, int),
        limit=arguments["limit"],
    )
    sites = sites_of(db.session, [line.id for line in page.items])
    return {"items": [{**vars(line), "sites": sites.get(line.id, [])} for line in page.items], "next": page.next}


@doors.route("/practices", methods=["POST"])
@requires(Permission.CREATE_PRACTICE)
@commits
@doors.arguments(NewPractice)
@doors.response(201, PracticeWhole)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Register a practice, with its sites."""
    actor, at = current_actor(), now()
    sites = body.pop("sites")
    practice = create_practice(db.session, body, actor=actor, at=at)
    for number, site in enumerate(sites):
        details = {k: Decimal(f"{v:.2f}") if k.endswith("_fte") else v for k, v in site.items()}
        with within("sites", str(number)):
            add_site(db.session, practice.id, details, actor=actor, at=at)
    return _whole(practice.id)


@doors.route("/practices/<int(max=2147483647):practice_id>")
@requires(Permission.VIEW_PRACTICE)
@doors.response(200, PracticeWhole)
def show(practice_id: int) -> dict[str, Any]:
    """A practice with its sites."""
    return _whole(practice_id)


@doors.route("/practices/<int(max=2147483647):practice_id>", methods=["PATCH"])
@requires(Permission.EDIT_PRACTICE)
@commits
@doors.arguments(PatchPractice)
@doors.response(200, PracticeWhole)
def patch(body: dict[str, Any], practice_id: int) -> dict[str, Any]:
    """Change what is named; a stale version answers 409."""
    actor = current_actor()
    version = body.pop("version")
    practice = practice_for(db.session, actor, practice_id, Permission.EDIT_PRACTICE)
    values = {key: getattr(practice, key) for key in PRACTICE_FIELDS} | body
    edit_practice(db.session, practice_id, values, version=version, actor=actor, at=now())
    return _whole(practice_id)


def _whole(practice_id: int) -> dict[str, Any]:
    practice = practice_for(db.session, current_actor(), practice_id)
    return {
        "id": practice.id,
        "version": practice.version,
        **{key: getattr(practice, key) for key in PRACTICE_FIELDS},
        "sites": list(list_sites(db.session, practice.id)),
    }
