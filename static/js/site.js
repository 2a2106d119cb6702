/* Small comforts. Every page works without this file. */
(() => {
  "use strict";

  const on = (root, type, run) => root.addEventListener(type, run);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // Menus made of <details>: Escape and a press elsewhere close them.
  on(document, "click", (event) => {
    for (const menu of all("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  on(document, "keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A form is sent once: the second press of a double click does nothing.
  on(document, "submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-once") || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    // A download or a slow answer must not leave the form dead for ever.
    window.setTimeout(() => release(form), 8000);
  });
  const release = (form) => {
    delete form.dataset.sent;
    all("[aria-busy]", form).forEach((button) => button.removeAttribute("aria-busy"));
  };
  on(window, "pageshow", () => all("form[data-once]").forEach(release));

  // What is wrong is read first: the summary of errors takes the focus.
  const summary = document.querySelector("[data-focus]");
  if (summary) summary.focus();

  // Where one stands is in view, also in a row of places that is wider than the screen.
  for (const here of all(".top__nav [aria-current], .tabs [aria-current]")) {
    const row = here.closest(".top__nav, .tabs");
    const past = here.getBoundingClientRect().right - row.getBoundingClientRect().right;
    if (past > -24) row.scrollLeft += past + 48;
  }

  // What stands beside the page is never cut off: when it is taller than the window it moves along until its end is seen.
  for (const rail of all(".with-rail__rail:not(.panel)")) {
    const settle = () => {
      const gap = parseFloat(getComputedStyle(document.documentElement).fontSize);
      rail.style.setProperty("--rail-top", `${Math.min(gap, window.innerHeight - rail.offsetHeight - gap)}px`);
    };
    rail.classList.add("with-rail__rail--whole");
    settle();
    on(window, "resize", settle);
    if (window.ResizeObserver) new ResizeObserver(settle).observe(rail);
  }

  // A link to a field opens what hides it and puts the cursor there.
  const land = () => {
    const id = decodeURIComponent(window.location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let parent = target.closest("details"); parent; parent = parent.parentElement.closest("details")) parent.open = true;
    if (target.matches("input, select, textarea, fieldset")) target.focus();
  };
  on(window, "hashchange", land);
  land();

  // The case chosen last is the one shown, however late an earlier one is answered.
  let asked = 0;

  // Lists: j and k move between rows, Enter opens the row's link.
  const table = document.querySelector("[data-rows]");
  if (table) {
    const links = all("[data-row-link]", table);
    let at = links.findIndex((link) => link.closest("[aria-current='true']"));
    on(document, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
      if (event.key !== "j" && event.key !== "k") return;
      if (!links.length) return;
      event.preventDefault();
      at = Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), links.length - 1);
      links[at].focus();
      links[at].scrollIntoView({ block: "nearest" });
    });
    // The panel beside the list is fetched in place; without this the link opens the same page with the panel.
    const panel = document.querySelector("[data-panel]");
    if (panel && window.fetch) {
      on(table, "click", (event) => {
        const link = event.target.closest("[data-row-link]");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        if (window.innerWidth < 640) return;
        event.preventDefault();
        open(link, panel, links);
      });
    }
  }
  // The first case is judged after the list has been shown.
  const more = document.querySelector("[data-panel-more]");
  if (more && table && window.innerWidth >= 640) {
    const first = table.querySelector("[data-row-link]");
    if (first) open(first, document.querySelector("[data-panel]"), all("[data-row-link]", table), true);
  }
  async function open(link, panel, links, quietly = false) {
    const mine = (asked += 1);
    const slow = window.setTimeout(() => panel.setAttribute("aria-busy", "true"), 300);
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-panel]");
      if (!fresh) throw new Error("no panel");
      if (mine !== asked) return;
      panel.replaceChildren(...fresh.childNodes);
      links.forEach((other) => other.closest("tr").removeAttribute("aria-current"));
      link.closest("tr").setAttribute("aria-current", "true");
      if (!quietly) window.history.replaceState(null, "", link.href);
    } catch {
      if (!quietly && mine === asked) window.location.assign(link.href);
    } finally {
      window.clearTimeout(slow);
      if (mine === asked) panel.removeAttribute("aria-busy");
    }
  }

  // Choosing a filter applies it.
  for (const form of all("form[data-apply]")) {
    on(form, "change", (event) => {
      if (event.target.matches("select")) form.requestSubmit();
    });
  }

  // "Copy address": says that it did.
  on(document, "click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = document.getElementById(button.dataset.copySaid || "") || button.parentElement.querySelector("output");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      if (said) said.textContent = "Copied";
    } catch {
      if (said) said.textContent = button.dataset.copy;
    }
  });

  for (const button of all("[data-print]")) on(button, "click", () => window.print());

  // Hooks for pages that save while one writes. A room's own script listens to these:
  //   form[data-autosave=URL] sends "certify:change" 800 ms after the last key, and at once when a field is left.
  for (const form of all("form[data-autosave]")) {
    let timer = 0;
    const fire = () => {
      window.clearTimeout(timer);
      timer = 0;
      form.dispatchEvent(new CustomEvent("certify:change", { bubbles: true, detail: { url: form.dataset.autosave } }));
    };
    on(form, "input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(fire, 800);
    });
    on(form, "change", fire);
    on(document, "visibilitychange", () => {
      if (document.visibilityState === "hidden" && timer) fire();
    });
  }

  // Signing out leaves what the tablet's app has not sent in this browser: the app says so first and offers a backup file.
  const unsent = async () => {
    if (!window.indexedDB || !indexedDB.databases) return 0;
    const known = await indexedDB.databases();
    if (!known.some((one) => one.name === "certify-tablet")) return 0;
    const db = await new Promise((done, failed) => {
      const asked = indexedDB.open("certify-tablet");
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
      asked.onblocked = () => failed(asked.error);
    });
    try {
      const number = (asked) => new Promise((done, failed) => {
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      });
      const has = (name) => db.objectStoreNames.contains(name);
      const counts = ["ops", "photos"].filter(has).flatMap((name) =>
        ["waiting", "rejected"].map((state) => number(db.transaction(name).objectStore(name).index("queue").count(IDBKeyRange.bound([state], [state, []])))));
      // Texts held back or not finished are on this tablet only, too.
      if (has("meta")) counts.push(number(db.transaction("meta").objectStore("meta").count(IDBKeyRange.bound("draft:", "draft:\uffff"))));
      return (await Promise.all(counts)).reduce((sum, n) => sum + n, 0);
    } finally {
      db.close();
    }
  };
  on(document, "submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[action='/sign-out']") || form.dataset.looked) return;
    event.preventDefault();
    form.dataset.looked = "yes";
    // A browser that cannot be asked holds nothing back: signing out deletes nothing.
    const left = await unsent().catch(() => 0);
    if (left) {
      delete form.dataset.looked;
      window.location.assign("/tablet#/leaving");
    } else form.submit();
  });

  // A background request that finds the sign-in ended says so without losing what is on the page.
  //   document.dispatchEvent(new CustomEvent("certify:signed-out"))
  on(document, "certify:signed-out", () => {
    if (document.querySelector(".session-ended")) return;
    const notice = document.createElement("div");
    notice.className = "notice notice--due session-ended";
    notice.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = "You have been signed out. What you wrote is kept on this page. ";
    const link = document.createElement("a");
    link.href = "/sign-in?next=" + encodeURIComponent(window.location.pathname + window.location.search);
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "Sign in again in a new tab, then go on here.";
    words.append(link);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "linkish";
    close.textContent = "Close";
    on(close, "click", () => notice.remove());
    const body = document.createElement("div");
    body.append(words, close);
    notice.append(body);
    document.body.append(notice);
  });
})();
