/* Choosing elements by domain, for notes and photos that speak of several. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, id, icon, count } = Tablet.dom;

  /** Return {place, chosen: Set}; `changed(ids)` after each tick. `open`: number of the domain that stands open at first. */
  function picker(pack, given, { legend, changed, open }) {
    const chosen = new Set(given);
    const chips = h("ul", { class: "chips picker__chosen", "aria-label": "Chosen elements" });
    const boxes = new Map();
    const summaries = new Map();
    const tell = () => {
      chips.replaceChildren(...Array.from(chosen).sort(byCode).map((one) => h("li", {}, h("button", { type: "button", class: "chip-toggle picker__chip", on: { click: () => set(one, false) } }, one, h("span", { class: "sr-only" }, ": take away"), icon("cross")))));
      chips.hidden = !chosen.size;
      for (const [domain, place] of summaries) {
        const n = domain.standards.reduce((sum, standard) => sum + standard.elements.filter((element) => chosen.has(element.id)).length, 0);
        place.textContent = n ? count(n, "element") : "";
      }
    };
    const set = (one, on) => {
      if (on) chosen.add(one);
      else chosen.delete(one);
      const box = boxes.get(one);
      if (box) box.checked = on;
      tell();
      if (changed) changed(Array.from(chosen).sort(byCode));
    };
    const fill = (domain, place) => {
      if (place.childElementCount) return;
      for (const standard of domain.standards) {
        place.append(h("fieldset", { class: "picker__standard" }, h("legend", {}, `${standard.code} ${standard.title}`), standard.elements.map((element) => {
          const own = id("pick");
          const input = h("input", { type: "checkbox", id: own, checked: chosen.has(element.id), on: { change: (event) => set(element.id, event.target.checked) } });
          boxes.set(element.id, input);
          return h("label", { class: "picker__element", for: own }, input, h("span", {}, h("strong", {}, element.letter), " ", element.question));
        })));
      }
    };
    const domains = pack.domains.map((domain) => {
      const inner = h("div", { class: "picker__list" });
      const figure = h("span", { class: "picker__count" });
      summaries.set(domain, figure);
      const details = h("details", { class: "picker__domain", on: { toggle: (event) => { if (event.target.open) fill(domain, inner); } } },
        h("summary", {}, icon(`domain-${domain.number}`, null, "mark"), h("span", {}, `${domain.number} ${domain.title}`), figure), inner);
      if (domain.number === open) {
        fill(domain, inner);
        details.open = true;
      }
      return details;
    });
    tell();
    return { place: h("fieldset", { class: "picker field" }, h("legend", { class: "field__label" }, legend), chips, domains), chosen };
  }

  // 7.10.a comes after 7.9.b.
  function byCode(a, b) {
    const [left, right] = [a.split("."), b.split(".")];
    return Number(left[0]) - Number(right[0]) || Number(left[1]) - Number(right[1]) || String(left[2] || "").localeCompare(String(right[2] || ""));
  }

  Tablet.picker = { picker, byCode };
})();
