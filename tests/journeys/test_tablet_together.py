"""Two surveyors on one survey, and two tabs of one tablet: what one has not seen of the other's is never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from certify.certification.surveys.queries import open_conflicts
from certify.core.foundation.clock import FixedClock
from tests.support.tablet import ALL_SENT, SIZE, Field, NewPage, until
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.one_database


@pytest.fixture
def field(live_server: LiveServer, clock: FixedClock) -> Field:
    return Field(live_server, clock)


@pytest.fixture
def tablet(field: Field, new_page: NewPage) -> Page:
    return field.tablet(new_page(**SIZE))


@pytest.fixture
def other(field: Field, new_page: NewPage) -> Page:
    return field.tablet(new_page(**SIZE))


def show(field: Field, page: Page, path: str) -> None:
    """Go to a screen of the survey and wait until it stands."""
    page.evaluate("(path) => { location.hash = path; }", f"#/{field.survey}/{path}")
    expect(page.locator("#tablet")).to_have_attribute("data-ready", f"#/{field.survey}/{path}")


def item(page: Page, element: str) -> Locator:
    return page.locator(f'[data-element="{element}"]')


def entered(field: Field, page: Page, element: str | None, value: object, name: str = "rating") -> None:
    """Enter something on the other tablet, and wait until it has arrived."""
    field.record(page, element, value, name)
    until(page, ALL_SENT)


def hear(field: Field, page: Page, element: str, name: str, value: object) -> None:
    """Ask what others said, and wait until the screen's desk has it."""
    page.evaluate(
        """(survey) => navigator.locks.request("certify-outbox",
            async () => Tablet.answers.listen(survey, await Tablet.wire.whoAmI(), 0))""",
        field.survey,
    )
    page.wait_for_function(
        "([site, element, name, value]) => Tablet.desk.current().value(site, element, name) === value",
        arg=[field.site, element, name, value],
    )


def clashes(field: Field) -> list[set[Any]]:
    """Return the values of each open conflict on the server."""
    with field.server.session() as session:
        return [{one["value"] for one in conflict["values"]} for conflict in open_conflicts(session, field.survey)]


def test_a_text_begun_before_a_colleagues_arrived_does_not_overwrite_it(
    field: Field, tablet: Page, other: Page
) -> None:
    entered(field, other, "7.9.a", "no")
    show(field, tablet, f"{field.site}/7.9")
    hear(field, tablet, "7.9.a", "rating", "no")
    note = item(tablet, "7.9.a").get_by_role("textbox", name="Note on 7.9.a")
    note.focus()
    entered(field, other, "7.9.a", "Kit expired.", "note")
    hear(field, tablet, "7.9.a", "note", "Kit expired.")
    expect(note).to_have_value("")  # no text appears under the cursor
    note.press_sequentially("No kit.")
    note.blur()
    expect(item(tablet, "7.9.a").get_by_role("group", name="Two values stand for note of 7.9.a")).to_be_visible()
    assert clashes(field) == [{"Kit expired.", "No kit."}]


def test_a_text_that_nobody_changes_here_shows_what_a_colleague_wrote(field: Field, tablet: Page, other: Page) -> None:
    show(field, tablet, f"{field.site}/7.9")
    strength = tablet.get_by_label("Strength on 7.9")
    note = item(tablet, "7.9.a").get_by_label("Note on 7.9.a")
    item(tablet, "7.9.a").get_by_text("Note", exact=True).click()
    note.focus()
    entered(field, other, "7.9", "Well rehearsed.", "strength")
    entered(field, other, "7.9.a", "Kit expired.", "note")
    hear(field, tablet, "7.9.a", "note", "Kit expired.")
    expect(strength).to_have_value("Well rehearsed.")
    note.blur()
    expect(note).to_have_value("Kit expired.")
    # Changed in sight of it: one answer stands, no conflict.
    note.fill("Kit expired in March.")
    note.blur()
    tablet.wait_for_function("async () => (await Tablet.store.unsent()).answers === 0")
    until(tablet, ALL_SENT)
    assert clashes(field) == []
    assert field.standing()["7.9.a", "note"] == "Kit expired in March."


def test_a_note_open_in_the_editor_does_not_overwrite_a_colleagues_version(
    field: Field, tablet: Page, other: Page
) -> None:
    note = "1b4f2c0e-8f5e-4a51-9d3e-2f4f6f3f7a01"
    first = {"kind": "interview", "text": "First.", "about": ["7.9.a"]}
    entered(field, other, None, first, f"note:{note}")
    entered(field, other, "7.9.b", "yes")
    show(field, tablet, f"{field.site}/7.9")
    hear(field, tablet, "7.9.b", "rating", "yes")
    show(field, tablet, f"notes/{note}")
    area = tablet.get_by_label("What was said or seen")
    area.fill("Mine.")
    expect(tablet.get_by_text("Kept on this tablet as a draft")).to_be_visible()
    entered(field, other, None, {**first, "text": "Theirs."}, f"note:{note}")
    entered(field, other, "7.9.c", "yes")
    hear(field, tablet, "7.9.c", "rating", "yes")
    expect(tablet.get_by_text("has changed this note meanwhile")).to_be_visible()
    tablet.get_by_role("button", name="Save the note").click()
    until(tablet, f"(await Tablet.store.conflicts({field.survey})).length === 1")
    with field.server.session() as session:
        (conflict,) = open_conflicts(session, field.survey)
        assert {one["value"]["text"] for one in conflict["values"]} == {"Mine.", "Theirs."}
