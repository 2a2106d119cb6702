"""The queue in a real browser: moved through by keys, a case beside the list, and all of it without script too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.certification.cases.operations import open_case
from certify.core.access.roles import SYSTEM, Role
from certify.core.foundation.clock import now
from tests.builders import PASSWORD, make_person, make_practice
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

FRIDAY = date(2026, 11, 6)
# Writes down the number of every case that the panel shows from now on.
WATCH = """() => {
  const panel = document.querySelector("[data-panel]");
  window.shown = [];
  new MutationObserver(() => window.shown.push(panel.textContent.match(/[A-Z]{2}-\\d{4}-\\d+/)[0])).observe(panel, { childList: true });
}"""


def _three_cases(session: Session) -> tuple[str, list[str]]:
    """Make a member of staff and three cases with due dates a day apart; return address and references."""
    refs = []
    for number in range(3):
        practice = make_practice(session)
        case = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=SYSTEM, at=now())
        due_on = FRIDAY + timedelta(days=number)
        ends = datetime.combine(due_on, time(5, 59, 59), tzinfo=UTC) + timedelta(days=1)
        session.flush()
        session.execute(
            update(Case)
            .where(Case.id == case.id)
            .values(
                state="submitted",
                holder="program",
                due_on=due_on,
                due_at=ends,
                due_key="application_check_business_days",
            )
        )
        refs.append(case.ref)
    return make_person(session, Role.PROGRAM_STAFF).email, refs


def _sign_in(page: Page, server: LiveServer, email: str) -> None:
    page.goto(f"{server.url}/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/today")


def test_keys_move_through_the_queue_and_open_a_case_beside_it(live_server: LiveServer, page: Page) -> None:
    with live_server.session() as session:
        email, refs = _three_cases(session)
    _sign_in(page, live_server, email)
    panel = page.locator("[data-panel]")
    expect(panel).to_contain_text(refs[0])
    expect(panel).to_contain_text("You can")  # judged after the list was shown

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(panel).to_contain_text(refs[2])
    assert f"open={refs[2]}" in page.url
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text(refs[1])
    page.reload()
    expect(panel).to_contain_text(refs[1])


def test_the_case_chosen_last_stays_beside_the_list_when_an_earlier_one_is_answered_late(
    live_server: LiveServer, page: Page
) -> None:
    with live_server.session() as session:
        email, refs = _three_cases(session)
    held: list[Route] = []
    page.route(f"**/today?*open={refs[0]}*", lambda route: held.append(route))  # noqa: PLW0108 - asked for its arguments
    with page.expect_request(f"**/today?*open={refs[0]}*"):
        _sign_in(page, live_server, email)
    panel = page.locator("[data-panel]")
    page.evaluate(WATCH)
    page.locator("[data-row-link]").nth(1).click()
    expect(panel).to_contain_text(refs[1])

    with page.expect_response(f"**/today?*open={refs[0]}*") as late:
        held.pop().continue_()
    late.value.finished()
    page.locator("[data-row-link]").nth(2).click()
    expect(panel).to_contain_text(refs[2])

    assert page.evaluate("window.shown") == [refs[1], refs[2]]


def test_the_queue_works_without_any_script(live_server: LiveServer, new_page: Callable[..., Page]) -> None:
    with live_server.session() as session:
        email, refs = _three_cases(session)
    page = new_page(java_script_enabled=False)
    _sign_in(page, live_server, email)

    page.locator("[data-row-link]").nth(1).click()

    expect(page.locator("[data-panel]")).to_contain_text(refs[1])
    expect(page.locator("[data-panel]")).to_contain_text("You can")


def test_choosing_a_filter_applies_it_and_stands_in_the_address(live_server: LiveServer, page: Page) -> None:
    with live_server.session() as session:
        email, _refs = _three_cases(session)
    _sign_in(page, live_server, email)

    page.select_option("#step", "3")

    page.wait_for_url("**step=3**")
    expect(page.locator("main")).to_contain_text("No case fits what you chose")


def test_the_account_menu_closes_with_escape_and_gives_the_focus_back(live_server: LiveServer, page: Page) -> None:
    with live_server.session() as session:
        email, _refs = _three_cases(session)
    _sign_in(page, live_server, email)
    page.click(".menu--account summary")
    expect(page.get_by_role("link", name="Your account")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_role("link", name="Your account")).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
