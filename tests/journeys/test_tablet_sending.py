"""What stands between a tablet and its server: slow links, limits, clocks set back, a server restored from a backup."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import delete

from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyAttachment, SurveyOp
from tests.support.tablet import ALL_SENT, PHOTO, SIZE, START, Faults, Field, NewPage, until

pytestmark = pytest.mark.one_database
MOST = 900  # bytes that the server in these tests takes at once


@pytest.mark.parametrize("how", ["413", "silence"])
def test_what_is_too_much_at_once_goes_in_smaller_pieces(field: Field, tried: Page, faults: Faults, how: str) -> None:
    real = faults.real

    def narrow(environ: dict[str, Any], start: START) -> Iterable[bytes]:
        if "/sync" not in environ["PATH_INFO"]:
            return real(environ, start)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        if len(body) <= MOST:
            return real(environ, start)
        if how == "silence":
            return faults.hang()(environ, start)
        return faults.says("413 Request Entity Too Large", "<h1>Too large</h1>")(environ, start)

    faults.real = narrow
    # Shorter waits; nobody presses anything.
    tried.evaluate(
        "() => { Math.random = () => -1.4; Object.assign(Tablet.wire.patience, {silence: 1500, pace: 1e9}); }"
    )
    tried.evaluate(
        "([survey, entries]) => Tablet.journal.recordMany(survey, entries)",
        [field.survey, [field.entry(f"7.9.{letter}", "yes") for letter in "abcdef"]],
    )
    until(tried, ALL_SENT)
    assert sorted(field.standing()) == [(f"7.9.{letter}", "rating") for letter in "abcdef"]


def test_an_answer_that_comes_slowly_is_waited_for_as_long_as_it_comes(
    field: Field, tried: Page, faults: Faults
) -> None:
    def trickle(environ: dict[str, Any], start: START) -> Iterable[bytes]:
        body = b"".join(faults.real(environ, lambda *_: None))
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        for at in range(0, len(body), len(body) // 6 + 1):
            faults.release.wait(0.4)  # what is tested is the pace
            yield body[at : at + len(body) // 6 + 1]

    faults.faults = [trickle]
    tried.evaluate("() => { Object.assign(Tablet.wire.patience, {silence: 1200, pace: 1e9}); window.seen = []; }")
    tried.evaluate("() => Tablet.events.addEventListener('state', (e) => seen.push(e.detail.problem))")
    field.record(tried, "7.9.a", "yes")
    until(tried, ALL_SENT)
    assert set(tried.evaluate("() => seen")) == {None}
    assert faults.met == 1


def test_what_others_said_comes_in_pages(field: Field, tablet: Page, new_page: NewPage) -> None:
    other = field.tablet(new_page(**SIZE))
    tablet.evaluate("() => { Tablet.sender.soon = () => {}; }")
    for letter in "abcd":
        field.record(other, f"7.9.{letter}", "yes")
    until(other, ALL_SENT)
    asked: list[int] = []

    def page_of_one(route: Any) -> None:
        """Answer as a server that tells one change a call."""
        asked.append(route.request.post_data_json["since"])
        answer = route.fetch().json()
        told = answer["changes"][:1]
        more = len(answer["changes"]) > 1
        seq = told[0]["seq"] if more else answer["seq"]
        route.fulfill(json={**answer, "changes": told, "seq": seq, **({"more": True} if more else {})})

    tablet.context.route("**/sync", page_of_one)
    tablet.evaluate(
        """(survey) => navigator.locks.request("certify-outbox",
            async () => Tablet.answers.listen(survey, await Tablet.wire.whoAmI(), 0))""",
        field.survey,
    )
    assert field.shown(tablet) == {(f"7.9.{letter}", "rating"): "yes" for letter in "abcd"}
    assert len(asked) == 4
    assert asked == sorted(set(asked))


def test_a_server_restored_from_a_backup_gets_back_what_the_tablet_still_has(field: Field, tablet: Page) -> None:
    field.record(tablet, "7.9.a", "yes")
    until(tablet, ALL_SENT)
    field.record(tablet, "7.9.b", "no")
    until(tablet, ALL_SENT)
    tablet.evaluate(PHOTO, [field.survey, field.site])
    until(tablet, ALL_SENT)
    before = field.standing()
    with field.server.session() as session:
        survey = session.get(Survey, field.survey)
        assert survey is not None
        session.execute(delete(SurveyOp).where(SurveyOp.survey_id == survey.id, SurveyOp.seq > 1))
        session.execute(delete(SurveyAnswer).where(SurveyAnswer.survey_id == survey.id, SurveyAnswer.seq > 1))
        session.execute(delete(SurveyAttachment).where(SurveyAttachment.survey_id == survey.id))
        survey.seq = 1
    tablet.evaluate("(survey) => Tablet.sender.watch(survey)", field.survey)
    field.record(tablet, "7.9.c", "yes")
    until(tablet, f"{ALL_SENT} && (await Tablet.store.meta('since:{field.survey}')) > 3")
    assert field.standing() == {**before, ("7.9.c", "rating"): "yes"}
    assert field.shown(tablet) == field.standing()
    with field.server.session() as session:
        assert session.query(SurveyAttachment).filter_by(survey_id=field.survey).count() == 1


def test_a_clock_set_back_does_not_make_the_newer_word_the_older(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    tablet.evaluate("() => { const real = Date.now; Date.now = () => real() - 3600000; }")
    field.record(tablet, "7.9.a", "no")
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "no"}
    page = tablet.context.new_page()
    page.add_init_script("const real = Date.now; Date.now = () => real() - 7200000;")
    page.goto(f"{field.server.url}/surveys/{field.survey}/sites/{field.site}/standards/7.9")
    with page.expect_request(lambda asked: "/sync" in asked.url and "na" in (asked.post_data or "")) as sent:
        page.locator('[data-element="7.9.a"]').get_by_text("Not applicable", exact=True).click()
    (op,) = sent.value.post_data_json["ops"]  # type: ignore[index]
    last = tablet.evaluate("async () => new Date(await Tablet.store.meta('last_at')).toISOString()")
    assert op["at"] > last
