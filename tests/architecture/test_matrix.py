"""Every door × every role × one's own and another practice's objects: the answer is the one the policy table gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from certify.core.access.policy import POLICY, Permission, Relation
from certify.core.access.roles import PRACTICE_ROLES, Role
from certify.core.foundation.clock import FixedClock
from certify.demo.load import register_practice
from certify.demo.people import PASSWORD, add_program, add_team
from certify.demo.places import invent
from certify.demo.walk import Walk, days_until
from tests.builders import make_person

# Objects that the two worlds of this test do not hold: for these an allowed person is told that there is no such thing.
# What they must refuse is tested all the same.
NOT_THERE = {
    "absence_id", "attachment", "attendance_id", "comment_id", "mail_id", "note", "objection_id", "proposal_id", "question_id", "request_id", "sample_id",
    "secret", "seq", "sign_in_id", "token", "token_id", "provider_id",
}  # fmt: skip
REFUSED = {401, 403, 404}
# Doors whose permission several roles hold for different halves of the matter; the room itself asks for the rest.
# (endpoint, role) -> 403 although the permission is theirs, with the reason.
NARROWER = {
    ("documents.download", Role.FINANCE): "finance sees invoices, not what surveyors found",
    ("api_files.document", Role.FINANCE): "finance sees invoices, not what surveyors found",
    (
        "surveys.answer_for_practice",
        Role.SURVEYOR,
    ): "this is the practice's own declaration; the surveyor has another page",
    (
        "surveyors.answer_about_further",
        Role.SURVEYOR,
    ): "this is the practice's own declaration; the surveyor has another page",
    ("evidence.confirm", Role.COUNCIL): "the practice or program staff let a file out of quarantine",
    ("evidence.confirm", Role.AUDITOR): "the practice or program staff let a file out of quarantine",
    ("evidence.confirm", Role.SURVEYOR): "the practice or program staff let a file out of quarantine",
    ("surveys.judge", Role.COUNCIL): "the lead surveyor or program staff decide about late entries",
    ("surveys.judge", Role.AUDITOR): "the lead surveyor or program staff decide about late entries",
    ("practices.consent", Role.PROGRAM_STAFF): "only the practice may consent to be listed",
}
# What a certified case, with its invoice paid and its conflicts declared, has no more: 404 for everyone who may enter.
OVER = {
    "surveyors.conflict", "surveyors.answer_conflict", "cases.action", "fees.cancel", "fees.refund", "surveys.settle", "calendar.stop",
}  # fmt: skip


@dataclass
class World:
    """A practice with a case that has been through all six steps' pages, and the values that lead to its objects."""

    values: dict[str, Any]
    surveyor: str
    people: dict[Role, str] = field(default_factory=dict)


def build(session: Session, number: int, cast: Any, clock: FixedClock) -> World:
    """Walk one invented practice to its certificate, with real operations."""
    chance = random.Random(number)
    invented = invent(number, chance, sites=2)
    today = clock.now()
    begun_at = today - timedelta(days=days_until("certified") + 8)
    clock.move(to=begun_at - timedelta(days=3))
    practice = register_practice(session, invented, cast, at=clock.now())
    admin, lead = add_team(
        session, number, practice.id, invented.administrator, invented.physician, invented.zone, cast, at=clock.now()
    )
    clock.move(to=today)
    case = Walk(session, cast, practice, admin, lead, "certified", begun_at, chance).go()
    clock.move(to=today)
    staff = make_person(session, Role.PRACTICE_STAFF, practice=practice, password=PASSWORD)

    def one(query: str) -> Any:
        return session.execute(sa.text(query), {"case": case.id, "practice": practice.id}).scalar()

    survey = one("select id from survey where case_id = :case")
    return World(
        {
            "ref": case.ref, "practice_id": practice.id, "survey_id": survey,
            "site_id": one("select min(site_id) from survey_site s join survey v on v.id = s.survey_id where v.case_id = :case"),
            "code": "1.1", "element": "1.1.a", "kind": "survey-report", "ext": "docx", "section": "practice", "field": "ownership_type",
            "trigger": "withdraw", "key": "expiry", "page": "practice", "filename": "css/site.css",
            "finding_id": one("select min(id) from finding where case_id = :case and kind = 'requirement'"),
            "uuid": one("select min(uuid) from evidence where practice_id = :practice"),
            "number": one("select min(number) from invoice where case_id = :case"),
            "certificate_number": one("select min(number) from certificate where case_id = :case"), "person_id": admin.user_id,
            "surveyor_id": one("select min(surveyor_id) from surveyor_proposal where case_id = :case"),
            **dict.fromkeys(NOT_THERE - {"attachment"}, 999_999), "attachment": "7d2f3c58-5bb1-4a9a-8f1e-0a4d1a2b3c4d",
        },
        surveyor=one(
            "select p.email from person p join case_member m on m.person_id = p.id where m.case_id = :case and m.role = 'surveyor' limit 1"
        ),
        people={Role.PRACTICE_ADMIN: admin.email, Role.PHYSICIAN_LEAD: lead.email, Role.PRACTICE_STAFF: staff.email},
    )  # fmt: skip


