"""The requirements of a case, so that a program can answer each by its id."""

from __future__ import annotations

from typing import Any

from certify.certification.cases.queries import case_for
from certify.certification.corrections.queries import Requirement, requirements_for
from certify.core.access.policy import Permission
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.outlets.api.schemas import ListArguments, RequirementList
from certify.platform.web.edges import current_actor, requires
from certify.platform.web.paging import read_cursor, write_cursor

doors = Doors("api_requirements", __name__, url_prefix="/api/v1", description="What a report requires")


@doors.route("/cases/<ref>/requirements")
@requires(Permission.VIEW_CORRECTIONS)
@doors.arguments(ListArguments, location="query")
@doors.response(200, RequirementList)
def list_(arguments: dict[str, Any], ref: str) -> dict[str, Any]:
    """The requirements of the case, by number."""
    case = case_for(db.session, current_actor(), ref, Permission.VIEW_CORRECTIONS)
    found, limit = _beyond(requirements_for(db.session, case), arguments["cursor"]), arguments["limit"]
    items = [
        {
            "id": r.finding.id, "number": r.number, "standard": r.finding.standard, "element": r.finding.element or "",
            "text": r.finding.text, "critical": r.critical, "sites": list(r.site_names), "open": r.open, "due_on": r.due_on,
        }
        for r in found[:limit]
    ]  # fmt: skip
    return {"items": items, "next": write_cursor(_key(found[limit - 1])) if len(found) > limit else None}


def _key(requirement: Requirement) -> tuple[int, int]:
    return requirement.finding.number or 0, requirement.finding.id


def _beyond(requirements: list[Requirement], cursor: str | None) -> list[Requirement]:
    if cursor is None:
        return requirements
    last, _back = read_cursor(cursor, (int, int))
    return [requirement for requirement in requirements if _key(requirement) > last]
