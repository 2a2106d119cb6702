"""Two surveyors on one survey, and two tabs of one tablet: what one has not seen of the other's is never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from certify.certification.surveys.queries import open_conflicts
from tests.support.tablet import ALL_SENT, PHOTO, SIZE, Field, NewPage, item, until

pytestmark = pytest.mark.one_database


@pytest.fixture
def other(field: Field, new_page: NewPage) -> Page:
    return field.tablet(new_page(**SIZE))


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
    field.show(tablet, f"{field.site}/7.9")
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
    field.show(tablet, f"{field.site}/7.9")
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
    place = f"{field.survey}, {field.site}, '7.9.a', 'note'"
    until(tablet, f"(await Tablet.store.answer({place}))?.value === 'Kit expired in March.'")
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
    field.show(tablet, f"{field.site}/7.9")
    hear(field, tablet, "7.9.b", "rating", "yes")
    field.show(tablet, f"notes/{note}")
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


def test_marking_several_as_met_leaves_alone_what_a_colleague_rated_meanwhile(
    field: Field, tablet: Page, other: Page
) -> None:
    field.show(tablet, f"several/{field.site}/7.9")
    tablet.get_by_role("button", name="Tick all").click()
    tablet.get_by_role("button", name="as met").click()
    entered(field, other, "7.9.b", "no")
    hear(field, tablet, "7.9.b", "rating", "no")
    expect(tablet.get_by_text("1 element has been rated meanwhile and is not touched.")).to_be_visible()
    tablet.get_by_role("button", name="as met").click()
    tablet.get_by_role("button", name="Yes, mark").click()
    expect(item(tablet, "7.9.a")).to_have_attribute("data-kept", "yes")
    until(tablet, ALL_SENT)
    ratings = {element: value for (element, name), value in field.standing().items() if name == "rating"}
    assert ratings.pop("7.9.b") == "no"
    assert set(ratings.values()) == {"yes"}
    assert clashes(field) == []


def test_what_a_colleague_did_to_a_site_as_a_whole_is_counted_among_what_is_missing(
    field: Field, tablet: Page, other: Page
) -> None:
    field.show(tablet, f"{field.site}/7.9")
    before = tablet.evaluate("() => Tablet.desk.current().countGaps()")
    tablet.context.set_offline(True)
    field.record(tablet, None, "Quiet.", "site_note")
    entered(field, other, None, "Busy.", "site_note")
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    until(tablet, "Tablet.desk.current().conflicts.length === 1")
    assert tablet.evaluate("() => Tablet.desk.current().countGaps()") == before + 1


def test_two_tabs_keep_each_others_drafts(field: Field, tablet: Page) -> None:
    second = tablet.context.new_page()
    second.goto(f"{field.server.url}/tablet#/{field.survey}/{field.site}/7.9")
    field.show(tablet, f"{field.site}/7.9")
    for page, element in ((tablet, "7.9.a"), (second, "7.9.b")):
        item(page, element).get_by_text("Note", exact=True).click()
        note = item(page, element).get_by_label(f"Note on {element}")
        note.fill(f"MRN 12345678 of {element}.")
        note.blur()
        expect(item(page, element).get_by_role("alert")).to_be_visible()
    tablet.reload()
    for element in ("7.9.a", "7.9.b"):
        expect(item(tablet, element).get_by_label(f"Note on {element}")).to_have_value(f"MRN 12345678 of {element}.")
    assert ("7.9.a", "note") not in field.standing()


def test_drafts_of_an_older_version_of_the_app_are_still_there(field: Field, tablet: Page) -> None:
    tablet.evaluate(
        "([survey, key]) => Tablet.store.meta(`drafts:${survey}`, {[key]: 'MRN 12345678.'})",
        [field.survey, f"{field.site}|7.9.a|note"],
    )
    field.show(tablet, f"{field.site}/7.9")
    expect(item(tablet, "7.9.a").get_by_label("Note on 7.9.a")).to_have_value("MRN 12345678.")


def test_nothing_is_entered_under_the_name_of_who_took_the_survey_along(field: Field, tablet: Page) -> None:
    taken = tablet.evaluate("(s) => Tablet.store.meta(`person:${s}`)", field.survey)
    # As if a colleague, now signed out, had taken it along.
    tablet.evaluate(
        """(s) => Tablet.store.write(["meta", "packs"], async (tx) => {
          const colleague = {id: 999999, name: "Alex Colleague"};
          tx.objectStore("meta").put(colleague, `person:${s}`);
          tx.objectStore("packs").put({...await tx.objectStore("packs").get(s), person: colleague, etag: null});
        })""",
        field.survey,
    )
    tablet.reload()
    field.show(tablet, f"{field.site}/7.9")
    words = f"Taken along by Alex Colleague; you are {taken['name']}"
    expect(tablet.get_by_text(words, exact=True)).to_be_visible()
    tablet.context.set_offline(True)
    tablet.reload()
    expect(tablet.get_by_text(words, exact=True)).to_be_visible()
    yes = item(tablet, "7.9.a").get_by_role("radio", name="Yes", exact=True)
    yes.click()
    expect(tablet.get_by_text("Renew it to enter under your own name.")).to_be_visible()
    expect(yes).not_to_be_checked()
    tablet.context.set_offline(False)
    tablet.get_by_role("button", name="Renew the survey").click()
    expect(tablet.get_by_text(words, exact=True)).to_be_hidden()
    item(tablet, "7.9.a").get_by_role("radio", name="Yes", exact=True).check()
    expect(item(tablet, "7.9.a")).to_have_attribute("data-kept", "yes")
    until(tablet, ALL_SENT)
    assert field.standing()["7.9.a", "rating"] == "yes"


def test_the_checklist_page_says_whose_answers_it_sends(field: Field, tablet: Page) -> None:
    person = tablet.evaluate("(s) => Tablet.store.meta(`person:${s}`)", field.survey)
    page = tablet.context.new_page()
    with page.expect_request("**/sync") as asked:
        page.goto(f"{field.server.url}/surveys/{field.survey}/sites/{field.site}/standards/7.9")
    body = asked.value.post_data_json
    assert body is not None
    assert body["person"] == person["id"]


def test_a_photo_is_not_sent_by_who_signs_in_while_it_is_on_its_way(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    tablet.evaluate(PHOTO, [field.survey, field.site])
    tablet.context.set_offline(False)
    # An attempt that asked who is signed in when it was still a colleague.
    said = tablet.evaluate(
        """([survey, me]) => navigator.locks.request("certify-outbox", async () => {
          await Tablet.store.write(["photos"], async (tx) => {
            for (const row of await tx.objectStore("photos").getAll()) tx.objectStore("photos").put({...row, by_id: me.id, state: "waiting"});
          });
          return Tablet.uploads.sendAll(survey, me, () => {}).then(() => "sent", (error) => error.problem);
        })""",
        [field.survey, {"id": 999999, "name": "Alex Colleague"}],
    )
    assert said == "other_person"
    assert len(tablet.evaluate("(s) => Tablet.store.photos(s, {state: 'waiting'})", field.survey)) == 1
