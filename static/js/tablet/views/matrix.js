/* Placing a finding in the matrix of severity and scope: a grid of radios, each cell named and its level said in words. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, id } = Tablet.dom;

  /** Return {place, show(value)}; `keep({harm, scope})` writes the journal. */
  function matrix(pack, { about, value, keep }) {
    const { harms, scopes, level } = Tablet.declared.of(pack);
    const name = id("risk");
    const inputs = new Map();
    const outcome = h("p", { class: "matrix__outcome" });
    const tell = (chosen) => {
      const cell = chosen && level(chosen.harm, chosen.scope);
      outcome.textContent = !cell ? "" : `${cell.words}.${cell.demands.length ? ` The plan of correction will have to say: ${cell.demands.map((one) => one.toLowerCase()).join("; ")}.` : ""}`;
    };
    const put = async (chosen, input) => {
      input.closest("td").classList.add("matrix__cell--pending");
      try {
        await keep(chosen);
        tell(chosen);
      } catch (error) {
        show(last);
        Tablet.app.failed(error);
        return;
      } finally {
        input.closest("td").classList.remove("matrix__cell--pending");
      }
      last = chosen;
    };
    const cell = (harm, scope) => {
      const own = id("cell");
      const found = level(harm.key, scope.key);
      const risk = found ? found.words : "";
      const input = h("input", { type: "radio", class: "sr-only", name, id: own, "aria-label": `Harm ${harm.words.toLowerCase()}, ${scope.words.toLowerCase()}: ${risk.toLowerCase()}`, on: { change: () => put({ harm: harm.key, scope: scope.key }, input) } });
      inputs.set(`${harm.key}|${scope.key}`, input);
      return h("td", { class: `matrix__cell matrix__cell--${found ? found.key : "none"}` }, input, h("label", { for: own }, h("span", {}, found ? found.words : "")));
    };
    const grid = h("table", { class: "matrix" },
      h("caption", { class: "sr-only" }, `Severity and scope of the finding on ${about}`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "matrix__corner" }, h("span", { class: "matrix__axis" }, "Likely harm")), scopes.map((scope) => h("th", { scope: "col", title: scope.hint }, scope.words)))),
      h("tbody", {}, harms.slice().reverse().map((harm) => h("tr", {}, h("th", { scope: "row", title: harm.hint }, harm.words), scopes.map((scope) => cell(harm, scope))))));
    let last = value || null;
    function show(chosen) {
      for (const [key, input] of inputs) input.checked = Boolean(chosen) && key === `${chosen.harm}|${chosen.scope}`;
      tell(chosen);
    }
    show(last);
    return {
      place: h("div", { class: "matrix-frame", role: "radiogroup", "aria-label": `Severity and scope of the finding on ${about}` }, grid, outcome),
      show: (chosen) => { last = chosen; show(chosen); },
    };
  }

  Tablet.matrix = matrix;
})();
