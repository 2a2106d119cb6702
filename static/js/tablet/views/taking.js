/* Taking a survey along: its checklist first, then the evidence files one chooses, each step with what it weighs. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, card, button, linkButton, notice, twice, bytes, moment, count, tiles } = Tablet.dom;

  const WHY = {
    offline: ["There is no network", "Taking a survey along needs the network once. Try again where there is one."],
    signed_out: ["Sign in first", "Your sign-in has ended. Sign in, then take the survey along."],
    garbage: ["This network answers instead of the server", "It may be the sign-in page of the Wi-Fi. Open its page in another tab, then try again."],
    server: ["The server does not answer as it should", "Nothing is wrong on this tablet. Try again in a moment."],
    full: ["The tablet's storage is full", "Remove files or surveys you no longer need, then try again."],
  };

  /** A bar that says what it shows in words too; read aloud only at the end. */
  function progress(label) {
    const bar = h("progress", { class: "tablet-progress", max: "100", "aria-label": label });
    const words = h("span", {});
    return {
      place: h("div", { class: "progress tablet-taking" }, h("p", { class: "progress__words" }, h("span", {}, label), words), bar),
      at: (received, total) => {
        if (total) bar.value = Math.min(100, (received / total) * 100);
        words.textContent = total ? `${bytes(received)} of ${bytes(total)}` : bytes(received);
      },
      done: (text) => {
        bar.value = 100;
        words.textContent = text;
      },
    };
  }

  function evidenceChoice(taken, kept, place) {
    const all = (taken.pack.evidence || []).filter((one) => one.url);
    if (!all.length) return h("p", { class: "muted" }, "The practice has mapped no evidence files.");
    const have = new Set(kept.map((file) => file.url));
    const chosen = new Set(all.filter((one) => have.has(one.url)).map((one) => one.uuid));
    let mode = chosen.size && chosen.size < all.length ? "marked" : chosen.size ? "all" : "none";
    const marked = h("div", { class: "take-files" });
    const total = h("p", { class: "take-total", role: "status" });
    const wanted = () => (mode === "all" ? all : mode === "none" ? [] : all.filter((one) => chosen.has(one.uuid)));
    const unique = (list) => Array.from(new Map(list.map((one) => [one.url, one])).values());
    const weigh = () => {
      const list = unique(wanted());
      const missing = list.filter((one) => !have.has(one.url));
      total.textContent = list.length ? `${count(list.length, "file")}, ${bytes(list.reduce((sum, one) => sum + (one.size || 0), 0))}${missing.length ? "" : "; all on this tablet"}` : "No files; the checklist and guidance are still here.";
      go.disabled = !missing.length && have.size <= list.length;
      marked.hidden = mode !== "marked";
    };
    const byStandard = new Map();
    for (const one of all) {
      const code = one.standard || String(one.element || "").split(".").slice(0, 2).join(".") || "Other";
      if (!byStandard.has(code)) byStandard.set(code, []);
      byStandard.get(code).push(one);
    }
    for (const code of Array.from(byStandard.keys()).sort(Tablet.picker.byCode)) {
      marked.append(tiles(`Standard ${code}`, "checkbox", byStandard.get(code).map((one) => [one.uuid, one.title, [bytes(one.size), one.element && `element ${one.element}`, have.has(one.url) && "on this tablet"].filter(Boolean).join(" · ")]), chosen, (uuid, on) => {
        if (on) chosen.add(uuid);
        else chosen.delete(uuid);
        weigh();
      }));
    }
    const modes = tiles("Evidence files to take along", "radio", [["all", "All files", `${count(unique(all).length, "file")}, ${bytes(unique(all).reduce((sum, one) => sum + (one.size || 0), 0))}`], ["marked", "Those I mark", "Choose below, by standard"], ["none", "None", "They open with a network only"]], new Set([mode]), (value) => { mode = value; weigh(); }, { row: true });
    const go = button("Take these files along", async () => {
      const list = unique(wanted());
      const bar = progress("Evidence files");
      place.replaceChildren(bar.place);
      go.setAttribute("aria-busy", "true");
      try {
        const keep = new Set(list.map((one) => one.url));
        for (const url of have) if (!keep.has(url)) await Tablet.store.removeFile(url);
        const result = await Tablet.offline.files(taken.survey, list, ({ received, total: weight, done, of }) => bar.at(received, weight || null, done, of));
        bar.done(`${count(result.kept.length ?? result.kept, "file")} on this tablet`);
        if (result.failed.length) {
          const names = new Map(all.map((one) => [one.url, one.title]));
          place.append(notice("due", `${count(result.failed.length, "file")} could not be taken`, h("ul", {}, result.failed.map((one) => h("li", {}, `${names.get(one.url) || one.url}: ${one.reason}`)))));
        } else place.append(notice("met", "The files are on this tablet", h("p", {}, linkButton("Open the checklist", `#/${taken.survey}`, { kind: "filled" }))));
        for (const file of await Tablet.store.files(taken.survey)) have.add(file.url);
        weigh();
      } catch (error) {
        place.replaceChildren(told(error, taken.survey));
      } finally {
        go.removeAttribute("aria-busy");
      }
    }, { kind: "outline", mark: "download" });
    weigh();
    return h("div", { class: "stack" }, modes, marked, total, h("div", { class: "form-actions" }, go), place);
  }

  function told(error, survey) {
    const [title, words] = WHY[error.problem] || ["This did not work", (error && (error.detail || error.message)) || ""];
    return notice("late", title, h("p", {}, words), error.problem === "signed_out" ? h("p", {}, linkButton("Sign in", Tablet.sender.signInAddress(survey), { kind: "filled" })) : null);
  }

  async function show(survey) {
    let taken = await Tablet.store.pack(survey);
    const place = h("div", { class: "stack", role: "status", "aria-live": "polite" });
    const filesPlace = h("div", { class: "stack", role: "status", "aria-live": "polite" });
    const rest = h("div", { class: "stack-l" });
    const drawRest = async () => {
      if (!taken) return;
      const [kept, unsent, room] = await Promise.all([Tablet.store.files(survey), Tablet.store.unsent(survey), Tablet.store.estimate()]);
      const waiting = unsent.answers + unsent.photos + unsent.rejected + unsent.drafts;
      rest.replaceChildren(
        card("Evidence files", evidenceChoice(taken, kept, filesPlace)),
        card("Room on this tablet", h("p", {}, `${bytes(room.usage)} of ${bytes(room.quota)} used. `, room.persisted ? "The browser keeps this app's data." : "The browser may clear it when space runs short; send often."),
          waiting
            ? h("p", { class: "muted" }, "This survey can be removed from the tablet once all is sent, or discarded one by one.")
            : twice("Remove this survey from the tablet", {
              question: "Remove the checklist and its files from this tablet? What was sent stays on the server.", yes: "Remove it", danger: true, kind: "quiet",
              act: async () => {
                try {
                  await Tablet.store.removePack(survey);
                  Tablet.desk.forget();
                  Tablet.app.go("#/");
                } catch (error) { Tablet.app.failed(error, "It was not removed. "); }
              },
            })));
    };
    const fetchIt = async () => {
      const bar = progress("Checklist, guidance, questionnaire, earlier findings");
      place.replaceChildren(bar.place);
      go.disabled = true;
      try {
        const result = await Tablet.offline.take(survey, ({ received, total }) => bar.at(received, total));
        bar.done(bytes(result.size));
        Tablet.desk.forget();
        const before = taken;
        taken = await Tablet.store.pack(survey);
        await Tablet.store.persist();
        place.append(notice("met", before ? (result.changed ? "The checklist is up to date" : "Nothing had changed") : "The checklist is on this tablet",
          h("p", {}, "It opens and works without a network, also after a restart. Choose evidence files below, or begin."),
          h("p", {}, linkButton("Open the checklist", `#/${survey}`, { kind: "filled" }))));
        go.replaceChildren(icon("download"), "Renew the checklist");
        go.classList.replace("button--filled", "button--outline");
        await drawRest();
      } catch (error) {
        place.replaceChildren(told(error, survey));
      } finally {
        go.disabled = false;
      }
    };
    const go = button(taken ? "Renew the checklist" : "Take offline", fetchIt, { kind: taken ? "outline" : "filled", mark: "download" });
    await drawRest();
    const name = taken ? taken.pack.survey.practice : "this survey";
    return {
      title: taken ? `Take offline: ${name}` : "Take offline",
      parts: [Tablet.start.header(), Tablet.start.main(Tablet.frame.page(taken ? name : "Take this survey offline",
        card(taken ? "Checklist" : null,
          taken ? h("p", {}, `On this tablet since ${moment(taken.taken_at, taken.pack.survey.zone)}, ${bytes(taken.size)}. Answers of your team come in by themselves whenever there is a network; renew it when the practice has added evidence.`)
            : h("p", {}, "The checklist with its guidance, the questionnaire, earlier findings and the agenda come onto this tablet. From then on all of it works without a network; what you enter is kept here first and sent when there is one."),
          h("div", { class: "form-actions" }, go, taken && linkButton("Open the checklist", `#/${survey}`, { kind: "filled" })),
          place),
        rest,
        h("p", {}, h("a", { class: "tablet-link", href: "#/" }, "Surveys on this tablet"))))],
    };
  }

  Tablet.taking = { show };
})();
