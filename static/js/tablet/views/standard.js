/* The screen of one standard at one site. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, badge, button, card, notice } = Tablet.dom;
  const ABOUT = [["strength", "Strength"], ["recommendation", "Recommendation"], ["standard_note", "Note"]];
  // Whether guidance and evidence stay open from one standard to the next.
  let aside = null;

  /** The next standard of the site in which something is open, after `code`, round to the beginning. */
  function nextOpen(desk, site, code) {
    const at = desk.codes.indexOf(code);
    const order = [...desk.codes.slice(at + 1), ...desk.codes.slice(0, at + 1)];
    return order.find((one) => ["not_assessed", "lacking", "conflict", "open"].includes(desk.mark(site, one))) || null;
  }

  const evidenceOf = (desk, standard, site) => (desk.pack.evidence || []).filter((one) => {
    const code = one.standard || desk.codeOf(one.element);
    return code === standard.code && (!one.site || one.site === site);
  });

  function besides(desk, site, standard, close) {
    const evidence = evidenceOf(desk, standard, site);
    const previous = (desk.pack.previous || []).filter((one) => one.standard === standard.code);
    return h("aside", { class: "beside", "aria-label": "Guidance and evidence", hidden: !aside, on: { keydown: (event) => { if (event.key === "Escape") close(); } } },
      h("div", { class: "beside__head" }, h("h2", { tabindex: "-1" }, `For ${standard.code}`), h("button", { type: "button", class: "beside__close", "aria-label": "Close guidance and evidence", on: { click: close } }, icon("cross"))),
      h("section", { class: "beside__part", "aria-label": "Guidance" }, h("h3", {}, "Guidance"),
        h("p", {}, standard.requirement),
        standard.guidance && h("p", {}, standard.guidance),
        standard.suggested_documents && standard.suggested_documents.length ? h("p", { class: "muted" }, `Practices usually show: ${standard.suggested_documents.join("; ")}.`) : null,
        standard.critical && h("p", {}, badge("late", "Critical", "alert"), " “Not met” blocks certification and cannot be waived or deferred.")),
      h("section", { class: "beside__part", "aria-label": "Evidence" }, h("h3", {}, `Evidence ${evidence.length}`),
        evidence.length
          ? h("ul", { class: "plain-list evidence-list" }, evidence.map((one) => h("li", {}, h("a", { href: one.url, target: "_blank", rel: "noopener" }, icon("file"), " ", one.title), h("span", { class: "muted" }, [one.element && ` element ${one.element}`, one.pages && ` ${one.pages}`].filter(Boolean).join(",")))))
          : h("p", { class: "muted" }, "The practice has mapped no document to this standard at this site.")),
      previous.length ? h("section", { class: "beside__part", "aria-label": "Earlier findings" }, h("h3", {}, "Earlier findings"), previous.map((one) => h("p", {}, h("strong", { class: "num" }, one.element), h("span", { class: "muted" }, ` ${one.site_name}, visit ${one.round}, standards ${one.edition}. `), one.note))) : null,
      h("p", {}, h("a", { href: `#/${desk.survey}/practice` }, "Questionnaire, agenda, all earlier findings")));
  }

  /** One text on a standard as a whole: {place, show()}. */
  function wholeText(desk, site, code, name, words) {
    const text = Tablet.identifiers.kept(desk, { draft: `${site}|${code}|${name}`, reads: Tablet.identifiers.reads(desk, site, code, name), label: `${words} on ${code}`, keep: (said, more) => desk.record(site, code, name, said, more) });
    const clashes = h("div", {});
    const details = h("details", { class: "item__text" }, h("summary", {}, words), clashes, text.place);
    const show = () => {
      const clash = desk.conflict(site, code, name);
      if (clash || clashes.childElementCount) clashes.replaceChildren(...(clash ? [Tablet.clash(desk, clash, () => { Tablet.app.said("The conflict is settled."); })] : []));
      text.show();
      if (clash || text.area.value) details.open = true;
    };
    show();
    return { place: details, show };
  }

  function show(desk, { site, code, letter }) {
    site = Number(site);
    const entry = desk.standards.get(code);
    if (!entry || !desk.sites.some((one) => one.id === site)) return Tablet.app.missing("This standard is not part of the survey.");
    const { standard, domain } = entry;
    const index = desk.codes.indexOf(code);
    const [previous, next] = [desk.codes[index - 1], desk.codes[index + 1]];
    const here = (one) => `#/${desk.survey}/${site}/${one}`;
    let touched = letter ? `${code}.${letter}` : standard.elements[0].id;
    const top = Tablet.frame.header(desk, { site, to: (other) => `#/${desk.survey}/${other}/${code}` });
    const list = Tablet.frame.standards(desk, site, code);

    const items = new Map(standard.elements.map((element) => [element.id, Tablet.item(desk, site, standard, element, { touched: (about) => { touched = about; } })]));
    const wholes = new Map(ABOUT.map(([field, words]) => [field, wholeText(desk, site, code, field, words)]));
    const whole = h("fieldset", { class: "item", data: { element: code } },
      h("legend", { class: "item__question" }, h("span", {}, `For the report, on ${code} as a whole`)), Array.from(wholes.values(), (one) => one.place));

    // What is missing of the standard as a whole, such as a second reviewer's word.
    const lacking = h("p", { class: "item__lacks", hidden: true }, icon("alert"), h("span", {}));
    const figures = h("span", { class: "num" });
    const conflictLink = h("a", { href: `#/${desk.survey}/conflicts` });
    const finishWords = h("span", {});
    const recount = () => {
      const sums = desk.sums.get(site);
      figures.textContent = `${sums.answered} of ${sums.elements} answered · ${sums.notMet} not met`;
      conflictLink.textContent = desk.conflicts.length ? Tablet.dom.count(desk.conflicts.length, "conflict") : "";
      conflictLink.hidden = !desk.conflicts.length;
      const open = desk.countGaps();
      if (finishWords.dataset.open !== String(open)) finishWords.replaceChildren(Tablet.frame.openWords(open));
      finishWords.dataset.open = String(open);
      const gap = desk.gapsOf(site, code).find((one) => one.element === code);
      lacking.hidden = !gap;
      if (gap) lacking.lastChild.textContent = gap.message;
      top.recount();
    };

    const evidence = evidenceOf(desk, standard, site).length;
    let side = null;
    const opener = button(evidence ? `Guidance, evidence ${evidence}` : "Guidance", () => turn(!aside), { kind: "quiet", "aria-expanded": String(Boolean(aside)) });
    const turn = (open) => {
      aside = open;
      side.hidden = !open;
      main.classList.toggle("checklist-main--beside", open);
      opener.setAttribute("aria-expanded", String(open));
      if (open) side.querySelector("h2").focus();
      else opener.focus();
    };
    side = besides(desk, site, standard, () => turn(false));

    const notes = desk.notes().filter((note) => (note.about || []).some((about) => about.startsWith(`${code}.`)));
    const loose = desk.photosAbout(site, code);
    const sheet = h("div", { class: "sheet" },
      h("div", { class: "sheet__head" },
        h("p", { class: "muted num" }, `${domain.number} ${domain.title} · `, figures, " ", conflictLink),
        h("p", { class: "sheet__links" }, opener)),
      h("h1", { tabindex: "-1" }, `${code} ${standard.title} `, standard.critical && badge("late", "Critical", "alert")),
      desk.pack.survey.finished ? notice("due", "This survey is finished", h("p", {}, "What you enter now is kept and sent as late: the lead and the program see it and decide whether it counts.")) : null,
      Array.from(items.values(), (one) => one.place),
      whole, lacking,
      loose.length ? card(`Photos of ${code} as a whole`, h("div", { class: "photos" }, loose.map((photo) => Tablet.photos.card(desk, photo, { changed: () => Tablet.app.again() })))) : null,
      notes.length ? card("Notes that speak of this standard", h("ul", { class: "rows" }, notes.map((note) => h("li", {}, h("a", { class: "tablet-row", href: `#/${desk.survey}/notes/${note.uuid}` }, h("strong", {}, Tablet.declared.of(desk.pack).kindWords(note.kind)), h("span", {}, note.text), h("span", { class: "muted num" }, note.about.join(", "))))))) : null,
      h("p", { class: "tablet-more" }, h("a", { href: `#/${desk.survey}/several/${site}/${code}` }, icon("check"), "Mark several as met")));
    const main = h("main", { id: "main", class: `page checklist-main${aside ? " checklist-main--beside" : ""}`, tabindex: "-1" }, list.nav, sheet, side);

    const after = () => {
      const target = nextOpen(desk, site, code);
      if (target && target !== code) location.hash = here(target);
      else if (target === code) {
        const gap = desk.gapsOf(site, code)[0];
        const place = gap && items.get(gap.element);
        if (place) place.place.querySelector("input").focus();
      } else Tablet.app.said(`Nothing is open at ${desk.site(site).name} any more.`);
    };
    const bar = h("nav", { class: "thumb-bar tablet-bar", "aria-label": "Go on" },
      previous ? h("a", { class: "thumb thumb--step", href: here(previous), }, h("span", { class: "sr-only" }, "Previous: "), `‹ ${previous}`) : h("span", { class: "thumb thumb--step thumb--none" }),
      next ? h("a", { class: "thumb thumb--step", href: here(next), }, h("span", { class: "sr-only" }, "Next: "), `${next} ›`) : h("span", { class: "thumb thumb--step thumb--none" }),
      h("span", { class: "tablet-bar__space" }),
      h("a", { class: "thumb", href: `#/${desk.survey}/note/tracer/${site}/${code}` }, "Tracer"),
      h("a", { class: "thumb", href: `#/${desk.survey}/note/interview/${site}/${code}` }, "Interview"),
      Tablet.photos.taker(desk, site, () => [touched], { cls: "thumb", label: "Photo for the element last worked on", done: (photo) => {
        const about = photo.about[0];
        Tablet.app.said(`Photo kept for ${about}.`);
        if (items.has(about)) {
          items.get(about).drawPhotos();
          items.get(about).place.scrollIntoView({ block: "nearest" });
        }
      } }),
      h("a", { class: "thumb", href: `#/${desk.survey}/finish` }, finishWords),
      h("button", { type: "button", class: "thumb thumb--filled", on: { click: after } }, "Next open"));

    recount();
    const stop = desk.listen(({ all, answers = [], conflicts, photos }) => {
      const touchedHere = new Map();
      for (const answer of answers) {
        if (answer.site !== site) continue;
        const about = answer.element || "";
        if (!items.has(about)) {
          const other = desk.codeOf(about);
          if (other) list.draw(other);
          if (about === code && wholes.has(answer.field)) wholes.get(answer.field).show();
          continue;
        }
        if (!touchedHere.has(about)) touchedHere.set(about, new Set());
        touchedHere.get(about).add(answer.field);
      }
      for (const [about, fields] of touchedHere) items.get(about).show(fields);
      if (all) for (const one of items.values()) one.show();
      if (all || conflicts) for (const one of wholes.values()) one.show();
      if (conflicts) for (const one of items.values()) { one.drawClashes(); one.show(); }
      if (photos) for (const one of items.values()) one.drawPhotos();
      if (touchedHere.size || conflicts || all) list.draw(code);
      recount();
    });
    Tablet.app.onLeave(stop);
    if (Tablet.sender.presence) Tablet.sender.presence(desk.survey, { site, standard: code });
    requestAnimationFrame(() => {
      const current = list.nav.querySelector("[aria-current]");
      if (current && list.nav.scrollHeight > list.nav.clientHeight) list.nav.scrollTop = Math.max(0, current.offsetTop - list.nav.clientHeight / 3);
    });
    return {
      title: `${code} ${standard.title} · ${desk.site(site).name}`, parts: [top.head, main, bar],
      focus: letter && items.has(`${code}.${letter}`) ? () => {
        const { place } = items.get(`${code}.${letter}`);
        place.scrollIntoView({ block: "center" });
        (place.querySelector("input:checked") || place.querySelector("input")).focus({ preventScroll: true });
      } : null,
    };
  }

  Tablet.standard = { show, nextOpen };
})();
