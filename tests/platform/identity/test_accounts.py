"""Accounts, roles, and who may give them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.core.access.roles import SYSTEM, Grant, Role
from certify.core.foundation.clock import now
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound, NotOpen, Stale
from certify.platform.audit.models import Event
from certify.platform.audit.queries import verify_chain
from certify.platform.identity.operations import (
    add_person,
    change_password,
    close_account,
    edit_own_details,
    grant_role,
    invite,
    open_account,
    revoke_role,
)
from certify.platform.identity.queries import actor_as, find_line, list_holders, list_people, list_team
from certify.platform.mail.models import Outbox
from tests.builders import PASSWORD, make_actor, make_person, make_practice, sign_in


def test_every_mistake_of_a_new_account_is_named_at_once(session: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        add_person(
            session, email="no address", name="  ", password="short", time_zone="Mars/Olympus", actor=SYSTEM, at=now()
        )
    assert {e.field for e in refusal.value.errors} == {"email", "name", "password", "time_zone"}


def test_one_address_has_one_account_whatever_its_case(session: Session) -> None:
    make_person(session, email="dana@people.example")
    with pytest.raises(Invalid, match="already has an account"):
        add_person(session, email=" DANA@people.example ", name="Dana", actor=SYSTEM, at=now())


def test_giving_a_role_twice_gives_it_once(session: Session) -> None:
    person = make_person(session)
    assert grant_role(session, person.id, Role.COUNCIL, actor=SYSTEM, at=now())
    assert not grant_role(session, person.id, Role.COUNCIL, actor=SYSTEM, at=now())
    assert find_line(session, person.id).grants == (Grant(Role.COUNCIL),)


def test_a_practice_administrator_manages_that_practices_roles_and_no_others(session: Session) -> None:
    own, other = make_practice(session), make_practice(session)
    admin, person = make_actor(session, Role.PRACTICE_ADMIN, practice=own), make_person(session)
    assert grant_role(session, person.id, Role.PRACTICE_STAFF, own.id, actor=admin, at=now())
    for role, place in (
        (Role.PRACTICE_STAFF, other.id),
        (Role.PROGRAM_STAFF, None),
        (Role.ADMINISTRATOR, None),
        (Role.SURVEYOR, None),
    ):
        with pytest.raises(NotAllowed):
            grant_role(session, person.id, role, place, actor=admin, at=now())
        with pytest.raises(NotAllowed):
            revoke_role(session, person.id, role, place, actor=admin, at=now())


@pytest.mark.parametrize(
    "role",
    [
        Role.PRACTICE_STAFF,
        Role.PHYSICIAN_LEAD,
        Role.PROGRAM_STAFF,
        Role.COUNCIL,
        Role.AUDITOR,
        Role.FINANCE,
        Role.SURVEYOR,
    ],
)
def test_others_give_no_roles_at_all(session: Session, role: Role) -> None:
    practice = make_practice(session)
    actor, person = make_actor(session, role, practice=practice), make_person(session)
    with pytest.raises(NotAllowed):
        grant_role(session, person.id, Role.PRACTICE_STAFF, practice.id, actor=actor, at=now())


def test_a_practice_cannot_take_its_judges_into_its_own_team(session: Session) -> None:
    practice = make_practice(session)
    admin = make_actor(session, Role.PRACTICE_ADMIN, practice=practice)
    for role in (Role.COUNCIL, Role.SURVEYOR, Role.PROGRAM_STAFF):
        judge = make_person(session, role)
        with pytest.raises(Invalid, match="works for the program"):
            invite(
                session, email=judge.email, name="x", role=Role.PRACTICE_STAFF, practice_id=practice.id, actor=admin, at=now()
            )  # fmt: skip
        assert grant_role(session, judge.id, Role.PRACTICE_STAFF, practice.id, actor=SYSTEM, at=now())


def test_a_role_for_a_practice_that_is_not_there_is_refused(session: Session) -> None:
    person = make_person(session)
    with pytest.raises(Invalid):
        grant_role(session, person.id, Role.PRACTICE_STAFF, 10**6, actor=SYSTEM, at=now())
    with pytest.raises(Invalid):
        grant_role(session, person.id, Role.COUNCIL, make_practice(session).id, actor=SYSTEM, at=now())
    with pytest.raises(NotFound):
        grant_role(session, 10**6, Role.COUNCIL, actor=SYSTEM, at=now())


def test_the_last_administrator_stays(session: Session) -> None:
    last = make_person(session, Role.ADMINISTRATOR)
    admin = actor_as(session, last)
    with pytest.raises(NotOpen, match="last administrator"):
        close_account(session, last.id, actor=admin, at=now())
    with pytest.raises(NotOpen, match="last administrator"):
        revoke_role(session, last.id, Role.ADMINISTRATOR, actor=admin, at=now())
    closed = make_person(session, Role.ADMINISTRATOR)
    close_account(session, closed.id, actor=admin, at=now())
    with pytest.raises(NotOpen, match="last administrator"):
        close_account(session, last.id, actor=admin, at=now())
    make_person(session, Role.ADMINISTRATOR)
    assert not close_account(session, last.id, actor=admin, at=now()).active


def test_a_practice_keeps_an_administrator(session: Session) -> None:
    practice = make_practice(session)
    only = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    with pytest.raises(NotOpen, match="no administrator"):
        revoke_role(session, only.id, Role.PRACTICE_ADMIN, practice.id, actor=actor_as(session, only), at=now())


def test_an_account_opened_again_needs_a_new_password(session: Session) -> None:
    admin, person = make_actor(session, Role.ADMINISTRATOR), make_person(session)
    close_account(session, person.id, actor=admin, at=now())
    open_account(session, person.id, actor=admin, at=now())
    assert person.active
    assert person.password_hash is None
    assert session.scalars(select(Outbox.kind)).all() == ["invitation"]


def test_who_has_an_account_gets_the_role_and_a_mail_without_a_link(session: Session) -> None:
    practice, person = make_practice(session), make_person(session)
    same, secret = invite(
        session, email=person.email, name="Other Name", role=Role.PHYSICIAN_LEAD, practice_id=practice.id, place="Lakeside", actor=SYSTEM, at=now()
    )  # fmt: skip
    assert same.id == person.id
    assert secret is None
    mail = session.scalars(select(Outbox)).one()
    assert mail.kind == "role_granted"
    assert "physician lead at Lakeside" in mail.subject


def test_own_details_are_not_overwritten_from_an_older_page(session: Session) -> None:
    person = make_person(session)
    actor, seen = actor_as(session, person), person.version
    edit_own_details(
        session,
        person.id,
        name="New Name",
        title="RN",
        time_zone="America/Chicago",
        version=seen,
        actor=actor,
        at=now(),
    )
    with pytest.raises(Stale):
        edit_own_details(
            session, person.id, name="Other", title="", time_zone="America/Chicago", version=seen, actor=actor, at=now()
        )
    assert list_people(session, text="new n", after=None, back=False, limit=5)[0].id == person.id


def test_changing_the_password_asks_for_the_present_one(session: Session) -> None:
    person = make_person(session)
    actor = actor_as(session, person)
    with pytest.raises(Invalid, match="not your present"):
        change_password(
            session, person.id, old="wrong", new="nine loud magpies", actor=actor, at=now(), keep_sign_in=None
        )
    with pytest.raises(Invalid, match="other than the present"):
        change_password(session, person.id, old=PASSWORD, new=PASSWORD, actor=actor, at=now(), keep_sign_in=None)
    change_password(session, person.id, old=PASSWORD, new="nine loud magpies", actor=actor, at=now(), keep_sign_in=None)
    assert session.scalars(select(Outbox.kind)).all() == ["password_changed"]


def test_every_act_leaves_an_event_and_the_chains_verify(session: Session) -> None:
    practice = make_practice(session)
    person = make_person(session, Role.PRACTICE_STAFF, practice=practice)
    revoke_role(session, person.id, Role.PRACTICE_STAFF, practice.id, actor=SYSTEM, at=now())
    kinds = set(session.scalars(select(Event.kind)))
    assert {"person.added", "role.granted", "role.revoked", "practice.added", "site.added"} <= kinds
    assert verify_chain(session).sound


def test_lists_hold_whom_they_name(session: Session) -> None:
    practice, other = make_practice(session), make_practice(session)
    admin = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
    make_person(session, Role.PRACTICE_ADMIN, practice=other)
    staff = make_person(session, Role.PROGRAM_STAFF)
    holders = list_holders(session, [Role.PRACTICE_ADMIN, Role.PROGRAM_STAFF], practice.id)
    assert {p.id for p in holders} == {admin.id, staff.id}
    assert [line.id for line in list_team(session, practice.id)] == [admin.id]


def test_people_are_paged_by_name_both_ways(client: FlaskClient, session: Session) -> None:
    boss = make_person(session, Role.ADMINISTRATOR, name="Zora Boss")
    for number in range(45):
        make_person(session, name=f"Ada {number:02d}")
    sign_in(client, boss)
    seen: list[str] = []
    address = "/people"
    while address:
        text = client.get(address).text
        seen += [
            part.split("<")[0]
            for part in text.split('<th scope="row"><a href="/people/')[1:]
            for part in [part.split(">", 1)[1]]
        ]
        following = text.split('rel="next" href="')[1:]
        address = following[0].split('"')[0].replace("&amp;", "&") if following else ""
    assert seen == [*(f"Ada {n:02d}" for n in range(45)), "Zora Boss"]


def test_a_cursor_that_is_not_ours_is_refused_with_a_sentence(client: FlaskClient, session: Session) -> None:
    sign_in(client, make_person(session, Role.ADMINISTRATOR))
    for cursor in ("x", "AAAA", "W10", "WzAsInt9Il0", "WzAsMSwyLDMsNF0"):
        answer = client.get("/people", query_string={"cursor": cursor})
        assert answer.status_code == 422, cursor


def test_the_administrator_invites_grants_revokes_and_closes(client: FlaskClient, session: Session) -> None:
    practice = make_practice(session, legal_name="Mesa Cancer Center")
    sign_in(client, make_person(session, Role.ADMINISTRATOR))
    invited = client.post(
        "/people/invite",
        data={"name": "Ann Lee", "email": "ann@people.example", "role": "practice_admin", "practice": "mesa"},
    )
    assert invited.status_code == 302
    page = client.get(invited.location).text
    assert "Mesa Cancer Center" in page
    assert "not answered yet" in page
    assert client.post(f"{invited.location}/invitation").status_code == 302
    assert client.post(f"{invited.location}/roles", data={"role": "surveyor"}).status_code == 302
    assert client.post(f"{invited.location}/roles/revoke", data={"role": "surveyor"}).status_code == 302
    assert client.post(f"{invited.location}/close").status_code == 302
    assert client.post(f"{invited.location}/close").status_code == 409
    assert client.post(f"{invited.location}/open").status_code == 302
    assert practice.id


def test_a_wrong_invitation_says_what_is_wrong_and_keeps_what_was_typed(client: FlaskClient, session: Session) -> None:
    make_practice(session, legal_name="Mesa Cancer Center"), make_practice(session, legal_name="Mesa Oncology")
    sign_in(client, make_person(session, Role.ADMINISTRATOR))
    for data, says in (
        ({"role": "practice_admin", "practice": "mesa"}, "Several practices fit"),
        ({"role": "practice_admin", "practice": "nowhere"}, "No practice has this number"),
        ({"role": "practice_admin", "practice": ""}, "Name the practice"),
        ({"role": "council", "email": "no address"}, "full email address"),
        ({"role": "king"}, "Not a valid choice"),
    ):
        answer = client.post("/people/invite", data={"name": "Ann Lee", "email": "ann@people.example", **data})
        assert answer.status_code == 422, data
        assert says in answer.text, (data, says)
        assert "Ann Lee" in answer.text, data


def test_a_team_page_is_the_practices_own(new_client: Callable[[], FlaskClient], session: Session) -> None:
    own, other = make_practice(session), make_practice(session)
    admin = sign_in(new_client(), make_person(session, Role.PRACTICE_ADMIN, practice=own))
    staff = sign_in(new_client(), make_person(session, Role.PRACTICE_STAFF, practice=own))
    assert admin.get(f"/practices/{own.id}/team").status_code == 200
    assert admin.get(f"/practices/{other.id}/team").status_code == 404
    assert staff.get(f"/practices/{own.id}/team").status_code == 403
    invited = admin.post(
        f"/practices/{own.id}/team/invite",
        data={"name": "Ann Lee", "email": "ann@people.example", "role": "practice_staff"},
    )
    assert invited.status_code == 302
    taken = admin.post(
        f"/practices/{own.id}/team/invite",
        data={"name": "Ann Lee", "email": "ann@people.example", "role": "administrator"},
    )
    assert taken.status_code == 422
    assert (
        admin.post(
            f"/practices/{other.id}/team/invite",
            data={"name": "A", "email": "b@people.example", "role": "practice_staff"},
        ).status_code
        == 404
    )
    ann = next(line for line in list_team(session, own.id) if line.name == "Ann Lee")
    assert admin.post(f"/practices/{own.id}/team/{ann.id}/invitation").status_code == 302
    assert admin.post(f"/practices/{own.id}/team/{ann.id}/revoke", data={"role": "practice_staff"}).status_code == 302
    assert admin.post(f"/practices/{own.id}/team/{ann.id}/invitation").status_code == 404


def test_saving_the_own_name_keeps_a_time_zone_that_few_have(client: FlaskClient, session: Session) -> None:
    person = make_person(session, time_zone="America/Boise")
    sign_in(client, person)
    page = client.get("/account").text
    assert re.search(r'<option[^>]*selected[^>]*value="America/Boise"|value="America/Boise"[^>]*selected', page)
    form = {"version": str(person.version), "name": "New Name", "title": ""}
    assert client.post("/account/details", data={**form, "time_zone": "America/Boise"}).status_code == 302
    session.refresh(person)
    assert (person.name, person.time_zone) == ("New Name", "America/Boise")
    form["version"] = str(person.version)
    assert client.post("/account/details", data={**form, "time_zone": "Mars/Olympus"}).status_code == 422
