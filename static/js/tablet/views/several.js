/* Marking several elements as met with one confirmed tap. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, id, twice, count, button, empty } = Tablet.dom;

  function show(desk, { site, what }) {
    const domain = what.startsWith("d") ? desk.pack.domains.find((one) => one.number === Number(what.slice(1))) : null;
    const entry = desk.standards.get(what);
    if (!desk.site(site) || !(domain || entry)) return Tablet.app.missing("This part is not in the survey.");
    const standards = domain ? domain.standards : [entry.standard];
    const name = domain ? `domain ${domain.number}, ${domain.title}` : `${entry.standard.code} ${entry.standard.title}`;
    const chosen = new Set();
    const boxes = [];
    const top = Tablet.frame.header(desk, { site, to: (other) => `#/${desk.survey}/several/${other}/${what}`, back: [domain ? `#/${desk.survey}?site=${site}` : `#/${desk.survey}/${site}/${what}`, "Back"] });
    const place = h("div", { class: "several__act" });
    const isOpen = (element) => !desk.value(site, element.id, "rating") && !desk.conflict(site, element.id, "rating");
    const open = standards.flatMap((standard) => standard.elements).filter(isOpen);
    const tell = () => {
      place.replaceChildren(chosen.size ? twice(`Mark ${count(chosen.size, "element")} as met`, {
        kind: "filled", mark: "check", question: `${count(chosen.size, "element")} will be rated Yes at ${desk.site(site).name}. Each can be changed afterwards.`, yes: `Yes, mark ${chosen.size} as met`,
        act: async () => {
          if (drop()) return;
          const done = chosen.size;
          try {
            await desk.recordMany(Array.from(chosen, (element) => ({ site, element, field: "rating", value: "yes" })));
          } catch (error) {
            Tablet.app.failed(error, "Nothing was marked. ");
            return;
          }
          Tablet.app.said(`${count(done, "element")} marked as met.`);
          Tablet.app.go(domain ? `#/${desk.survey}?site=${site}` : `#/${desk.survey}/${site}/${what}`);
        },
      }) : h("p", { class: "muted" }, "Tick the elements that are met."));
    };
    /** Take out what has been rated by now, here or by a colleague; gives how many of the ticked ones. The rest is asked for anew. */
    const drop = () => {
      const gone = boxes.filter(({ box, element }) => !box.disabled && !isOpen(element));
      for (const { box, label } of gone) {
        box.checked = false;
        box.disabled = true;
        label.append(h("span", { class: "muted" }, " rated meanwhile"));
      }
      const ticked = gone.filter(({ element }) => chosen.delete(element.id)).length;
      if (!ticked) return 0;
      tell();
      Tablet.app.said(`${count(ticked, "element has", "elements have")} been rated meanwhile and ${ticked === 1 ? "is" : "are"} not touched.`);
      return ticked;
    };
    const all = (on) => {
      for (const { box, element } of boxes) {
        if (box.disabled) continue;
        box.checked = on;
        if (on) chosen.add(element.id);
        else chosen.delete(element.id);
      }
      tell();
    };
    const groups = standards.map((standard) => {
      const left = standard.elements.filter((element) => open.includes(element));
      if (!left.length) return null;
      return h("fieldset", { class: "card several__standard" }, h("legend", {}, `${standard.code} ${standard.title}`), left.map((element) => {
        const own = id("several");
        const box = h("input", { type: "checkbox", id: own, on: { change: () => {
          if (box.checked) chosen.add(element.id);
          else chosen.delete(element.id);
          tell();
        } } });
        const label = h("span", {}, h("strong", {}, element.letter), " ", element.question);
        boxes.push({ box, element, label });
        return h("label", { class: "picker__element", for: own }, box, label);
      }));
    });
    tell();
    Tablet.app.onLeave(desk.listen(drop));
    const rated = standards.reduce((sum, standard) => sum + standard.elements.length, 0) - open.length;
    return {
      title: `Mark several as met: ${name}`,
      parts: [top.head, h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("Mark several as met",
        h("p", { class: "muted" }, `${name[0].toUpperCase()}${name.slice(1)} at ${desk.site(site).name}. Elements not rated yet${rated ? `; ${rated} rated already are not touched` : ""}.`),
        open.length ? [h("div", { class: "form-actions" }, button(`Tick all ${open.length}`, () => all(true), { kind: "quiet" }), button("Tick none", () => all(false), { kind: "quiet" })), groups] : h("div", { class: "card" }, empty("Every element here is rated", "Change single ones on their standard's screen.")))),
      h("div", { class: "thumb-bar several-bar" }, place)],
    };
  }

  Tablet.several = { show };
})();
