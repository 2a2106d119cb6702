"""A second surveyor scores a share of the survey blind, and staff read how far the two agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from certify.certification.cases.operations import add_member
from certify.certification.surveys.operations import answer_all
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from tests.builders import PASSWORD, make_person
from tests.certification.surveys.visits import visit_under_way
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns


def test_a_share_is_scored_blind_and_compared(
    live_server: LiveServer, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]], clock: FixedClock
) -> None:
    """Slow because two people work in real browsers; only that proves that the first ratings are nowhere to be seen."""
    with live_server.session() as session:
        visit = visit_under_way(session, clock, sites=1)
        second = make_person(session, Role.SURVEYOR, name="Sam Second")
        add_member(session, visit.case, second.id, "surveyor", at=now())
        clock.move(by=timedelta(minutes=1))
        (site,) = visit.site_ids
        ratings = ((site, element, "rating", "no") for element in current().editions[visit.survey.edition].element_ids)
        answer_all(session, visit.survey.id, ratings, actor=visit.actor("surveyor"), at=now())
        url, staff_email, second_email = f"/surveys/{visit.survey.id}", visit.staff.email, second.email

    def enter(email: str) -> Page:
        page = new_page()
        page.goto(f"{live_server.url}/sign-in")
        page.get_by_label("Email address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    staff = enter(staff_email)
    staff.goto(f"{live_server.url}{url}")
    staff.get_by_role("link", name="Calibration").last.click()
    assert barriers(staff) == []
    staff.get_by_label("Who scores a second time?").select_option(label="Sam Second")
    staff.get_by_label("Share of the elements of each domain").select_option(label="5 %")
    staff.get_by_role("button", name="Draw the elements").click()
    expect(staff.get_by_role("heading", name="Scored by Sam Second")).to_be_visible()

    scorer = enter(second_email)
    scorer.goto(f"{live_server.url}{url}")
    expect(scorer.get_by_role("heading", name="Score blind", level=1)).to_be_visible()
    assert barriers(scorer) == []
    expect(scorer.locator("input:checked")).to_have_count(0)
    questions = scorer.get_by_role("radio", name="Yes", exact=True)
    asked = questions.count()
    for question in questions.all():
        question.check(force=True)
    expect(scorer.locator("input:checked")).to_have_count(asked)
    scorer.get_by_role("button", name="Finish and see the survey again").click()
    expect(scorer.get_by_role("heading", name="Checklist", level=1)).to_be_visible()

    staff.reload()
    expect(staff.get_by_text(f"0 of {asked} alike (0 %)")).to_be_visible()
    expect(staff.get_by_role("table", name="Elements that the two surveyors rated differently")).to_be_visible()
    assert barriers(staff) == []
    staff.goto(f"{live_server.url}/calibration")
    expect(staff.get_by_role("row").filter(has_text="Sam Second")).to_contain_text("κ = 0.00")
    assert barriers(staff) == []
