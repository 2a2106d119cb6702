/**
 * Tablet.drafts: what is typed and not given as an answer: a text that may name a patient, a note begun. Never sent.
 *   of(survey)                  {key: draft}; key: "12|7.3.b|note", "caption:<uuid of the photo>", "note:<uuid>"
 *   keep(survey, key, draft)    writes one, null ends it; no other draft is touched, so tabs do not undo each other's work
 * A draft of a text is {text, seen, why}; of a note {kind, text, about, pseudonym, site, seen}. `seen` is the seq of what was
 * on the screen when it was begun: an entry made of it later is based on that.
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;

  /** Drafts that an older version of the app kept all in one. */
  async function unpacked(tx, survey) {
    const meta = tx.objectStore("meta");
    const old = await meta.get(`drafts:${survey}`);
    if (!old) return;
    for (const [key, value] of Object.entries(old)) meta.put(typeof value === "string" ? { text: value, seen: null } : value, store.draftKey(survey, key));
    meta.delete(`drafts:${survey}`);
  }

  async function of(survey) {
    if (await store.meta(`drafts:${survey}`)) await store.write(["meta"], (tx) => unpacked(tx, survey));
    const db = await store.open();
    const meta = db.transaction("meta").objectStore("meta");
    const [keys, values] = await Promise.all([meta.getAllKeys(store.draftsOf(survey)), meta.getAll(store.draftsOf(survey))]);
    return Object.fromEntries(keys.map((key, n) => [key.slice(store.draftKey(survey, "").length), values[n]]));
  }

  async function keep(survey, key, value) {
    const place = store.draftKey(survey, key);
    await store.write(["meta"], (tx) => (value === null || value === undefined ? tx.objectStore("meta").delete(place) : tx.objectStore("meta").put(value, place)));
    Tablet.say("draft", { survey, key, value: value || null });
  }

  Tablet.drafts = { of, keep };
})();
