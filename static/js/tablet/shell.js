/**
 * Tablet.shell: registers the service worker and lets a newer version in, never while something is being written or sent.
 *   start()          called by this file itself
 *   ready            promise: the service worker holds all of the app; it starts without a network from now on
 *   waiting()        true when a newer version waits
 *   apply()          promise: waits for the journal and the sender, then starts the newer version (reloads this page)
 *   busy(work)       while the promise `work` is open no newer version starts here (an unsaved text, a dialog)
 *   possible()       false where a browser gives no page what the app needs: an address without https, a very old browser
 *   onLine()         what the browser thinks of the network
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const PATIENCE = 5000;
  const open = new Set();
  let registration = null;
  let applying = false;
  let started;
  const ready = new Promise((done) => { started = done; });

  const waiting = () => Boolean(registration && registration.waiting);

  function busy(work) {
    const going = Promise.resolve(work).then(() => {}, () => {}).finally(() => open.delete(going));
    open.add(going);
    return work;
  }
  async function quiet() {
    while (open.size) await Promise.allSettled([...open]);
    await Tablet.journal.idle();
  }

  async function apply() {
    if (applying || !waiting()) return;
    applying = true;
    await quiet();
    // Holding the outbox: nothing is on its way while the versions change.
    await navigator.locks.request("certify-outbox", async () => {
      if (!registration.waiting) return;
      const over = new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
      registration.waiting.postMessage({ type: "begin" });
      // The older worker may be waiting for this very lock, and then goes on only when it is let go of.
      await Promise.race([over, new Promise((done) => setTimeout(done, PATIENCE))]);
    });
    location.reload();
  }

  /** The store is being changed by a newer version in another tab: start again with it, once nothing is being typed. */
  async function again() {
    await quiet();
    location.reload();
  }

  function told() {
    if (!waiting()) return;
    Tablet.events.dispatchEvent(new CustomEvent("update", { detail: { ready: true } }));
  }

  async function start() {
    if (!("serviceWorker" in navigator)) return;
    const controlled = Boolean(navigator.serviceWorker.controller);
    registration = await navigator.serviceWorker.register("/sw.js", { scope: "/", updateViaCache: "none" });
    registration.addEventListener("updatefound", () => {
      const fresh = registration.installing;
      if (fresh) fresh.addEventListener("statechange", () => fresh.state === "installed" && navigator.serviceWorker.controller && told());
    });
    navigator.serviceWorker.ready.then(started);
    // A version that was waiting when this page was opened may begin at once: nothing has been entered yet.
    if (controlled && waiting()) await apply();
    told();
    addEventListener("online", () => registration.update().catch(() => {}));
  }

  // Another tab let the newer version in: this one takes it when it is next put away, unless something is being typed.
  if ("serviceWorker" in navigator) {
    let had = Boolean(navigator.serviceWorker.controller);
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (!had) {
        had = true; // the first worker of all: the page is of the same version
        return;
      }
      document.addEventListener("visibilitychange", async () => {
        if (document.visibilityState === "hidden" && !open.size && !applying) {
          await quiet();
          location.reload();
        }
      });
    });
  }

  const possible = () => isSecureContext && Boolean(globalThis.indexedDB && navigator.locks && navigator.serviceWorker);

  Tablet.shell = { start, possible, ready, waiting, apply, again, busy, onLine: () => navigator.onLine };
  start().catch((error) => console.warn("the app cannot start offline here:", error));
})();
