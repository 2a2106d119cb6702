/* Building the tablet's screens: elements from plain values, never from markup, so that nothing entered can become script. */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const SVG = "http://www.w3.org/2000/svg";
  const symbols = () => document.body.dataset.symbols || "/static/img/symbols.svg";

  const add = (parent, child) => {
    if (child === null || child === undefined || child === false || child === "") return;
    if (Array.isArray(child)) child.forEach((one) => add(parent, one));
    else parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  };

  /** Return a new element. `props`: class, data {}, on {type: run}, any attribute; true gives an empty attribute, null or false none. */
  function h(tag, props = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "class") made.className = value;
      else if (name === "data") Object.assign(made.dataset, value);
      else if (name === "on") for (const [type, run] of Object.entries(value)) made.addEventListener(type, run);
      else if (name === "value" || name === "checked" || name === "indeterminate") made[name] = value;
      else made.setAttribute(name, value === true ? "" : String(value));
    }
    add(made, children);
    return made;
  }

  /** Return one sign of the symbol sheet; without a label it is there for the eye only. */
  function icon(name, label, size) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", `icon${size ? ` icon--${size}` : ""}`);
    svg.setAttribute("focusable", "false");
    if (label) {
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", label);
    } else svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `${symbols()}#${name}`);
    svg.append(use);
    return svg;
  }

  let last = 0;
  /** Return an id no other element of this page has. */
  const id = (stem = "t") => `${stem}-${(last += 1)}`;

  // `also` is read aloud after the words: which of several alike buttons this is.
  const spoken = (also) => also && h("span", { class: "sr-only" }, ` ${also}`);
  const button = (words, run, { kind = "outline", mark, also, ...props } = {}) =>
    h("button", { type: "button", class: `usa-button button button--${kind}`, on: { click: run }, ...props }, mark && icon(mark), words, spoken(also));
  const linkButton = (words, href, { kind = "outline", mark, also, ...props } = {}) =>
    h("a", { class: `usa-button button button--${kind}`, href, ...props }, mark && icon(mark), words, spoken(also));
  const badge = (kind, words, mark) => h("span", { class: `badge badge--${kind}` }, mark && icon(mark), words);
  const card = (title, ...children) => h("section", { class: "card", "aria-label": title }, title && h("h2", { class: "card__title" }, title), children);

  const SIGNS = { late: "alert", due: "clock", met: "check", info: "info" };
  const notice = (kind, title, ...children) =>
    h("div", { class: `notice notice--${kind}` }, icon(SIGNS[kind] || "info"), h("div", {}, title && h("p", { class: "notice__title" }, title), children));
  const empty = (title, text, ...more) => h("div", { class: "empty" }, icon("empty", null, "large"), h("p", { class: "empty__title" }, title), text && h("p", { class: "empty__text" }, text), more);

  /** Let a text area be as high as what it holds. */
  function grows(area) {
    // Browsers that know field-sizing do it themselves; measuring there would only cost time at each key.
    if (CSS.supports("field-sizing", "content")) return area;
    const fit = () => {
      area.style.blockSize = "auto";
      area.style.blockSize = `${area.scrollHeight + 2}px`;
    };
    area.addEventListener("input", fit);
    requestAnimationFrame(fit);
    return area;
  }

  /** Return a text area made for dictation: it grows, corrects spelling, and no old entry is offered. */
  const textArea = (props = {}) =>
    grows(h("textarea", { class: "usa-textarea tablet-text", rows: "2", autocomplete: "off", autocapitalize: "sentences", spellcheck: "true", maxlength: "20000", ...props }));

  /** Return a labelled field; the label stands above, the hint below it. */
  function field(words, input, hint) {
    if (!input.id) input.id = id("field");
    const told = hint ? h("p", { class: "field__hint", id: `${input.id}-hint` }, hint) : null;
    if (told) input.setAttribute("aria-describedby", told.id);
    return h("div", { class: "field" }, h("label", { class: "field__label", for: input.id }, words), told, input);
  }

  /** Return a group of tiles, radio or check boxes. options: [[value, words, description]]; chosen: Set of values. */
  function tiles(legend, type, options, chosen, change, { row = false, name = id("tiles"), plain = false } = {}) {
    const kind = type === "radio" ? "radio" : "checkbox";
    return h("fieldset", { class: "field tablet-tiles" },
      h("legend", { class: plain ? "sr-only" : "field__label" }, legend),
      h("div", { class: `tiles${row ? " tiles--row" : ""}` }, options.map(([value, words, more]) => {
        const own = id(kind);
        return h("div", { class: "tile" },
          h("input", { type: kind, class: `usa-${kind}__input`, id: own, name, value: String(value), checked: chosen.has(value), on: { change: (event) => change(value, event.target.checked, event.target) } }),
          h("label", { class: `usa-${kind}__label`, for: own }, words, more && h("span", { class: `usa-${kind}__label-description` }, more)));
      })));
  }

  /** Ask twice: a press shows the question in place, only the second press acts. `ask` may hold fields; `act` gets them done. */
  function twice(words, { question, yes, no = "Cancel", act, ask = () => null, kind = "outline", mark, danger = false, also }) {
    const place = h("div", { class: "twice" });
    const first = button(words, () => {
      const inner = ask();
      const stop = button(no, () => { place.replaceChildren(first); first.focus(); }, { kind: "quiet" });
      const go = button(yes, async () => {
        go.setAttribute("aria-busy", "true");
        try {
          if ((await act(inner)) === false) return;
        } finally {
          go.removeAttribute("aria-busy");
        }
      }, { kind: danger ? "danger" : "filled" });
      const title = h("p", { class: "twice__question", tabindex: "-1" }, typeof question === "function" ? question() : question);
      place.replaceChildren(h("div", { class: "twice__box", role: "group", "aria-label": "Please confirm", on: { keydown: (event) => { if (event.key === "Escape") stop.click(); } } },
        title, inner, h("div", { class: "form-actions" }, go, stop)));
      title.focus();
    }, { kind, mark, also });
    place.append(first);
    return place;
  }

  /** The field in which a person says why, and what she said there: null, and told so, while it is empty. */
  const why = () => {
    const input = h("input", { type: "text", class: "usa-input", autocomplete: "off", maxlength: "500", required: true });
    return h("div", {}, field("Why? (kept in the journal)", input), h("p", { class: "item__lacks", hidden: true }, "Say why in a few words."));
  };
  const saidWhy = (asked) => {
    const input = asked.querySelector("input");
    if (input.value.trim()) return input.value.trim();
    asked.querySelector(".item__lacks").hidden = false;
    input.focus();
    return null;
  };

  const clock = (zone) => ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone ? { timeZone: zone } : {}) });
  const parts = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
  /** "14:02" today, else "Tue, Mar 3, 2026, 14:02", in the practice's zone. */
  function moment(at, zone, short = true) {
    if (!at) return "";
    const when = new Date(at);
    if (Number.isNaN(when.getTime())) return String(at);
    const day = (instant) => instant.toLocaleDateString("en-CA", zone ? { timeZone: zone } : {});
    if (short && day(when) === day(new Date())) return when.toLocaleTimeString("en-US", clock(zone));
    return when.toLocaleString("en-US", { ...parts, ...clock(zone) });
  }
  const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
  const bytes = (n) => (n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : n >= 1e6 ? `${(n / 1e6).toFixed(n >= 1e7 ? 0 : 1)} MB` : n >= 1e3 ? `${Math.round(n / 1e3)} KB` : `${n || 0} bytes`);
  const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`);
  const uuid = () => (crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (Number(c) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(c) / 4)))).toString(16)));

  /** Let a file be saved by the browser's own way. */
  function download(blob, name) {
    const address = URL.createObjectURL(blob);
    const link = h("a", { href: address, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  Tablet.dom = { h, icon, id, button, linkButton, badge, card, notice, empty, textArea, grows, field, tiles, twice, why, saidWhy, moment, count, bytes, list, uuid, download };
})();
