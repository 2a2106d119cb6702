"""The tablet's screens in a real browser: a survey without a network, by finger and by keyboard, and nothing of it lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from certify.certification.surveys.models import SurveyAttachment, SurveyOp
from certify.certification.surveys.queries import answers_of, open_conflicts
from certify.core.foundation.clock import FixedClock
from tests.builders import PASSWORD
from tests.certification.surveys.visits import visit_under_way
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.one_database

TABLET: dict[str, Any] = {"width": 820, "height": 1180, "has_touch": True}
# 25 elements over the seven domains.
SCORED = {
    "1.1": "abcd", "2.1": "abcd", "3.1": "abc", "4.1": "abc", "5.1": "abc", "6.1": "abc", "7.3": "abcde",
}  # fmt: skip
Barriers = Callable[[Page], list[str]]


@dataclass
class Tablet:
    """One tablet with one survey."""

    page: Page
    server: LiveServer
    survey: int
    sites: list[int]
    email: str

    def open(self, path: str) -> None:
        """Go to a screen and wait until it stands."""
        self.page.goto(f"{self.server.url}/tablet#/{path}")
        expect(self.page.locator("#tablet")).to_have_attribute("data-ready", f"#/{path}")

    def standard(self, code: str, site: int = 0) -> None:
        self.open(f"{self.survey}/{self.sites[site]}/{code}")

    def item(self, element: str) -> Locator:
        return self.page.locator(f'[data-element="{element}"]')

    def rate(self, element: str, words: str) -> None:
        """Tap a rating, and wait until the journal has it."""
        key = {"Yes": "yes", "No": "no", "Not applicable": "na"}[words]
        self.item(element).get_by_role("radio", name=words, exact=True).tap()
        expect(self.item(element)).to_have_attribute("data-kept", key)

    def sign_in(self) -> None:
        self.page.goto(f"{self.server.url}/sign-in")
        self.page.locator("[name=email]").fill(self.email)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.locator("main button[type=submit]").first.click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def take_along(self) -> None:
        self.open(f"{self.survey}/take")
        self.page.get_by_role("button", name="Take offline").click()
        expect(self.page.get_by_text("The checklist is on this tablet")).to_be_visible()
        # From here on the app starts without a network.
        # An evaluation has no time limit of its own; a service worker that cannot start must fail the test, not hold it.
        self.page.evaluate(
            """() => Promise.race([
                Tablet.shell.ready.then(() => navigator.serviceWorker.ready).then(() => undefined),
                new Promise((_, late) => setTimeout(() => late(new Error("the service worker did not start")), 30000)),
            ])"""
        )

    def offline(self, off: bool = True) -> None:
        self.page.context.set_offline(off)

    @property
    def line(self) -> Locator:
        return self.page.locator("#save-line")

    def said(self) -> dict[tuple[str | None, str], Any]:
        with self.server.session() as session:
            return {(a.element or None, a.field): a.value for a in answers_of(session, self.survey)}


@pytest.fixture
def tablet(live_server: LiveServer, new_page: Callable[..., Page], clock: FixedClock) -> Tablet:
    """A signed-in surveyor on the day of the visit, the survey taken along."""
    with live_server.session() as session:
        visit = visit_under_way(session, clock)
        survey, sites, email = visit.survey.id, visit.site_ids, visit.surveyor.email
    made = Tablet(new_page(**TABLET), live_server, survey, sites, email)
    made.sign_in()
    made.take_along()
    return made


def picture(number: int, folder: Path) -> Path:
    path = folder / f"bay-{number}.png"
    made = BytesIO()
    Image.new("RGB", (640, 480), (40 * number, 120, 160)).save(made, "PNG")
    path.write_bytes(made.getvalue())
    return path


def test_a_survey_without_a_network_arrives_once_each(tablet: Tablet, tmp_path: Path, barriers: Barriers) -> None:
    """Slow: story 5 whole, with two reloads; it is what the tablet is for."""
    page = tablet.page
    tablet.offline()
    done = 0
    for code, letters in SCORED.items():
        tablet.standard(code)
        for letter in letters:
            tablet.rate(f"{code}.{letter}", "Yes")
            done += 1
        if code == "3.1":
            page.reload()
            expect(tablet.item("3.1.a")).to_have_attribute("data-kept", "yes")
    assert done == 25
    expect(tablet.line).to_contain_text("25 answers not yet sent")

    for number, element in enumerate(("7.3.a", "7.3.b", "7.3.c"), start=1):
        tablet.item(element).locator("input[type=file]").set_input_files(picture(number, tmp_path))
        expect(tablet.item(element).get_by_role("img", name="Photo without a caption")).to_be_visible()
    caption = tablet.item("7.3.b").get_by_role("textbox", name="Caption")
    caption.fill("Kit in bay 2")
    caption.blur()

    page.get_by_role("link", name="Interview").click()
    page.get_by_label("What was said or seen").fill("Two nurses describe the second check in the same way.")
    page.get_by_role("group", name=re.compile("^7.3 ")).get_by_role("checkbox").nth(1).check()
    page.get_by_text("1 Patient engagement").click()
    page.get_by_role("group", name=re.compile("^1.1 ")).get_by_role("checkbox").first.check()
    expect(page.get_by_text("Kept on this tablet as a draft")).to_be_visible()
    page.reload()
    expect(page.get_by_label("What was said or seen")).to_have_value(
        "Two nurses describe the second check in the same way."
    )
    assert barriers(page) == []
    page.get_by_role("button", name="Save the note").click()
    expect(page.get_by_text("Interview kept.")).to_be_visible()
    expect(tablet.line).to_contain_text("3 photos not yet sent")

    tablet.open(f"{tablet.survey}/outbox")
    expect(page.get_by_role("heading", name="Photos 3")).to_be_visible()
    assert barriers(page) == []
    tablet.offline(False)
    expect(tablet.line).to_contain_text("All sent", timeout=30_000)
    expect(page.get_by_text("Everything is sent")).to_be_visible()

    said = tablet.said()
    ratings = {element: value for (element, field), value in said.items() if field == "rating"}
    assert ratings == {f"{code}.{letter}": "yes" for code, letters in SCORED.items() for letter in letters}
    notes = [value for (element, field), value in said.items() if field.startswith("note:")]
    assert [(note["kind"], note["about"]) for note in notes] == [("interview", ["1.1.a", "7.3.b"])]
    with tablet.server.session() as session:
        photos = session.scalars(select(SurveyAttachment).where(SurveyAttachment.survey_id == tablet.survey)).all()
        ops = session.scalars(
            select(SurveyOp).where(SurveyOp.survey_id == tablet.survey, SurveyOp.field == "rating")
        ).all()
    assert len(photos) == 3
    assert len(ops) == 25
    assert any(value == {"caption": "Kit in bay 2"} for value in said.values())


def test_findings_are_placed_in_the_matrix_without_a_network(tablet: Tablet) -> None:
    """Story 6, the tablet's half: five findings, two of them in cells that demand statements."""
    page = tablet.page
    tablet.offline()
    placed = {
        "a": ("low", "limited"), "b": ("moderate", "pattern"), "c": ("high", "limited"), "d": ("moderate", "widespread"), "e": ("high", "pattern"),
    }  # fmt: skip
    tablet.standard("7.3")
    for letter, (harm, scope) in placed.items():
        item = tablet.item(f"7.3.{letter}")
        tablet.rate(f"7.3.{letter}", "No")
        expect(item.get_by_text("No needs a note: what was seen?")).to_be_visible()
        note = item.get_by_role("textbox", name=f"Note on 7.3.{letter}")
        note.fill("Not on file for two of five nurses.")
        note.blur()
        expect(item.get_by_text("No needs a note: what was seen?")).to_be_hidden()
        item.get_by_text("Severity and scope", exact=True).click()
        item.get_by_role("radio", name=f"Harm {harm}, {scope}").check()
        expect(item.locator(".matrix__outcome")).not_to_be_empty()
        demanded = item.get_by_text("The plan of correction will have to say")
        expect(demanded).to_have_count(1 if letter in "de" else 0)
    tablet.offline(False)
    expect(tablet.line).to_contain_text("All sent", timeout=30_000)
    said = tablet.said()
    assert {letter: said[f"7.3.{letter}", "risk"] for letter in placed} == {
        letter: {"harm": harm, "scope": scope} for letter, (harm, scope) in placed.items()
    }
    expect(page.get_by_role("progressbar", name="Answered at", exact=False)).to_have_js_property("value", 5)


