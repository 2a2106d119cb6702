"""A practice's administrator invites a colleague, who answers, works, and loses nothing when the sign-in ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.platform.identity.models import SignIn
from certify.platform.mail.models import Outbox
from tests.builders import PASSWORD, make_person, make_practice
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns


def sign_in_on(page: Page, server: LiveServer, email: str, password: str = PASSWORD) -> None:
    """Sign in through the page."""
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_colleague_is_invited_comes_in_and_loses_no_text(
    live_server: LiveServer, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]]
) -> None:
    with live_server.session() as session:
        practice = make_practice(session, legal_name="Lakeside Oncology")
        admin = make_person(session, Role.PRACTICE_ADMIN, practice=practice, email="dana@lakeside.example")
        session.expunge_all()
    dana, lee = new_page(), new_page()
    sign_in_on(dana, live_server, admin.email)
    dana.goto(f"{live_server.url}/practices/{practice.id}/team")
    dana.get_by_label("Name").fill("Lee Park")
    dana.get_by_label("Email address").fill("lee@lakeside.example")
    dana.get_by_label("Role").select_option("practice_admin")
    dana.get_by_role("button", name="Send the invitation").click()
    expect(dana.get_by_text("Lee Park is invited by mail.")).to_be_visible()
    assert barriers(dana) == []

    with live_server.session() as session:
        path = session.scalars(select(Outbox.context).where(Outbox.kind == "invitation")).one()["action_path"]
    lee.goto(live_server.url + path)
    expect(lee.get_by_role("heading", name="Welcome to certify")).to_be_visible()
    lee.get_by_label("New password", exact=True).fill("nine loud magpies")
    lee.get_by_label("New password again").fill("nine loud magpies")
    lee.get_by_role("button", name="Save and sign in").click()
    lee.goto(live_server.url + path)
    expect(lee.get_by_role("heading", name="This link no longer works")).to_be_visible()

    lee.goto(f"{live_server.url}/practices/{practice.id}/sites/new")
    lee.get_by_label("Name of the site").fill("A clinic written before the sign-in ended")
    with live_server.session() as session:
        session.execute(update(SignIn).values(ended_at=now()))
    lee.get_by_role("button", name="Add the site").click()
    expect(lee.get_by_role("heading", name="Sign in again")).to_be_visible()
    assert barriers(lee) == []
    lee.get_by_label("Email address").fill("lee@lakeside.example")
    lee.get_by_label("Password").fill("nine loud magpies")
    lee.get_by_role("button", name="Sign in").click()
    expect(lee.get_by_text("A clinic written before the sign-in ended")).to_be_visible()
    assert barriers(lee) == []
    lee.get_by_role("button", name="Send it now").click()
    expect(lee.get_by_role("link", name="A clinic written before the sign-in ended")).to_be_visible()
