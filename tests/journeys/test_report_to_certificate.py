"""From the finished survey to the certificate with one requirement corrected: each role clicks through its part."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from certify.core.foundation.clock import FixedClock
from tests.support.surveyed import PASSWORD, surveyed
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

CASE = "/cases/LO-2026-001"


def saves_itself(route: Route) -> bool:
    return route.request.headers.get("accept") == "application/json"


def test_each_role_does_its_part(
    live_server: LiveServer, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]], clock: FixedClock
) -> None:
    """Slow because eight people sign in to real browsers; only that proves that every form carries what its step asks."""
    with live_server.session() as session:
        world = surveyed(session, clock.now(), not_met=[("7.3.b", 0)])
        world.document()

    def as_(who: str, path: str) -> Page:
        page = new_page()
        page.goto(f"{live_server.url}/sign-in")
        page.fill("input[name=email]", f"{who}@example.org")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(f"{live_server.url}{CASE}{path}")
        return page

    surveyor = as_("surveyor", "/report?domain=7")
    field = surveyor.get_by_label("What the practice must do")
    field.fill("Two people check each dose and both sign.")
    field.blur()
    expect(surveyor.get_by_text("Saved ")).to_be_visible()
    surveyor.reload()
    expect(surveyor.get_by_label("What the practice must do")).to_have_value(
        "Two people check each dose and both sign."
    )
    assert barriers(surveyor) == []
    surveyor.goto(f"{live_server.url}{CASE}/report")
    surveyor.get_by_role("button", name="Send the report to the program").click()

    staff = as_("staff", "/report")
    staff.get_by_label("What the surveyor should change").fill("Please say which shift.")
    staff.get_by_role("button", name="Send back to the surveyor").click()
    surveyor.goto(f"{live_server.url}{CASE}/report")
    surveyor.get_by_role("button", name="Send the report to the program").click()
    staff.goto(f"{live_server.url}{CASE}/report")
    staff.get_by_role("button", name="Pass to the council").click()

    council = as_("council", "/report")
    council.get_by_text("No, I have none").click()
    council.get_by_role("button", name="Keep my answer").click()
    assert barriers(council) == []
    council.get_by_role("button", name="Approve the report").click()

    admin = as_("admin", "/report")
    expect(admin.get_by_role("heading", name="Survey report", exact=True)).to_be_visible()
    assert barriers(admin) == []
    admin.goto(f"{live_server.url}{CASE}/corrections")
    held: list[Route] = []
    admin.route("**/plan", lambda route: held.append(route) if saves_itself(route) else route.continue_())
    admin.get_by_label("What will you do?").fill("Train both shifts.")
    admin.get_by_label("Who is responsible?").fill("A. Nurse")
    admin.get_by_label("What will prove it?").fill("The training log")
    admin.get_by_label("By when?").fill("2026-12-18")
    # The button is pressed while what was typed is still on its way: it waits, and nothing meets its own earlier save.
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("Saving…")).to_be_visible()
    while held:
        held.pop().continue_()
        admin.wait_for_timeout(100)
    admin.get_by_role("button", name="Send the plan").click()

    staff.goto(f"{live_server.url}{CASE}/corrections")
    staff.get_by_text("Accept", exact=True).click()
    staff.get_by_role("button", name="Keep this answer").click()
    staff.get_by_role("button", name="Approve the plan").click()

    admin.goto(f"{live_server.url}{CASE}/corrections")
    admin.get_by_label("Add a document of your library").select_option(label="Training log")
    admin.get_by_role("button", name="Add it").click()
    admin.get_by_role("button", name="Send the evidence").click()

    staff.goto(f"{live_server.url}{CASE}/corrections")
    staff.get_by_text("Close the requirement", exact=True).click()
    staff.get_by_label("What the evidence shows, or what is missing").fill("Both shifts are trained.")
    staff.get_by_role("button", name="Keep this answer").click()
    staff.get_by_role("button", name="Close the corrections").click()

    decider = as_("decider", "/decision")
    expect(decider.get_by_text("37 of 37 applicable standards met: 36 at the survey, 1 by correction.")).to_be_visible()
    decider.get_by_text("No, I have none").click()
    decider.get_by_role("button", name="Keep my answer").click()
    assert barriers(decider) == []
    decider.get_by_role("button", name="Award certification").click()

    admin.goto(f"{live_server.url}{CASE}/certificate")
    expect(admin.get_by_role("heading", name="Certificate OMH-2026-0001")).to_be_visible()
    public = new_page()
    public.goto(f"{live_server.url}/register/OMH-2026-0001")
    expect(public.get_by_text("VALID")).to_be_visible()
    assert barriers(public) == []
