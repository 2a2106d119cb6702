/* The frame of a survey's screens: header with place and line, the list of standards, the bar at the thumbs. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, count } = Tablet.dom;
  const MARKS = { met: ["check", "met"], not_met: ["cross", "not met"], not_applicable: ["check", "not applicable"], conflict: ["alert", "conflict"], lacking: ["alert", "note or reason missing"] };

  /** The header. `site`: the site worked at; `to(site)`: where its menu leads. */
  function header(desk, { site, to, back = [`#/${desk.survey}`, "Overview"] }) {
    const here = site ? desk.site(site) : null;
    const menu = here && desk.sites.length > 1 && to
      ? h("details", { class: "menu", data: { menu: "" } },
        h("summary", { class: "pill" }, here.name, icon("down")),
        h("div", { class: "menu__sheet" }, desk.sites.map((one) => h("a", { href: to(one.id), "aria-current": one.id === here.id ? "true" : null }, one.name))))
      : here && h("span", { class: "pill tablet-pill" }, here.name);
    const sums = here && desk.sums.get(here.id);
    const progress = sums && h("progress", { class: "survey-progress", value: sums.answered, max: sums.elements || 1, "aria-label": `Answered at ${here.name}` });
    const head = h("header", { class: "survey-bar" },
      h("div", { class: "survey-bar__row" },
        h("a", { class: "survey-bar__back", href: back[0] }, icon("left", back[1]), h("strong", {}, desk.pack.survey.practice)),
        menu,
        Tablet.line.line(desk.survey, desk.zone)),
      progress);
    return { head, recount: () => { if (progress) progress.value = desk.sums.get(here.id).answered; } };
  }

  /** The standards of a site, by domain, each with its mark. */
  function standards(desk, site, code) {
    const places = new Map();
    const draw = (one) => {
      const place = places.get(one);
      const said = MARKS[desk.mark(site, one)];
      if (place.dataset.mark === (said ? said[1] : "")) return;
      place.dataset.mark = said ? said[1] : "";
      place.className = `standards-list__mark${said ? ` standards-list__mark--${desk.mark(site, one).replace("_", "-")}` : ""}`;
      place.replaceChildren(said ? icon(said[0], said[1]) : "");
    };
    const nav = h("nav", { class: "standards-list", "aria-label": "Standards" }, desk.pack.domains.map((domain) => {
      const list = h("ul", {}, domain.standards.map((standard) => {
        const mark = h("span", {});
        places.set(standard.code, mark);
        return h("li", {}, h("a", { href: `#/${desk.survey}/${site}/${standard.code}`, "aria-current": standard.code === code ? "page" : null }, h("span", { class: "num" }, standard.code), ` ${standard.title}`, mark));
      }));
      const details = h("details", {}, h("summary", {}, icon(`domain-${domain.number}`, null, "mark"), domain.title), list);
      details.open = domain.standards.some((standard) => standard.code === code);
      return details;
    }));
    for (const one of places.keys()) draw(one);
    return { nav, draw };
  }

  /** A screen under the header: one column, the heading first. */
  const page = (title, ...children) => h("div", { class: "sheet tablet-page" }, h("h1", { tabindex: "-1" }, title), children);

  /** Where else one can go in this survey. */
  function places(desk, current) {
    const conflicts = desk.conflicts.length;
    const links = [["", "Standards"], ["notes", "Notes"], ["practice", "Practice"], ["conflicts", conflicts ? `Conflicts ${conflicts}` : "Conflicts"], ["outbox", "Not sent"], ["finish", "Finish"]];
    return h("nav", { class: "tablet-places", "aria-label": "This survey" }, links.map(([path, words]) => h("a", { href: `#/${desk.survey}${path ? `/${path}` : ""}`, "aria-current": path === current ? "page" : null }, words)));
  }

  const openWords = (n) => h("span", {}, n ? [`Finish (${n}`, h("span", { class: "tablet-bar__more" }, "\u00a0open"), ")"] : "Finish");

  Tablet.frame = { header, standards, page, places, openWords, count, MARKS };
})();
