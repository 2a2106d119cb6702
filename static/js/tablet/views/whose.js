/* Says on every screen of a survey that somebody else took it along, and lets the one who is here now renew it. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, button, notice } = Tablet.dom;
  const place = h("div", { class: "tablet-whose", hidden: true });
  let shown = "";

  async function renew() {
    const desk = Tablet.desk.current();
    try {
      await Tablet.offline.take(desk.survey);
      Tablet.desk.forget();
      Tablet.app.again();
    } catch (error) {
      Tablet.app.failed(error, "The survey was not renewed. ");
    }
  }

  /** Draw it for the survey of the address; hidden while it is one's own or nobody is known. */
  function draw() {
    const desk = Tablet.desk.current();
    const here = desk && location.hash.split(/[/?]/)[1] === String(desk.survey);
    const { me } = Tablet.sender.state();
    const taken = desk && desk.taken.person;
    const foreign = Boolean(here && me && taken && me.id !== taken.id);
    const now = foreign ? `${desk.survey}|${taken.id}|${me.id}` : "";
    if (now === shown) return;
    shown = now;
    place.hidden = !foreign;
    place.replaceChildren(foreign
      ? h("section", { "aria-label": "Whose survey this is" }, notice("late", `Taken along by ${taken.name}; you are ${me.name}`,
        h("p", {}, `Entries would be ${taken.name}'s, so none are accepted. Renew the survey to go on under your own name; what ${taken.name} has not sent stays on this tablet.`),
        h("div", { class: "form-actions" }, button("Renew the survey", renew, { kind: "filled" }))))
      : "");
  }

  Tablet.events.addEventListener("state", draw);
  Tablet.whose = { place, draw };
})();
