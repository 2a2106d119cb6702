"""Story 6: five findings are placed in the matrix; the two of high risk ask more of the plan, and the report shows it all."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docx
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from certify.certification.cases.operations import take
from certify.certification.cases.queries import case_by_id
from certify.certification.reports.queries import requirements_of
from certify.certification.surveys.operations import answer_all
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from tests.builders import PASSWORD, make_person
from tests.certification.surveys.visits import visit_under_way
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

# Element -> the cell it is placed in, worst harm first.
PLACES = {
    "7.3.b": ("high", "widespread"),
    "7.9.a": ("high", "pattern"),
    "2.1.a": ("moderate", "pattern"),
    "1.1.a": ("moderate", "limited"),
    "5.1.a": ("low", "limited"),
}
HIGH = ("7.3.b", "7.9.a")


def entries(site: int, edition: str) -> Iterator[tuple[int, str | None, str, Any]]:
    """Yield a whole checklist: five elements are not met, nothing is placed yet."""
    for element in current().editions[edition].element_ids:
        yield site, element, "note", "Half of the charts." if element in PLACES else "Seen."
        yield site, element, "rating", "no" if element in PLACES else "yes"


class Story:
    """A visit under way at one site, everything rated, and browsers for its people."""

    def __init__(self, server: LiveServer, new_page: Callable[..., Page], clock: FixedClock) -> None:
        self.server, self.new_page = server, new_page
        with server.session() as session:
            visit = visit_under_way(session, clock, sites=1)
            council = make_person(session, Role.COUNCIL)
            (site,) = visit.site_ids
            answers = entries(site, visit.survey.edition)
            answer_all(session, visit.survey.id, answers, actor=visit.actor("surveyor"), at=now())
            self.site, self.survey, self.ref = site, visit.survey.id, visit.case.ref
            self.case_id = visit.case.id
            people = {"surveyor": visit.surveyor, "staff": visit.staff, "head": visit.head, "council": council}
            self.emails = {who: person.email for who, person in people.items()}
            self.ids = {who: person.id for who, person in people.items()}

    def enter(self, who: str, **options: Any) -> Page:
        """Sign one of the people in."""
        page: Page = self.new_page(**options)
        page.goto(f"{self.server.url}/sign-in")
        page.get_by_label("Email address").fill(self.emails[who])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    def steps(self, *taken: tuple[str, str, dict[str, Any]]) -> dict[str, int]:
        """Take steps of the case that this story does not tell of; returns the requirements by element."""
        with self.server.session() as session:
            case = case_by_id(session, self.case_id)
            for trigger, who, data in taken:
                actor = actor_as(session, session.get_one(Person, self.ids[who]))
                take(session, case, trigger, data, actor=actor, at=now())
            return {f.element: f.id for f in requirements_of(session, case.id)}

    def bytes_of(self, page: Page, name: str) -> bytes:
        """Return a document of the case as the page's person gets it."""
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        return Path(download.value.path()).read_bytes()


def test_five_findings_in_the_matrix_and_two_that_ask_more_of_the_plan(
    live_server: LiveServer, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]], clock: FixedClock
) -> None:
    """Slow because three people work in real browsers and two documents are made and read back."""
    story = Story(live_server, new_page, clock)
    place_on_the_checklist(story, barriers)
    draft_shows_the_matrix(story, barriers)
    clock.move(by=timedelta(hours=1))
    ids = story.steps(
        ("submit_report", "surveyor", {}),
        ("pass_report", "staff", {}),
        ("approve_report", "council", {"conflict": "none"}),
    )
    admin = story.enter("head")
    documents_show_the_matrix(story, admin, barriers)
    the_plan_owes_two_statements_twice(story, admin, ids, barriers)


def place_on_the_checklist(story: Story, barriers: Callable[[Page], list[str]]) -> None:
    """The surveyor taps a cell of the matrix for each No; a page without script keeps it just as well."""
    tablet = story.enter("surveyor", width=820, height=1180, has_touch=True)
    for element, (harm, scope) in PLACES.items():
        code = element.rpartition(".")[0]
        tablet.goto(f"{story.server.url}/surveys/{story.survey}/sites/{story.site}/standards/{code}")
        cell = f"risk-{element}-{harm}-{scope}"
        tablet.locator(f'label[for="{cell}"]').tap()
        expect(tablet.get_by_role("status").filter(has_text="All sent")).to_be_visible()
        tablet.reload()
        expect(tablet.locator(f'[id="{cell}"]')).to_be_checked()
    matrix = tablet.get_by_role("radiogroup", name="How likely is harm, and how far does it reach?")
    expect(matrix.get_by_role("radio", name="Low likelihood of harm, limited: Low risk")).to_be_checked()
    assert barriers(tablet) == []
    tablet.goto(f"{story.server.url}/surveys/{story.survey}")
    tablet.get_by_role("button", name="Finish the survey").click()
    expect(tablet.get_by_role("link", name=re.compile("report")).first).to_be_visible()


