/* One element of the checklist at one site: the answer, what was seen, notes, photos, how grave a finding is. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, id, badge } = Tablet.dom;
  const MODES = [["documentation", "Documents"], ["observation", "Observed"], ["data", "Data"]];
  const TEXTS = [["note", "Note"], ["na_reason", "Why it does not apply"]];

  /** Return {place, show(fields), site, about}. `touched` is called with the element that was worked on last. */
  function item(desk, site, standard, element, { touched, readOnly = false }) {
    const about = element.id;
    const value = (name) => (desk.conflict(site, about, name) ? null : desk.value(site, about, name));
    const radios = new Map();
    let pending = 0;

    const place = h("fieldset", { class: "item", id: `e-${about}`, data: { element: about }, disabled: readOnly, on: { focusin: () => touched(about), pointerdown: () => touched(about) } });
    const lacks = h("p", { class: "item__lacks", hidden: true }, icon("alert"), h("span", {}));
    lacks.id = id("lacks");
    const clashes = h("div", { class: "item__clashes" });

    // The rating: pressed at once, shown as given only when the journal has it.
    const answers = h("div", { class: "answers", role: "radiogroup", "aria-label": `Rating of ${about}`, "aria-describedby": lacks.id });
    const rate = async (key) => {
      if (key) place.dataset.rating = key;
      else delete place.dataset.rating;
      pending += 1;
      answers.classList.add("answers--pending");
      delete place.dataset.kept;
      try {
        await desk.record(site, about, "rating", key);
        pending -= 1;
        if (key) place.dataset.kept = key;
      } catch (error) {
        // What was not kept is not shown as given, and can be tapped again.
        pending -= 1;
        show();
        Tablet.app.failed(error);
      } finally {
        if (!pending) answers.classList.remove("answers--pending");
      }
    };
    const name = id("rating");
    for (const [key, words] of Object.entries(Tablet.declared.RATINGS)) {
      const own = id("rate");
      const input = h("input", { type: "radio", class: "sr-only", name, id: own, value: key, data: { rate: key }, on: { change: () => rate(key) } });
      radios.set(key, input);
      answers.append(h("div", { class: "answers__one" }, input, h("label", { class: `answers__label answers__label--${key}`, for: own }, words)));
    }

    // What was seen, by the modes this standard asks for.
    const seen = h("div", { class: "seen", role: "group", "aria-label": `Where ${about} was seen` }, h("span", { class: "seen__title" }, "Seen in"));
    const modes = new Map();
    for (const [mode, words] of MODES) {
      if (!(standard.modes || []).includes(mode)) continue;
      const name = `seen_${mode}`;
      const own = id("seen");
      const what = Tablet.identifiers.kept(desk, {
        draft: `${site}|${about}|${name}`, reads: Tablet.identifiers.reads(desk, site, about, name, (now) => now && now.what), label: `${words}: what was seen for ${about}`, placeholder: "What was seen", single: true,
        keep: (text, more) => (box.checked ? desk.record(site, about, name, text ? { what: text } : true, more) : null),
      });
      const box = h("input", { type: "checkbox", class: "sr-only", id: own, on: { change: async () => {
        try {
          const text = what.place.dataset.held ? "" : what.area.value.trim();
          await desk.record(site, about, name, box.checked ? (text ? { what: text } : true) : false);
        } catch (error) {
          box.checked = !box.checked;
          Tablet.app.failed(error);
        }
      } } });
      what.place.classList.add("seen__what");
      modes.set(name, { box, what });
      seen.append(h("div", { class: "seen__mode" }, box, h("label", { class: "chip-toggle", for: own }, words), what.place));
    }
    const photoCount = h("span", { class: "num" });
    const photos = h("div", { class: "photos", hidden: true });
    const drawPhotos = () => {
      const mine = desk.photosAbout(site, about);
      const have = new Map(Array.from(photos.children, (child) => [child.dataset.photo, child]));
      for (const [uuid, child] of have) if (!mine.some((photo) => photo.uuid === uuid)) child.remove();
      for (const photo of mine) {
        const old = have.get(photo.uuid);
        if (old && (old.dataset.state === photo.state || old.contains(document.activeElement))) continue;
        const made = Tablet.photos.card(desk, photo, { changed: () => desk.tell({ photos: true, answers: [] }) });
        if (old) old.replaceWith(made);
        else photos.append(made);
      }
      // Photos that others of the team took: what they show is known here, the picture opens when there is a network.
      const others = desk.attachments(site, about).filter((one) => !desk.photos.has(one.uuid));
      for (const old of photos.querySelectorAll(".photo__other")) old.remove();
      photos.append(...others.map((one) => h("p", { class: "photo__other" }, h("a", { href: `/surveys/${desk.survey}/attachments/${one.uuid}`, target: "_blank", rel: "noopener" }, icon("image"), one.caption || "Photo without a caption"), h("span", { class: "muted" }, ` ${one.by}`))));
      photoCount.textContent = mine.length + others.length ? ` ${mine.length + others.length}` : "";
      photos.hidden = !mine.length && !others.length;
    };
    if (!readOnly) {
      const taker = Tablet.photos.taker(desk, site, () => [about], { label: `Photo for ${about}`, done: () => { drawPhotos(); } });
      taker.querySelector("label").append(photoCount);
      taker.classList.add("seen__photo");
      seen.append(taker);
    }

    // Texts that the rating asks for stand open; the others wait behind their name.
    const texts = new Map();
    for (const [name, words] of TEXTS) {
      const text = Tablet.identifiers.kept(desk, { draft: `${site}|${about}|${name}`, reads: Tablet.identifiers.reads(desk, site, about, name), label: `${words} on ${about}`, described: lacks.id, keep: (said, more) => desk.record(site, about, name, said, more) });
      const details = h("details", { class: `item__text item__text--${name.replace("_", "-")}` }, h("summary", {}, words), text.place);
      details.open = Boolean(text.area.value);
      texts.set(name, { text, details });
    }

    // How grave: only of a finding.
    const risk = h("details", { class: "item__text item__risk", hidden: true });
    const riskWords = h("span", { class: "item__risk-words" });
    let grid = null;
    risk.append(h("summary", {}, h("span", {}, "Severity and scope"), riskWords));
    risk.addEventListener("toggle", () => {
      if (!risk.open || grid) return;
      grid = Tablet.matrix(desk.pack, { about, value: value("risk"), keep: (chosen) => desk.record(site, about, "risk", chosen) });
      risk.append(grid.place);
    });

    // A rating given by mistake: the element is open again.
    const back = h("button", { type: "button", class: "item__back", hidden: true, on: { click: async () => {
      await rate(null);
      radios.values().next().value.focus();
    } } }, "Take the rating back", h("span", { class: "sr-only" }, ` of ${about}`));

    place.append(
      h("legend", { class: "item__question" }, h("span", { class: "item__letter" }, element.letter), h("span", {}, element.question)),
      clashes, answers, seen, ...Array.from(texts.values(), (one) => one.details), risk, back, photos, lacks);

    const judge = () => {
      const rating = value("rating");
      const missing = rating ? Tablet.rules.lacks(desk.pack, { rating, note: value("note"), na_reason: value("na_reason"), risk: value("risk") }) : null;
      lacks.hidden = !missing;
      back.hidden = !rating || readOnly;
      if (missing) lacks.lastChild.textContent = missing.message;
      place.classList.toggle("item--no", rating === "no");
      if (rating) place.dataset.rating = rating;
      else delete place.dataset.rating;
      if (rating === "no") texts.get("note").details.open = true;
      if (rating === "na") texts.get("na_reason").details.open = true;
      texts.get("na_reason").details.hidden = rating !== "na" && !value("na_reason");
      const chosen = value("risk");
      risk.hidden = rating !== "no" && !chosen;
      const level = chosen && Tablet.declared.of(desk.pack).level(chosen.harm, chosen.scope);
      const placed = chosen ? `${chosen.harm} ${chosen.scope}` : "";
      if (riskWords.dataset.placed === placed) return;
      riskWords.dataset.placed = placed;
      riskWords.replaceChildren(chosen ? badge(level && level.key === "high" ? "late" : level && level.key === "moderate" ? "due" : "neutral", `${Tablet.declared.of(desk.pack).riskWords(chosen)}${level ? ` · ${level.words.toLowerCase()}` : ""}`) : "");
    };
    const drawClashes = () => {
      const found = ["rating", "note", "na_reason", "risk", ...modes.keys()].map((name) => desk.conflict(site, about, name)).filter(Boolean);
      if (!found.length && !clashes.childElementCount) return;
      clashes.replaceChildren(...found.map((one) => Tablet.clash(desk, one, () => { Tablet.app.said("The conflict is settled."); })));
    };
    /** Show what stands; a field that is being written in is left alone. */
    function show(fields) {
      const wanted = (name) => !fields || fields.has(name);
      if (wanted("rating") && !pending) {
        const rating = value("rating");
        for (const [key, input] of radios) if (input.checked !== (key === rating)) input.checked = key === rating;
        if (rating) place.dataset.kept = rating;
        else delete place.dataset.kept;
      }
      for (const [name, { box, what }] of modes) {
        if (!wanted(name)) continue;
        const now = value(name);
        box.checked = now === true || Boolean(now && typeof now === "object");
        what.show();
      }
      for (const [name, { text, details }] of texts) {
        if (!wanted(name)) continue;
        text.show();
        if (value(name)) details.open = true;
      }
      if (grid && wanted("risk")) grid.show(value("risk"));
      judge();
    }
    drawClashes();
    drawPhotos();
    show();
    return { place, about, show, drawClashes, drawPhotos };
  }

  Tablet.item = item;
})();
