"""What the API keeps from whom."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.platform.identity.queries import actor_as
from tests.builders import make_practice
from tests.outlets.api.callers import make_caller


def test_who_is_of_the_practice_reads_no_internal_line_whatever_else_they_are(app: Flask, session: Session) -> None:
    practice = make_practice(session)
    staff = make_caller(app, session, Role.PROGRAM_STAFF)
    ref = staff.ask("POST", "cases", status=201, json={"practice": practice.id})["ref"]
    case = session.scalars(select(Case).where(Case.ref == ref)).one()
    record_on(session, case, "case.noted", "noted", actor=actor_as(session, staff.person), at=now(), internal=True)
    session.flush()

    def kinds(*roles: Role) -> set[str]:
        caller = make_caller(app, session, *roles, practice=practice)
        return {event["kind"] for event in caller.ask("GET", f"cases/{ref}/events")["items"]}

    assert "case.noted" in kinds(Role.PROGRAM_STAFF)
    for also in (Role.SURVEYOR, Role.PROGRAM_STAFF, Role.COUNCIL, Role.AUDITOR):
        assert "case.noted" not in kinds(Role.PRACTICE_ADMIN, also)