def test_what_may_name_a_patient_waits_until_it_is_confirmed_twice(tablet: Tablet) -> None:
    tablet.standard("7.3")
    tablet.rate("7.3.b", "No")
    expect(tablet.line).to_contain_text("All sent")
    item = tablet.item("7.3.b")
    note = item.get_by_role("textbox", name="Note on 7.3.b")
    note.fill("Chart of MRN 12345678 has no second name.")
    note.blur()
    warning = item.get_by_role("alert")
    expect(warning).to_contain_text("MRN 12345678")
    expect(warning).to_contain_text("a medical record number")
    # It is not lost by a reload, and still not sent.
    tablet.page.reload()
    expect(item.get_by_role("textbox", name="Note on 7.3.b")).to_have_value("Chart of MRN 12345678 has no second name.")
    assert ("7.3.b", "note") not in tablet.said()
    item.get_by_role("button", name="Keep it as it is").click()
    assert ("7.3.b", "note") not in tablet.said()
    item.get_by_role("button", name="Yes, keep and send it").click()
    expect(warning).to_be_hidden()
    expect(item.get_by_text("No needs a note")).to_be_hidden()
    expect(tablet.line).to_contain_text("All sent")
    assert tablet.said()["7.3.b", "note"] == "Chart of MRN 12345678 has no second name."


