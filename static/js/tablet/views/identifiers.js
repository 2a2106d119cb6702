/* Free text: checked for what may name a patient before any of it is kept for sending, and kept as a draft meanwhile. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, button, icon, textArea } = Tablet.dom;
  const compiled = new WeakMap();
  const PAUSE = 500; // milliseconds without a key after which a text counts as said
  const TYPED = 150; // and after which what is typed so far is on the disk

  // The same patterns by which the server looks at uploaded files: {text: {kind: [source]}, titles: {kind: words}}.
  const patterns = (pack) => {
    const given = pack.identifiers || {};
    if (!compiled.has(given)) {
      compiled.set(given, Object.entries(given.text || {}).flatMap(([kind, sources]) => sources.map((source) => ({ label: (given.titles || {})[kind] || kind, find: new RegExp(source, "gi") }))));
    }
    return compiled.get(given);
  };

  /** Return what in a text may name a patient: [{label, text}], each once. */
  function found(pack, text) {
    const seen = new Map();
    for (const { label, find } of patterns(pack)) {
      for (const match of String(text || "").matchAll(find)) {
        if (match[0].trim() && !seen.has(match[0])) seen.set(match[0], { label, text: match[0] });
      }
    }
    return Array.from(seen.values());
  }

  /** Show what was found, and ask: change it, or (asked a second time) keep it. Returns the box. */
  function warning(matches, { change, keep }) {
    const names = matches.map((one) => `“${one.text}” (${one.label})`).join(", ");
    const box = h("div", { class: "identifier-warning", role: "alert" });
    const first = () => {
      box.replaceChildren(
        h("p", { class: "identifier-warning__title" }, icon("alert"), h("span", {}, "This may identify a patient: ", h("strong", {}, names), ". It waits on this tablet and is not sent.")),
        h("div", { class: "form-actions" },
          button("Change the text", change, { kind: "filled" }),
          button("Keep it as it is", second, { kind: "quiet" })));
    };
    const second = () => {
      const title = h("p", { class: "identifier-warning__title", tabindex: "-1" }, icon("alert"), h("span", {}, "Are you sure that ", h("strong", {}, names), " does not identify a patient? It will be sent to the program."));
      box.replaceChildren(title, h("div", { class: "form-actions" },
        button("Yes, keep and send it", () => { box.remove(); keep(); }, { kind: "danger" }),
        button("No, change the text", change, { kind: "outline" })));
      title.focus();
    };
    first();
    return box;
  }

  /** A text area that keeps itself: as a draft at once, for sending after a pause if it names no patient.
      `reads` gives {text, seen}: what is kept now and the seq that this sight of it stands for;
      `keep(text, {base, draft})` writes the journal, in sight of `base`, and ends the draft with it. */
  function kept(desk, { draft, reads, keep, label, placeholder, described, single = false }) {
    const { pack } = desk;
    const opened = reads();
    const allowed = new Set(found(pack, opened.text).map((one) => one.text));
    const area = single
      ? h("input", { type: "text", class: "usa-input tablet-text", autocomplete: "off", spellcheck: "true", maxlength: "2000", "aria-label": label, placeholder, "aria-describedby": described })
      : textArea({ "aria-label": label, placeholder, "aria-describedby": described });
    area.value = opened.text || "";
    const place = h("div", { class: "kept-text" }, area);
    let last = (opened.text || "").trim(); // what is kept, as far as this field knows
    let base = opened.seen; // and the seq of what the person saw when she began to change it
    let timer = 0; // until what is typed is looked at
    let holding = 0; // until what is typed so far is kept as a draft: a pause may never come
    let box = null;
    let busy = Promise.resolve();
    let writing = 0;
    let release = null; // while something is typed and not kept no newer version of the app starts

    const put = async (text) => {
      last = text;
      writing += 1;
      try {
        await keep(text || null, { base, draft });
        await desk.keepDraft(draft, null);
        place.removeAttribute("data-held");
      } catch (error) {
        last = null;
        Tablet.app.failed(error);
      } finally {
        writing -= 1;
      }
      show();
    };
    const clear = () => {
      if (box) box.remove();
      box = null;
    };
    const hold = (why) => desk.keepDraft(draft, { text: area.value, seen: base, why }).catch(Tablet.app.failed);
    const look = () => {
      clearTimeout(timer);
      clearTimeout(holding);
      timer = holding = 0;
      if (release) {
        const done = release;
        release = null;
        queueMicrotask(() => busy.finally(done));
      }
      const text = area.value.trim();
      const matches = found(pack, text).filter((one) => !allowed.has(one.text));
      if (matches.length) {
        place.dataset.held = "true";
        busy = busy.then(() => hold("held"));
        const key = matches.map((one) => one.text).join("|");
        if (box && box.dataset.key === key && box.isConnected) return busy;
        clear();
        box = warning(matches, {
          change: () => { area.focus(); },
          keep: () => {
            for (const one of matches) allowed.add(one.text);
            box = null;
            look();
          },
        });
        box.dataset.key = key;
        place.append(box);
        return busy;
      }
      clear();
      if (text === last) {
        place.removeAttribute("data-held");
        busy = busy.then(() => desk.keepDraft(draft, null));
        return busy;
      }
      busy = busy.then(() => put(text));
      return busy;
    };
    area.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE);
      holding = holding || setTimeout(() => {
        holding = 0;
        busy = busy.then(() => hold("draft"));
      }, TYPED);
      if (!release) Tablet.shell.busy(new Promise((done) => { release = done; }));
    });
    area.addEventListener("change", look);
    area.addEventListener("blur", () => { if (timer) look(); else show(); });
    Tablet.app.beforeLeaving(() => (timer ? look() : busy));
    /** Take in what is kept now. A text that is being changed is left alone, and goes on from what was seen. */
    function show() {
      const now = reads();
      const text = now.text || "";
      const unchanged = !timer && !writing && !place.dataset.held && area.value.trim() === last;
      // Whoever goes on from her own word, now with a seq, has seen it.
      if (!now.clash && text.trim() === last) base = now.seen;
      if (!unchanged || document.activeElement === area) return;
      area.value = text;
      last = text.trim();
      base = now.seen;
    }
    // A text that was held back when the screen was left is still there.
    const held = desk.draft(draft);
    if (held && held.text.trim() && held.text.trim() !== last) {
      area.value = held.text;
      base = held.seen;
      place.dataset.held = "true";
      queueMicrotask(look);
    }
    return { place, area, show, look };
  }

  /** What a text field of the checklist shows: of two values in conflict neither, both stand above it. */
  const reads = (desk, site, about, name, textOf = (value) => value) => () => {
    const clash = desk.conflict(site, about, name) || null;
    return { text: clash ? null : textOf(desk.value(site, about, name)), seen: desk.seen(site, about, name), clash };
  };

  Tablet.identifiers = { found, warning, kept, reads };
})();
