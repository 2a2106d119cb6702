"""Adding evidence in a real browser: the warning before a file leaves it, and the file's way to the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.builders import PASSWORD
from tests.support.applied import apply
from tests.support.worlds import LiveServer

pytestmark = pytest.mark.by_turns


@pytest.fixture
def upload_page(live_server: LiveServer, page: Page) -> Page:
    with live_server.session() as session:
        made = apply(session)
        session.commit()
        ref, email = made.case.ref, made.people["nurse"].email
    page.goto(f"{live_server.url}/sign-in")
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{live_server.url}/cases/{ref}/evidence/new?item=7.3.b")
    return page


def test_the_browser_warns_of_identifiers_in_names_text_and_tables(upload_page: Page, tmp_path: Path) -> None:
    clean, named, text, table = (tmp_path / name for name in ("policy.txt", "MRN_1234567.txt", "log.txt", "visits.csv"))
    clean.write_text("Our policy.")
    named.write_text("Our policy.")
    text.write_text("Given to DOB 3/14/1951 at noon")
    table.write_text("MRN,Dose\n5551234,20\n")
    upload_page.set_input_files("#file", [str(p) for p in (clean, named, text, table)])
    warnings = upload_page.locator(".drop__warning")
    expect(warnings).to_have_count(3)
    expect(warnings.nth(0)).to_contain_text("a medical record number")
    expect(warnings.nth(1)).to_contain_text("a date of birth")
    expect(warnings.nth(2)).to_contain_text("a medical record number")


def test_a_file_that_is_too_large_never_leaves_the_browser(upload_page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    with large.open("wb") as out:
        out.truncate(26 * 1024 * 1024 + 1)
    upload_page.set_input_files("#file", str(large))
    expect(upload_page.locator(".drop__problem")).to_contain_text("at most 25 MB")
    sent: list[str] = []
    upload_page.on("request", lambda request: sent.append(request.method))
    upload_page.get_by_role("button", name="Add the files").click()
    assert "POST" not in sent


def test_a_file_is_added_held_back_and_settled(
    upload_page: Page, tmp_path: Path, barriers: Callable[[Page], list[str]]
) -> None:
    assert barriers(upload_page) == []
    log = tmp_path / "log.txt"
    log.write_text("MRN: 1234567")
    upload_page.set_input_files("#file", str(log))
    upload_page.get_by_role("button", name="Add the files").click()
    expect(upload_page.get_by_role("heading", name="Version 1 may name patients")).to_be_visible()
    assert barriers(upload_page) == []
    upload_page.get_by_label("Why it names no patient").fill("It is the number of a policy.")
    upload_page.get_by_role("button", name="It names no patient").click()
    expect(upload_page.get_by_text("The version is out of quarantine")).to_be_visible()
    with upload_page.expect_download() as download:
        upload_page.get_by_role("link", name="Download log.txt").click()
    assert Path(download.value.path()).read_text() == "MRN: 1234567"
