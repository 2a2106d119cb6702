"""Days of a surveyor on bad networks: what was acknowledged is on the server once, all else still on the tablet.

Each run is made by its number alone: one to three tablets of different people answer, write, photograph, correct and
discard the same few elements at random, leave the network and come back, and are reloaded, also in the middle of a
write. Between each tablet and the server stands a network that does harm (tests/support/fault_proxy.py). Whenever a
tablet is reloaded, and at the end, what it holds is compared with what the server holds.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from certify.certification.cases.models import CaseMember
from certify.certification.surveys.models import SurveyAttachment, SurveyOp
from certify.certification.surveys.queries import answers_of, open_conflicts
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.rulebook.current import current
from certify.platform.audit.queries import verify_chain
from certify.platform.storage.operations import fetch
from tests.builders import PASSWORD, make_person
from tests.certification.surveys.visits import visit_under_way
from tests.support.fault_proxy import FAULTS, FaultProxy
from tests.support.tablet import ALL_SENT, PATIENCE, SIZE, until
from tests.support.worlds import LiveServer

# Days in one part. How many parts are played is for whoever asks: a few with every test, ten by `make prove`.
RUNS, ON_POSTGRESQL = 10, 2
CHUNKS = max(1, int(os.environ.get("CERTIFY_FAULT_RUNS", "10")) // RUNS)
ELEMENTS = 3  # that the tablets of a run meet at
TEXTS = ("Kit expired.", "Zwölf Stühle", "防护", "🧪 ok", 'He said "no"\n\tand left', " x ")

# The hand that holds the tablet. Waits between attempts are fifty times shorter than a person's; deadlines are not.
HAND = """(() => {
  const real = window.setTimeout;
  window.setTimeout = (work, ms = 0, ...more) => real(work, ms === 20000 || ms === 40000 ? ms : ms / 50, ...more);
  const tick = () => { const then = Date.now(); while (Date.now() === then); };  // two entries never share a moment
  const picture = async (side) => {
    const canvas = new OffscreenCanvas(side, side), context = canvas.getContext("2d"), image = context.createImageData(side, side);
    for (let at = 0; at < image.data.length; at += 65536) crypto.getRandomValues(image.data.subarray(at, Math.min(at + 65536, image.data.length)));
    for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    context.putImageData(image, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  };
  const one = (list, share) => list[Math.floor(share * list.length)];
  const own = async (survey, from) => (await Tablet.store.ops(survey, { state: "waiting" })).filter((op) => op.n > from);
  const said = ({ op, site, element, field, value }) => ({ what: "entered", op, site, element, field, value });
  const Hand = window.Hand = {
    wrong: [],
    async enter({ survey }, { entries }) {
      tick();
      const made = await Tablet.journal.recordMany(survey, entries);
      return made.map((m, n) => m.op && said({ ...entries[n], op: m.op })).filter(Boolean);
    },
    async photo({ survey, site }, { about, side, caption }) {
      const file = await picture(side);
      tick();
      const { uuid, digest } = await Tablet.journal.addPhoto(survey, { site, about, file, caption });
      return [{ what: "photo", uuid, digest }];
    },
    async caption({ survey, photos }, { share, text }) {
      const photo = one((await Tablet.store.photos(survey)).filter((p) => p.at >= photos), share);
      tick();
      if (photo) await Tablet.journal.caption(photo.uuid, text);
    },
    async bind({ survey, photos }, { share, about }) {
      const photo = one((await Tablet.store.photos(survey)).filter((p) => p.at >= photos), share);
      tick();
      if (photo) await Tablet.journal.bind(photo.uuid, about);
    },
    async discard({ survey, from }, { share }) {
      const op = one((await own(survey, from)).filter((o) => !o.field.startsWith("attachment:")), share);
      tick();
      if (op) { await Tablet.journal.discard({ op: op.op }, "Wrong chair"); return [{ what: "discarded", op: op.op }]; }
    },
    async discard_photo({ survey, photos }, { share }) {
      const photo = one((await Tablet.store.photos(survey, { state: "waiting" })).filter((p) => p.at >= photos), share);
      tick();
      if (photo) { await Tablet.journal.discard({ photo: photo.uuid }, "Blurred"); return [{ what: "photo discarded", uuid: photo.uuid }]; }
    },
    async correct({ survey, from }, { share, value }) {
      const op = one((await own(survey, from)).filter((o) => o.field === "rating"), share);
      tick();
      if (op) {
        const made = await Tablet.journal.correct(op.op, value);
        return [{ what: "replaced", op: op.op }, ...(made.op ? [said({ ...op, value, op: made.op })] : [])];
      }
    },
    async send(_place, { wait }) { const going = Tablet.sender.now(); if (wait) await going; },
    async take({ survey }) { await Tablet.offline.take(survey).catch((error) => { if (error.name !== "Failed") throw error; }); },
    async work(place, steps) {
      const heard = [];
      for (const step of steps) {
        try {
          for (const told of (await Hand[step.do](place, step)) || []) heard.push(window.confirmed(told));
        } catch (error) {
          // It arrived between the look and the touch: the screen would say so.
          if (!/has been sent or is settled/.test(error.message)) Hand.wrong.push(`${step.do}: ${error.stack || error}`);
        }
      }
      await Promise.all(heard);
    },
  };
})();"""
REST = """(patience) => Promise.race([window.work, new Promise((_, failed) => setTimeout(
  async () => failed(new Error(JSON.stringify([Tablet.sender.state(), await navigator.locks.query()]))), patience))])"""
START = "() => { Tablet.sender.start(); }"
HOLDS = """async ([survey, from, since]) => {
  const ops = (await Tablet.store.ops(survey)).filter((op) => op.n > from);
  const photos = (await Tablet.store.photos(survey)).filter((photo) => photo.at >= since);
  const there = await Promise.all(photos.map(async ({ uuid, state, digest, blob }) =>
    ({ uuid, state, digest, whole: Boolean(blob) && (await Tablet.photo.digest(blob)) === digest })));
  return { ops, photos: there, wrong: window.Hand.wrong };
}"""
SHOWN = """async ([survey, elements]) => {
  await Tablet.offline.take(survey);
  const answers = (await Tablet.store.answers(survey)).filter((row) => elements.includes(row.element));
  const conflicts = (await Tablet.store.conflicts(survey)).filter((row) => elements.includes(row.element));
  return { answers: answers.map(({ element, field, value, open_op }) => [element, field, value, open_op]),
           conflicts: conflicts.map(({ element, field, values }) => [element, field, values.map((v) => v.value)]),
           state: await Tablet.sender.refresh() };
}"""


class Key(NamedTuple):
    """What an entry is about, at the one site of all runs."""

    element: str
    field: str


@dataclass
class Slate:
    """One tablet: its browser, its network, and what its screen has confirmed."""

    context: BrowserContext
    page: Page
    proxy: FaultProxy
    entered: dict[str, Any] = field(default_factory=dict)
    photos: dict[str, str] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)  # entries discarded or replaced by a person, and photos
    order: dict[str, int] = field(default_factory=dict)
    place: dict[str, Any] = field(default_factory=dict)

    def hear(self, told: dict[str, Any]) -> None:
        """The screen confirms something."""
        if told["what"] == "entered":
            self.entered[told["op"]] = told
        elif told["what"] == "photo":
            self.photos[told["uuid"]] = told["digest"]
        else:
            self.taken_back.add(told.get("op") or told["uuid"])

    def begin(self, survey: int, site: int) -> None:
        """Begin a run: what was entered before is another run's."""
        for known in (self.entered, self.photos, self.taken_back, self.order):
            known.clear()
        made = self.page.evaluate(
            "async (survey) => ({ from: Math.max(0, ...(await Tablet.store.ops(survey)).map((op) => op.n)), photos: new Date().toISOString() })",
            survey,
        )
        self.place = {"survey": survey, "site": site, **made}

    def work(self, steps: list[dict[str, Any]]) -> None:
        """Let the hand begin; it goes on while this returns."""
        self.page.evaluate("([place, steps]) => { window.work = Hand.work(place, steps); }", [self.place, steps])

    def rest(self) -> None:
        """Wait until the hand has done everything."""
        self.page.evaluate(REST, PATIENCE)

    def reload(self) -> None:
        """Load the app anew, whatever it is doing."""
        self.page.reload(wait_until="commit")
        self.page.wait_for_function("() => window.Tablet && Tablet.shell && Tablet.sender && Tablet.desk")
        self.page.evaluate(START)


@dataclass
class Room:
    """A survey, three tablets, and the server."""

    server: LiveServer
    survey: int
    site: int
    elements: list[str]
    slates: list[Slate]
    seq: int = 0
    tally: Counter[str] = field(default_factory=Counter)

    def stored(self) -> tuple[list[SurveyOp], dict[str, SurveyAttachment]]:
        """Return what the server has of this run."""
        with self.server.session() as session:
            session.expire_on_commit = False
            ops = session.scalars(
                select(SurveyOp).where(SurveyOp.survey_id == self.survey, SurveyOp.seq > self.seq)
            ).all()
            files = session.scalars(select(SurveyAttachment).where(SurveyAttachment.survey_id == self.survey)).all()
            return list(ops), {file.uuid: file for file in files}

    def compare(self, slate: Slate, when: str) -> list[dict[str, Any]]:
        """Compare what a tablet holds with what the server holds, at this very moment; the tablet is asked first."""
        confirmed, taken = dict(slate.entered), dict(slate.photos)  # the hand goes on while the tablet is asked
        held = slate.page.evaluate(HOLDS, [self.survey, slate.place["from"], slate.place["photos"]])
        assert held["wrong"] == [], when
        stored, files = self.stored()
        on_server = {op.op: op for op in stored}
        rows = {row["op"]: row for row in held["ops"]}
        slate.order = {op: row["n"] for op, row in rows.items()}
        for op, said in confirmed.items():
            assert op in rows, f"{when}: an entry that the screen confirmed is gone: {said}"
            assert rows[op]["value"] == said["value"], when
        for op, row in rows.items():
            if row["state"] == "sent":
                assert op in on_server, f"{when}: taken as sent, and not on the server: {row}"
                there = on_server[op]
                assert (there.element, there.field, there.value) == (row["about"], row["field"], row["value"]), when
            elif op in confirmed and op not in slate.taken_back:
                # What the hand took back in the moment before a reload it may not have heard.
                assert row["state"] in ("waiting", "discarded", "replaced"), f"{when}: {row}"
        photos = {photo["uuid"]: photo for photo in held["photos"]}
        for uuid, digest in taken.items():
            assert photos[uuid]["digest"] == digest, f"{when}: a confirmed photo is gone"
        for uuid, photo in photos.items():
            if photo["state"] == "sent":
                assert uuid in files, f"{when}: a photo taken as sent is not on the server"
                assert files[uuid].original_sha256 == photo["digest"], when
            else:
                assert photo["whole"], f"{when}: an unsent photo is no longer whole"
        self.tally["looks"] += 1
        return held["ops"]


def steps_of(chance: random.Random, room: Room, elements: list[str]) -> list[dict[str, Any]]:
    """Return what a hand does in one go."""
    made: list[dict[str, Any]] = []
    for _ in range(chance.randint(1, 5)):
        entry = {
            "site": room.site,
            "element": chance.choice(elements),
            "field": "rating",
            "value": chance.choice(["yes", "no", "na", None]),
        }
        kind = chance.choices(
            ["rate", "note", "several", "tracer", "photo", "caption", "bind", "discard", "discard_photo", "correct", "send", "take"],
            [30, 16, 6, 5, 8, 3, 3, 8, 2, 7, 10, 2],
        )[0]  # fmt: skip
        if kind == "rate":
            made.append({"do": "enter", "entries": [entry]})
        elif kind == "note":
            made.append(
                {
                    "do": "enter",
                    "entries": [{**entry, "field": "note", "value": f"{chance.choice(TEXTS)} {chance.random()}"}],
                }
            )
        elif kind == "several":
            made.append(
                {"do": "enter", "entries": [{**entry, "element": element, "value": "yes"} for element in elements]}
            )
        elif kind == "tracer":
            uuid = f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}"
            value = {"kind": "observation", "text": chance.choice(TEXTS), "about": elements[:2]}
            made.append(
                {"do": "enter", "entries": [{**entry, "element": None, "field": f"note:{uuid}", "value": value}]}
            )
        elif kind == "photo":
            about = chance.sample(elements, chance.randint(0, 2))
            made.append(
                {"do": "photo", "about": about, "side": chance.choice([8, 8, 260]), "caption": chance.choice(TEXTS)}
            )
        elif kind == "send":
            made.append({"do": "send", "wait": chance.random() < 0.5})
        else:
            more = {
                "about": chance.sample(elements, 1),
                "text": chance.choice(TEXTS),
                "value": chance.choice(["yes", "no"]),
            }
            made.append({"do": kind, "share": chance.random(), **more})
    return made


