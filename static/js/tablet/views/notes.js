/* Notes that feed several elements at once: interviews, observations, record reviews, tracers. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, button, linkButton, textArea, field, tiles, empty, moment, twice, badge, uuid, card } = Tablet.dom;

  function show(desk) {
    const declared = Tablet.declared.of(desk.pack);
    const top = Tablet.frame.header(desk, { back: [`#/${desk.survey}`, "Overview"] });
    const drafts = Object.entries(desk.drafts).filter(([key, value]) => key.startsWith("note:") && value && typeof value === "object");
    const notes = desk.notes();
    const drafted = new Set(drafts.map(([key]) => key.slice(5)));
    const line = (uuid, note, extra) => h("li", {}, h("a", { class: "tablet-row", href: `#/${desk.survey}/notes/${uuid}` },
      h("span", { class: "tablet-row__head" }, h("strong", {}, declared.kindWords(note.kind)), note.pseudonym ? h("span", { class: "muted" }, ` ${note.pseudonym}`) : null, " ", extra),
      h("span", { class: "tablet-row__text" }, note.text || "No text yet"),
      h("span", { class: "muted num" }, (note.about || []).join(", ") || "no element yet")));
    const main = h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("Notes",
      Tablet.frame.places(desk, "notes"),
      h("div", { class: "form-actions tablet-new" }, declared.kinds.map((kind, n) => linkButton(`New ${kind.words.toLowerCase()}`, `#/${desk.survey}/note/${kind.key}`, { kind: n ? "outline" : "filled", mark: "plus" }))),
      drafts.length ? card("Begun, not saved yet", h("ul", { class: "rows" }, drafts.map(([key, note]) => line(key.slice(5), note, badge("due", "Only on this tablet", null))))) : null,
      notes.length
        ? h("div", { class: "card" }, h("ul", { class: "rows" }, notes.filter((note) => !drafted.has(note.uuid)).map((note) => line(note.uuid, note, h("span", { class: "muted" }, `${(desk.site(note.answer.site) || {}).name || ""} · ${note.answer.by || "you"}, ${moment(note.answer.at, desk.zone)}`)))))
        : drafts.length ? null : h("div", { class: "card" }, empty("No notes yet", "Interviews, observations, reviewed records and tracers appear here, each with the elements it speaks of. One patient's way through the practice can feed many standards."))));
    Tablet.app.onLeave(desk.listen(({ answers = [], all }) => {
      if (all || answers.some((one) => one.field.startsWith("note:"))) Tablet.app.again();
    }));
    return { title: "Notes", parts: [top.head, main] };
  }

  function write(desk, { uuid: given, kind, site, code }) {
    const declared = Tablet.declared.of(desk.pack);
    const own = given || uuid();
    const kept = given ? desk.notes().find((note) => note.uuid === given) : null;
    const draft = desk.draft(`note:${own}`);
    if (given && !kept && !draft) return Tablet.app.missing("This note is not on this tablet.");
    const note = { kind: kind || "interview", text: "", about: [], pseudonym: "", site: site || (desk.sites[0] || {}).id, seen: kept ? desk.seen(kept.answer.site, "", `note:${own}`) : null, ...(kept ? { kind: kept.kind, text: kept.text, about: kept.about || [], pseudonym: kept.pseudonym || "", site: kept.answer.site } : {}), ...(draft || {}) };
    const top = Tablet.frame.header(desk, { site: note.site, back: [code ? `#/${desk.survey}/${note.site}/${code}` : `#/${desk.survey}/notes`, "Back"] });
    const back = code ? `#/${desk.survey}/${site}/${code}` : `#/${desk.survey}/notes`;
    const allowed = new Set(kept ? Tablet.identifiers.found(desk.pack, `${kept.text}\n${kept.pseudonym || ""}`).map((one) => one.text) : []);
    const said = h("p", { class: "note-saved muted", role: "status" });
    const meanwhile = h("p", { class: "item__lacks", role: "status" });
    const warn = h("div", {});
    let timer = 0;
    let gone = false;
    const here = location.hash;

    const keepDraft = async () => {
      clearTimeout(timer);
      timer = 0;
      if (gone || !(note.text.trim() || note.about.length || note.pseudonym.trim())) return;
      await desk.keepDraft(`note:${own}`, { ...note });
      said.textContent = "Kept on this tablet as a draft; it is sent when you save it.";
      // A reload comes back to this note, not to a new one.
      // Who has gone on to another screen meanwhile stays there.
      if (!given && location.hash === here) history.replaceState(null, "", `#/${desk.survey}/notes/${own}`);
    };
    const soon = () => {
      clearTimeout(timer);
      said.textContent = ""; // what was kept is no longer what stands here
      timer = setTimeout(() => keepDraft().catch(Tablet.app.failed), 150);
    };
    const hint = h("p", { class: "field__hint" });
    const area = textArea({ class: "usa-textarea tablet-text field__input--area", rows: "5" });
    area.value = note.text;
    area.addEventListener("input", () => { note.text = area.value; soon(); });
    const code_ = h("input", { type: "text", class: "usa-input field__input--medium", autocomplete: "off", maxlength: "80", value: note.pseudonym, placeholder: "R-07" });
    code_.addEventListener("input", () => { note.pseudonym = code_.value; soon(); });
    const pseudonym = field("Code of the sampled record or patient", code_, "A pseudonym of your own, never a name, number or date of birth");
    const tellKind = () => {
      const entry = declared.kinds.find((one) => one.key === note.kind) || {};
      hint.textContent = entry.hint || "";
      pseudonym.hidden = !entry.pseudonym;
    };
    const first = code ? desk.standards.get(code) : desk.elements.get(note.about[0]);
    const choice = Tablet.picker.picker(desk.pack, note.about, { legend: "Elements it speaks of", open: first ? first.domain.number : undefined, changed: (about) => { note.about = about; soon(); } });
    const problem = h("p", { class: "item__lacks", role: "alert", hidden: true });
    const refuse = (words, place) => {
      problem.textContent = words;
      problem.hidden = false;
      place.focus();
    };
    const save = async () => {
      problem.hidden = true;
      note.text = area.value;
      if (!note.text.trim()) return refuse("Write what was said or seen.", area);
      if (!note.about.length) return refuse("Choose at least one element that this note speaks of.", choice.place.querySelector("summary"));
      await keepDraft();
      const matches = Tablet.identifiers.found(desk.pack, `${note.text}\n${note.pseudonym}`).filter((one) => !allowed.has(one.text));
      if (matches.length) {
        warn.replaceChildren(Tablet.identifiers.warning(matches, { change: () => area.focus(), keep: () => {
          for (const one of matches) allowed.add(one.text);
          save();
        } }));
        warn.scrollIntoView({ block: "nearest" });
        return undefined;
      }
      try {
        const value = { kind: note.kind, text: note.text.trim(), about: note.about };
        if (note.pseudonym.trim() && !pseudonym.hidden) value.pseudonym = note.pseudonym.trim();
        const moved = kept && kept.answer.site !== note.site;
        if (moved) await desk.record(kept.answer.site, "", `note:${own}`, null, { base: note.seen });
        await desk.record(note.site, "", `note:${own}`, value, { ...(moved ? {} : { base: note.seen }), draft: `note:${own}` });
        gone = true;
        Tablet.app.said(`${declared.kindWords(note.kind)} kept.`);
        Tablet.app.go(back);
      } catch (error) { Tablet.app.failed(error); }
      return undefined;
    };
    Tablet.app.beforeLeaving(() => (timer ? keepDraft() : null));
    // What another tablet made of this note: shown while nothing is changed here; else both versions will stand.
    Tablet.app.onLeave(desk.listen(({ answers = [], all }) => {
      if (gone || !kept || !(all || answers.some((one) => one.field === `note:${own}`))) return;
      const now = desk.notes().find((one) => one.uuid === own);
      if (now && now.answer.by === kept.answer.by && now.text === kept.text) return;
      if (!timer && !desk.draft(`note:${own}`)) Tablet.app.again();
      else meanwhile.textContent = `${now ? now.answer.by || "A colleague" : "A colleague"} has changed this note meanwhile. Save yours all the same: both stay, until one is chosen under Conflicts.`;
    }));
    tellKind();
    const kinds = tiles("Kind", "radio", declared.kinds.map((one) => [one.key, one.words]), new Set([note.kind]), (value) => { note.kind = value; tellKind(); soon(); }, { row: true });
    const sites = desk.sites.length > 1 ? tiles("Site", "radio", desk.sites.map((one) => [one.id, one.name]), new Set([note.site]), (value) => { note.site = value; soon(); }, { row: true }) : null;
    const title = kept ? declared.kindWords(note.kind) : `New ${declared.kindWords(note.kind).toLowerCase()}`;
    const throwAway = kept || draft ? twice(kept ? "Take this note back" : "Discard the draft", {
      question: kept ? "Take this note back? It stays in the journal, and the server is told that it no longer stands." : "Discard this draft? It was never sent.", yes: kept ? "Take it back" : "Discard it", danger: true, kind: "quiet",
      act: async () => {
        try {
          gone = true;
          if (kept) await desk.record(kept.answer.site, "", `note:${own}`, null, { base: note.seen });
          await desk.keepDraft(`note:${own}`, null);
          Tablet.app.go(`#/${desk.survey}/notes`);
        } catch (error) { Tablet.app.failed(error); }
      },
    }) : null;
    const main = h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page(title,
      h("form", { class: "form tablet-form", on: { submit: (event) => { event.preventDefault(); save(); } } },
        kinds, sites, pseudonym,
        h("div", { class: "field" }, h("label", { class: "field__label", for: (area.id = "note-text") }, "What was said or seen"), hint, area, said, meanwhile),
        choice.place, warn, problem),
      throwAway));
    const bar = h("nav", { class: "thumb-bar tablet-bar", "aria-label": "Note" },
      linkBack(back), button("Save the note", save, { kind: "filled", class: "thumb thumb--filled" }));
    return { title, parts: [top.head, main, bar] };
  }

  const linkBack = (href) => h("a", { class: "thumb", href }, "Back, keep as draft");

  Tablet.notes = { show, write };
})();