def draft_shows_the_matrix(story: Story, barriers: Callable[[Page], list[str]]) -> None:
    """The surveyor sees all five in the draft, each leading to its text."""
    surveyor = story.enter("surveyor")
    surveyor.goto(f"{story.server.url}/cases/{story.ref}/report")
    matrix = surveyor.get_by_role("table", name="Findings by likelihood of harm and by scope")
    for number in ("R1", "R2", "R3", "R4", "R5"):
        expect(matrix.get_by_role("link", name=number, exact=True)).to_be_visible()
    assert barriers(surveyor) == []
    matrix.get_by_role("link", name="R4", exact=True).click()
    expect(surveyor.locator('[id="e7.3.b"]')).to_contain_text("High risk")


def documents_show_the_matrix(story: Story, admin: Page, barriers: Callable[[Page], list[str]]) -> None:
    """Word and PDF hold the matrix on page 1 and each finding's place, in words."""
    admin.goto(f"{story.server.url}/cases/{story.ref}/report")
    expect(admin.get_by_role("table", name="Findings by likelihood of harm and by scope")).to_be_visible()
    assert barriers(admin) == []
    document = docx.Document(io.BytesIO(story.bytes_of(admin, "Download Word")))
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]
    (matrix,) = [table for table in tables if table[0][0] == "Likelihood of harm"]
    assert matrix == [
        ["Likelihood of harm", "Limited", "Pattern", "Widespread"],
        ["High", "Moderate risk\n–", "High risk\nR5", "High risk\nR4"],
        ["Moderate", "Low risk\nR1", "Moderate risk\nR2", "High risk\n–"],
        ["Low", "Low risk\nR3", "Low risk\n–", "Moderate risk\n–"],
    ]
    (required,) = [table for table in tables if table[0][:2] == ["No.", "Element"] and "Risk" in table[0]]
    risk = required[0].index("Risk")
    assert {row[1]: row[risk] for row in required[1:]}["7.3.b"] == "High risk: high likelihood of harm, widespread"
    pages = PdfReader(io.BytesIO(story.bytes_of(admin, "PDF"))).pages
    first = " ".join(pages[0].extract_text().split())
    assert "Severity and scope" in first
    assert "High Moderate risk – High risk R5 High risk R4" in first
    assert "Requirement R4 7.3.b" in " ".join(" ".join(page.extract_text().split()) for page in pages)


def the_plan_owes_two_statements_twice(
    story: Story, admin: Page, ids: dict[str, int], barriers: Callable[[Page], list[str]]
) -> None:
    """Only the two of high risk ask for leadership and prevention; without these the plan is not sent."""
    admin.goto(f"{story.server.url}/cases/{story.ref}/corrections")
    leads, prevents = "What leadership does", "How it is prevented from coming back"
    expect(admin.get_by_label(leads)).to_have_count(2)
    expect(admin.get_by_label(prevents)).to_have_count(2)
    for finding in ids.values():
        for part, text in (("action", "Train both shifts."), ("owner", "A. Nurse"), ("evidence", "The training log")):
            admin.locator(f"#r{finding}-{part}").fill(text)
        due_on = (now().date() + timedelta(days=40)).isoformat()
        admin.locator(f"#r{finding}-due_on").fill(due_on)
        saved(admin, finding)
        expect(admin.locator(f"#r{finding}-due_on")).to_have_value(due_on)
    step = admin.locator("#do-submit_plan")
    expect(step.get_by_role("listitem").filter(has_text="high risk demands it")).to_have_count(4)
    expect(step.get_by_role("button", name="Send the plan")).to_have_count(0)
    assert barriers(admin) == []
    for element in HIGH:
        box = admin.locator(f"#r{ids[element]}")
        box.get_by_label(leads).fill("The medical director reads the log each week.")
        box.get_by_label(prevents).fill("Two names before the pump can run.")
        saved(admin, ids[element])
        expect(admin.locator(f"#r{ids[element]}").get_by_label(prevents)).to_have_value(
            "Two names before the pump can run."
        )
    admin.get_by_role("button", name="Send the plan").click()
    expect(
        admin.get_by_text("Read the corrective action plan").or_(admin.get_by_text("is reading your corrective")).first
    ).to_be_visible()
    staff = story.enter("staff")
    staff.goto(f"{story.server.url}/cases/{story.ref}/corrections")
    expect(staff.get_by_text("The medical director reads the log each week.")).to_have_count(2)


def saved(admin: Page, finding: int) -> None:
    """Press the button of one requirement, and go on when the page is there again."""
    with admin.expect_navigation():
        admin.locator(f"#r{finding}").get_by_role("button", name="Save", exact=True).click()