def values_for(rule: Rule, world: World) -> dict[str, Any]:
    """What leads to the world's objects; a certificate, an invoice and a version of a file are all called `number`."""
    values = {name: world.values[name] for name in rule.arguments}
    if "certificate" in rule.endpoint and "number" in values:
        values["number"] = world.values["certificate_number"]
    elif "versions/<int" in rule.rule:
        values["number"] = 1
    return values


def nowhere(rule: Rule) -> dict[str, Any]:
    """Values of the right shape that lead to no object."""
    shapes = {"uuid": "00000000-0000-4000-8000-000000000000", "attachment": "00000000-0000-4000-8000-000000000000", "ref": "ZZ-2026-999",
              "code": "1.1", "element": "1.1.a", "kind": "survey-report", "ext": "docx", "section": "practice", "field": "ownership_type",
              "trigger": "withdraw", "key": "expiry", "page": "practice", "token": "nothing"}  # fmt: skip
    return {name: shapes.get(name, 999_999) for name in rule.arguments}


def expected(permission: Permission, role: Role, *, own: bool, about_an_object: bool) -> str:
    """What the policy table says: in, away (403) or nothing (404)."""
    relation = POLICY[permission].get(role)
    if relation is None:
        return "away"
    if own or not about_an_object or relation is Relation.ANY:
        return "in"
    return "nothing"


def agrees(answer: str, status: int, absent: int, rule: Rule, role: Role) -> bool:
    """Whether the server did what the table says; what is another's answers as if it did not exist."""
    if (rule.endpoint, role) in NARROWER:
        return status == 403 or (answer == "nothing" and status == absent)
    if answer == "away":
        return status == 403
    if answer == "nothing":
        return status == absent and 400 <= status < 500
    if status == 404 and (rule.arguments & NOT_THERE or rule.endpoint in OVER):
        return True
    return status < 500 and status not in REFUSED


def doors(app: Flask) -> Iterator[tuple[Rule, str, Permission]]:
    """Every address and method behind a permission."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        permission = getattr(app.view_functions[rule.endpoint], "required_permission", None)
        if permission is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, permission


def test_every_door_answers_as_the_policy_says(
    app: Flask, session: Session, new_client: Callable[[], FlaskClient], clock: FixedClock
) -> None:
    """Some 5,000 requests; it must be this slow, because it is the one proof that no page forgets to ask."""
    cast = add_program(session, at=clock.now(), many=True)
    mine, theirs = build(session, 0, cast, clock), build(session, 1, cast, clock)
    program = {
        role: make_person(session, role, password=PASSWORD).email
        for role in Role
        if role not in PRACTICE_ROLES and role not in (Role.SYSTEM, Role.SURVEYOR)
    }
    people = mine.people | program | {Role.SURVEYOR: mine.surveyor}
    assert mine.surveyor != theirs.surveyor
    session.commit()
    cookies = {}
    for role, email in people.items():
        answer = new_client().post("/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 302, role
        cookies[role] = answer.headers["Set-Cookie"].split(";")[0]
    # Without a cookie jar: signing out in one request must not reach the next.
    client = app.test_client(use_cookies=False)
    session.commit()
    connection = session.connection()
    wrong = []
    with app.test_request_context():
        addresses = app.url_map.bind("localhost")
    for rule, method, permission in doors(app):
        for role, cookie in cookies.items():

            def ask(path: str, method: str, cookie: str = cookie) -> int:
                session.commit()
                savepoint = connection.begin_nested()
                status = client.open(path, method=method, headers={"Cookie": cookie}).status_code
                savepoint.rollback()
                return status

            for own, world in ((True, mine), (False, theirs)):
                missing = rule.arguments - set(world.values)
                assert not missing, f"{rule.rule}: this test does not know {missing}"
                path = addresses.build(rule.endpoint, values_for(rule, world), method=method)
                answer = expected(permission, role, own=own, about_an_object=bool(rule.arguments))
                status = ask(path, method)
                absent = (
                    ask(addresses.build(rule.endpoint, nowhere(rule), method=method), method)
                    if answer == "nothing"
                    else 0
                )
                if not agrees(answer, status, absent, rule, role):
                    whose = "own" if own else "other"
                    wrong.append(
                        f"{method} {rule.rule} ({rule.endpoint}) {role} {whose}: {status}, not {answer} ({permission})"
                    )
    assert wrong == [], f"{len(wrong)} doors:\n" + "\n".join(wrong)