def play(room: Room, number: int, elements: list[str]) -> None:
    """One run: a day at the worst network there is, and the evening after it."""
    chance = random.Random(f"tablets {number}")
    slates = room.slates[: 1 + number % len(room.slates)]
    room.seq = max((op.seq for op in room.stored()[0]), default=room.seq)
    for index, slate in enumerate(slates):
        slate.begin(room.survey, room.site)
        slate.proxy.begin(f"network {number} {index}", chance.choice([0.3, 0.6, 0.9]))
    away = [False] * len(slates)
    for moment in range(chance.randint(3, 5)):
        for index, slate in enumerate(slates):
            if chance.random() < 0.3:
                away[index] = not away[index]
                slate.context.set_offline(away[index])
            slate.work(steps_of(chance, room, elements))
        for slate in slates:
            reload = chance.random() < 0.15
            if not reload or chance.random() < 0.5:
                slate.rest()
            if reload:
                room.compare(slate, f"run {number}, before the reload in moment {moment}")
                slate.reload()
                room.compare(slate, f"run {number}, after the reload in moment {moment}")
                room.tally["reloads"] += 1
    finish(room, number, slates, elements)


def finish(room: Room, number: int, slates: list[Slate], elements: list[str]) -> None:
    """The network is well again: everything arrives, and everyone sees the same."""
    for slate in slates:
        slate.rest()
        room.compare(slate, f"run {number}, in the evening")
        slate.proxy.end()
        slate.context.set_offline(False)
    for slate in slates:
        slate.page.evaluate("() => { Tablet.sender.now(); }")
    for slate in slates:
        until(slate.page, ALL_SENT)
    held = [row for slate in slates for row in room.compare(slate, f"run {number}, at the end")]
    assert {row["state"] for row in held} <= {"sent", "discarded", "replaced"}
    stored, files = room.stored()
    assert len({op.op for op in stored}) == len(stored)
    assert (
        {row["op"] for row in held if row["state"] == "sent"} <= {op.op for op in stored} <= {row["op"] for row in held}
    )
    expected = clashes(stored, slates)
    with room.server.session() as session:
        rows = answers_of(session, room.survey)
        there = {(a.element or "", a.field): a.value for a in rows if a.element in elements and a.value is not None}
        known = {(c["element"], c["field"]) for c in open_conflicts(session, room.survey) if c["element"] in elements}
    assert known == set(expected), f"run {number}"
    for slate in slates:
        seen = slate.page.evaluate(SHOWN, [room.survey, elements])
        shown = {(element, name): value for element, name, value, _ in seen["answers"] if value is not None}
        assert shown == there, f"run {number}"
        assert {open_op for *_, open_op in seen["answers"]} <= {None}
        said = {(element, name): values for element, name, values in seen["conflicts"]}
        assert set(said) == set(expected)
        for key, values in expected.items():
            assert sorted(map(repr, said[key])) == sorted(map(repr, values)), f"run {number}: {key}"
        assert (seen["state"]["unsentAnswers"], seen["state"]["unsentPhotos"], seen["state"]["rejected"]) == (0, 0, 0)
        for uuid in slate.photos:
            if uuid in files:
                assert fetch(files[uuid].file_key)
        room.tally["photos"] += len(slate.photos)
        room.tally["entries"] += len(slate.order)
    room.tally["acknowledged"] += sum(row["state"] == "sent" for row in held)
    room.tally["taken back"] += sum(row["state"] != "sent" for row in held)
    room.tally["conflicts"] += len(expected)
    room.tally["runs"] += 1


