/* Finishing: what is still missing by the server's own rules, the two signatures, and the way to the server. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, badge, button, linkButton, card, notice, count, moment, field, twice } = Tablet.dom;
  const MOST = 60_000;

  function gapsBySite(desk) {
    const bySite = new Map();
    for (const gap of desk.allGaps()) {
      if (!bySite.has(gap.site)) bySite.set(gap.site, new Map());
      const domain = gap.standard ? desk.standards.get(gap.standard).domain : null;
      const key = domain ? domain.number : 0;
      const domains = bySite.get(gap.site);
      if (!domains.has(key)) domains.set(key, { domain, gaps: [] });
      domains.get(key).gaps.push(gap);
    }
    return bySite;
  }

  const link = (desk, gap) => {
    if (!gap.standard) return `#/${desk.survey}/conflicts`;
    const entry = desk.elements.get(gap.element);
    return `#/${desk.survey}/${gap.site}/${gap.standard}${entry ? `/${entry.element.letter}` : ""}`;
  };

  function missing(desk) {
    const total = desk.countGaps();
    if (!total) return card("Still missing", h("p", { class: "all-well" }, icon("check"), "Nothing: every element is rated, with its notes and reasons, and no conflict is open."));
    return card(`Still missing ${total}`, Array.from(gapsBySite(desk), ([site, domains]) => [
      h("h3", {}, `${(desk.site(site) || { name: "The survey" }).name}: ${Array.from(domains.values()).reduce((sum, one) => sum + one.gaps.length, 0)}`),
      h("div", { class: "finish__gaps" }, Array.from(domains.values(), ({ domain, gaps }) => {
        const list = h("ul", { class: "rows" });
        const details = h("details", { class: "more", on: { toggle: () => {
          if (!details.open || list.childElementCount) return;
          list.append(...gaps.map((gap) => h("li", {}, h("a", { class: "tablet-link", href: link(desk, gap) }, h("strong", { class: "num" }, gap.element || gap.standard || "Site"), " ", gap.message))));
        } } }, h("summary", {}, domain ? `${domain.number} ${domain.title}: ` : "The site as a whole: ", words(gaps)), list);
        return details;
      })),
    ]));
  }

  const NAMES = { unrated: ["not rated", "not rated"], note: ["without a note", "without a note"], na_reason: ["without a reason", "without a reason"], conflict: ["in conflict", "in conflict"], agreement: ["waits for a second reviewer", "wait for a second reviewer"] };
  function words(gaps) {
    const sums = new Map();
    for (const gap of gaps) sums.set(gap.kind, (sums.get(gap.kind) || 0) + 1);
    return Array.from(sums, ([kind, n]) => `${n} ${(NAMES[kind] || [kind, kind])[n === 1 ? 0 : 1]}`).join(", ");
  }

  const find = (desk, name) => {
    const found = [];
    for (const answer of desk.answers.values()) if (answer.field === name && answer.value) found.push(answer);
    return found.sort((a, b) => String(b.at).localeCompare(String(a.at)))[0] || null;
  };

  /** The drawing as a picture that fits into an answer. */
  function drawing(pad, canvas) {
    if (!pad || pad.isEmpty()) return "";
    const edge = document.createElement("canvas");
    for (const width of [600, 400, 280]) {
      edge.width = width;
      edge.height = Math.round((width / canvas.width) * canvas.height);
      edge.getContext("2d").drawImage(canvas, 0, 0, edge.width, edge.height);
      const url = edge.toDataURL("image/png");
      if (url.length <= MOST) return url;
    }
    return "";
  }

  function signing(desk, declared, done) {
    const name = `signature:${declared.key}`;
    const canvas = h("canvas", { class: "sign__glass", role: "img", "aria-label": `Signature of the ${declared.words.toLowerCase()}; the typed name below is enough where one cannot draw` });
    const who = h("input", { type: "text", class: "usa-input", autocomplete: "off", maxlength: "200", value: declared.key === "surveyor" ? desk.taken.person.name : "" });
    const title = h("input", { type: "text", class: "usa-input", autocomplete: "off", maxlength: "200", value: declared.key === "surveyor" ? "Surveyor" : "" });
    const problem = h("p", { class: "item__lacks", role: "alert", hidden: true });
    let pad = null;
    const fit = () => {
      const ratio = Math.max(window.devicePixelRatio || 1, 1);
      const strokes = pad ? pad.toData() : [];
      canvas.width = canvas.offsetWidth * ratio;
      canvas.height = canvas.offsetHeight * ratio;
      canvas.getContext("2d").scale(ratio, ratio);
      // The glass is white in every scheme: what is signed must be readable on paper.
      if (!pad) pad = new globalThis.SignaturePad(canvas, { penColor: "#14212b", minWidth: 0.8, maxWidth: 2.6 });
      pad.clear();
      if (strokes.length) pad.fromData(strokes);
    };
    requestAnimationFrame(() => { if (canvas.isConnected) fit(); });
    let size = 0;
    const watch = new ResizeObserver(() => {
      if (canvas.offsetWidth && canvas.offsetWidth !== size) {
        size = canvas.offsetWidth;
        fit();
      }
    });
    watch.observe(canvas);
    Tablet.app.onLeave(() => watch.disconnect());
    const sign = button(`Sign as ${declared.words.toLowerCase()}`, async () => {
      problem.hidden = true;
      if (!who.value.trim()) {
        problem.textContent = "Type the name of who signs.";
        problem.hidden = false;
        who.focus();
        return;
      }
      try {
        const digest = await Tablet.seal.digest(Array.from(desk.answers.values()), desk.conflicts);
        await desk.record(desk.sites[0].id, "", name, { name: who.value.trim(), title: title.value.trim(), strokes: drawing(pad, canvas), digest });
        Tablet.app.said("Signed and sealed.");
        done();
      } catch (error) { Tablet.app.failed(error); }
    }, { kind: "filled" });
    return h("div", { class: "sign" }, declared.statement && h("p", {}, `“${declared.statement}”`),
      h("div", { class: "sign__frame" }, canvas),
      h("div", { class: "field-pairs" }, field("Name", who), field("Title", title)),
      problem,
      h("div", { class: "form-actions" }, sign, button("Clear the glass", () => pad && pad.clear(), { kind: "quiet" })));
  }

  function signature(desk, declared, verdict, again) {
    const name = `signature:${declared.key}`;
    const stands = find(desk, name);
    const place = h("section", { class: "card", "aria-label": `Signature of the ${declared.words.toLowerCase()}`, data: { signature: declared.key } }, h("h2", { class: "card__title" }, declared.words));
    if (!stands || !verdict) {
      place.append(signing(desk, declared, again));
      return place;
    }
    const { value } = stands;
    place.append(
      h("div", { class: "sign__done" },
        value.strokes && String(value.strokes).startsWith("data:image/png;base64,") ? h("img", { class: "sign__picture", src: value.strokes, alt: `Signature of ${value.name}` }) : h("p", { class: "sign__typed" }, value.name),
        h("div", {}, h("p", {}, h("strong", {}, value.name), value.title ? `, ${value.title}` : "", h("span", { class: "muted" }, ` · ${moment(stands.at, desk.zone, false)}`)),
          h("p", {}, verdict.intact ? badge("met", "Seal intact: the answers are those that were signed", "check") : badge("late", "Seal broken: answers changed after signing", "alert")))),
      verdict.intact ? null : notice("late", "Sign again", h("p", {}, "The signature stays in the record as it was given. To confirm the answers as they stand now, sign again.")),
      twice(verdict.intact ? "Sign again" : "Sign again over the new answers", { question: "The earlier signature stays in the journal.", yes: "Show the glass", kind: verdict.intact ? "quiet" : "outline", act: async () => { place.replaceChildren(h("h2", { class: "card__title" }, declared.words), signing(desk, declared, again)); } }));
    return place;
  }

  async function show(desk) {
    const top = Tablet.frame.header(desk, {});
    const signs = h("div", { class: "finish__signs" });
    const lacks = h("div", {});
    const onwards = h("div", {});
    let drawn = 0;
    const declared = Tablet.declared.of(desk.pack).signatures;
    const roles = declared.length ? declared : [{ key: "leader", words: "Practice leader" }, { key: "surveyor", words: "Surveyor" }];
    const drawSigns = async () => {
      const mine = (drawn += 1);
      const answers = Array.from(desk.answers.values());
      const made = [];
      for (const one of roles) made.push(signature(desk, one, find(desk, `signature:${one.key}`) ? await Tablet.seal.judge(answers, desk.conflicts, `signature:${one.key}`) : null, () => drawSigns().catch(Tablet.app.failed)));
      if (mine === drawn) signs.replaceChildren(...made);
    };
    const drawOnwards = () => {
      const state = Tablet.line.state();
      const waiting = Tablet.line.waitingWords(state);
      const online = Tablet.shell.onLine();
      const open = desk.countGaps();
      const steps = [];
      if (open) steps.push(`${count(open, "thing")} still missing; the server would refuse.`);
      if (waiting || state.rejected) steps.push(waiting ? `${waiting}.` : "Refused entries wait for you.");
      const drafts = Tablet.line.draftWords(Object.keys(desk.drafts).length);
      if (drafts) steps.push(`${drafts}.`);
      if (!online) steps.push("Finishing needs a network.");
      onwards.replaceChildren(card("Finish on the server",
        h("p", {}, "Finishing closes the checklist for all tablets of the team. It is done on the server, so that nothing of anyone is left behind."),
        steps.length ? h("ul", { class: "plain-list" }, steps.map((one) => h("li", {}, one))) : h("p", { class: "all-well" }, icon("check"), "All is sent and nothing is missing."),
        h("div", { class: "form-actions" },
          online ? linkButton("Finish on the server", `/surveys/${desk.survey}#finish`, { kind: open || waiting || drafts || state.rejected ? "outline" : "filled" }) : h("button", { type: "button", class: "usa-button button button--outline", disabled: true }, "Finish on the server"),
          waiting || drafts ? linkButton("What has not been sent", `#/${desk.survey}/outbox`, { kind: "quiet" }) : null)));
    };
    const drawLacks = () => lacks.replaceChildren(missing(desk));
    drawLacks();
    await drawSigns();
    drawOnwards();
    const stop = desk.listen(() => {
      drawLacks();
      drawOnwards();
    });
    const state = () => drawOnwards();
    Tablet.events.addEventListener("state", state);
    for (const type of ["online", "offline"]) window.addEventListener(type, state);
    Tablet.app.onLeave(() => {
      stop();
      Tablet.events.removeEventListener("state", state);
      for (const type of ["online", "offline"]) window.removeEventListener(type, state);
    });
    return {
      title: "Finish",
      parts: [top.head, h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("Finish", Tablet.frame.places(desk, "finish"), lacks,
        h("p", { class: "muted" }, "Both sign what stands on this tablet now. The signatures are sealed to the answers: if one changes afterwards, the seal is shown as broken here and in the report."), signs, onwards))],
    };
  }

  Tablet.finish = { show };
})();
