/* The tablet's screens by address: #/ start · #/12/take · #/12 standards · #/12/3/7.9 one standard · notes, conflicts, outbox, finish. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, button, notice, icon } = Tablet.dom;
  const root = document.getElementById("tablet");
  const PRODUCT = "certify";

  let leaving = [];
  let before = [];
  let first = true;
  let turn = 0;

  const told = h("div", { class: "tablet-told", role: "alert", "aria-live": "assertive" });
  const spoken = h("div", { class: "tablet-said", role: "status", "aria-live": "polite" });
  let saidTimer = 0;

  /** Something could not be kept: said at once, and it stays until it is closed. */
  function failed(error, words = "This could not be kept on the tablet. ") {
    const full = error && error.full;
    const why = full ? "Its storage is full. Save a backup file and free some space." : (error && error.message) || "";
    const box = notice("late", words.trim(), h("p", {}, why), h("div", { class: "form-actions" },
      full && Tablet.desk.current() && button("Save a backup file", () => Tablet.backup.save(Tablet.desk.current().survey), { kind: "filled" }),
      button("Close", () => told.replaceChildren(), { kind: "quiet" })));
    told.replaceChildren(box);
  }
  function said(words) {
    clearTimeout(saidTimer);
    spoken.replaceChildren(icon("check"), h("span", {}, words));
    saidTimer = setTimeout(() => spoken.replaceChildren(), 5000);
  }

  const missing = (words) => ({
    title: "Not found",
    parts: [Tablet.start.header(), h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("Not found", h("p", {}, words), h("p", {}, h("a", { href: "#/" }, "Surveys on this tablet"))))],
  });

  // [pattern, screen]; a screen gets the desk of its survey and the parts of its address.
  const ROUTES = [
    [/^$/, () => Tablet.start.show()],
    [/^leaving$/, () => Tablet.leaving.show()],
    [/^(\d+)\/take$/, (survey) => Tablet.taking.show(Number(survey)), "free"],
    [/^(\d+)$/, (desk, query) => Tablet.lists.show(desk, query)],
    [/^(\d+)\/several\/(\d+)\/([\w.]+)$/, (desk, query, site, what) => Tablet.several.show(desk, { site: Number(site), what })],
    [/^(\d+)\/notes$/, (desk) => Tablet.notes.show(desk)],
    [/^(\d+)\/note\/(\w+)(?:\/(\d+))?(?:\/([\d.]+))?$/, (desk, query, kind, site, code) => Tablet.notes.write(desk, { kind, site: site && Number(site), code })],
    [/^(\d+)\/notes\/([\w-]+)$/, (desk, query, uuid) => Tablet.notes.write(desk, { uuid })],
    [/^(\d+)\/practice$/, (desk) => Tablet.practice.show(desk)],
    [/^(\d+)\/conflicts$/, (desk) => Tablet.conflicts.show(desk)],
    [/^(\d+)\/outbox$/, (desk) => Tablet.outbox.show(desk)],
    [/^(\d+)\/finish$/, (desk) => Tablet.finish.show(desk)],
    [/^(\d+)\/(\d+)\/(\d+\.\d+)(?:\/(\w+))?$/, (desk, query, site, code, letter) => Tablet.standard.show(desk, { site, code, letter })],
  ];

  let watched;
  const watch = (survey) => {
    if (watched === survey) return;
    watched = survey;
    Tablet.sender.watch(survey);
  };

  async function screen() {
    const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
    for (const [pattern, run, free] of ROUTES) {
      const match = pattern.exec(path.replace(/\/$/, ""));
      if (!match) continue;
      if (match.length === 1 || free) {
        if (!free) watch(null);
        return run(...match.slice(1));
      }
      const survey = Number(match[1]);
      const desk = await Tablet.desk.open(survey);
      if (!desk) return Tablet.taking.show(survey);
      watch(survey);
      return run(desk, new URLSearchParams(search), ...match.slice(2));
    }
    return missing("There is nothing at this address.");
  }

  /** Draw the screen of the address. The heading takes the focus, so that a reader starts where the eye does. */
  async function route({ keep = false } = {}) {
    const mine = (turn += 1);
    const stops = [before, leaving];
    const waits = before.map((run) => run());
    before = [];
    leaving = [];
    await Promise.allSettled(waits);
    let made;
    try {
      made = await screen();
    } catch (error) {
      made = missing("This screen could not be opened. Nothing that was entered is lost.");
      failed(error, "This screen could not be opened. ");
    }
    if (mine !== turn) return;
    for (const run of stops[1]) run();
    const at = keep ? window.scrollY : 0;
    Tablet.whose.draw();
    root.replaceChildren(skip, told, spoken, Tablet.line.voice, Tablet.whose.place, ...made.parts);
    document.title = `${made.title} · ${PRODUCT}`;
    window.scrollTo(0, at);
    if (made.focus && !keep) made.focus();
    else if (!first && !keep) {
      const heading = root.querySelector("h1");
      if (heading) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
    }
    first = false;
    root.dataset.ready = location.hash || "#/";
  }

  const skip = h("a", { class: "usa-skipnav skip", href: "#main", on: { click: (event) => {
    event.preventDefault();
    const main = document.getElementById("main");
    if (main) main.focus();
  } } }, "Skip to the content");

  // Menus made of <details>: Escape and a press elsewhere close them.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // What is being typed goes to the journal when the page is hidden or left, not only after a pause.
  const flush = () => { for (const run of before) run(); };
  document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
  window.addEventListener("pagehide", flush);

  Tablet.app = {
    failed, said, missing,
    /** Work to finish before this screen is left; `run` gives a promise or nothing. */
    beforeLeaving: (run) => before.push(run),
    /** What to undo when this screen is left. */
    onLeave: (run) => leaving.push(run),
    again: () => route({ keep: true }),
    go: (hash) => { location.hash = hash; },
  };

  async function start() {
    Tablet.events.addEventListener("state", (event) => Tablet.line.take(event.detail));
    Tablet.events.addEventListener("changed", (event) => {
      const desk = Tablet.desk.current();
      if (desk && event.detail.survey === desk.survey) Tablet.desk.changed(event.detail).catch(failed);
    });
    Tablet.events.addEventListener("draft", ({ detail: { survey, key, value } }) => {
      const desk = Tablet.desk.current();
      if (desk && survey === desk.survey) desk.takeDraft(key, value);
    });
    Tablet.events.addEventListener("pack", (event) => {
      const desk = Tablet.desk.current();
      // A newer pack is laid out with the next screen; the one being worked on stays.
      if (desk && event.detail.survey === desk.survey) Tablet.desk.forget();
    });
    window.addEventListener("hashchange", () => route());
    if (!Tablet.shell.possible()) {
      root.replaceChildren(h("main", { id: "main", class: "page" }, h("h1", {}, "This app cannot run here"), h("p", {}, "It needs an address that begins with https, and a browser of the last few years. Nothing can be entered here, so that nothing gets lost."), h("p", {}, "With a network the ", h("a", { href: "/my-surveys" }, "checklist pages"), " do the same.")));
      return;
    }
    try {
      await Tablet.store.open();
    } catch (error) {
      root.replaceChildren(h("main", { id: "main", class: "page" }, h("h1", {}, "The tablet's storage cannot be opened"), h("p", {}, "This browser does not let the app keep anything (a private window, or storage is turned off). Nothing can be entered here, so that nothing gets lost. Open the app in a normal window."), h("p", { class: "muted" }, error.message)));
      return;
    }
    Tablet.line.take(Tablet.sender.state() || {});
    await route();
    Tablet.sender.start();
  }

  start();
})();
