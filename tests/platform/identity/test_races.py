"""What two do at the same moment, with real commits on a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.platform.audit.queries import verify_chain
from certify.platform.identity.links import send_link
from certify.platform.identity.models import Person, RoleGrant, SignIn
from certify.platform.practices.models import Practice, Site
from tests.builders import PASSWORD, make_person, make_practice, sign_in
from tests.support.worlds import LiveServer


@pytest.fixture
def live(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> LiveServer:
    """The running program, its forms taken without a token."""
    monkeypatch.setitem(live_server.app.config, "WTF_CSRF_ENABLED", False)
    return live_server


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at the same moment and return what each gave."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index: int, act: Callable[[], Any]) -> None:
        gate.wait()
        answers[index] = act()

    threads = [threading.Thread(target=run, args=(i, act)) for i, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def clients(live: LiveServer, person: Person, number: int) -> list[FlaskClient]:
    """Return browsers of one person, signed in once: they share the cookie as two tabs do."""
    first = sign_in(live.app.test_client(), person)
    with first.session_transaction() as cookie:
        kept = dict(cookie)
    made = [first]
    for _ in range(number - 1):
        tab = live.app.test_client()
        with tab.session_transaction() as cookie:
            cookie.update(kept)
        made.append(tab)
    return made


def test_a_double_click_acts_once_and_both_get_the_same_answer(live: LiveServer) -> None:
    with live.session() as session:
        practice = make_practice(session)
        person = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
        session.expunge_all()
    address = f"/practices/{practice.id}/sites/new"
    form = {"name": "North", "form_key": "the key of this form"}
    answers = together(*(lambda c=c: c.post(address, data=form) for c in clients(live, person, 4)))
    assert {a.location for a in answers} == {f"/practices/{practice.id}#sites"}
    with live.session() as session:
        assert session.scalar(select(func.count()).select_from(Site).where(Site.name == "North")) == 1


def test_two_who_save_at_once_do_not_lose_either_silently(live: LiveServer) -> None:
    with live.session() as session:
        practice = make_practice(session)
        person = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
        session.expunge_all()
    form = {"version": "1", "setting": "community", "time_zone": "America/Chicago"}
    tabs = clients(live, person, 3)
    answers = together(
        *(
            lambda c=c, n=n: c.post(f"/practices/{practice.id}/edit", data={**form, "legal_name": f"Name {n}"})
            for n, c in enumerate(tabs)
        )
    )
    assert sorted(a.status_code for a in answers) == [302, 409, 409]
    with live.session() as session:
        stored = session.get_one(Practice, practice.id)
        winner = next(n for n, a in enumerate(answers) if a.status_code == 302)
        assert (stored.legal_name, stored.version) == (f"Name {winner}", 2)
        assert verify_chain(session).sound


def test_a_link_used_by_two_at_once_lets_one_in(live: LiveServer) -> None:
    with live.session() as session:
        person = make_person(session)
        secret = send_link(session, person, "reset", at=now())
    new = {"password": "nine loud magpies", "again": "nine loud magpies"}
    answers = together(*(lambda: live.app.test_client().post(f"/reset/{secret}", data=new) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [302, 410, 410]


def test_two_administrators_cannot_close_each_other_at_the_same_moment(live: LiveServer) -> None:
    with live.session() as session:
        one, two = make_person(session, Role.ADMINISTRATOR), make_person(session, Role.ADMINISTRATOR)
        session.expunge_all()
    first, second = sign_in(live.app.test_client(), one), sign_in(live.app.test_client(), two)
    together(lambda: first.post(f"/people/{two.id}/close"), lambda: second.post(f"/people/{one.id}/close"))
    with live.session() as session:
        left = (
            select(func.count())
            .select_from(RoleGrant)
            .join(Person)
            .where(Person.active, RoleGrant.role == Role.ADMINISTRATOR)
        )
        assert session.scalar(left) == 1


def test_many_wrong_tries_at_once_are_all_counted(live: LiveServer) -> None:
    with live.session() as session:
        person = make_person(session)
        session.expunge_all()
    wrong = {"email": person.email, "password": "wrong"}
    answers = together(*(lambda: live.app.test_client().post("/sign-in", data=wrong) for _ in range(12)))
    assert {a.status_code for a in answers} <= {422, 429}
    right = live.app.test_client().post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert right.status_code == 429
    with live.session() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_one_address_gets_one_account_when_two_invite_it_at_once(live: LiveServer) -> None:
    with live.session() as session:
        practice = make_practice(session)
        admin = make_person(session, Role.PRACTICE_ADMIN, practice=practice)
        session.expunge_all()
    address = f"/practices/{practice.id}/team/invite"
    form = {"name": "Ann Lee", "email": "ann@people.example", "role": "practice_staff"}
    answers = together(*(lambda c=c: c.post(address, data=form) for c in clients(live, admin, 3)))
    assert {a.status_code for a in answers} <= {302, 409, 422}
    assert 302 in {a.status_code for a in answers}
    with live.session() as session:
        assert session.scalar(select(func.count()).select_from(Person).where(Person.email == "ann@people.example")) == 1
