"""The public register: certified practices with consent; no token needed."""

from __future__ import annotations

from typing import Any

from certify.core.foundation.clock import now
from certify.db import db
from certify.outlets.api.problems import Doors
from certify.outlets.api.schemas import RegisterArguments, RegisterItem, RegisterPage
from certify.outlets.register.queries import RegisterEntry, list_register, register_entry
from certify.platform.web.edges import public
from certify.platform.web.paging import page_of

doors = Doors("api_register", __name__, url_prefix="/api/v1", description="The public register of certified practices")


@doors.route("/register")
@public
@doors.arguments(RegisterArguments, location="query")
@doors.response(200, RegisterPage)
@doors.doc(security=[])
def list_(arguments: dict[str, Any]) -> dict[str, Any]:
    """Certified practices that agreed to be listed, by name."""
    at = now()
    page = page_of(
        lambda key, back, limit: list_register(
            db.session, arguments["q"], at, key=key, back=back, limit=limit, changed_since=arguments["changed_since"]
        ),
        lambda entry: entry.key,
        cursor=arguments["cursor"],
        shape=(str, int),
        limit=arguments["limit"],
    )
    return {"items": [_item(entry) for entry in page.items], "next": page.next}


@doors.route("/register/<number>")
@public
@doors.response(200, RegisterItem)
@doors.doc(security=[])
def show(number: str) -> dict[str, Any]:
    """One certificate."""
    return _item(register_entry(db.session, number, now()))


def _item(entry: RegisterEntry) -> dict[str, Any]:
    return {
        "certificate_no": entry.number,
        "practice": entry.practice,
        "sites": [{"name": name, "city": city, "state": state} for name, city, state in entry.sites],
        "status": entry.standing.value if hasattr(entry.standing, "value") else str(entry.standing),
        "edition": entry.edition,
        "awarded_on": entry.awarded_on,
        "ends_on": entry.ends_on,
        "changed_at": entry.changed_at,
    }
