// Forms with data-autosave send themselves when they change, say so, and carry the version on.
"use strict";
(() => {
  const busy = new Map();
  let waiting = null;

  const say = (form, words, kind) => {
    const line = form.querySelector("[data-saved]");
    if (!line) return;
    line.textContent = words;
    line.dataset.kind = kind;
  };

  const time = (instant) => new Date(instant).toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  let drawing = false;
  let outdated = false;

  // What depends on the answers (what is still missing, the button to send) is drawn again after each save: one look at a
  // time, and once more when something was saved meanwhile, so that the last save is always in what is shown.
  const refresh = async () => {
    outdated = true;
    if (drawing) return;
    drawing = true;
    try {
      while (outdated) {
        outdated = false;
        await drawAgain();
      }
    } finally {
      drawing = false;
    }
  };

  const drawAgain = async () => {
    if (!document.querySelector("[data-fresh]")) return;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const now = page.getElementById(part.id);
      if (now && !part.contains(document.activeElement)) part.replaceWith(document.adoptNode(now));
    }
  };

  const send = async (form, url) => {
    if (busy.get(form)) {
      busy.set(form, "again");
      return;
    }
    busy.set(form, "sending");
    say(form, "Saving…", "open");
    try {
      const answer = await fetch(url, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        keepalive: true,
      });
      const body = await answer.json().catch(() => ({}));
      if (answer.ok) {
        const version = form.querySelector("input[name=version]");
        if (version && body.version !== undefined) version.value = body.version;
        say(form, `Saved ${time(body.saved_at)}`, "met");
      } else if (answer.status === 401) {
        say(form, "Not saved: you have been signed out.", "late");
        document.dispatchEvent(new CustomEvent("certify:signed-out"));
      } else {
        say(form, `Not saved. ${body.detail || "Try again."}`, "late");
      }
    } catch {
      say(form, "Not saved: there is no connection. It is sent again with your next change.", "late");
    }
    const again = busy.get(form) === "again";
    busy.delete(form);
    if (again) send(form, url);
    else if (waiting && !busy.size) goOn();
    else refresh().catch(() => say(form, "Saved. Reload the page to see what is still missing.", "met"));
  };

  document.addEventListener("certify:change", (event) => send(event.target, event.detail.url));

  // A button pressed while something is still being saved waits for it: what is sent never meets its own earlier save.
  document.addEventListener("submit", (event) => {
    if (!busy.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = { form: event.target, submitter: event.submitter };
  }, true);

  const goOn = () => {
    const { form, submitter } = waiting;
    waiting = null;
    form.requestSubmit(submitter?.isConnected ? submitter : null);
  };

  // What was written before this script was there, or put back by the browser, is sent too.
  const changed = (field) =>
    field instanceof HTMLSelectElement
      ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
      : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  for (const form of document.querySelectorAll("form[data-autosave]")) {
    if ([...form.querySelectorAll("input, textarea, select")].some(changed)) send(form, form.dataset.autosave);
  }
})();
