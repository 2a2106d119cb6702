// Saves each answer as it is given. What is not saved yet lies in this browser's own journal (localStorage), by person,
// case and field, so that text survives a lost session, a new tab, a lost connection. Without this file the form's own
// button saves the same way. Two browsers never overwrite each other: the server refuses, and a person chooses.
(() => {
  "use strict";
  const root = document.querySelector("[data-autosave-url]");
  if (!root) return;
  const form = root.closest("form");
  const url = root.dataset.autosaveUrl;
  const summary = document.querySelector("[data-save-summary]");
  const prefix = ["certify", root.dataset.person, root.dataset.case, ""].join("|");
  const WAIT = 900;
  const RETRY = 6000;
  const fields = new Map();

  // ---- the journal
  const journal = {
    read(key) {
      try { return JSON.parse(localStorage.getItem(prefix + key)); } catch { return null; }
    },
    write(key, entry) {
      try { localStorage.setItem(prefix + key, JSON.stringify(entry)); return true; } catch { return false; }
    },
    drop(key) {
      try { localStorage.removeItem(prefix + key); } catch { /* nothing was kept */ }
    },
  };

  // ---- what the controls hold
  const controls = (box) => Array.from(box.querySelectorAll("input, select, textarea")).filter((c) => c.name && !c.hasAttribute("data-rev-input"));
  const rows = (box) => Array.from(box.querySelectorAll("[data-row]"));
  const named = (row, name) => { const c = row.querySelector(`[name="${name}"]`); return c ? c.value.trim() : ""; };

  function valueOf(box) {
    const key = box.dataset.field;
    const kind = box.dataset.kind;
    const all = controls(box);
    if (kind === "boolean") { const on = all.find((c) => c.checked); return on ? on.value === "yes" : null; }
    if (kind === "attestation") return all.some((c) => c.checked) ? true : null;
    if (kind === "multichoice") return all.filter((c) => c.checked).map((c) => c.value);
    if (kind === "choice" && all[0] && all[0].type === "radio") { const on = all.find((c) => c.checked); return on ? on.value : null; }
    if (kind === "date_list") return all.map((c) => c.value).filter(Boolean);
    if (kind === "date_windows") return rows(box).map((r) => ({ from: named(r, key + "-from"), to: named(r, key + "-to") })).filter((w) => w.from || w.to);
    if (kind === "contacts") {
      return rows(box).map((r) => Object.fromEntries(["name", "role", "email", "phone"].map((p) => [p, named(r, key + "-" + p)]))).filter((c) => Object.values(c).some(Boolean));
    }
    return all[0] ? all[0].value : null;
  }

  // A window or contact that is still being typed is kept in the journal but not sent.
  function complete(box, value) {
    if (box.dataset.kind === "date_windows") return value.every((w) => w.from && w.to);
    if (box.dataset.kind === "contacts") return value.every((c) => c.name);
    return true;
  }

  function put(box, value) {
    const key = box.dataset.field;
    const kind = box.dataset.kind;
    const all = controls(box);
    if (kind === "boolean") { all.forEach((c) => { c.checked = value !== null && c.value === (value ? "yes" : "no"); }); return; }
    if (kind === "attestation") { all.forEach((c) => { c.checked = value === true; }); return; }
    if (kind === "multichoice") { all.forEach((c) => { c.checked = (value || []).includes(c.value); }); return; }
    if (kind === "choice" && all[0] && all[0].type === "radio") { all.forEach((c) => { c.checked = c.value === value; }); return; }
    if (["date_list", "date_windows", "contacts"].includes(kind)) {
      const entries = value || [];
      while (rows(box).length < entries.length) addRow(box);
      rows(box).forEach((row, n) => {
        const entry = entries[n];
        row.querySelectorAll("input").forEach((input) => {
          const part = input.name.slice(key.length + 1);
          input.value = entry === undefined ? "" : part ? entry[part] || "" : entry;
        });
      });
      return;
    }
    if (all[0]) all[0].value = value === null || value === undefined ? "" : value;
  }

  function addRow(box) {
    const list = box.querySelector("[data-rows-of]");
    const last = list.lastElementChild;
    const fresh = last.cloneNode(true);
    const number = list.children.length;
    fresh.querySelectorAll("input").forEach((input) => {
      input.value = "";
      const id = input.id.replace(/-\d+$/, "-" + number);
      const label = fresh.querySelector(`label[for="${input.id}"]`);
      input.id = id;
      if (label) {
        label.htmlFor = id;
        if (/^Day \d+$/.test(label.textContent)) label.textContent = "Day " + (number + 1);
        const hidden = label.querySelector(".sr-only");
        if (hidden) hidden.textContent = hidden.textContent.replace(/\d+$/, number + 1);
      }
    });
    list.append(fresh);
    return fresh;
  }

  // ---- telling
  function say(box, text, wrong) {
    const state = box.querySelector("[data-state]");
    state.textContent = text;
    state.classList.toggle("is-wrong", Boolean(wrong));
  }

  // What the page said was wrong is no longer so once the answer is kept.
  function right(box) {
    for (const wrong of box.querySelectorAll(".field--error")) wrong.classList.remove("field--error");
    for (const words of box.querySelectorAll(".field__error")) words.remove();
    for (const input of box.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  function tellAll() {
    if (!summary) return;
    const left = Array.from(fields.values()).filter((f) => f.dirty).length;
    summary.textContent = left ? (left === 1 ? "1 answer is not saved yet; it is kept in this browser." : left + " answers are not saved yet; they are kept in this browser.") : "Everything is saved.";
  }

  const clock = () => new Date().toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  // ---- saving
  async function save(key, keepalive) {
    const field = fields.get(key);
    if (!field || field.busy || field.clashed) return;
    const value = valueOf(field.box);
    if (!complete(field.box, value)) return;
    const sent = JSON.stringify(value);
    field.busy = true;
    say(field.box, "Saving…");
    let answer;
    try {
      answer = await fetch(url, {
        method: "POST", credentials: "same-origin", redirect: "manual", keepalive: Boolean(keepalive),
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ field: key, value, rev: field.rev }),
      });
    } catch {
      field.busy = false;
      say(field.box, "Not saved: no connection. Your text is kept in this browser and sent when the connection is back.", true);
      field.retry = window.setTimeout(() => save(key), RETRY);
      tellAll();
      return;
    }
    field.busy = false;
    if (answer.status === 401 || answer.type === "opaqueredirect") { signedOut(field); return; }
    let body = {};
    try { body = await answer.json(); } catch { /* no body to read */ }
    if (answer.ok) {
      setRev(field, body.rev);
      field.known = sent;
      if (JSON.stringify(valueOf(field.box)) === sent) {
        field.dirty = false;
        journal.drop(key);
        right(field.box);
        say(field.box, "Saved at " + clock());
      } else {
        note(key);
        window.setTimeout(() => save(key), 0);
      }
    } else if (answer.status === 409 && body.theirs) {
      showClash(field, body);
    } else if (answer.status === 422) {
      const errors = body.errors || [];
      say(field.box, "Not saved. " + (errors.length ? errors.map((e) => e.message).join(" ") : body.detail || "Check this answer."), true);
    } else {
      say(field.box, "Not saved. " + (body.detail || "Your text is kept in this browser; reload the page."), true);
      if (answer.status >= 500) field.retry = window.setTimeout(() => save(key), RETRY);
    }
    tellAll();
  }

  function signedOut(field) {
    const state = field.box.querySelector("[data-state]");
    state.classList.add("is-wrong");
    const link = document.createElement("a");
    link.href = "/sign-in?next=" + encodeURIComponent(location.pathname);
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "Sign in in a new tab";
    state.replaceChildren("You have been signed out. Your text is kept in this browser. ", link, ", then come back: it is saved by itself.");
    field.waits = true;
    tellAll();
  }

  function setRev(field, rev) {
    field.rev = rev;
    field.box.dataset.rev = rev;
    const hidden = field.box.querySelector("[data-rev-input]");
    if (hidden) hidden.value = rev;
  }

  function showClash(field, body) {
    field.clashed = true;
    const old = field.box.querySelector(".clash");
    if (old) old.remove();
    const box = document.createElement("div");
    box.className = "clash";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Two answers to " + body.label);
    const title = document.createElement("p");
    title.className = "clash__title";
    title.textContent = body.theirs.by + " changed this at " + new Date(body.theirs.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) + ", after you opened the page. Which one stands?";
    const list = document.createElement("dl");
    [["Yours", body.mine.words], ["By " + body.theirs.by, body.theirs.words]].forEach(([term, words]) => {
      const pair = document.createElement("div");
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = words || "empty";
      pair.append(dt, dd);
      list.append(pair);
    });
    const buttons = document.createElement("p");
    buttons.className = "row";
    const choose = (words, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "usa-button button button--outline";
      button.textContent = words;
      button.addEventListener("click", () => { field.clashed = false; setRev(field, body.theirs.rev); box.remove(); act(); });
      buttons.append(button);
    };
    choose("Keep mine", () => save(field.key));
    choose("Take theirs", () => { put(field.box, body.theirs.value); field.dirty = false; field.known = JSON.stringify(valueOf(field.box)); journal.drop(field.key); say(field.box, "Taken over from " + body.theirs.by + "."); tellAll(); });
    box.append(title, list, buttons);
    const state = field.box.querySelector("[data-state]");
    state.before(box);
    say(field.box, "Not saved: choose above.", true);
  }

  // ---- noticing
  function note(key) {
    const field = fields.get(key);
    const value = valueOf(field.box);
    field.dirty = JSON.stringify(value) !== field.known;
    if (!field.dirty) { journal.drop(key); say(field.box, ""); } else if (!journal.write(key, { value, rev: field.rev, at: new Date().toISOString() })) {
      say(field.box, "This browser keeps no copy; use the button below to save.", true);
    }
    tellAll();
    return field;
  }

  function changed(key, wait) {
    const field = note(key);
    window.clearTimeout(field.timer);
    window.clearTimeout(field.retry);
    if (field.dirty) field.timer = window.setTimeout(() => save(key), wait);
  }

  root.querySelectorAll("[data-field]").forEach((box) => {
    if (box.dataset.kind === "practice_record") return;
    const key = box.dataset.field;
    const field = { key, box, rev: Number(box.dataset.rev), known: "", dirty: false, busy: false, clashed: false };
    field.known = JSON.stringify(valueOf(box));
    fields.set(key, field);
    box.addEventListener("input", () => changed(key, WAIT));
    box.addEventListener("change", () => changed(key, 0));
    const add = box.querySelector("[data-add-row]");
    if (add) add.addEventListener("click", (event) => { event.preventDefault(); addRow(box).querySelector("input").focus(); });
    // What this browser kept from before: the same as stored is forgotten, anything else is put back and saved (or asked about).
    const kept = journal.read(key);
    if (!kept) return;
    if (JSON.stringify(kept.value) === field.known) { journal.drop(key); return; }
    put(box, kept.value);
    field.rev = kept.rev;
    field.dirty = true;
    say(box, "This is your text from before, kept in this browser.");
    save(key);
  });
  tellAllAtStart();

  function tellAllAtStart() {
    if (Array.from(fields.values()).some((f) => f.dirty)) tellAll();
  }

  // Back after signing in elsewhere, or the connection is back: send what waits.
  function sendWaiting() {
    fields.forEach((field, key) => { if (field.dirty && !field.clashed) { field.waits = false; save(key); } });
  }
  window.addEventListener("online", sendWaiting);
  window.addEventListener("focus", sendWaiting);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") sendWaiting(); });
  window.addEventListener("pagehide", () => { fields.forEach((field, key) => { if (field.dirty && !field.waits) save(key, true); }); });
  form.addEventListener("submit", () => fields.forEach((field) => { window.clearTimeout(field.timer); window.clearTimeout(field.retry); }));
})();
