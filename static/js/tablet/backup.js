/**
 * Tablet.backup: everything unsent in one file, for staff to take in on the server (/surveys/<id>/backup).
 * Texts that are held back or not finished are in it under `drafts`: [{site, element, field, value, why}], to be read, not taken in.
 *   make(survey, {ops, photos})      promise of a Blob (application/json); ops, photos: UUIDs to take only those; default all unsent
 *   name(survey)                     "certify-backup-12-2026-11-22-1402.json"
 *   save(survey, choice)             makes it and hands it to the browser to keep; gives {answers, photos, drafts, size}
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const UNSENT = ["waiting", "rejected"];

  const base64 = (blob) => new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });

  /** A draft as the file tells it: where it belongs and what it says. */
  function told(key, { seen, why = "draft", text, ...note }) {
    const [site, element, field] = key.split("|");
    if (key.startsWith("note:")) return { site: note.site || null, element: "", field: key, value: { text, kind: note.kind, about: note.about, pseudonym: note.pseudonym }, why };
    return field ? { site: Number(site), element, field, value: text, why } : { site: null, element: "", field: key, value: text, why };
  }

  async function content(survey, { ops = null, photos = null } = {}) {
    const pack = await store.pack(survey);
    const queued = (await store.ops(survey, { state: UNSENT })).filter((row) => !ops || ops.includes(row.op));
    const taken = (await store.photos(survey, { state: UNSENT })).filter((row) => !photos || photos.includes(row.uuid));
    const whole = {
      certify_backup: 1, survey, device: await store.device(), made_at: new Date().toISOString(),
      person: pack ? pack.person : null,
      ops: queued.map(({ op, site, element, field, value, base, at, by_id, by_name, state, reason }) =>
        ({ op, site, element, field, value, base, at, by_id, by_name, state, reason })),
      photos: [],
      // One entry saved by itself is that entry alone.
      drafts: ops ? [] : Object.entries(await Tablet.drafts.of(survey)).map(([key, draft]) => told(key, draft)),
    };
    for (const row of taken) {
      const { uuid, site, about, caption, media_type, digest, size, by_id, by_name, at, state, reason } = row;
      const content = await base64(row.blob).catch(() => null);
      // What the disk no longer gives cannot be saved; the rest must be.
      if (content) whole.photos.push({ uuid, site, about, caption, media_type, digest, size, by_id, by_name, at, state, reason, content });
    }
    return { ...whole, digest: await Tablet.seal.sha256(Tablet.seal.canonical(whole)) };
  }

  const blobOf = (made) => new Blob([Tablet.seal.canonical(made)], { type: "application/json" });
  const make = async (survey, choice = {}) => blobOf(await content(survey, choice));

  function name(survey) {
    const now = new Date();
    const two = (n) => String(n).padStart(2, "0");
    const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    return `certify-backup-${survey}-${day}-${two(now.getHours())}${two(now.getMinutes())}.json`;
  }

  async function save(survey, choice = {}) {
    const made = await content(survey, choice);
    const blob = blobOf(made);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name(survey);
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    await store.meta("backup_at", made.made_at);
    return { answers: made.ops.length, photos: made.photos.length, drafts: made.drafts.length, size: blob.size };
  }

  Tablet.backup = { make, name, save };
})();
