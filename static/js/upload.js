// Looks at chosen files before they are sent: size, and what looks like patient identifiers in names and plain text.
// The patterns come from the server, the same it uses itself; the server looks again at every file.
(function () {
  "use strict";
  const MAX_LOOKED_AT = 4000000;

  function matches(text, patterns) {
    const found = [];
    for (const [kind, sources] of Object.entries(patterns.text)) {
      if (sources.some((source) => new RegExp(source, "i").test(text))) found.push(kind);
    }
    return found;
  }

  function inTable(text, patterns) {
    const found = new Set();
    const delimiter = [",", ";", "\t", "|"].reduce((best, d) => (text.slice(0, 5000).split(d).length > text.slice(0, 5000).split(best).length ? d : best), ",");
    const headings = {};
    for (const line of text.split(/\r?\n/)) {
      line.split(delimiter).forEach((raw, index) => {
        const cell = raw.trim().replace(/^"|"$/g, "");
        if (!cell) return;
        const kind = headings[index];
        if (kind && new RegExp(patterns.columns[kind][1], "i").test(cell)) { found.add(kind); return; }
        for (const [name, pair] of Object.entries(patterns.columns)) {
          if (cell.length <= 40 && new RegExp(pair[0], "i").test(cell)) headings[index] = name;
        }
      });
    }
    return [...found];
  }

  async function look(file, patterns) {
    const found = new Set([...matches(file.name, patterns), ...matches(file.name.replace(/_+/g, " "), patterns)]);
    if (/\.(txt|csv)$/i.test(file.name)) {
      const text = (await file.slice(0, MAX_LOOKED_AT).text());
      matches(text, patterns).forEach((kind) => found.add(kind));
      if (/\.csv$/i.test(file.name)) inTable(text, patterns).forEach((kind) => found.add(kind));
    }
    return [...found];
  }

  function line(className, text) {
    const p = document.createElement("p");
    p.className = className;
    p.textContent = text;
    return p;
  }

  function size(bytes) {
    return bytes < 1000000 ? Math.max(1, Math.round(bytes / 1000)) + " KB" : (bytes / 1000000).toFixed(1) + " MB";
  }

  document.querySelectorAll("[data-drop]").forEach((zone) => {
    const input = zone.querySelector("input[type=file]");
    const list = zone.querySelector("[data-drop-list]");
    const patterns = JSON.parse(zone.dataset.patterns);
    const limit = Number(zone.dataset.max);
    let turn = 0;

    async function show() {
      const mine = ++turn;
      const lines = [];
      let wrong = "";
      for (const file of input.files) {
        if (file.size > limit) {
          wrong = "“" + file.name + "” has " + size(file.size) + "; at most 25 MB can be sent. Split it, or save it with smaller pictures.";
          lines.push(line("drop__problem", wrong));
          continue;
        }
        lines.push(line("drop__file", file.name + ", " + size(file.size)));
        const kinds = await look(file, patterns);
        if (kinds.length) {
          lines.push(line("drop__warning", "“" + file.name + "” may name a patient: it holds what looks like " + kinds.map((k) => patterns.titles[k]).join(" and ") + ". Black that out first. If you send it, it is held back until your practice says why it names no patient."));
        }
      }
      if (mine !== turn) return;
      input.setCustomValidity(wrong);
      list.replaceChildren(...lines);
    }

    input.addEventListener("change", show);
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("is-over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("is-over");
      if (event.dataTransfer && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        show();
      }
    });
    zone.closest("form").addEventListener("submit", (event) => {
      if (input.validationMessage) {
        event.preventDefault();
        event.stopImmediatePropagation();
        input.focus();
        list.scrollIntoView({ block: "nearest" });
      }
    }, true);
  });
})();
