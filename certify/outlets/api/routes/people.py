"""Who is asking."""

from __future__ import annotations

from typing import Any

from certify.core.access.policy import Permission
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.outlets.api.schemas import Me
from certify.platform.practices.queries import names_of_practices
from certify.platform.web.edges import current_person, requires

doors = Doors("api_people", __name__, url_prefix="/api/v1", description="The person behind the token")


@doors.route("/me")
@requires(Permission.SIGNED_IN)
@doors.response(200, Me)
def me() -> dict[str, Any]:
    """Person, roles, practices."""
    person = current_person()
    grants = sorted(person.actor.grants, key=lambda g: (g.role, g.practice_id or 0))
    names = names_of_practices(db.session, person.actor.practice_ids)
    return {
        "id": person.person_id,
        "email": person.email,
        "name": person.name,
        "time_zone": person.time_zone,
        "roles": [{"role": g.role.value, "practice": g.practice_id} for g in grants],
        "practices": [{"id": key, "name": name} for key, name in sorted(names.items())],
    }
