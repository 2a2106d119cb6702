/**
 * Tablet.store: what the tablet keeps, in IndexedDB "certify-tablet". Runs in pages and in the service worker.
 *
 * Rows, as `answers`, `ops`, `photos`, `conflicts` and `packs` return them (`element` is "" for a site as a whole):
 * @typedef {{survey:number, person:{id:number,name:string}, taken_at:string, app:string, edition:string, etag:string|null,
 *   size:number, pack:object}} PackRow  `pack` is the JSON of GET /surveys/<id>/pack.json
 * @typedef {{value:any, seq:number|null, by:string, at:string}} Standing  what the server last said stands
 * @typedef {{survey:number, site:number, element:string, field:string, value:any, seq:number|null, by:string, at:string,
 *   mine:boolean, open_op:string|null, open_state:"waiting"|"rejected"|null, standing:Standing|null}} AnswerRow
 *   `value` is what the screen shows; `open_op` names the own entry that the server has not taken yet.
 * @typedef {{n:number, op:string, survey:number, site:number, element:string|null, field:string, value:any, base:number|null,
 *   at:string, by_id:number, by_name:string, state:"waiting"|"sent"|"rejected"|"discarded"|"replaced", status:string|null,
 *   seq:number|null, reason:string|null, tries:number, replaces:string|null}} OpRow  (and `about`: the element, "" for the site)
 * @typedef {{uuid:string, survey:number, site:number, blob:Blob, media_type:string, digest:string, size:number, width:number,
 *   height:number, caption:string, about:string[], state:"waiting"|"sent"|"rejected"|"discarded", offset:number,
 *   reason:string|null, tries:number, at:string, by_id:number, by_name:string}} PhotoRow  `about`: elements; [] is the site
 * @typedef {{survey:number, id:number, site:number, element:string, field:string,
 *   values:{value:any, seq:number, by:string, at:string, device:string}[]}} ConflictRow
 *
 * All give promises:
 *   open()                         the database; called by every other function, so nobody has to
 *   device()                       this tablet's UUID
 *   packs()                        PackRow[]
 *   pack(survey)                   PackRow | undefined
 *   savePack(survey, pack, {etag, size})   keeps a pack and lays its answers under what is still unsent
 *   removePack(survey)             forgets a pack, its files and answers; throws Tablet.Unsent while anything of it is unsent
 *   answers(survey)                AnswerRow[]
 *   answer(survey, site, element, field)   AnswerRow | undefined
 *   conflicts(survey)              ConflictRow[]
 *   ops(survey, {state})           OpRow[], oldest first; survey null: of all surveys; state: one or a list
 *   photos(survey, {state})        PhotoRow[]
 *   photo(uuid)                    PhotoRow | undefined
 *   files(survey)                  {url, size, media_type, taken_at}[] of the evidence kept for offline
 *   file(url)                      {url, blob, media_type, …} | undefined
 *   saveFile(survey, url, blob, media_type, disposition), removeFile(url)
 *   unsent(survey|null)            {answers, photos, rejected, drafts}; drafts: texts held back or not finished
 *   heldBack()                     {survey: how many such texts}
 *   waitingOf(person)              how many entries and photos of one person wait
 *   queued("ops"|"photos", person, survey, count), queuedSurveys(name, person)   for the sender
 *   meta(key), meta(key, value)    reads, writes one small value
 *   estimate()                     {usage, quota, share (0 to 1), nearly_full (share > 0.8, or the reserve is spent), persisted:boolean|null}
 *   reserve()                      holds 16 MB back, given up when the storage is full, so that the warning comes before the loss
 *   persist()                      asks the browser for storage it does not clear by itself; gives and keeps its answer
 *   key(site, element, field)      the text by which screens may index answers: "12|7.3.b|rating" (synchronous)
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const NAME = "certify-tablet";
  const VERSION = 1;
  const NEARLY_FULL = 0.8;
  const RESERVE = "reserve";
  const RESERVE_BYTES = 16 * 1024 * 1024;
  // Chromium reports a write as done when the disk has it only if asked to.
  const STRICT = { durability: "strict" };
  let opening = null;

  // Each step only adds: what an older version of the app kept stays.
  const upgrades = {
    1(db) {
      db.createObjectStore("packs", { keyPath: "survey" });
      db.createObjectStore("files", { keyPath: "url" }).createIndex("survey", "survey");
      db.createObjectStore("answers", { keyPath: ["survey", "site", "element", "field"] }).createIndex("survey", "survey");
      const ops = db.createObjectStore("ops", { keyPath: "n", autoIncrement: true });
      ops.createIndex("op", "op", { unique: true });
      ops.createIndex("survey", "survey");
      ops.createIndex("queue", ["state", "by_id", "survey"]);
      ops.createIndex("key", ["survey", "site", "about", "field"]);
      const photos = db.createObjectStore("photos", { keyPath: "uuid" });
      photos.createIndex("survey", "survey");
      photos.createIndex("queue", ["state", "by_id", "survey"]);
      db.createObjectStore("conflicts", { keyPath: ["survey", "id"] }).createIndex("survey", "survey");
      db.createObjectStore("meta");
    },
  };

  function open() {
    opening = opening || idb.openDB(NAME, VERSION, {
      upgrade(db, from) {
        for (let step = from + 1; step <= VERSION; step += 1) upgrades[step](db);
      },
      // A newer version of the app wants to change the store: let go, so that it can; the page starts again with it.
      async blocking(_from, _to, event) {
        const db = event.target;
        if (Tablet.journal) await Tablet.journal.idle();
        db.close();
        opening = null;
        if (Tablet.shell) Tablet.shell.again();
      },
      terminated() {
        opening = null;
      },
    }).catch((error) => {
      opening = null;
      throw error;
    });
    return opening;
  }

  async function read(store, work) {
    const db = await open();
    return work(db.transaction(store).objectStore(store));
  }

  async function attempt(stores, work) {
    let tx;
    try {
      const db = await open();
      tx = db.transaction(stores, "readwrite", STRICT);
      tx.done.catch(() => {}); // awaited below; a failure of `work` comes first
      const given = await work(tx);
      if (tx.commit) tx.commit(); // nothing more is asked of it: the disk need not wait to find out
      await tx.done;
      return given;
    } catch (error) {
      try { tx && tx.abort(); } catch { /* it is over already */ }
      if (error instanceof Tablet.Unsent || error instanceof Tablet.NotYours || error instanceof TypeError) throw error;
      throw error instanceof Tablet.NotKept ? error : new Tablet.NotKept(tx && tx.error ? tx.error : error);
    }
  }

  /**
   * Run `work(tx)` in one strict transaction over `stores`; resolves once it is on the disk. Throws Tablet.NotKept.
   * When the storage is full the reserve is given up and `work` runs a second time: browsers no longer say how much
   * room a tablet really has, so the reserve is what makes it possible to warn before anything is refused.
   */
  async function write(stores, work) {
    try {
      return await attempt(stores, work);
    } catch (error) {
      if (!error.full || !(await giveUpReserve())) throw error;
      return attempt(stores, work);
    }
  }

  async function giveUpReserve() {
    const held = await read("meta", (meta) => meta.getKey(RESERVE));
    if (!held) return false;
    await attempt(["meta"], (tx) => tx.objectStore("meta").delete(RESERVE));
    return true;
  }

  /** Hold some room back for the day the storage is full; false when there is none. */
  async function reserve() {
    if (await read("meta", (meta) => meta.getKey(RESERVE))) return true;
    try {
      await attempt(["meta"], (tx) => {
        tx.objectStore("meta").put(new Blob([new Uint8Array(RESERVE_BYTES)]), RESERVE);
        tx.objectStore("meta").put(true, "reserved");
      });
      return true;
    } catch (error) {
      if (!error.full) throw error;
      return false;
    }
  }

  // Drafts lie in `meta`, each under its own key, so that two tabs never write over each other's.
  const draftKey = (survey, key) => `draft:${survey}:${key}`;
  const draftsOf = (survey) => (survey === null ? IDBKeyRange.bound("draft:", "draft:\uffff") : IDBKeyRange.bound(draftKey(survey, ""), draftKey(survey, "\uffff")));
  const about = (element) => element || "";
  const key = (site, element, field) => `${site}|${about(element)}|${field}`;
  const states = (state) => (state === undefined || state === null ? null : [].concat(state));

  async function device() {
    const known = await read("meta", (meta) => meta.get("device"));
    if (known) return known;
    // The checklist's pages in this browser are the same tablet: one device, or a person would clash with herself.
    let shared = null;
    try { shared = globalThis.localStorage ? localStorage.getItem("certify:device") : null; } catch { /* none is kept */ }
    const named = await write(["meta"], async (tx) => {
      const meta = tx.objectStore("meta");
      const there = await meta.get("device");
      if (there) return there;
      const fresh = shared || Tablet.uuid();
      await meta.put(fresh, "device");
      return fresh;
    });
    try { if (globalThis.localStorage && !shared) localStorage.setItem("certify:device", named); } catch { /* none is kept */ }
    return named;
  }

  /** Lay what the server says stands over one row; what is still unsent here stays in sight. Gives the row. */
  function lay(row, said, survey, site, element, field, me) {
    const standing = { value: said.value, seq: said.seq, by: said.by, at: said.at };
    if (row && row.open_op) return { ...row, standing };
    return {
      survey, site, element: about(element), field, ...standing,
      mine: Boolean(row && row.mine && row.seq === said.seq) || (said.by_id !== undefined && said.by_id === me),
      open_op: null, open_state: null, standing,
    };
  }

  async function savePack(survey, pack, { etag = null, size = 0 } = {}) {
    const person = pack.me || {};
    await write(["packs", "answers", "conflicts", "meta"], async (tx) => {
      const answers = tx.objectStore("answers");
      const meta = tx.objectStore("meta");
      const since = (await meta.get(`since:${survey}`)) || 0;
      const kept = new Map((await answers.index("survey").getAll(survey)).map((row) => [key(row.site, row.element, row.field), row]));
      tx.objectStore("packs").put({
        survey, person: { id: person.id, name: person.name }, taken_at: new Date().toISOString(), app: pack.app || "",
        edition: (pack.survey && pack.survey.edition) || pack.edition || "", etag, size, pack,
      });
      // Every entry asks for it; reading the whole pack each time would be slow.
      meta.put({ id: person.id, name: person.name }, `person:${survey}`);
      // A pack that is older than what was heard since says nothing new.
      if (pack.seq < since) return;
      for (const said of pack.answers) {
        const row = kept.get(key(said.site, said.element, said.field));
        answers.put(lay(row, said, survey, said.site, said.element, said.field, person.id));
      }
      await replaceConflicts(tx, survey, pack.conflicts || []);
      meta.put(pack.seq, `since:${survey}`);
    });
    try { globalThis.localStorage && localStorage.setItem("certify:tablet", "1"); } catch { /* signing out then asks nothing */ }
    Tablet.say("pack", { survey });
    Tablet.say("changed", { survey, answers: [], conflicts: true, photos: true });
  }

  /** Keep exactly these conflicts of a survey; gives whether anything changed. */
  async function replaceConflicts(tx, survey, conflicts) {
    const store = tx.objectStore("conflicts");
    const old = await store.index("survey").getAll(survey);
    const fresh = conflicts.map((c) => ({ ...c, survey, element: about(c.element) }));
    if (JSON.stringify(old) === JSON.stringify(fresh.toSorted ? fresh.toSorted((a, b) => a.id - b.id) : fresh)) return false;
    const named = new Set(fresh.map((c) => c.id));
    for (const c of old) if (!named.has(c.id)) store.delete([survey, c.id]);
    for (const c of fresh) store.put(c);
    return true;
  }

  async function unsent(survey = null) {
    if (survey !== null) {
      const [answers, taken, drafts] = await Promise.all([ops(survey), photos(survey), read("meta", (meta) => meta.count(draftsOf(survey)))]);
      const count = (rows, state) => rows.filter((row) => row.state === state).length;
      return {
        answers: count(answers, "waiting"), photos: count(taken, "waiting"), rejected: count(answers, "rejected") + count(taken, "rejected"), drafts,
      };
    }
    const db = await open();
    const tx = db.transaction(["ops", "photos", "meta"]);
    const count = (store, state) => tx.objectStore(store).index("queue").count(IDBKeyRange.bound([state], [state, []]));
    const [answers, waiting, refused, refusedPhotos, drafts] = await Promise.all(
      [count("ops", "waiting"), count("photos", "waiting"), count("ops", "rejected"), count("photos", "rejected"), tx.objectStore("meta").count(draftsOf(null))]);
    return { answers, photos: waiting, rejected: refused + refusedPhotos, drafts };
  }

  /** In which surveys texts are held back or not finished: {survey: how many}. */
  async function heldBack() {
    const held = {};
    for (const key of await read("meta", (meta) => meta.getAllKeys(draftsOf(null)))) {
      const survey = Number(key.split(":")[1]);
      held[survey] = (held[survey] || 0) + 1;
    }
    return held;
  }

  async function removePack(survey) {
    const left = await unsent(survey);
    if (left.answers || left.photos || left.rejected || left.drafts) throw new Tablet.Unsent(left);
    await write(["packs", "files", "answers", "conflicts", "meta", "ops", "photos"], async (tx) => {
      // Asked again inside: another tab may have written in between.
      const queued = await tx.objectStore("ops").index("survey").getAll(survey);
      const taken = await tx.objectStore("photos").index("survey").getAll(survey);
      const open_ = [...queued, ...taken].filter((row) => row.state === "waiting" || row.state === "rejected");
      const drafts = await tx.objectStore("meta").count(draftsOf(survey));
      if (open_.length || drafts) throw new Tablet.Unsent({ answers: open_.length, photos: 0, rejected: 0, drafts });
      tx.objectStore("packs").delete(survey);
      for (const store of ["files", "answers", "conflicts"]) {
        for (const k of await tx.objectStore(store).index("survey").getAllKeys(survey)) tx.objectStore(store).delete(k);
      }
      // Photos that arrived take the most room; their rows stay without the picture.
      for (const photo of taken) if (photo.state === "sent") tx.objectStore("photos").put({ ...photo, blob: null });
      for (const name of ["since", "person"]) tx.objectStore("meta").delete(`${name}:${survey}`);
    });
    Tablet.say("pack", { survey });
  }

  async function ops(survey, { state } = {}) {
    const wanted = states(state);
    const rows = await read("ops", (store) => (survey === null ? store.getAll() : store.index("survey").getAll(survey)));
    return wanted ? rows.filter((row) => wanted.includes(row.state)) : rows;
  }

  async function photos(survey, { state } = {}) {
    const wanted = states(state);
    const rows = await read("photos", (store) => (survey === null ? store.getAll() : store.index("survey").getAll(survey)));
    rows.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    return wanted ? rows.filter((row) => wanted.includes(row.state)) : rows;
  }

  async function waitingOf(person) {
    const db = await open();
    const tx = db.transaction(["ops", "photos"]);
    const own = ["ops", "photos"].map((name) => tx.objectStore(name).index("queue").count(IDBKeyRange.bound(["waiting", person], ["waiting", person, []])));
    return (await Promise.all(own)).reduce((sum, n) => sum + n, 0);
  }

  /** What waits of one person and one survey, in the order in which it was entered. */
  const queued = (name, person, survey, count) =>
    read(name, (store) => store.index("queue").getAll(IDBKeyRange.only(["waiting", person, survey]), count));

  /** The surveys of which something of this person waits. */
  async function queuedSurveys(name, person) {
    const db = await open();
    const found = [];
    let cursor = await db.transaction(name).objectStore(name).index("queue")
      .openKeyCursor(IDBKeyRange.bound(["waiting", person], ["waiting", person, []]), "nextunique");
    for (; cursor; cursor = await cursor.continue()) found.push(cursor.key[2]);
    return found;
  }

  async function meta(name, ...given) {
    if (!given.length) return read("meta", (store) => store.get(name));
    await write(["meta"], (tx) => tx.objectStore("meta").put(given[0], name));
    return given[0];
  }

  async function estimate() {
    const [persisted, reserved, held] = await read("meta", (store) =>
      Promise.all([store.get("persisted"), store.get("reserved"), store.getKey(RESERVE)]));
    const { usage = 0, quota = 0 } = globalThis.navigator.storage && navigator.storage.estimate ? await navigator.storage.estimate() : {};
    const share = quota ? usage / quota : 0;
    return {
      usage, quota, share, nearly_full: share > NEARLY_FULL || Boolean(reserved && !held),
      persisted: persisted === undefined ? null : persisted,
    };
  }

  async function persist() {
    if (!navigator.storage || !navigator.storage.persist) return meta("persisted", false);
    const given = (await navigator.storage.persisted()) || (await navigator.storage.persist());
    return meta("persisted", given);
  }

  async function saveFile(survey, url, blob, media_type, disposition = null) {
    const row = { url, survey, blob, media_type, disposition, size: blob.size, taken_at: new Date().toISOString() };
    await write(["files"], (tx) => tx.objectStore("files").put(row));
    return row;
  }

  Tablet.store = {
    open, write, draftKey, draftsOf, lay, replaceConflicts, key, device, savePack, removePack, unsent, heldBack, waitingOf, ops, photos, queued, queuedSurveys, meta, estimate, persist, reserve, saveFile,
    packs: () => read("packs", (store) => store.getAll()),
    pack: (survey) => read("packs", (store) => store.get(survey)),
    answers: (survey) => read("answers", (store) => store.index("survey").getAll(survey)),
    answer: (survey, site, element, field) => read("answers", (store) => store.get([survey, site, about(element), field])),
    conflicts: (survey) => read("conflicts", (store) => store.index("survey").getAll(survey)),
    photo: (uuid) => read("photos", (store) => store.get(uuid)),
    file: (url) => read("files", (store) => store.get(url)),
    removeFile: (url) => write(["files"], (tx) => tx.objectStore("files").delete(url)),
    files: async (survey) => (await read("files", (store) => store.index("survey").getAll(survey)))
      .map(({ url, size, media_type, taken_at }) => ({ url, size, media_type, taken_at })),
  };
})();
