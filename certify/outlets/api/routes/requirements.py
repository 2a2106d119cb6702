"""The requirements of a case, so that a program can answer each by its id."""

from __future__ import annotations

from typing import Any

from certify.certification.cases.queries import case_for
from certify.certification.corrections.queries import requirements_for
from certify.core.access.policy import Permission
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.outlets.api.schemas import RequirementList
from certify.platform.web.edges import current_actor, requires

doors = Doors("api_requirements", __name__, url_prefix="/api/v1", description="What a report requires")


@doors.route("/cases/<ref>/requirements")
@requires(Permission.VIEW_CORRECTIONS)
@doors.response(200, RequirementList)
def list_(ref: str) -> dict[str, Any]:
    """Every requirement of the case, by number."""
    case = case_for(db.session, current_actor(), ref, Permission.VIEW_CORRECTIONS)
    items = [
        {
            "id": r.finding.id, "number": r.number, "standard": r.finding.standard, "element": r.finding.element or "",
            "text": r.finding.text, "critical": r.critical, "sites": list(r.site_names), "open": r.open, "due_on": r.due_on,
        }
        for r in requirements_for(db.session, case)
    ]  # fmt: skip
    return {"items": items, "next": None}