def test_a_text_that_is_held_back_counts_as_not_sent_wherever_that_is_asked(tablet: Tablet) -> None:
    page = tablet.page
    tablet.standard("7.3")
    tablet.rate("7.3.b", "No")
    note = tablet.item("7.3.b").get_by_role("textbox", name="Note on 7.3.b")
    note.fill("Chart of MRN 12345678 has no second name.")
    note.blur()
    expect(tablet.item("7.3.b").get_by_role("alert")).to_be_visible()
    expect(tablet.line).to_have_text("1 text held back")
    expect(tablet.line).to_have_class(re.compile("save-line--held"))
    words = "1 text held back or not finished, on this tablet only"
    expect(tablet.line).to_have_attribute("title", re.compile(rf"^{words}: .* All else sent"))
    # From a screen of no survey, and back here, the line leads to where the text is listed.
    tablet.open("")
    expect(tablet.line).to_have_attribute("href", "#/")
    tablet.standard("7.3")
    tablet.line.click()
    expect(page.get_by_role("link", name="7.3.b · Note")).to_be_visible()
    tablet.open(f"{tablet.survey}/finish")
    expect(page.get_by_text(words)).to_be_visible()
    page.goto(f"{tablet.server.url}/account")
    page.locator(".menu--account summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("This tablet holds work that has not been sent")).to_be_visible()
    expect(page.get_by_text(words)).to_be_visible()
    tablet.open(f"{tablet.survey}/outbox")
    expect(page.get_by_role("link", name="7.3.b · Note")).to_be_visible()
    with page.expect_download():
        page.get_by_role("button", name="Save a backup file").click()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Discard the text").click()
    expect(page.get_by_text("Everything is sent")).to_be_visible()
    expect(tablet.line).to_contain_text("All sent")


def test_an_answer_needs_no_finger(tablet: Tablet) -> None:
    page = tablet.page
    tablet.open(f"{tablet.survey}")
    page.get_by_role("link", name="Patient engagement at", exact=False).first.focus()
    page.keyboard.press("Enter")
    # The heading of the new screen has the focus, so a reader begins there.
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    tablet.standard("1.1")
    page.get_by_role("button", name="Guidance").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="For 1.1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Guidance")).to_be_focused()
    page.keyboard.press("Tab")
    expect(tablet.item("1.1.a").get_by_role("radio", name="Yes")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tablet.item("1.1.a")).to_have_attribute("data-kept", "no")
    page.keyboard.press("ArrowLeft")
    expect(tablet.item("1.1.a")).to_have_attribute("data-kept", "yes")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(tablet.item("1.1.a").get_by_label("Documents: what was seen for 1.1.a")).to_be_visible()
    expect(tablet.line).to_contain_text("All sent")
    said = tablet.said()
    assert (said["1.1.a", "rating"], said["1.1.a", "seen_documentation"]) == ("yes", True)


