"""What the tablet keeps and sends, in a real browser: nothing entered is lost, whatever happens to network, session or server."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from certify.certification.surveys.models import Survey
from certify.core.foundation.clock import now
from tests.support.tablet import ALL_SENT, PHOTO, SIZE, Faults, Field, NewPage, until

pytestmark = pytest.mark.one_database


def test_answers_entered_without_a_network_outlive_a_reload_and_go_out_by_themselves(
    field: Field, tablet: Page
) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "no")
    field.record(tablet, "7.9.a", "Kit expired.", "note")
    tablet.reload()
    field.again(tablet)
    assert field.shown(tablet) == {("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired."}
    assert field.waiting(tablet) == {"answers": 2, "photos": 0, "rejected": 0, "drafts": 0}
    assert field.standing() == {}
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired."}


def test_an_ended_session_costs_nothing_and_signing_in_sends(field: Field, tablet: Page) -> None:
    field.end_sessions()
    field.record(tablet, "7.9.a", "yes")
    until(tablet, "Tablet.sender.state().problem === 'signed_out'")
    tablet.reload()
    field.again(tablet)
    field.record(tablet, "7.9.b", "na")
    assert field.send(tablet)["problem"] == "signed_out"
    assert field.waiting(tablet)["answers"] == 2
    assert field.standing() == {}
    field.sign_in(tablet, to="/tablet")
    field.again(tablet)
    until(tablet, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "yes", ("7.9.b", "rating"): "na"}


SIGN_IN_PAGE = "<!DOCTYPE html><html><body><form action='/sign-in'></form></body></html>"


@pytest.mark.parametrize(
    ("problem", "fault"),
    [
        ("server", lambda f: f.says("500 Internal Server Error", "<h1>Oops</h1>")),
        ("server", lambda f: f.says("503 Service Unavailable", "{}", "application/json")),
        ("garbage", lambda f: f.says("200 OK", SIGN_IN_PAGE)),
        ("garbage", lambda f: f.says("200 OK", '{"seq": "many", "acks": {}}', "application/json")),
        ("garbage", lambda f: f.says("200 OK", '{"seq": 1, "acks": [], "changes": [], "conflicts": []}', "application/json")),
        ("garbage", lambda f: f.says("302 Found", "", Location="http://portal.invalid/welcome")),
        ("offline", lambda f: f.cut()),
    ],
    ids=["500", "503", "a sign-in page", "nonsense", "an answer without acks", "a captive portal", "a cut answer"],
)  # fmt: skip
def test_whatever_the_server_answers_nothing_is_lost_and_it_is_tried_again(
    field: Field, tried: Page, faults: Faults, problem: str, fault: Callable[[Faults], Any]
) -> None:
    tablet = tried
    faults.faults = [fault(faults)]
    tablet.evaluate(
        "() => { window.seen = []; Tablet.events.addEventListener('state', (e) => seen.push(e.detail.problem)); }"
    )
    field.record(tablet, "7.9.a", "no")
    until(tablet, ALL_SENT)  # the second try comes by itself
    assert faults.met == 1
    assert problem in tablet.evaluate("() => seen")
    assert field.standing() == {("7.9.a", "rating"): "no"}
    assert field.stored_ops() == 1
    until(tablet, "Tablet.sender.state().problem === null")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(field: Field, tried: Page, faults: Faults) -> None:
    tablet = tried
    tablet.evaluate("() => { Object.assign(Tablet.wire.patience, {silence: 300, pace: 1e9}); }")
    faults.faults = [faults.hang()]
    field.record(tablet, "7.9.a", "no")
    until(tablet, "Tablet.sender.state().problem === 'server'")
    tablet.evaluate("() => { Tablet.wire.patience.silence = 20000; }")
    until(tablet, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "no"}


def test_an_entry_that_the_server_stumbles_over_does_not_hold_back_the_rest(
    field: Field, tried: Page, faults: Faults
) -> None:
    real = faults.real

    def stumble(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if "/sync" not in environ["PATH_INFO"]:
            return real(environ, start)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        return faults.says("500 Internal Server Error")(environ, start) if b"poison" in body else real(environ, start)

    faults.real = stumble
    tried.context.set_offline(True)
    field.record(tried, "7.9.a", "poison", "note")
    for letter in "bcd":
        field.record(tried, f"7.9.{letter}", "yes")
    tried.context.set_offline(False)
    # Nobody presses anything: the app's own tries, here with shorter waits, find the entry and then send the others.
    tried.evaluate("() => { Math.random = () => -1.4; }")
    until(tried, "(await Tablet.store.unsent()).answers === 1")
    assert sorted(field.standing()) == [(f"7.9.{letter}", "rating") for letter in "bcd"]


def test_two_tabs_are_one_tablet(field: Field, tablet: Page) -> None:
    second = tablet.context.new_page()
    field.back(second)
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    field.record(second, "7.9.a", "no")
    field.record(second, "7.9.b", "yes")
    field.record(tablet, "7.9.b", "Both kits.", "note")
    assert field.shown(tablet) == field.shown(second)
    tablet.context.set_offline(False)
    for page in (tablet, second):
        until(page, ALL_SENT)
    assert field.standing() == {
        ("7.9.a", "rating"): "no", ("7.9.b", "rating"): "yes", ("7.9.b", "note"): "Both kits.",
    }  # fmt: skip
    assert field.stored_ops() == 4


def test_another_person_never_sends_what_the_first_entered(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    tablet.context.clear_cookies()
    tablet.context.set_offline(False)
    assert field.send(tablet)["problem"] == "signed_out"
    field.sign_in(tablet, field.staff, to="/tablet")
    field.again(tablet)
    assert field.send(tablet)["problem"] == "other_person"
    assert field.standing() == {}
    tablet.context.clear_cookies()
    field.sign_in(tablet, to="/tablet")
    field.again(tablet)
    until(tablet, ALL_SENT)
    assert field.standing() == {("7.9.a", "rating"): "yes"}


@pytest.mark.parametrize("match", ["/sync", "/attachments/"])
def test_what_is_entered_while_something_is_on_its_way_is_not_taken_for_another_persons(
    field: Field, tablet: Page, faults: Faults, match: str
) -> None:
    tablet.evaluate(
        "() => { window.seen = []; Tablet.events.addEventListener('state', (e) => seen.push(e.detail.problem)); }"
    )
    faults.match, faults.faults = match, [faults.hold()]
    if match == "/sync":
        field.record(tablet, "7.9.a", "yes")
    else:
        tablet.evaluate(PHOTO, [field.survey, field.site])
    assert faults.held.wait(30)
    field.record(tablet, "7.9.b", "no")
    faults.release.set()
    until(tablet, f"{ALL_SENT} && !Tablet.sender.state().sending")
    assert set(tablet.evaluate("() => seen")) == {None}
    assert field.standing()["7.9.b", "rating"] == "no"


def test_the_next_person_sends_at_once_while_the_firsts_entries_wait(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    tablet.context.set_offline(False)
    me = tablet.evaluate("(s) => Tablet.store.meta(`person:${s}`)", field.survey)
    # As if someone else had made it.
    tablet.evaluate(
        """async () => { await navigator.locks.request("certify-outbox", () => Tablet.store.write(["ops"], async (tx) => {
          for (const op of await tx.objectStore("ops").getAll()) tx.objectStore("ops").put({...op, by_id: 999999, state: "waiting"});
        })); }"""
    )
    assert field.send(tablet)["problem"] == "other_person"
    field.record(tablet, "7.9.b", "no")
    until(tablet, f"await Tablet.store.waitingOf({me['id']}) === 0")
    assert tablet.evaluate("() => Tablet.sender.state().problem") == "other_person"
    assert field.standing()["7.9.b", "rating"] == "no"


def test_what_the_server_refuses_is_kept_for_a_person_to_correct_or_discard(field: Field, tablet: Page) -> None:
    refused = field.record(tablet, "99.9.z", "yes")["op"]
    good = field.record(tablet, "7.9.a", "maybe")["op"]
    until(tablet, "(await Tablet.store.unsent()).rejected === 2")
    rows = {r["op"]: r for r in tablet.evaluate("(s) => Tablet.store.ops(s, {state: 'rejected'})", field.survey)}
    assert "not part of this survey" in rows[refused]["reason"]
    tablet.evaluate("([op]) => Tablet.journal.correct(op, 'yes')", [good])
    tablet.evaluate("([op]) => Tablet.journal.discard({op}, 'Wrong number')", [refused])
    until(tablet, ALL_SENT)
    states = {r["op"]: r["state"] for r in tablet.evaluate("(s) => Tablet.store.ops(s)", field.survey)}
    assert (states[refused], states[good]) == ("discarded", "replaced")
    assert field.standing() == {("7.9.a", "rating"): "yes"}
    assert field.row(tablet, "99.9.z")["value"] is None
    assert field.waiting(tablet) == {"answers": 0, "photos": 0, "rejected": 0, "drafts": 0}


def test_a_discarded_entry_gives_back_what_stood_before(field: Field, tablet: Page) -> None:
    field.record(tablet, "7.9.a", "yes")
    until(tablet, ALL_SENT)
    tablet.context.set_offline(True)
    first = field.record(tablet, "7.9.a", "no")["op"]
    second = field.record(tablet, "7.9.a", "na")["op"]
    tablet.evaluate("([op]) => Tablet.journal.discard({op}, '')", [second])
    assert field.row(tablet, "7.9.a")["value"] == "no"
    tablet.evaluate("([op]) => Tablet.journal.discard({op}, '')", [first])
    assert field.row(tablet, "7.9.a")["value"] == "yes"
    assert field.waiting(tablet)["answers"] == 0


def test_what_arrives_after_the_finish_is_kept_and_does_not_pass_for_the_answer(field: Field, tablet: Page) -> None:
    field.record(tablet, "7.9.a", "yes")
    until(tablet, ALL_SENT)
    tablet.context.set_offline(True)
    late = field.record(tablet, "7.9.a", "no")["op"]
    with field.server.session() as session:
        survey = session.get(Survey, field.survey)
        assert survey is not None
        survey.finished_at = now()
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    ops = {op["op"]: op for op in tablet.evaluate("(s) => Tablet.store.ops(s)", field.survey)}
    assert (ops[late]["state"], ops[late]["status"]) == ("sent", "late")
    assert "finished before" in ops[late]["reason"]
    assert field.row(tablet, "7.9.a")["value"] == "yes"
    assert field.standing()[("7.9.a", "rating")] == "yes"


def test_two_tablets_keep_both_values_until_one_settles(field: Field, tablet: Page, new_page: NewPage) -> None:
    other = field.tablet(new_page(**SIZE))
    for page in (tablet, other):
        page.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    field.record(other, "7.9.a", "no")
    field.record(other, "7.9.b", "yes")
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    other.context.set_offline(False)
    until(other, ALL_SENT)
    tablet.evaluate("(survey) => Tablet.sender.watch(survey)", field.survey)
    until(tablet, f"(await Tablet.store.conflicts({field.survey})).length === 1")
    assert field.row(tablet, "7.9.b")["value"] == "yes"
    for page in (tablet, other):
        conflict = page.evaluate("(survey) => Tablet.store.conflicts(survey)", field.survey)[0]
        assert sorted(v["value"] for v in conflict["values"]) == ["no", "yes"]
    field.record(other, "7.9.a", "no")  # the same value: a choice between the two
    until(other, ALL_SENT)
    assert other.evaluate("(survey) => Tablet.store.conflicts(survey)", field.survey) == []
    assert field.standing()[("7.9.a", "rating")] == "no"


def test_a_replaced_tablet_goes_on_from_what_was_acknowledged(field: Field, tablet: Page, new_page: NewPage) -> None:
    field.record(tablet, "7.9.a", "no")
    field.record(tablet, "7.9.a", "Kit expired.", "note")
    until(tablet, ALL_SENT)
    tablet.context.close()
    fresh = field.tablet(new_page(**SIZE))
    assert field.shown(fresh) == {("7.9.a", "rating"): "no", ("7.9.a", "note"): "Kit expired."}


def test_taking_a_survey_again_keeps_what_is_unsent_in_sight(field: Field, tablet: Page, new_page: NewPage) -> None:
    other = field.tablet(new_page(**SIZE))
    field.record(other, "7.9.a", "yes")
    field.record(other, "7.9.b", "yes")
    until(other, ALL_SENT)
    tablet.evaluate("() => { Tablet.sender.soon = () => {}; }")
    field.record(tablet, "7.9.a", "no")
    field.take(tablet)
    assert field.row(tablet, "7.9.a")["value"] == "no"
    assert field.row(tablet, "7.9.a")["standing"]["value"] == "yes"
    assert field.row(tablet, "7.9.b")["value"] == "yes"
    assert field.send(tablet)["problem"] is None
    assert len(tablet.evaluate("(survey) => Tablet.store.conflicts(survey)", field.survey)) == 1


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_the_backup_file_holds_everything_unsent_and_a_digest_of_itself(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    for number in range(3):
        field.record(tablet, "7.9.a", f"Note {number}: “häßlich” \U0001f9ea\u2028\n", "note")
    text = tablet.evaluate("async (survey) => (await Tablet.backup.make(survey)).text()", field.survey)
    made = json.loads(text)
    digest = made.pop("digest")
    assert digest == hashlib.sha256(canonical(made).encode()).hexdigest()
    assert made["certify_backup"] == 1
    assert made["survey"] == field.survey
    assert [op["value"][:6] for op in made["ops"]] == ["Note 0", "Note 1", "Note 2"]
    assert {op["by_id"] for op in made["ops"]} == {made["person"]["id"]}


def test_a_signature_seals_what_stands_by_the_digest_that_python_makes(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.b", {"what": "Log \U0001f9ea Ω"}, "seen_data")
    field.record(tablet, "7.9.a", "yes")
    field.record(tablet, None, "All calm.", "site_note")
    field.record(tablet, "7.9.c", None)
    digest = tablet.evaluate("async (s) => Tablet.seal.digest(await Tablet.store.answers(s))", field.survey)
    said = [
        [field.site, "", "site_note", "All calm."],
        [field.site, "7.9.a", "rating", "yes"],
        [field.site, "7.9.b", "seen_data", {"what": "Log \U0001f9ea Ω"}],
    ]
    assert digest == hashlib.sha256(canonical(said).encode()).hexdigest()


def test_a_survey_with_unsent_work_is_not_removed(field: Field, tablet: Page) -> None:
    tablet.context.set_offline(True)
    field.record(tablet, "7.9.a", "yes")
    remove = "(s) => Tablet.store.removePack(s).then(() => 'removed', (error) => error.name)"
    assert tablet.evaluate(remove, field.survey) == "Unsent"
    tablet.context.set_offline(False)
    until(tablet, ALL_SENT)
    key = f"{field.site}|7.9.a|note"
    keep = "([survey, key, draft]) => Tablet.drafts.keep(survey, key, draft)"
    tablet.evaluate(keep, [field.survey, key, {"text": "MRN 12345678.", "seen": None, "why": "held"}])
    assert tablet.evaluate(remove, field.survey) == "Unsent"
    text = tablet.evaluate("async (survey) => (await Tablet.backup.make(survey)).text()", field.survey)
    assert json.loads(text)["drafts"] == [
        {"site": field.site, "element": "7.9.a", "field": "note", "value": "MRN 12345678.", "why": "held"}
    ]
    tablet.evaluate(keep, [field.survey, key, None])
    assert tablet.evaluate(remove, field.survey) == "removed"
