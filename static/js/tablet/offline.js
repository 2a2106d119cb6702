/**
 * Tablet.offline: takes a survey along.
 *   take(survey, progress)           fetches the pack (or finds it unchanged), keeps it; gives {changed, size}.
 *       progress({stage:"pack", received, total|null}). Throws Tablet.Failed with `problem` as in SenderState and `detail`.
 *   files(survey, evidence, progress)   fetches evidence files ([{url, size, media_type}] of the pack) into the store;
 *       progress({stage:"files", done, of, received, total}); those kept already are not fetched again.
 *       Gives {kept, failed:[{url, reason}]}.
 *   renew(survey)                    quietly asks for a newer pack; false when there is none or nobody to ask
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const STILL = 20000; // a download that says nothing for so long has died
  const nothing = () => {};

  /** Read a body piece by piece, telling how far it is. */
  async function pieces(response, told, stop) {
    const parts = [];
    let received = 0;
    const reader = response.body.getReader();
    for (;;) {
      const quiet = setTimeout(stop, STILL);
      const { done, value } = await reader.read().finally(() => clearTimeout(quiet));
      if (done) return new Blob(parts);
      parts.push(value);
      received += value.byteLength;
      told(received);
    }
  }

  /** GET something of ours; what is not it becomes Tablet.Failed. Gives {response, blob | null (unchanged)}. */
  async function fetched(url, headers, told) {
    const control = new AbortController();
    const stop = () => control.abort();
    const quiet = setTimeout(stop, STILL);
    try {
      const response = await fetch(url, { credentials: "same-origin", redirect: "manual", cache: "no-store", headers, signal: control.signal });
      clearTimeout(quiet);
      if (response.type === "opaqueredirect" || response.status === 401) throw new Tablet.Failed("signed_out");
      if (response.status === 304) return { response, blob: null };
      if (!response.ok) {
        const body = await response.json().catch(() => ({}));
        throw new Tablet.Failed(response.status >= 500 ? "server" : "refused", body.detail || "");
      }
      // With a packed body the announced length is not the one that is counted here.
      const announced = response.headers.get("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
      const blob = await pieces(response, (received) => told(received, announced || null), stop);
      return { response, blob };
    } catch (error) {
      if (error instanceof Tablet.Failed) throw error;
      throw new Tablet.Failed(navigator.onLine && error.name === "AbortError" ? "server" : "offline");
    } finally {
      clearTimeout(quiet);
    }
  }

  const isPack = (pack, survey) => pack && typeof pack === "object" && Number.isInteger(pack.seq) && Array.isArray(pack.domains)
    && Array.isArray(pack.sites) && Array.isArray(pack.answers) && pack.me && Number.isInteger(pack.me.id)
    && (!pack.survey || pack.survey.id === survey);

  async function take(survey, progress = nothing) {
    const had = await store.pack(survey);
    const headers = { Accept: "application/json" };
    // Another person's pack is not this person's.
    const me = await Tablet.wire.ask("/tablet/me.json").then(({ body }) => body, (error) => { throw new Tablet.Failed(error.problem, error.detail); });
    if (!me.signed_in) throw new Tablet.Failed("signed_out");
    if (had && had.etag && had.person.id === me.id) headers["If-None-Match"] = had.etag;
    const told = (received, total) => progress({ stage: "pack", received, total });
    const { response, blob } = await fetched(`/surveys/${survey}/pack.json`, headers, told);
    if (!blob) return { changed: false, size: had.size };
    let pack = null;
    try { pack = JSON.parse(await blob.text()); } catch { /* a page of someone else's network */ }
    if (!isPack(pack, survey)) throw new Tablet.Failed("garbage");
    await store.savePack(survey, pack, { etag: response.headers.get("ETag"), size: blob.size });
    await store.persist().catch(() => null);
    await store.reserve();
    return { changed: true, size: blob.size };
  }

  async function files(survey, evidence, progress = nothing) {
    const kept = new Set((await store.files(survey)).map((file) => file.url));
    // One document may serve several elements; it is fetched once.
    const wanted = [...new Map(evidence.map((file) => [file.url, file])).values()].filter((file) => !kept.has(file.url));
    const total = wanted.reduce((sum, file) => sum + (file.size || 0), 0);
    const failed = [];
    let before = 0;
    let done = 0;
    const room = await store.estimate();
    if (room.quota && total > room.quota - room.usage) throw new Tablet.Failed("full");
    const tell = (received) => progress({ stage: "files", done, of: wanted.length, received: before + received, total });
    tell(0);
    for (const file of wanted) {
      try {
        const { response, blob } = await fetched(file.url, {}, (received) => tell(received));
        // Files are given out without a type of their own; what is not as large as it should be is something else.
        if (file.size && blob.size !== file.size) throw new Tablet.Failed("garbage");
        const type = file.media_type || "application/octet-stream";
        await store.saveFile(survey, file.url, blob.slice(0, blob.size, type), type, response.headers.get("Content-Disposition"));
      } catch (error) {
        failed.push({ url: file.url, reason: error.full ? "full" : error.problem || "server" });
        // Without network, sign-in or room the rest would fail alike.
        if (["offline", "signed_out", "full"].includes(failed.at(-1).reason)) break;
      }
      before += file.size || 0;
      done += 1;
      tell(0);
    }
    if (done) Tablet.say("pack", { survey });
    return { kept: (await store.files(survey)).length, failed };
  }

  async function renew(survey) {
    try {
      return (await take(survey)).changed;
    } catch {
      return false;
    }
  }

  Tablet.offline = { take, files, renew };
})();
