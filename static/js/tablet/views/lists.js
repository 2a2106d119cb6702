/* The overview: what stands at each site and domain, and the standards of a site by what is open, not met or in conflict. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, badge, card, empty, count, moment } = Tablet.dom;
  const ALL = [["", "All"], ["open", "Open"], ["not_met", "Not met"], ["conflict", "Conflict"], ["mine", "Mine"]];
  const WORDS = { met: ["met", "Met", "check"], not_met: ["not-met", "Not met", "cross"], not_applicable: ["neutral", "Not applicable", "check"], conflict: ["late", "Conflict", "alert"], lacking: ["late", "Note or reason missing", "alert"], not_assessed: ["open", "Open", null], open: ["open", "Open", null] };

  function figures(desk, site, domain) {
    let answered = 0, elements = 0, no = 0, conflict = 0, first = null;
    for (const standard of domain.standards) {
      const said = desk.marks.get(`${site}|${standard.code}`);
      answered += said.answered;
      elements += said.elements;
      no += said.no;
      conflict += said.conflict;
      if (!first && said.answered < said.elements) first = standard.code;
    }
    return { answered, elements, no, conflict, first: first || domain.standards[0].code };
  }

  function grid(desk, site) {
    return h("div", { class: "table-frame" }, h("table", { class: "table table--progress tablet-grid" },
      h("caption", { class: "sr-only" }, "Answered elements by domain and site"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Domain"), desk.sites.map((one) => h("th", { scope: "col", class: one.id === site ? "tablet-grid__here" : null }, one.name)))),
      h("tbody", {}, desk.pack.domains.map((domain) => h("tr", {},
        h("th", { scope: "row" }, h("span", { class: "tablet-grid__domain" }, icon(`domain-${domain.number}`, null, "mark"), h("span", {}, `${domain.number} ${domain.title}`))),
        desk.sites.map((one) => {
          const sum = figures(desk, one.id, domain);
          return h("td", {}, h("a", { class: "cell", href: `#/${desk.survey}/${one.id}/${sum.first}`, },
            h("span", { class: "sr-only" }, `${domain.title} at ${one.name}: `), h("span", { class: "num" }, `${sum.answered} of ${sum.elements}`),
            h("span", { class: "cell__marks" }, sum.no ? h("span", { class: "cell__not-met" }, `${sum.no} not met`) : null, sum.conflict ? h("span", { class: "cell__not-met" }, count(sum.conflict, "conflict")) : null, sum.answered === sum.elements && !sum.no && !sum.conflict ? h("span", { class: "cell__done" }, "all met") : null)));
        }))))));
  }

  const ofElement = (desk, site, element, filter) => {
    const rating = desk.value(site, element.id, "rating");
    if (filter === "not_met") return rating === "no";
    if (filter === "conflict") return desk.conflicts.some((one) => one.site === site && one.element === element.id);
    return !rating || desk.gapsOf(site, desk.codeOf(element.id)).some((gap) => gap.element === element.id);
  };

  function row(desk, site, standard, filter) {
    const said = desk.marks.get(`${site}|${standard.code}`);
    const [kind, words, sign] = WORDS[desk.mark(site, standard.code)];
    const here = `#/${desk.survey}/${site}/${standard.code}`;
    const elements = filter && filter !== "mine" ? standard.elements.filter((element) => ofElement(desk, site, element, filter)) : [];
    const photos = standard.elements.reduce((sum, element) => sum + desk.photosAbout(site, element.id).length, 0);
    return h("li", {},
      h("a", { class: "tablet-standard", href: here },
        h("span", { class: "num tablet-standard__code" }, standard.code),
        h("span", { class: "tablet-standard__title" }, standard.title, standard.critical ? [" ", badge("late", "Critical", "alert")] : null),
        h("span", { class: "tablet-standard__figure num muted" }, `${said.answered} of ${said.elements}${photos ? ` · ${count(photos, "photo")}` : ""}`),
        badge(kind, words, sign)),
      elements.length ? h("ul", { class: "tablet-elements" }, elements.map((element) => {
        const note = desk.value(site, element.id, "note");
        return h("li", {}, h("a", { href: `${here}/${element.letter}` }, h("strong", {}, element.letter), h("span", {}, element.question, filter === "not_met" && note ? h("span", { class: "muted" }, ` ${note}`) : null)));
      })) : null);
  }

  const SITE_FIELDS = ["site_note", "remote_interview"];
  function siteText(desk, site, name, words) {
    const conflict = desk.conflict(site, "", name);
    const text = Tablet.identifiers.kept(desk, { draft: `${site}||${name}`, reads: Tablet.identifiers.reads(desk, site, "", name), label: words, keep: (said, more) => desk.record(site, "", name, said, more) });
    Tablet.app.onLeave(desk.listen(({ answers = [] }) => {
      if (answers.some((one) => one.site === site && one.field === name && !one.element)) text.show();
    }));
    return h("div", { class: "field" }, h("p", { class: "field__label" }, words), conflict && Tablet.clash(desk, conflict, () => Tablet.app.again()), text.place);
  }

  function show(desk, query) {
    const FILTERS = ALL.filter(([key]) => key !== "mine" || Tablet.practice.split(desk));
    const site = (desk.site(query.get("site")) || desk.sites[0] || {}).id;
    const filter = FILTERS.some(([key]) => key === query.get("show")) ? query.get("show") || "" : "";
    const address = (other) => {
      const made = new URLSearchParams({ ...(filter ? { show: filter } : {}), site: String(site), ...other });
      if (!made.get("show")) made.delete("show");
      return `#/${desk.survey}?${made}`;
    };
    const top = Tablet.frame.header(desk, { site, to: (other) => address({ site: String(other) }), back: ["#/", "Surveys on this tablet"] });
    const tally = (key) => desk.codes.filter((code) => {
      const said = desk.marks.get(`${site}|${code}`);
      const mark = desk.mark(site, code);
      if (key === "open") return said.answered < said.elements || mark === "lacking";
      if (key === "not_met") return said.no > 0;
      if (key === "conflict") return desk.conflictsOf(site, code).length > 0;
      if (key === "mine") return Tablet.practice.mine(desk, site, desk.standards.get(code).domain.number);
      return true;
    });
    const lists = new Map(FILTERS.map(([key]) => [key, new Set(tally(key))]));
    const shown = lists.get(filter);
    const filters = h("ul", { class: "tiles-nav", "aria-label": "Show" }, FILTERS.map(([key, words]) => h("li", {}, h("a", { href: address({ show: key }), "aria-current": key === filter ? "true" : null }, h("strong", { class: "num" }, String(lists.get(key).size)), words))));
    const domains = desk.pack.domains.map((domain) => {
      const standards = domain.standards.filter((standard) => shown.has(standard.code));
      if (!standards.length) return null;
      const sum = figures(desk, site, domain);
      return h("section", { class: "card tablet-domain", id: `domain-${domain.number}`, "aria-label": domain.title },
        h("h2", { class: "card__title" }, icon(`domain-${domain.number}`, null, "mark"), `${domain.number} ${domain.title}`, h("span", { class: "muted num tablet-domain__figure" }, `${sum.answered} of ${sum.elements}`)),
        h("ul", { class: "rows tablet-standards" }, standards.map((standard) => row(desk, site, standard, filter))),
        sum.answered < sum.elements ? h("p", { class: "tablet-more" }, h("a", { href: `#/${desk.survey}/several/${site}/d${domain.number}` }, icon("check"), `Mark several of domain ${domain.number} as met`)) : null);
    });
    const nothing = { open: ["Nothing is open here", "Every element of this site is rated, with its notes and reasons."], not_met: ["No “No” here", "Elements rated No at this site appear here."], mine: ["Nothing here is yours", "The lead split the survey; your part lies at another site."], conflict: ["No conflict here", "When two tablets give different answers, both appear here until someone settles it."] }[filter];
    const unvisited = desk.allSites.filter((one) => one.visited === false);
    const next = Tablet.standard.nextOpen(desk, site, desk.codes[desk.codes.length - 1]);
    const main = h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, h("div", { class: "sheet tablet-page tablet-page--wide" },
      h("h1", { tabindex: "-1" }, desk.site(site).name),
      h("p", { class: "muted" }, [desk.pack.survey.ref, desk.pack.survey.edition && `standards ${desk.pack.survey.edition}`, Tablet.start.dates(desk.pack.survey)].filter(Boolean).join(" · ")),
      Tablet.frame.places(desk, ""),
      desk.pack.survey.finished ? Tablet.dom.notice("due", "This survey is finished", h("p", {}, "What is entered now is sent as late, and waits until the lead or the program accepts it.")) : null,
      filters,
      filter ? null : card("Domains and sites", grid(desk, site)),
      shown.size ? domains : h("div", { class: "card" }, empty(...nothing)),
      filter ? null : card(`On ${desk.site(site).name} as a whole`, siteText(desk, site, "site_note", "Note on the site")),
      filter || !unvisited.length ? null : card("Sites not visited", h("p", { class: "muted" }, "What was learnt of them by telephone or video."), unvisited.map((one) => siteText(desk, one.id, "remote_interview", `Remote interview: ${one.name}`))),
      h("p", { class: "muted" }, `On this tablet since ${moment(desk.taken.taken_at, desk.zone)}. `, h("a", { class: "tablet-link", href: `#/${desk.survey}/take` }, "Renew, choose evidence files"))));
    const bar = h("nav", { class: "thumb-bar tablet-bar", "aria-label": "Go on" },
      h("a", { class: "thumb", href: `#/${desk.survey}/note/tracer/${site}` }, "Tracer"),
      h("a", { class: "thumb", href: `#/${desk.survey}/note/interview/${site}` }, "Interview"),
      h("a", { class: "thumb", href: `#/${desk.survey}/finish` }, Tablet.frame.openWords(desk.countGaps())),
      next ? h("a", { class: "thumb thumb--filled", href: `#/${desk.survey}/${site}/${next}` }, "Next open") : null);
    let timer = 0;
    const redraw = () => {
      clearTimeout(timer);
      // Never under a text that is being written.
      timer = setTimeout(() => (document.activeElement && document.activeElement.matches("textarea") ? redraw() : Tablet.app.again()), 400);
    };
    Tablet.app.onLeave(desk.listen(({ answers = [], all, conflicts, photos }) => {
      if (all || conflicts || photos || answers.some((one) => !SITE_FIELDS.includes(one.field))) redraw();
    }));
    Tablet.app.onLeave(() => clearTimeout(timer));
    return { title: `${desk.pack.survey.practice}, ${desk.site(site).name}`, parts: [top.head, main, bar] };
  }

  Tablet.lists = { show, WORDS };
})();
