"""Nothing a person types into the questionnaire is lost: a lost session, a new tab, a second browser, no script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from certify.certification.applications.queries import answers_for
from certify.certification.cases.queries import case_by_id
from certify.platform.identity.models import SignIn
from tests.builders import PASSWORD
from tests.support.applied import apply
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns

NewPage = Callable[..., Page]


class World:
    """A case on the live server, with the addresses of its people."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        with server.session() as session:
            made = apply(session)
            session.commit()
            self.ref, self.case_id = made.case.ref, made.case.id
            self.emails = {who: person.email for who, person in made.people.items()}

    def enter(self, page: Page, who: str) -> None:
        """Sign in on a page."""
        page.goto(f"{self.server.url}/sign-in")
        page.locator("#email").fill(self.emails[who])
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def open(self, page: Page, section: str) -> None:
        """Open a section of the questionnaire."""
        page.goto(f"{self.server.url}/cases/{self.ref}/application/{section}")

    def stored(self) -> dict[str, object]:
        """Return what the server holds."""
        with self.server.session() as session:
            return answers_for(session, case_by_id(session, self.case_id))

    def end_sessions(self) -> None:
        """End every sign-in on the server, as time or an administrator would."""
        with self.server.session() as session:
            session.execute(delete(SignIn))
            session.commit()


@pytest.fixture
def world(live_server: LiveServer) -> World:
    return World(live_server)


def state(page: Page, field: str) -> str:
    return f"[data-field='{field}'] [data-state]"


def test_each_answer_is_saved_as_it_is_given(world: World, page: Page, barriers: Callable[[Page], list[str]]) -> None:
    world.enter(page, "nurse")
    world.open(page, "systems")
    page.get_by_label("Electronic medical record").fill("Charts 5")
    expect(page.locator(state(page, "emr"))).to_contain_text("Saved at")
    page.get_by_text("Every quarter").click()
    expect(page.locator(state(page, "patient_survey_frequency"))).to_contain_text("Saved at")
    page.get_by_text("QOPI", exact=True).click()
    expect(page.locator(state(page, "quality_programs"))).to_contain_text("Saved at")
    expect(page.locator("[data-save-summary]")).to_have_text("Everything is saved.")
    assert world.stored() == {"emr": "Charts 5", "patient_survey_frequency": "quarterly", "quality_programs": ["qopi"]}
    assert barriers(page) == []


def test_rows_are_added_and_saved_once_they_are_whole(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "survey")
    page.locator("#survey_windows-from-0").fill("2027-02-01")
    page.locator("#survey_windows-to-0").fill("2027-02-05")
    expect(page.locator(state(page, "survey_windows"))).to_contain_text("Saved at")
    page.get_by_role("button", name="Offer another window").click()
    page.locator("#survey_windows-from-3").fill("2027-03-01")
    page.locator("#survey_windows-to-3").fill("2027-03-05")
    page.locator("#survey_windows-to-3").blur()
    expect(page.locator("[data-field=survey_windows]")).to_have_attribute("data-rev", "2")
    assert world.stored()["survey_windows"] == [
        {"from": "2027-02-01", "to": "2027-02-05"},
        {"from": "2027-03-01", "to": "2027-03-05"},
    ]


def test_text_survives_a_lost_session_and_a_new_tab(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "recognition")
    world.end_sessions()
    page.get_by_label("Accreditations and certifications held").fill("A long text that nobody wants to type again.")
    expect(page.locator(state(page, "accreditations"))).to_contain_text("You have been signed out")
    assert world.stored() == {}
    page.close()
    tab = page.context.new_page()
    world.enter(tab, "nurse")
    world.open(tab, "recognition")
    expect(tab.get_by_label("Accreditations and certifications held")).to_have_value(
        "A long text that nobody wants to type again."
    )
    expect(tab.locator(state(tab, "accreditations"))).to_contain_text("Saved at")
    assert world.stored() == {"accreditations": "A long text that nobody wants to type again."}


def test_after_signing_in_in_another_tab_the_first_one_saves_by_itself(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "systems")
    world.end_sessions()
    page.get_by_label("Electronic medical record").fill("Charts 5")
    expect(page.locator(state(page, "emr"))).to_contain_text("You have been signed out")
    other = page.context.new_page()
    world.enter(other, "nurse")
    other.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator(state(page, "emr"))).to_contain_text("Saved at")
    assert world.stored() == {"emr": "Charts 5"}


def test_another_person_at_the_same_browser_sees_nothing_of_it(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "systems")
    world.end_sessions()
    page.get_by_label("Electronic medical record").fill("Hers")
    expect(page.locator(state(page, "emr"))).to_contain_text("You have been signed out")
    other = page.context.new_page()
    page.close()
    world.enter(other, "admin")
    world.open(other, "systems")
    expect(other.get_by_label("Electronic medical record")).to_have_value("")
    assert world.stored() == {}


@pytest.mark.parametrize(("choice", "kept"), [("Keep mine", "Mine"), ("Take theirs", "Theirs")])
def test_two_browsers_show_both_answers_and_a_person_chooses(
    world: World, new_page: NewPage, choice: str, kept: str
) -> None:
    first, second = new_page(), new_page()
    for page, who in ((first, "nurse"), (second, "admin")):
        world.enter(page, who)
        world.open(page, "systems")
    first.get_by_label("Electronic medical record").fill("Theirs")
    expect(first.locator(state(first, "emr"))).to_contain_text("Saved at")
    second.get_by_label("Electronic medical record").fill("Mine")
    clash = second.get_by_role("group", name="Two answers to Electronic medical record")
    expect(clash).to_contain_text("Nurse One changed this")
    expect(clash).to_contain_text("Mine")
    expect(clash).to_contain_text("Theirs")
    assert world.stored() == {"emr": "Theirs"}
    clash.get_by_role("button", name=choice).click()
    expect(clash).to_have_count(0)
    expect(second.get_by_label("Electronic medical record")).to_have_value(kept)
    if choice == "Keep mine":
        expect(second.locator(state(second, "emr"))).to_contain_text("Saved at")
    assert world.stored() == {"emr": kept}


def test_without_connection_the_text_waits_and_is_sent_when_it_is_back(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "systems")
    page.context.set_offline(True)
    page.get_by_label("Electronic medical record").fill("Charts 5")
    expect(page.locator(state(page, "emr"))).to_contain_text("no connection")
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator(state(page, "emr"))).to_contain_text("Saved at")
    assert world.stored() == {"emr": "Charts 5"}


def test_a_wrong_answer_says_so_at_the_field_and_the_text_stays(world: World, page: Page) -> None:
    world.enter(page, "nurse")
    world.open(page, "contacts")
    page.get_by_label("Main contact's e-mail").fill("nobody")
    expect(page.locator(state(page, "primary_contact_email"))).to_contain_text("name@practice.org")
    world.open(page, "contacts")
    expect(page.get_by_label("Main contact's e-mail")).to_have_value("nobody")
    assert world.stored() == {}


def test_the_section_saves_without_scripts(world: World, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    world.enter(page, "nurse")
    world.open(page, "systems")
    page.get_by_label("Electronic medical record").fill("Charts 5")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recognition you hold")
    assert world.stored() == {"emr": "Charts 5"}
