/* Two values that stand for one answer: both shown with who said it and when, until someone settles it. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, button, moment, twice, textArea, field } = Tablet.dom;

  const photosOf = (desk, conflict, value) => {
    const mine = desk.photosAbout(conflict.site, conflict.element).filter((photo) => !value.device || photo.by_name === value.by);
    if (mine.length) return h("span", { class: "clash__photos" }, mine.map((photo) => Tablet.photos.picture(photo, "clash__photo")));
    // Photos of the others lie on the server; what they show is known here, the picture itself when there is a network.
    const named = desk.attachments(conflict.site, conflict.element).filter((one) => one.by === value.by);
    if (!named.length) return null;
    return h("span", { class: "clash__photos" }, named.map((one) => h("a", { class: "chip", href: `/surveys/${desk.survey}/attachments/${one.uuid}`, target: "_blank", rel: "noopener" }, icon("image"), one.caption || "Photo")));
  };

  /** Both values of a conflict; `settled` is called once a choice is kept. */
  function clash(desk, conflict, settled, { third = false } = {}) {
    const about = conflict.element || "the site";
    // A value that came in while the person was choosing was not in sight, and is not settled with the others.
    const seen = desk.seen(conflict.site, conflict.element, conflict.field);
    const choose = async (value) => {
      try {
        await desk.record(conflict.site, conflict.element, conflict.field, value, { base: seen });
        await Tablet.desk.changed({ conflicts: true, answers: [desk.answer(conflict.site, conflict.element, conflict.field)] });
        if (settled) settled();
      } catch (error) { Tablet.app.failed(error); }
    };
    const rows = conflict.values.map((value) => h("div", { class: "clash__value" },
      h("span", { class: "clash__said" }, h("strong", {}, Tablet.declared.valueWords(desk.pack, conflict.field, value.value)), h("span", { class: "muted" }, ` ${value.by}, ${moment(value.at, desk.zone, false)}`), photosOf(desk, conflict, value)),
      button("Keep this", () => choose(value.value), { also: `: ${Tablet.declared.valueWords(desk.pack, conflict.field, value.value)}, of ${value.by}, for ${about}` })));
    const box = h("div", { class: "clash", role: "group", "aria-label": `Two values stand for ${Tablet.declared.fieldWords(conflict.field).toLowerCase()} of ${about}` },
      h("p", { class: "clash__title" }, icon("alert"), `${Tablet.declared.fieldWords(conflict.field)}: two values stand. Which one is right?`), rows);
    if (third) box.append(h("div", { class: "clash__third" }, another(desk, conflict, choose)));
    return box;
  }

  /** A third value, when neither is right. */
  function another(desk, conflict, choose) {
    if (conflict.field === "rating") {
      const said = new Set(conflict.values.map((one) => one.value));
      const left = Object.entries(Tablet.declared.RATINGS).filter(([key]) => !said.has(key));
      return h("div", { class: "form-actions" }, left.map(([key, words]) => button(`Neither: ${words}`, () => choose(key), { kind: "quiet" })));
    }
    if (["note", "na_reason", "strength", "recommendation", "standard_note", "site_note"].includes(conflict.field)) {
      const area = textArea({});
      area.value = conflict.values.map((one) => one.value).filter(Boolean).join("\n");
      return twice("Write a third text", {
        question: "This text stands instead of both.", yes: "Keep this text", kind: "quiet", ask: () => h("div", {}, field("The text that is right", area), h("div", { class: "clash__warn" })),
        act: async (asked) => {
          const matches = Tablet.identifiers.found(desk.pack, area.value);
          const place = asked.querySelector(".clash__warn");
          if (matches.length && !area.dataset.allowed) {
            place.replaceChildren(Tablet.identifiers.warning(matches, { change: () => area.focus(), keep: () => { area.dataset.allowed = "yes"; choose(area.value.trim()); } }));
            return false;
          }
          await choose(area.value.trim() || null);
          return true;
        },
      });
    }
    return null;
  }

  Tablet.clash = clash;
})();
