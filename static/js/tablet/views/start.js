/* The first screen: surveys taken on this tablet, how the tablet is, how to take one along. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, badge, card, button, linkButton, notice, moment, bytes, empty } = Tablet.dom;

  const header = (zone) => h("header", { class: "survey-bar" }, h("div", { class: "survey-bar__row" }, h("a", { class: "survey-bar__back tablet-brand", href: "#/" }, icon("mark"), h("strong", {}, "certify on this tablet")), Tablet.line.line(null, zone)));
  const main = (...children) => h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, children);

  function dates(survey) {
    const [from, to] = [survey.starts_on, survey.ends_on];
    const day = (on) => new Date(`${on}T12:00:00Z`).toLocaleDateString("en-US", { weekday: "short", month: "short", day: "numeric", year: "numeric", timeZone: "UTC" });
    return from ? (to && to !== from ? `${day(from)} to ${day(to)}` : day(from)) : "";
  }

  function surveyCard(taken, unsent, me, makers) {
    const { survey } = taken.pack;
    const waiting = Tablet.line.waitingWords({ unsentAnswers: unsent.answers, unsentPhotos: unsent.photos }) || Tablet.line.draftWords(unsent.drafts);
    const foreign = me && me.id ? makers.filter((one) => one.id !== me.id).map((one) => one.name) : [];
    const mark = unsent.rejected ? badge("late", Tablet.dom.count(unsent.rejected, "entry refused", "entries refused"), "alert") : null;
    return h("li", { class: "card tablet-survey" },
      h("div", { class: "tablet-survey__words" },
        h("h2", {}, h("a", { href: `#/${taken.survey}` }, survey.practice)),
        h("p", { class: "muted" }, [survey.ref, survey.edition && `standards ${survey.edition}`, survey.round > 1 && `visit ${survey.round}`, dates(survey)].filter(Boolean).join(" · ")),
        h("p", {}, waiting ? badge("due", waiting, "upload") : badge("met", "Nothing waits to be sent", "check"), " ", mark, survey.finished ? badge("neutral", "Finished") : null),
        h("p", { class: "muted" }, `Taken along ${moment(taken.taken_at, survey.zone)} by ${taken.person ? taken.person.name : "someone"} · ${bytes(taken.size)}`),
        foreign.length ? notice("late", `Unsent work of ${Tablet.dom.list(foreign)}`, h("p", {}, `${me.name} is signed in now, and cannot send another person's entries. Let ${Tablet.dom.list(foreign)} sign in here, or save a backup file that the program can take in.`)) : null),
      h("div", { class: "tablet-survey__acts" },
        linkButton("Open", `#/${taken.survey}`, { kind: "filled", also: survey.practice }),
        linkButton("Renew, choose files", `#/${taken.survey}/take`, { kind: "outline" }),
        waiting || unsent.rejected ? button("Save a backup file", () => Tablet.backup.save(taken.survey).catch(Tablet.app.failed), { kind: "outline", mark: "download" }) : null,
        waiting || unsent.rejected ? linkButton("What has not been sent", `#/${taken.survey}/outbox`, { kind: "quiet" }) : null));
  }

  function storage(room, state) {
    const share = room.quota ? Math.round((room.usage / room.quota) * 100) : 0;
    const persist = room.persisted
      ? h("p", {}, icon("check"), " The browser keeps this app's data until you remove it.")
      : h("div", {}, h("p", {}, "The browser may clear this app's data when the tablet runs short of space. Entries that are sent are safe on the server."),
        button("Ask the browser to keep it", async () => {
          const kept = await Tablet.store.persist();
          Tablet.app.said(kept ? "The browser keeps the data." : "The browser did not agree. Add the app to the home screen, then ask again.");
          Tablet.app.again();
        }));
    return card("This tablet",
      h("dl", { class: "data-list" },
        h("div", {}, h("dt", {}, "Storage used"), h("dd", {}, `${bytes(room.usage)} of ${bytes(room.quota)} (${share} %)`)),
        h("div", {}, h("dt", {}, "Network"), h("dd", {}, Tablet.shell.onLine() ? "There is a network" : "No network; everything works, and is sent later")),
        h("div", {}, h("dt", {}, "Signed in"), h("dd", {}, state.problem === "signed_out" ? "Nobody; the sign-in has ended" : state.me && state.me.name ? state.me.name : "Not known; asked for only when sending")),
        h("div", {}, h("dt", {}, "App version"), h("dd", {}, document.body.dataset.app || "unknown"))),
      room.nearly_full ? notice("late", "Storage is nearly full", h("p", {}, "Send what waits, remove evidence files or surveys you no longer need, then go on.")) : null,
      persist);
  }

  /** Whose entries wait: more than one person may have used this tablet. */
  async function makersOf(survey) {
    const [ops, photos] = await Promise.all([Tablet.store.ops(survey, { state: ["waiting", "rejected"] }), Tablet.store.photos(survey, { state: ["waiting", "rejected"] })]);
    return Array.from(new Map([...ops, ...photos].map((one) => [one.by_id, { id: one.by_id, name: one.by_name }])).values());
  }

  async function show() {
    const packs = await Tablet.store.packs();
    const [room, ...unsent] = await Promise.all([Tablet.store.estimate(), ...packs.map((taken) => Tablet.store.unsent(taken.survey))]);
    const state = Tablet.sender.state() || {};
    const makers = await Promise.all(packs.map((taken, n) => (unsent[n].answers + unsent[n].photos + unsent[n].rejected ? makersOf(taken.survey) : [])));
    // Times are the practice's, as on every page; with practices in several zones they are the tablet's.
    const zones = new Set(packs.map((taken) => taken.pack.survey.zone));
    const zone = zones.size === 1 ? Array.from(zones)[0] : undefined;
    const stop = () => Tablet.events.removeEventListener("state", redraw);
    const known = JSON.stringify([state.unsentAnswers, state.unsentPhotos, state.rejected, state.problem, state.me && state.me.id]);
    const redraw = () => {
      const now = Tablet.sender.state() || {};
      if (JSON.stringify([now.unsentAnswers, now.unsentPhotos, now.rejected, now.problem, now.me && now.me.id]) === known) return;
      stop();
      Tablet.app.again();
    };
    Tablet.events.addEventListener("state", redraw);
    Tablet.app.onLeave(stop);
    const signIn = state.problem === "signed_out" ? notice("due", "Your sign-in has ended", h("p", {}, "What you entered is safe on this tablet. Sign in to send it."), h("p", {}, linkButton("Sign in", Tablet.sender.signInAddress(null), { kind: "filled" }))) : null;
    const waits = Tablet.shell.waiting && Tablet.shell.waiting() ? notice("info", "A newer version of this app is ready", h("p", {}, "It starts when you say so; nothing that was entered is touched."), button("Start the newer version", () => Tablet.shell.apply())) : null;
    return {
      title: "Surveys on this tablet",
      parts: [header(zone), main(Tablet.frame.page("Surveys on this tablet",
        h("p", { class: "tablet-long", data: { lineLong: "" } }, Tablet.line.words(Tablet.line.state(), zone).long),
        signIn, waits,
        packs.length ? h("ul", { class: "tablet-surveys" }, packs.map((taken, n) => surveyCard(taken, unsent[n], state.me, makers[n])))
          : h("div", { class: "card" }, empty("No survey is on this tablet yet", "With a network, open the survey among your surveys and choose “Take offline”. It then works here without any network, also after the tablet was switched off.", h("p", {}, linkButton("My surveys", "/my-surveys", { kind: "filled" })))),
        packs.length ? h("p", {}, h("a", { class: "tablet-link", href: "/my-surveys" }, "Take another survey along: open it among your surveys and choose “Take offline”")) : null,
        storage(room, state)))],
    };
  }

  Tablet.start = { show, header, main, dates };
})();
