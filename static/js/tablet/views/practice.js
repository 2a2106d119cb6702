/* What was taken along to read: the agenda, the team and who does what, the practice's questionnaire, earlier findings. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, card, count, moment } = Tablet.dom;

  const day = (on) => new Date(`${on}T12:00:00Z`).toLocaleDateString("en-US", { weekday: "long", month: "long", day: "numeric", timeZone: "UTC" });

  function agenda(desk) {
    const days = new Map();
    for (const one of desk.pack.agenda || []) {
      const key = `${one.on}|${one.site}`;
      if (!days.has(key)) days.set(key, []);
      days.get(key).push(one);
    }
    if (!days.size) return h("p", { class: "muted" }, "No agenda was written for this visit.");
    return Array.from(days, ([key, lines]) => [
      h("h3", {}, `${day(key.split("|")[0])}${desk.site(lines[0].site) ? `, ${desk.site(lines[0].site).name}` : ""}`),
      h("ul", { class: "rows agenda-rows" }, lines.map((one) => h("li", {}, h("span", { class: "num" }, `${one.from}–${one.to}`), h("span", {}, one.what)))),
    ]);
  }

  function shareWords(desk, share) {
    const domain = share.domain ? desk.pack.domains.find((one) => one.number === share.domain) : null;
    const parts = [domain && `domain ${domain.number} ${domain.title}`, share.site && (desk.site(share.site) || {}).name].filter(Boolean);
    return parts.join(" at ") || "everything";
  }

  const team = (desk) => h("ul", { class: "rows" }, (desk.pack.team || []).map((one) => h("li", {}, h("strong", {}, one.name), one.lead ? " · lead" : "", one.id === desk.taken.person.id ? " · you" : "", h("span", { class: "muted" }, one.shares && one.shares.length ? ` · ${one.shares.map((share) => shareWords(desk, share)).join("; ")}` : " · not split"))));

  /** Whether a standard at a site is this person's by the split of the team. */
  function mine(desk, site, number) {
    const own = (desk.pack.team || []).find((one) => one.id === desk.taken.person.id);
    if (!own || !own.shares || !own.shares.length) return false;
    return own.shares.some((share) => (!share.site || share.site === site) && (!share.domain || share.domain === number));
  }
  const split = (desk) => (desk.pack.team || []).some((one) => one.id === desk.taken.person.id && one.shares && one.shares.length);

  function show(desk) {
    const top = Tablet.frame.header(desk, {});
    const asked = desk.pack.questionnaire || [];
    const before = desk.pack.previous || [];
    const main = h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("The practice", Tablet.frame.places(desk, "practice"),
      h("p", { class: "muted" }, `As taken along ${moment(desk.taken.taken_at, desk.zone, false)}.`),
      card("Agenda", agenda(desk)),
      (desk.pack.team || []).length ? card("Team", team(desk)) : null,
      card(`Earlier findings ${before.length || ""}`.trim(), before.length
        ? h("ul", { class: "rows" }, before.map((one) => h("li", {}, h("strong", { class: "num" }, one.element), h("span", { class: "muted" }, ` ${one.site_name || ""}, visit ${one.round}, standards ${one.edition}`), h("p", {}, one.question), one.note ? h("p", { class: "said" }, one.note) : null)))
        : h("p", { class: "muted" }, "Nothing was not met when the practice was surveyed before, or it never was.")),
      asked.length ? h("section", { "aria-label": "Questionnaire", class: "card" }, h("h2", { class: "card__title" }, "Questionnaire"), asked.map((section) => h("details", { class: "more" }, h("summary", {}, `${section.section} (${count(section.answers.length, "answer")})`), h("dl", { class: "data-list data-list--wide" }, section.answers.map((one) => h("div", {}, h("dt", {}, one.label), h("dd", {}, one.words))))))) : null));
    return { title: "The practice", parts: [top.head, main] };
  }

  Tablet.practice = { show, mine, split };
})();