def test_a_rating_that_could_not_be_kept_is_not_shown_as_given_and_can_be_tapped_again(tablet: Tablet) -> None:
    page = tablet.page
    tablet.standard("7.3")
    page.evaluate(
        """() => {
          const real = window.real = IDBObjectStore.prototype.add;
          IDBObjectStore.prototype.add = () => { throw new DOMException("The disk is full.", "QuotaExceededError"); };
        }"""
    )
    no = tablet.item("7.3.a").get_by_role("radio", name="No", exact=True)
    no.tap()
    expect(page.get_by_text("This could not be kept on the tablet.")).to_be_visible()
    expect(no).not_to_be_checked()
    page.evaluate("() => { IDBObjectStore.prototype.add = window.real; }")
    tablet.rate("7.3.a", "No")
    expect(no).to_be_checked()


def test_one_file_that_is_no_picture_does_not_keep_the_others_out(tablet: Tablet, tmp_path: Path) -> None:
    tablet.standard("7.3")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    files = [picture(1, tmp_path), broken, picture(2, tmp_path)]
    tablet.item("7.3.a").locator("input[type=file]").set_input_files(files)
    expect(tablet.page.get_by_text("broken.jpg could not be kept.")).to_be_visible()
    expect(tablet.item("7.3.a").get_by_role("img", name="Photo without a caption")).to_have_count(2)


def test_several_are_marked_as_met_with_one_confirmed_tap(tablet: Tablet) -> None:
    page = tablet.page
    tablet.standard("1.1")
    tablet.rate("1.1.b", "No")
    page.get_by_role("link", name="Mark several as met").click()
    page.get_by_role("button", name="Tick all 5").click()
    page.get_by_role("button", name="Mark 5 elements as met").click()
    expect(page.get_by_text("5 elements will be rated Yes")).to_be_visible()
    page.get_by_role("button", name="Yes, mark 5 as met").click()
    expect(tablet.item("1.1.a")).to_have_attribute("data-kept", "yes")
    expect(tablet.item("1.1.b")).to_have_attribute("data-kept", "no")
    expect(tablet.line).to_contain_text("All sent")
    assert {value for (element, field), value in tablet.said().items() if element != "1.1.b"} == {"yes"}


def test_both_sides_of_a_conflict_are_seen_and_one_is_chosen(tablet: Tablet, new_page: Callable[..., Page]) -> None:
    other = Tablet(new_page(**TABLET), tablet.server, tablet.survey, tablet.sites, tablet.email)
    other.sign_in()
    other.take_along()
    tablet.offline()
    tablet.standard("7.3")
    tablet.rate("7.3.a", "No")
    other.standard("7.3")
    other.rate("7.3.a", "Yes")
    expect(other.line).to_contain_text("All sent")
    tablet.offline(False)
    expect(tablet.line).to_contain_text("All sent", timeout=30_000)
    page = tablet.page
    page.get_by_role("link", name="1 conflict", exact=True).click()
    clash = page.get_by_role("group", name="Two values stand for rating of 7.3.a")
    expect(clash.get_by_role("button", name="Keep this")).to_have_count(2)
    clash.get_by_role("button", name="Keep this : No", exact=False).click()
    expect(page.get_by_text("No conflicts", exact=True)).to_be_visible()
    expect(tablet.line).to_contain_text("All sent")
    with tablet.server.session() as session:
        assert open_conflicts(session, tablet.survey) == []
    assert tablet.said()["7.3.a", "rating"] == "no"


