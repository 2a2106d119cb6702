"""The checklist in a real browser, as a surveyor's tablet: each answer is sent as it is given, and a clash is settled with a tap."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from certify.certification.surveys.queries import answers_of, open_conflicts
from certify.core.foundation.clock import FixedClock
from tests.builders import PASSWORD
from tests.certification.surveys.visits import Visit, visit_under_way
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

TABLET = {"width": 820, "height": 1180}


def sign_in(page: Page, server: LiveServer, email: str, to: str) -> None:
    page.goto(f"{server.url}/sign-in?next={to}")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"**{to}")
    page.wait_for_load_state("networkidle")  # the page has asked once what others said


def standing(server: LiveServer, survey_id: int) -> dict[tuple[str | None, str], object]:
    with server.session() as session:
        return {(a.element, a.field): a.value for a in answers_of(session, survey_id)}


def set_out(session: Session, clock: FixedClock) -> tuple[str, int, int, str]:
    visit = visit_under_way(session, clock)
    survey, site = visit.survey.id, visit.site_ids[0]
    return visit.surveyor.email, survey, site, f"/surveys/{survey}/sites/{site}/standards/7.9"


def test_answers_are_sent_as_they_are_given(
    live_server: LiveServer, new_page: Callable[..., Page], clock: FixedClock, barriers: Callable[[Page], list[str]]
) -> None:
    with live_server.session() as session:
        email, survey, _site, sheet = set_out(session, clock)
    page = new_page(**TABLET, has_touch=True)
    sign_in(page, live_server, email, sheet)
    line = page.get_by_role("status").filter(has_text="sent")
    page.locator('label[for="rating-7.9.a-yes"]').tap()
    page.locator('label[for="seen_documentation-7.9.a"]').tap()
    page.locator('label[for="rating-7.9.b-no"]').tap()
    expect(page.get_by_text("No needs a note: what was seen?").first).to_be_visible()
    page.locator('[id="note-7.9.b"]').fill("Kit in bay 2 expired.")
    page.locator('[id="note-7.9.b"]').blur()
    expect(line).to_contain_text("All sent")
    assert barriers(page) == []
    page.wait_for_function(
        "() => Object.keys(localStorage).filter((k) => k.startsWith('certify:queue')).every((k) => localStorage[k] === '[]')"
    )
    assert standing(live_server, survey) == {
        ("7.9.a", "rating"): "yes", ("7.9.a", "seen_documentation"): True, ("7.9.b", "rating"): "no", ("7.9.b", "note"): "Kit in bay 2 expired.",
    }  # fmt: skip
    page.reload()
    expect(page.locator('[id="rating-7.9.b-no"]')).to_be_checked()
    page.get_by_role("button", name="Next open").tap()
    page.wait_for_url("**/standards/7.10")
    page.goto(f"{live_server.url}/surveys/{survey}")
    assert barriers(page) == []


def test_without_a_network_answers_wait_and_go_out_when_it_is_back(
    live_server: LiveServer, new_page: Callable[..., Page], clock: FixedClock
) -> None:
    with live_server.session() as session:
        email, survey, _site, sheet = set_out(session, clock)
    page = new_page(**TABLET, has_touch=True)
    sign_in(page, live_server, email, sheet)
    expect(page.locator("#save-line")).to_contain_text("All sent")
    page.context.set_offline(True)
    page.locator('label[for="rating-7.9.a-no"]').tap()
    page.locator('label[for="rating-7.9.c-yes"]').tap()
    expect(page.locator("#save-line")).to_contain_text("2 answers not yet sent")
    assert standing(live_server, survey) == {}
    page.context.set_offline(False)
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.locator("#save-line")).to_contain_text("All sent")
    assert standing(live_server, survey) == {("7.9.a", "rating"): "no", ("7.9.c", "rating"): "yes"}


def test_two_tablets_clash_and_one_tap_settles_it(
    live_server: LiveServer, new_page: Callable[..., Page], clock: FixedClock
) -> None:
    with live_server.session() as session:
        visit: Visit = visit_under_way(session, clock)
        email, survey, site = visit.surveyor.email, visit.survey.id, visit.site_ids[0]
        sheet = f"/surveys/{survey}/sites/{site}/standards/7.9"
    page = new_page(**TABLET, has_touch=True)
    sign_in(page, live_server, email, sheet)
    expect(page.locator("#save-line")).to_contain_text("All sent")
    with live_server.session() as session:
        visit.session, visit.case = session, session.merge(visit.case)
        visit.surveyor = session.merge(visit.surveyor)
        visit.send(visit.op("7.9.a", value="no"), device=str(uuid4()))
    page.locator('label[for="rating-7.9.a-yes"]').tap()
    clash = page.get_by_role("group", name="Two values stand")
    expect(clash).to_contain_text("No")
    clash.get_by_role("button", name="Keep this").last.tap()
    expect(clash).to_have_count(0)
    expect(page.locator("#save-line")).to_contain_text("All sent")
    with live_server.session() as session:
        assert open_conflicts(session, survey) == []
    assert standing(live_server, survey) == {("7.9.a", "rating"): "yes"}


def test_the_page_works_without_a_script(
    live_server: LiveServer, new_page: Callable[..., Page], clock: FixedClock
) -> None:
    with live_server.session() as session:
        email, survey, _site, sheet = set_out(session, clock)
    page = new_page(**TABLET, java_script_enabled=False)
    sign_in(page, live_server, email, sheet)
    page.locator('label[for="rating-7.9.a-yes"]').click()
    page.locator('label[for="rating-7.9.b-na"]').click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator('[id="rating-7.9.b-na"]')).to_be_checked()
    assert standing(live_server, survey) == {("7.9.a", "rating"): "yes", ("7.9.b", "rating"): "na"}
    page.get_by_role("button", name="7.10").click()
    page.wait_for_url("**/standards/7.10")
    assert len(standing(live_server, survey)) == 2
