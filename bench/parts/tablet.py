"""The surveyor's tablet in a browser slowed down four times: taps, starting without a network, the pack, and sending what waited."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from bench.data import DEMO_PASSWORD, Dataset
from bench.parts.part import SMALL, Options, Part, Run
from bench.turns import table
from tests.support.browser import launch

SLOWER = 4
PHOTOS, QUICK_PHOTOS = 60, 12
TAPS, QUICK_TAPS = 120, 24
STARTS = 5
MANY, FEW = 500, 40
SIZE = {"width": 820, "height": 1180}
HEAD = " on the tablet, its processor slowed four times|measured|aim"

# Taps are timed from the finger's event until the frame after the answer is marked as kept; starts until the screen stands.
WATCH = """(() => {
  window.taps = [];
  window.stood = null;
  let touched = 0;
  addEventListener("pointerup", (event) => { if (event.target.closest(".answers__one")) touched = event.timeStamp; }, true);
  new MutationObserver((changes) => {
    for (const { target, attributeName } of changes) {
      if (attributeName === "data-kept" && target.dataset.kept && touched) {
        const began = touched;
        touched = 0;
        requestAnimationFrame(() => window.taps.push(performance.now() - began));
      }
      if (attributeName === "data-ready" && window.stood === null) requestAnimationFrame(() => { window.stood = performance.now(); });
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-kept", "data-ready"] });
})();"""
PHOTOGRAPH = """async ([survey, sites, about, count]) => {
  const canvas = new OffscreenCanvas(1600, 1200), context = canvas.getContext("2d");
  for (let n = 0; n < count; n += 1) {
    const light = context.createLinearGradient(0, 0, 1600, 1200);
    light.addColorStop(0, `hsl(${n * 6}, 40%, 80%)`);
    light.addColorStop(1, `hsl(${n * 6 + 90}, 50%, 30%)`);
    context.fillStyle = light;
    context.fillRect(0, 0, 1600, 1200);
    for (let spot = 0; spot < 6000; spot += 1) {
      context.fillStyle = `hsla(${(spot * 37 + n) % 360}, 60%, 50%, .5)`;
      context.fillRect((spot * 131 + n * 7) % 1600, (spot * 71 + n * 13) % 1200, 14, 9);
    }
    const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    await Tablet.journal.addPhoto(survey, { site: sites[n % sites.length], about: [about[n % about.length]], file, caption: `Photo ${n}` });
  }
  return (await Tablet.store.photos(survey)).reduce((sum, photo) => sum + photo.size, 0);
}"""
# Fills the queue with notes up to that many answers.
FILL = """async ([survey, sites, elements, count]) => {
  const waiting = (await Tablet.store.unsent()).answers;
  for (let n = waiting; n < count; n += 1) {
    await Tablet.journal.record(survey, { site: sites[n % sites.length], element: elements[n % elements.length], field: "note", value: `Seen at ${n}: ${Date.now()}` });
  }
  return (await Tablet.store.unsent()).answers;
}"""
# From the moment the network is back until no answer waits.
SENDING = """() => { window.sent = new Promise((done) => addEventListener("online", () => {
  const began = performance.now();
  const look = async () => {
    if ((await Tablet.store.unsent()).answers) return;
    for (const type of ["state", "changed"]) Tablet.events.removeEventListener(type, look);
    done(performance.now() - began);
  };
  for (const type of ["state", "changed"]) Tablet.events.addEventListener(type, look);
}, { once: true })); }"""
ALL = """() => new Promise((done) => {
  const began = performance.now();
  const look = async () => { const { answers, photos } = await Tablet.store.unsent(); if (!answers && !photos) done(performance.now() - began); };
  Tablet.events.addEventListener("state", look);
  Tablet.events.addEventListener("changed", look);
  Tablet.sender.now();
})"""


@dataclass
class Desk:
    """A survey, who surveys it, and the browser."""

    url: str
    survey: int
    sites: list[int]
    context: BrowserContext
    elements: list[str] = field(default_factory=list)

    def page(self) -> Page:
        """Open a page whose processor is slowed down."""
        page = self.context.new_page()
        self.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        return page

    def screen(self, page: Page, site: int, standard: str) -> None:
        """Go to a standard's screen and wait until it stands."""
        path = f"#/{self.survey}/{site}/{standard}"
        page.goto(f"{self.url}/tablet{path}")
        page.locator(f'#tablet[data-ready="{path}"]').wait_for(state="attached")


def survey_of(data: Dataset) -> tuple[int, str, list[int]]:
    """Return a survey in progress with three visited sites, or with as near to three as there is; and its surveyor."""
    rows = data.rows(
        """select s.id, min(p.email), count(distinct ss.site_id) from survey s join "case" c on c.id = s.case_id
        join case_member m on m.case_id = c.id and m.role = 'surveyor' join person p on p.id = m.person_id
        join survey_site ss on ss.survey_id = s.id and ss.visited
        where c.state = 'survey_in_progress' and s.finished_at is null group by s.id order by s.id"""
    )
    survey, who, _ = min(rows, key=lambda row: (abs(int(str(row[2])) - 3), int(str(row[0]))))
    sites = data.rows(f"select site_id from survey_site where survey_id = {survey} and visited order by site_id")  # noqa: S608
    return int(str(survey)), str(who), [int(str(row[0])) for row in sites]


def take(desk: Desk, who: str) -> tuple[Page, int]:
    """Sign in, install the app, take the survey along; return the page and the pack's size."""
    page = desk.page()
    page.goto(f"{desk.url}/sign-in?next=/tablet")
    page.locator("[name=email]").fill(who)
    page.locator("[name=password]").fill(DEMO_PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/tablet")
    page.evaluate("() => Tablet.shell.ready")
    page.evaluate("(survey) => Tablet.offline.take(survey)", desk.survey)
    pack = page.evaluate("async (survey) => { const { size, pack } = await Tablet.store.pack(survey); return { size, elements: pack.domains.flatMap((d) => d.standards.flatMap((s) => s.elements.map((e) => e.id))) }; }", desk.survey)  # fmt: skip
    desk.elements = pack["elements"]
    return page, int(pack["size"])


def tap(desk: Desk, page: Page, count: int) -> list[float]:
    """Rate one element after the other, standard by standard and site by site; milliseconds until each was confirmed."""
    times: list[float] = []
    standards = list(dict.fromkeys(element.rpartition(".")[0] for element in desk.elements))
    for index, standard in enumerate(standards * len(desk.sites)):
        desk.screen(page, desk.sites[index % len(desk.sites)], standard)
        page.evaluate("() => { window.taps.length = 0; }")
        for tapped, item in enumerate(page.locator("[data-element]:has([data-rate])").all(), start=1):
            kept = item.get_attribute("data-kept")
            item.locator("[data-rate]").nth(1 if kept == "yes" else 0).click()
            page.wait_for_function("(count) => window.taps.length === count", arg=tapped)
        times += page.evaluate("() => window.taps")
        if len(times) >= count:
            return times
    return times


def start(desk: Desk) -> list[float]:
    """Open the app without a network in new tabs, on a standard's screen; milliseconds until it stands."""
    times = []
    for index in range(STARTS):
        page = desk.page()
        desk.screen(page, desk.sites[index % len(desk.sites)], desk.elements[index * 9].rpartition(".")[0])
        page.wait_for_function("() => window.stood !== null")
        times.append(float(page.evaluate("() => window.stood")))
        page.close()
    return times


def send(desk: Desk, page: Page, count: int) -> float:
    """Queue up to that many answers without a network, let it come back, and return the seconds until all were acknowledged."""
    queued = page.evaluate(FILL, [desk.survey, desk.sites, desk.elements, count])
    assert queued >= count, f"only {queued} answers were queued"
    page.evaluate(SENDING)
    desk.context.set_offline(False)
    took = float(page.evaluate("() => window.sent")) / 1000
    desk.context.set_offline(True)
    return took * count / queued


def percentile(times: list[float], share: float) -> float:
    """The time that this share of all did not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def work(run: Run, desk: Desk, who: str) -> dict[str, Any]:
    """A day: take along, leave the network, photograph, answer, start again and again, come back."""
    quick = run.given.quick
    run.say(f"{run.kind}: taking the survey along")
    page, size = take(desk, who)
    desk.context.set_offline(True)
    run.say(f"{run.kind}: photographing")
    photos = QUICK_PHOTOS if quick else PHOTOS
    stored = page.evaluate(PHOTOGRAPH, [desk.survey, desk.sites, desk.elements, photos])
    run.say(f"{run.kind}: answering")
    taps = tap(desk, page, QUICK_TAPS if quick else TAPS)
    starts = start(desk)
    run.say(f"{run.kind}: sending")
    many = send(desk, page, MANY)
    few = send(desk, page, FEW)
    desk.context.set_offline(False)
    rest = float(page.evaluate(ALL)) / 1000
    left = page.evaluate("() => Tablet.store.unsent()")
    assert not any(left.values()), f"not everything was sent: {left}"
    return {
        "sites": len(desk.sites), "elements": len(desk.elements), "photos": photos, "photo_mb": stored / 1e6, "taps": taps,
        "starts": starts, "pack_bytes": size, "many_s": many, "few_s": few, "photos_s": rest,
    }  # fmt: skip


def measure(run: Run) -> str:
    """One browser at one survey."""
    data = run.data(SMALL).copy("tablet")
    survey, who, sites = survey_of(data)
    with run.ours(data) as side, sync_playwright() as playwright:
        browser = launch(playwright)
        # A service worker is only allowed where the browser trusts the address.
        url = side.server.url.replace("127.0.0.1", "localhost")
        try:
            context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
            context.set_default_timeout(60_000)
            context.add_init_script(WATCH)
            found = work(run, Desk(url, survey, sites, context), who)
        except Error as wrong:
            raise RuntimeError(f"the tablet: {wrong}") from wrong
        finally:
            browser.close()
    run.figures["tablet"] = found
    taps, starts = found["taps"], found["starts"]
    rows = [
        [f"tap to confirmed answer, p50 of {len(taps)}", f"{statistics.median(taps):.0f} ms", ""],
        ["tap to confirmed answer, p95", f"{percentile(taps, 0.95):.0f} ms", "< 100 ms"],
        [f"app start without a network, median of {len(starts)}", f"{statistics.median(starts) / 1000:.2f} s", ""],
        ["app start without a network, slowest", f"{max(starts) / 1000:.2f} s", "< 2 s"],
        ["pack without evidence files", f"{found['pack_bytes'] / 1e6:.2f} MB", "< 1.5 MB"],
        [f"{MANY} queued answers sent", f"{found['many_s']:.1f} s", "< 10 s"],
        [f"{FEW} queued answers sent", f"{found['few_s']:.2f} s", "< 1 s"],
        [f"the {found['photos']} photos ({found['photo_mb']:.0f} MB) sent", f"{found['photos_s']:.1f} s", ""],
    ]
    return (
        f"A survey of {found['sites']} sites × {found['elements']} elements, {found['photos']} photos waiting throughout.\n\n"
        f"{table(HEAD, rows)}"
    )


def seconds(given: Options) -> float:
    """Photographs, taps, starts, sending."""
    return 60 if given.quick else 150


PART = Part("tablet", "The surveyor's tablet", seconds, measure)