def test_what_waits_can_be_corrected_or_discarded_with_a_reason(tablet: Tablet) -> None:
    page = tablet.page
    tablet.offline()
    tablet.standard("7.3")
    tablet.rate("7.3.a", "No")
    tablet.rate("7.3.b", "Yes")
    tablet.open(f"{tablet.survey}/outbox")
    page.get_by_text("7.3.a", exact=False).first.click()
    page.get_by_role("radio", name="Not applicable").click()
    expect(page.get_by_text("Corrected.", exact=False)).to_be_visible()
    page.locator(".outbox__entry", has_text="7.3.b").locator("summary").click()
    entry = page.locator(".outbox__entry", has_text="7.3.b")
    entry.get_by_role("button", name="Discard").click()
    entry.get_by_role("button", name="Discard the entry").click()
    expect(entry.get_by_text("Say why in a few words.")).to_be_visible()
    entry.get_by_label("Why?", exact=False).fill("Rated the wrong one")
    entry.get_by_role("button", name="Discard the entry").click()
    expect(page.get_by_role("heading", name="Answers 1")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a backup file").click()
    assert saved.value.suggested_filename.startswith("certify-backup-")
    tablet.offline(False)
    expect(tablet.line).to_contain_text("All sent", timeout=30_000)
    said = tablet.said()
    assert said["7.3.a", "rating"] == "na"
    assert said.get(("7.3.b", "rating")) is None


def test_a_signature_is_shown_broken_when_an_answer_changes(tablet: Tablet, barriers: Barriers) -> None:
    page = tablet.page
    tablet.offline()
    tablet.standard("7.3")
    tablet.rate("7.3.a", "Yes")
    tablet.open(f"{tablet.survey}/finish")
    expect(page.get_by_role("heading", name="Still missing", exact=False)).to_be_visible()
    assert barriers(page) == []
    leader = page.get_by_role("region", name="Signature of the practice leader")
    glass = leader.locator("canvas")
    glass.scroll_into_view_if_needed()
    box = glass.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 90)
    page.mouse.down()
    for step in range(8):
        page.mouse.move(box["x"] + 40 + step * 20, box["y"] + (60 if step % 2 else 120))
    page.mouse.up()
    leader.get_by_label("Name", exact=True).fill("Pat Director")
    leader.get_by_role("button", name="Sign as practice leader").click()
    expect(leader.get_by_text("Seal intact", exact=False)).to_be_visible()
    expect(leader.get_by_role("img", name="Signature of Pat Director")).to_be_visible()
    tablet.standard("7.3")
    tablet.rate("7.3.a", "Not applicable")
    tablet.open(f"{tablet.survey}/finish")
    expect(leader.get_by_text("Seal broken", exact=False)).to_be_visible()
    tablet.offline(False)
    expect(tablet.line).to_contain_text("All sent", timeout=30_000)
    signed = tablet.said()[None, "signature:leader"]
    assert signed["name"] == "Pat Director"
    assert signed["strokes"].startswith("data:image/png;base64,")
    assert len(signed["strokes"]) <= 60 * 1024


def test_every_screen_is_without_barriers_online_and_offline(tablet: Tablet, barriers: Barriers) -> None:
    """Slow: each screen is looked at with axe, with a network and without, in the light scheme and the dark."""
    page, site = tablet.page, tablet.sites[0]
    tablet.standard("7.3")
    tablet.rate("7.3.a", "No")
    tablet.item("7.3.a").get_by_text("Severity and scope", exact=True).click()
    found: list[str] = []
    found += barriers(page)
    screens = (
        "", f"{tablet.survey}", f"{tablet.survey}?show=open&site={site}", f"{tablet.survey}?show=not_met&site={site}", f"{tablet.survey}/take",
        f"{tablet.survey}/{site}/7.3", f"{tablet.survey}/several/{site}/d1", f"{tablet.survey}/notes", f"{tablet.survey}/note/tracer/{site}/7.3",
        f"{tablet.survey}/practice", f"{tablet.survey}/conflicts", f"{tablet.survey}/outbox", f"{tablet.survey}/finish", "leaving",
    )  # fmt: skip
    for off, scheme in ((False, "light"), (True, "dark")):
        tablet.offline(off)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in screens:
            tablet.open(path)
            found += [f"{path or 'start'}, {scheme}: {line}" for line in barriers(page)]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, path
    assert found == []


