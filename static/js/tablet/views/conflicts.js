/* Conflicts of the whole survey: both values side by side, until one is chosen or a third written. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, empty, count } = Tablet.dom;

  function show(desk) {
    const top = Tablet.frame.header(desk, {});
    const place = h("div", { class: "stack-l" });
    const draw = () => {
      place.replaceChildren(...(desk.conflicts.length ? desk.conflicts.map((conflict) => {
        const entry = desk.elements.get(conflict.element);
        const code = desk.codeOf(conflict.element);
        const site = desk.site(conflict.site);
        return h("section", { class: "card", "aria-label": `Conflict on ${conflict.element || "the site"}` },
          h("h2", { class: "card__title" }, code ? h("a", { href: `#/${desk.survey}/${conflict.site}/${code}${entry ? `/${entry.element.letter}` : ""}` }, conflict.element) : "The site", h("span", { class: "muted" }, site ? ` · ${site.name}` : "")),
          entry ? h("p", {}, entry.element.question) : null,
          Tablet.clash(desk, conflict, () => {
            Tablet.app.said(`Settled. ${desk.conflicts.length ? `${count(desk.conflicts.length, "conflict")} left.` : "No conflict is left."}`);
            draw();
            const heading = document.querySelector("h1");
            if (heading) heading.focus();
          }, { third: true }));
      }) : [h("div", { class: "card" }, empty("No conflicts", "When two tablets give different answers to the same thing, both appear here, with who said it and when, until a surveyor of the team settles it. Neither is lost."))]));
    };
    draw();
    Tablet.app.onLeave(desk.listen(({ conflicts, all }) => { if (conflicts || all) draw(); }));
    return { title: "Conflicts", parts: [top.head, h("main", { id: "main", class: "page tablet-main", tabindex: "-1" }, Tablet.frame.page("Conflicts", Tablet.frame.places(desk, "conflicts"), h("p", { class: "muted" }, "What you choose is sent as an answer of yours, given in sight of both."), place))] };
  }

  Tablet.conflicts = { show };
})();
