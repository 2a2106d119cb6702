/* The checklist: each answer is written to a journal in the browser as it is given and sent at once.
   What the server has not acknowledged stays in the journal, through reloads, until it has. */
(() => {
  "use strict";

  const sheet = document.getElementById("sheet");
  const line = document.getElementById("save-line");
  if (!sheet || !sheet.dataset.survey) return;
  document.documentElement.classList.add("scripted");

  const survey = sheet.dataset.survey;
  const site = Number(sheet.dataset.site);
  const address = `/surveys/${survey}/sync`;
  const QUEUE = `certify:queue:${sheet.dataset.person}:${survey}`;
  const REFUSED = `certify:refused:${sheet.dataset.person}:${survey}`;
  const BATCH = 100;
  let since = Number(sheet.dataset.seq);
  let memory = [];
  let kept = true;
  let sending = false;
  let wait = 1000;
  let timer = 0;
  let problem = "";
  let leaving = "";

  // The journal: in localStorage, and in memory where a browser refuses that.
  const read = (key, otherwise) => {
    try { return JSON.parse(localStorage.getItem(key)) || otherwise; } catch { return otherwise; }
  };
  const queue = () => (kept ? read(QUEUE, []) : memory);
  const keep = (ops) => {
    memory = ops;
    try { localStorage.setItem(QUEUE, JSON.stringify(ops)); kept = true; } catch { kept = false; }
  };
  const uuid = () => (crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g,
    (c) => (Number(c) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(c) / 4)))).toString(16)));
  const device = (() => {
    const fresh = uuid();
    try {
      const known = localStorage.getItem("certify:device");
      if (known) return known;
      localStorage.setItem("certify:device", fresh);
    } catch { /* a browser that keeps nothing gets a new name for each page */ }
    return fresh;
  })();

  // The time of an answer: later than all before it on this device, even when its clock is set back.
  let lastAt = 0;
  const at = () => {
    lastAt = Math.max(Date.now(), lastAt + 1, (Number(read("certify:last_at", 0)) || 0) + 1);
    try { localStorage.setItem("certify:last_at", String(lastAt)); } catch { /* then by what this page knows */ }
    return new Date(lastAt).toISOString();
  };

  // What the page shows.
  const named = (name) => sheet.querySelector(`[name="${CSS.escape(name)}"]`);
  const baseOf = (field, about) => {
    const input = named(`base:${field}:${about}`);
    return input && input.value !== "" ? Number(input.value) : null;
  };
  const rebase = (field, about, seq) => {
    const input = named(`base:${field}:${about}`);
    if (input && (input.value === "" || Number(input.value) < seq)) input.value = String(seq);
  };
  const valueOf = (field, about) => {
    if (field === "rating") {
      const chosen = sheet.querySelector(`[name="${CSS.escape(`rating:${about}`)}"]:checked`);
      return chosen ? chosen.value : null;
    }
    if (field === "risk") {
      const place = sheet.querySelector(`[name="${CSS.escape(`risk:${about}`)}"]:checked`);
      const [harm, scope] = place ? place.value.split("/") : [];
      return harm && scope ? { harm, scope } : null;
    }
    if (field.startsWith("seen_")) {
      if (!named(`${field}:${about}`).checked) return false;
      const what = named(`what_${field.slice(5)}:${about}`).value.trim();
      return what ? { what } : true;
    }
    const text = named(`${field}:${about}`).value.trim();
    return text || null;
  };
  // Times are the practice's, as everywhere on the page.
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: sheet.dataset.zone };
  const time = () => new Date().toLocaleTimeString("en-US", clock);
  const say = (text, kind) => {
    line.textContent = text;
    line.className = `save-line save-line--${kind}`;
  };
  const words = (n) => `${n} ${n === 1 ? "answer" : "answers"} not yet sent`;
  const status = () => {
    const waiting = queue().length;
    const refused = read(REFUSED, []).length;
    if (problem) say(waiting ? `${words(waiting)}. ${problem}` : problem, "wrong");
    else if (refused) say(`${refused} ${refused === 1 ? "answer was" : "answers were"} refused: ${read(REFUSED, [])[0].reason}`, "wrong");
    else if (waiting) say(sending ? `Sending ${waiting}…` : words(waiting), "waiting");
    else say(`All sent ${time()}`, "sent");
  };
  const elements = Array.from(sheet.querySelectorAll("fieldset[data-element]")).filter((box) => box.querySelector(".answers"));
  const count = () => {
    let answered = 0, notMet = 0;
    for (const box of elements) {
      const rating = valueOf("rating", box.dataset.element);
      if (rating) answered += 1;
      if (rating === "no") notMet += 1;
    }
    return { answered, notMet };
  };
  const atStart = count();
  const recount = () => {
    const now = count();
    const answered = Number(sheet.dataset.answered) - atStart.answered + now.answered;
    document.querySelector("[data-count=answered]").textContent = String(answered);
    document.querySelector("[data-count=not_met]").textContent = String(Number(sheet.dataset.notMet) - atStart.notMet + now.notMet);
    document.getElementById("site-progress").value = answered;
  };
  const lacks = (box) => {
    const about = box.dataset.element;
    const place = box.querySelector("[data-lacks]");
    if (!place) return;
    const rating = valueOf("rating", about);
    let text = "";
    if (rating === "no" && !valueOf("note", about)) text = "No needs a note: what was seen?";
    if (rating === "na" && !valueOf("na_reason", about)) text = "Not applicable needs a reason.";
    place.hidden = !text;
    place.querySelector("span").textContent = text;
    if (rating === "no") box.querySelector(".item__text--note").open = true;
    if (rating === "na") box.querySelector(".item__text--na-reason").open = true;
  };

  // Taking an answer in.
  const last = new Map();
  const record = (field, about) => {
    const value = valueOf(field, about);
    const key = `${field}:${about}`;
    const text = JSON.stringify(value);
    if (last.get(key) === text) return;
    last.set(key, text);
    keep([...queue(), { op: uuid(), site, element: about, field, value, base: baseOf(field, about), at: at() }]);
    status();
    send();
  };
  const aboutOf = (input) => input.closest("fieldset[data-element]").dataset.element;
  for (const input of sheet.querySelectorAll("[data-field]")) {
    const field = input.dataset.field, about = aboutOf(input);
    last.set(`${field}:${about}`, JSON.stringify(valueOf(field, about)));
  }
  const slow = new Map();
  const soon = (field, about) => {
    const key = `${field}:${about}`;
    clearTimeout(slow.get(key));
    slow.set(key, setTimeout(() => { slow.delete(key); record(field, about); }, 1500));
  };
  const flush = () => {
    for (const [key, waiting] of slow) {
      clearTimeout(waiting);
      const [field, about] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
      record(field, about);
    }
    slow.clear();
  };
  sheet.addEventListener("change", (event) => {
    const field = event.target.dataset.field || event.target.dataset.what;
    if (!field) return;
    const about = aboutOf(event.target);
    record(field, about);
    lacks(event.target.closest("fieldset"));
    recount();
  });
  sheet.addEventListener("input", (event) => {
    const field = event.target.matches("textarea, input[type=text]") && (event.target.dataset.field || event.target.dataset.what);
    if (!field) return;
    soon(field, aboutOf(event.target));
    lacks(event.target.closest("fieldset"));
  });

  // Sending.
  const exclusively = (work) => (navigator.locks ? navigator.locks.request(QUEUE, work) : work());
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(send, wait);
    wait = Math.min(wait * 2, 60000);
  };
  function send() {
    if (sending) return;
    sending = true;
    exclusively(drain).catch(() => later()).finally(() => {
      sending = false;
      status();
      if (!problem && queue().length) later();
      else go();
    });
  }
  async function drain() {
    do {
      const ops = queue().slice(0, BATCH);
      status();
      let response;
      try {
        response = await fetch(address, {
          method: "POST", credentials: "same-origin", redirect: "manual",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          // Whoever signed in meanwhile in another tab must not send this person's answers: the server compares.
          body: JSON.stringify({ device, person: Number(sheet.dataset.person), since, ops }),
        });
      } catch {
        return; // no network: what is queued stays queued
      }
      if (response.type === "opaqueredirect" || response.status === 401) {
        problem = "Sign in again in another tab; nothing is lost.";
        return;
      }
      let answer = null;
      try { answer = await response.json(); } catch { /* a page of someone else's network, or a broken answer */ }
      if (response.status >= 500 || response.status === 429 || (response.ok && !(answer && Array.isArray(answer.acks)))) return;
      if (!response.ok) {
        problem = (answer && answer.detail) || "The server does not take answers here.";
        return;
      }
      problem = "";
      wait = 1000;
      settle(ops, answer);
    } while (queue().length);
  }
  function settle(ops, answer) {
    const acks = new Map(answer.acks.map((ack) => [ack.op, ack]));
    const refused = [];
    for (const op of ops) {
      const ack = acks.get(op.op);
      if (!ack) continue;
      if (ack.status === "rejected") refused.push({ ...op, reason: ack.reason });
      else if (op.site === site && ack.status !== "late") rebase(op.field, op.element, ack.seq);
    }
    if (refused.length) {
      try { localStorage.setItem(REFUSED, JSON.stringify([...read(REFUSED, []), ...refused])); } catch { problem = refused[0].reason; }
    }
    keep(queue().filter((op) => !acks.has(op.op)));
    since = answer.seq;
    for (const change of answer.changes) if (change.device !== device && change.stands) adopt(change);
    showConflicts(answer.conflicts);
  }

  // What others of the team said.
  function adopt(change) {
    if (change.site !== site || !change.element) return;
    const key = `${change.field}:${change.element}`;
    if (!named(`base:${key}`) || slow.has(key) || queue().some((op) => op.site === site && op.element === change.element && op.field === change.field)) return;
    const { field, element: about, value } = change;
    if (field === "rating") {
      for (const radio of sheet.querySelectorAll(`[name="${CSS.escape(key)}"]`)) radio.checked = radio.value === value;
    } else if (field === "risk") {
      const place = value ? `${value.harm}/${value.scope}` : "";
      for (const radio of sheet.querySelectorAll(`[name="${CSS.escape(key)}"]`)) radio.checked = radio.value === place;
    } else if (field.startsWith("seen_")) {
      named(key).checked = value === true || (value !== null && typeof value === "object");
      named(`what_${field.slice(5)}:${about}`).value = value && value.what ? value.what : "";
    } else {
      named(key).value = value || "";
      if (value) named(key).closest("details").open = true;
    }
    rebase(field, about, change.seq);
    last.set(key, JSON.stringify(valueOf(field, about)));
    const box = named(key).closest("fieldset");
    lacks(box);
    recount();
  }
  const readable = (value) => {
    if (value === null) return "taken back";
    if (value === true) return "seen";
    if (value === false) return "not seen";
    if (typeof value === "object" && value.harm) return `${value.harm} likelihood of harm, ${value.scope}`;
    if (typeof value === "object") return value.what || value.caption || "added";
    return { yes: "Yes", no: "No", na: "Not applicable" }[value] || value;
  };
  function showConflicts(conflicts) {
    for (const old of sheet.querySelectorAll(".clash")) old.remove();
    for (const conflict of conflicts) {
      const key = `${conflict.field}:${conflict.element}`;
      if (conflict.site !== site || !named(`base:${key}`)) continue;
      const newest = Math.max(...conflict.values.map((v) => v.seq));
      rebase(conflict.field, conflict.element, newest);
      const box = document.createElement("div");
      box.className = "clash";
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Two values stand");
      const title = document.createElement("p");
      title.className = "clash__title";
      title.textContent = "Two values stand. Which one is right?";
      box.append(title);
      for (const value of conflict.values) box.append(choice(conflict, value));
      const place = named(`base:${key}`);
      const text = place.closest(".item__text");
      if (text) text.open = true;
      (place.closest(".seen") || place).before(box);
    }
  }
  function choice(conflict, value) {
    const row = document.createElement("div");
    row.className = "clash__value";
    const said = document.createElement("span");
    const strong = document.createElement("strong");
    strong.textContent = readable(value.value);
    const who = document.createElement("span");
    who.className = "muted";
    who.textContent = ` ${value.by}, ${new Date(value.at).toLocaleString("en-US", { weekday: "short", day: "numeric", month: "short", year: "numeric", ...clock })}`;
    said.append(strong, who);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "usa-button button button--outline";
    button.textContent = "Keep this";
    button.addEventListener("click", () => {
      adopt({ ...value, site, element: conflict.element, field: conflict.field, seq: baseOf(conflict.field, conflict.element) });
      keep([...queue(), {
        op: uuid(), site, element: conflict.element, field: conflict.field, value: value.value,
        base: baseOf(conflict.field, conflict.element), at: at(),
      }]);
      status();
      send();
    });
    row.append(said, button);
    return row;
  }

  // Going on: first what was typed is in the journal, then the next page.
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    flush();
    leaving = (event.submitter && event.submitter.dataset.href) || "";
    // The next open standard is found by the server, so what was said here must have arrived; the others may go at once.
    if (leaving && (event.submitter.value !== "open" || !queue().length || !navigator.onLine)) go();
    else send();
  });
  function go() {
    if (!leaving) return;
    const target = leaving;
    leaving = "";
    window.location.assign(target);
  }
  document.getElementById("settle-form")?.addEventListener("submit", flush);
  window.addEventListener("online", () => { wait = 1000; problem = ""; send(); });
  document.addEventListener("visibilitychange", () => { flush(); if (!document.hidden) { problem = ""; send(); } });
  window.addEventListener("pagehide", flush);
  setInterval(() => { if (!document.hidden && !sending && !problem) send(); }, 20000);
  elements.forEach(lacks);
  status();
  send();
})();
