"""Giving, taking back and giving up single entries on the tablet's screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.tablet import ALL_SENT, PHOTO, SIZE, Field, NewPage, item, until

pytestmark = pytest.mark.one_database


def test_what_is_typed_outlives_a_tablet_that_dies_before_the_pause(field: Field, tablet: Page) -> None:
    # The pause after which a text counts as said never comes.
    tablet.evaluate(
        "() => { const real = setTimeout; window.setTimeout = (run, ms, ...more) => (ms === 500 ? 0 : real(run, ms, ...more)); }"
    )
    field.show(tablet, f"{field.site}/7.9")
    item(tablet, "7.9.a").get_by_text("Note", exact=True).click()
    item(tablet, "7.9.a").get_by_label("Note on 7.9.a").press_sequentially("No kit.")
    key = f"{field.site}|7.9.a|note"
    until(tablet, f"(await Tablet.drafts.of({field.survey}))['{key}']?.text === 'No kit.'")
    second = tablet.context.new_page()
    tablet.close()
    second.goto(f"{field.server.url}/tablet#/{field.survey}/{field.site}/7.9")
    expect(item(second, "7.9.a").get_by_label("Note on 7.9.a")).to_have_value("No kit.")
    until(second, "(({answers, drafts}) => answers + drafts === 0)(await Tablet.store.unsent())")
    assert field.standing() == {("7.9.a", "note"): "No kit."}


def test_a_rating_given_by_mistake_is_taken_back(field: Field, tablet: Page) -> None:
    field.show(tablet, f"{field.site}/7.9")
    place = item(tablet, "7.9.a")
    back = place.get_by_role("button", name="Take the rating back of 7.9.a")
    expect(back).to_be_hidden()
    yes = place.get_by_role("radio", name="Yes", exact=True)
    yes.check(force=True)
    expect(place).to_have_attribute("data-kept", "yes")
    back.click()
    expect(back).to_be_hidden()
    expect(yes).not_to_be_checked()
    expect(yes).to_be_focused()
    until(tablet, ALL_SENT)
    assert field.standing().get(("7.9.a", "rating")) is None


def test_a_photo_is_removed_only_with_a_reason(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.show(tablet, f"{field.site}/7.9")
    tablet.evaluate(PHOTO, [field.survey, field.site])
    tablet.reload()
    place = item(tablet, "7.9.a")
    place.get_by_role("button", name="Remove the photo without a caption").click()
    place.get_by_role("button", name="Remove the photo", exact=True).click()
    expect(place.get_by_text("Say why in a few words.")).to_be_visible()
    assert field.waiting(tablet)["photos"] == 1
    place.get_by_label("Why?", exact=False).fill("Shows a name")
    place.get_by_role("button", name="Remove the photo", exact=True).click()
    expect(place.get_by_role("img", name="Photo without a caption")).to_have_count(0)
    (photo,) = tablet.evaluate("(survey) => Tablet.store.photos(survey)", field.survey)
    assert (photo["state"], photo["reason"]) == ("discarded", "Shows a name")


def test_a_browser_that_cannot_keep_anything_safely_is_told_so(field: Field, new_page: NewPage) -> None:
    page = new_page(**SIZE)
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false});")
    page.goto(f"{field.server.url}/tablet")
    expect(page.get_by_role("heading", name="This app cannot run here")).to_be_visible()