def clashes(stored: list[SurveyOp], slates: list[Slate]) -> dict[Key, list[Any]]:
    """Return what must be in conflict, by the rule alone: the last words of the tablets that nobody had seen and that differ."""
    order = {op: n for slate in slates for op, n in slate.order.items()}
    by_key: dict[Key, list[SurveyOp]] = {}
    for op in stored:
        by_key.setdefault(Key(op.element, op.field), []).append(op)
    found = {}
    for key, ops in by_key.items():
        seen = max((op.base for op in ops if op.base is not None), default=0)
        last: dict[str, SurveyOp] = {}
        for op in sorted(ops, key=lambda op: order[op.op]):
            last[op.device] = op
        words = [op.value for op in last.values() if op.seq > seen]
        if len({repr(word) for word in words}) > 1:
            found[key] = words
    return found


@pytest.fixture
def room(live_server: LiveServer, clock: FixedClock, browser: Browser) -> Iterator[Room]:
    with live_server.session() as session:
        visit = visit_under_way(session, clock)
        people = [visit.surveyor, make_person(session, Role.SURVEYOR), make_person(session, Role.SURVEYOR)]
        for person in people[1:]:
            session.add(
                CaseMember(
                    case_id=visit.case.id, person_id=person.id, role="surveyor", from_at=now() - timedelta(days=1)
                )
            )
        emails = [person.email for person in people]
        survey, site = visit.survey.id, visit.site_ids[0]
        elements = list(current().editions[visit.survey.edition].element_ids)
    made = Room(live_server, survey, site, elements, [])
    for email in emails:
        proxy = FaultProxy(live_server.url)
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        slate = Slate(context, context.new_page(), proxy)
        made.slates.append(slate)
        context.expose_binding("confirmed", lambda _source, told, slate=slate: slate.hear(told))
        context.add_init_script(HAND)
        page = slate.page
        page.goto(f"{proxy.url}/sign-in?next=/tablet")
        page.locator("[name=email]").fill(email)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url("**/tablet")
        page.evaluate("() => Tablet.shell.ready")
        page.evaluate("(survey) => Tablet.offline.take(survey)", survey)
        page.evaluate(START)
    yield made
    for slate in made.slates:
        slate.context.close()
        slate.proxy.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_lost_and_nothing_arrives_twice_whatever_the_network_does(
    room: Room, database: str, chunk: int
) -> None:
    """Slow because hundreds of days pass in real browsers; nothing smaller shows that the parts hold together."""
    runs = RUNS if database == "sqlite" else ON_POSTGRESQL
    for index in range(runs):
        play(room, chunk * RUNS + index, room.elements[index * ELEMENTS : (index + 1) * ELEMENTS])
    met: Counter[str] = sum((slate.proxy.met for slate in room.slates), Counter())
    print(dict(room.tally), dict(met))
    with room.server.session() as session:
        verdict = verify_chain(session)
    assert verdict.sound, verdict
    assert room.tally["runs"] == runs
    if database == "sqlite":  # what was meant to be met was met
        assert set(met) == {"pass", *FAULTS}
        assert room.tally["conflicts"] > 0
        assert room.tally["reloads"] > 0