# What the focus comes to and is hidden by a bar that stays in view, or is too small for a finger; a hidden box is its label.
UNDER_A_BAR = """async () => {
  const bars = [...document.querySelectorAll(".thumb-bar, .survey-bar")].map((bar) => bar.getBoundingClientRect());
  const found = [];
  for (const one of document.querySelectorAll("main :is(a[href], button, input, summary, textarea)")) {
    if (!one.checkVisibility() || one.disabled || one.closest(".thumb-bar")) continue;
    one.focus();
    const target = one.matches("input.sr-only") && one.labels[0] ? one.labels[0] : one;
    const box = target.getBoundingClientRect();
    if (document.activeElement !== one || box.height > innerHeight / 2) continue;
    const name = `${target.className || target.localName} ${target.textContent.trim().slice(0, 40)}`;
    if (bars.some((bar) => Math.min(box.bottom, bar.bottom) - Math.max(box.top, bar.top) > 1)) found.push(`hidden: ${name}`);
    if (!target.matches(".chip, .chip-toggle, .answers__label")) continue;
    const seen = await axe.run(target, {runOnly: {type: "rule", values: ["target-size"]}});
    if (seen.violations.length) found.push(`target-size: ${name}`);
    if (Math.min(box.width, box.height) < 44) found.push(`small: ${name}`);
  }
  return found;
}"""


@pytest.mark.parametrize("width", [820, 390])
def test_the_bars_hide_nothing_that_the_focus_comes_to(tablet: Tablet, barriers: Barriers, width: int) -> None:
    """Slow: it goes through every control of the pages of a standard, on the tablet and of the server, and of a note."""
    page, site = tablet.page, tablet.sites[0]
    page.set_viewport_size({"width": width, "height": 1180 if width == 820 else 844})
    barriers(page)  # brings axe along
    tablet.standard("7.3")
    tablet.rate("7.3.a", "No")
    assert page.evaluate(UNDER_A_BAR) == []
    tablet.open(f"{tablet.survey}/note/tracer/{site}/7.3")
    boxes = page.locator(".picker__element input")
    boxes.first.check()
    boxes.nth(1).check()
    expect(page.locator(".picker__chip")).to_have_count(2)
    assert page.evaluate(UNDER_A_BAR) == []
    page.goto(f"{tablet.server.url}/surveys/{tablet.survey}/sites/{site}/standards/7.3")
    barriers(page)
    assert page.evaluate(UNDER_A_BAR) == []


def test_who_goes_on_while_a_note_is_being_kept_stays_there(tablet: Tablet) -> None:
    page = tablet.page
    tablet.open(f"{tablet.survey}/note/tracer/{tablet.sites[0]}/7.3")
    page.evaluate(
        """() => {
            const keep = Tablet.drafts.keep;
            globalThis.writes = [];
            globalThis.begun = new Promise((begin) => {
                Tablet.drafts.keep = (...all) => new Promise((kept) => begin(writes.push(() => keep(...all).then(kept))));
            });
        }"""
    )
    page.locator(".picker__element input").first.check()
    page.evaluate("begun")
    tablet.open(f"{tablet.survey}/outbox")
    page.evaluate("Promise.all(writes.map((write) => write())).then(() => undefined)")
    assert page.evaluate("location.hash") == f"#/{tablet.survey}/outbox"


def test_signing_out_with_unsent_work_warns_first_on_any_page(tablet: Tablet) -> None:
    page = tablet.page
    tablet.offline()
    tablet.standard("7.3")
    tablet.rate("7.3.a", "Yes")
    # The tablet's own sender must not be quicker than the press.
    page.context.route("**/sync", lambda route: route.abort())
    tablet.offline(False)
    page.goto(f"{tablet.server.url}/account")
    page.locator(".menu--account summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("This tablet holds work that has not been sent")).to_be_visible()
    expect(page.get_by_text("1 answer not yet sent.", exact=True)).to_be_visible()
    with page.expect_download():
        page.get_by_role("button", name="Save a backup file").click()
    page.context.unroute("**/sync")
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("You can sign out without leaving anything behind.")).to_be_visible(timeout=30_000)
    page.goto(f"{tablet.server.url}/account")
    page.locator(".menu--account summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(lambda url: "/account" not in url)
    assert "/tablet" not in page.url
