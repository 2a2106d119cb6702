/**
 * Tablet.journal: the only way an answer, a note, a photo or a signature comes into the store.
 * Each promise is kept (resolves) once IndexedDB has written it to the disk; only then may a screen confirm.
 * When another person than who took the survey along has signed in, every entry rejects with Tablet.NotYours until it is renewed.
 * A write that fails rejects with Tablet.NotKept (`full`: true when the storage is full) and leaves everything as it was.
 *
 *   record(survey, {site, element, field, value, base})      gives {op, answer: AnswerRow} (op null: that was the value already)
 *       element: "7.3.b", a standard "7.3", or null for the site; value null takes an answer back.
 *       base: the seq of the value that was on the screen when the person changed it (null: none was; of a conflict in sight the
 *       newest), since the store may have heard more by now. Without it: what the store holds is taken as seen.
 *       draft: the key of the draft that this entry ends, in the same transaction (see drafts.js)
 *   recordMany(survey, [{site, element, field, value, base}, …])   all or none, in one transaction; gives [{op, answer}, …]
 *   addPhoto(survey, {site, about, file, caption})           resizes, digests, keeps, binds; gives PhotoRow
 *   caption(uuid, text)                                      PhotoRow
 *   bind(uuid, about)                                        PhotoRow; about: list of elements, [] for the site as a whole
 *   discard({op} | {photo}, reason)                          keeps it in the journal as discarded; the answer falls back
 *   correct(op, value)                                       replaces a waiting or refused entry by a new one; gives {op, answer}
 *   retry(op | uuid)                                         puts a refused entry or photo back in the queue as it is
 *   idle()                                                   resolves when no write of this page is under way
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const PARTS = ["meta", "ops", "answers", "conflicts"];
  const attachment = (uuid) => `attachment:${uuid}`;
  const same = (one, other) => Tablet.seal.canonical(one) === Tablet.seal.canonical(other);
  const underWay = new Set();

  /** Count a write as under way until it is over; a failure is said as the problem "full" or "kept". */
  function tracked(work) {
    const going = (async () => {
      try {
        const given = await work();
        if (Tablet.sender) Tablet.sender.kept();
        return given;
      } catch (error) {
        if (error instanceof Tablet.NotKept && Tablet.sender) Tablet.sender.notKept(error);
        throw error;
      }
    })();
    underWay.add(going);
    going.then(() => underWay.delete(going), () => underWay.delete(going));
    return going;
  }
  async function idle() {
    while (underWay.size) await Promise.allSettled([...underWay]);
  }

  /** Who enters here: the person who took the pack along, as long as nobody else is known to have signed in since. */
  async function personOf(tx, survey) {
    const meta = tx.objectStore("meta");
    const [person, me] = await Promise.all([meta.get(`person:${survey}`), meta.get("me")]);
    if (!person) throw new Tablet.NotKept(new Error("This survey has not been taken along."));
    if (me && me.id !== person.id) throw new Tablet.NotYours(person, me);
    return person;
  }

  // The checklist's pages in this browser are the same device: they go by the same clock.
  const SHARED_AT = "certify:last_at";
  function sharedAt(...given) {
    try {
      if (given.length) localStorage.setItem(SHARED_AT, String(given[0]));
      return Number(localStorage.getItem(SHARED_AT)) || 0;
    } catch {
      return 0; // none is kept
    }
  }

  /** The time of what is entered now: later than all that this device entered before, even when its clock is set back. */
  function later(last) {
    const at = Math.max(Date.now(), (last || 0) + 1, sharedAt() + 1);
    sharedAt(at);
    return at;
  }

  const keyOf = (survey, entry) => [survey, entry.site, entry.element || "", entry.field];

  /** Who enters, and all that is known of the keys of these entries: asked at once, since every question costs a tap time. */
  async function known(tx, survey, entries) {
    const answers = tx.objectStore("answers");
    const [person, last, clashes, ...rows] = await Promise.all([
      personOf(tx, survey), tx.objectStore("meta").get("last_at"), tx.objectStore("conflicts").index("survey").getAll(survey), ...entries.map((entry) => answers.get(keyOf(survey, entry))),
    ]);
    return { person, last, clashes, rows: new Map(entries.map((entry, n) => [String(keyOf(survey, entry)), rows[n]])) };
  }

  /** The newest seq that the person has seen of a key: of all its values when it is in conflict. */
  function baseOf(clashes, row, entry) {
    const clash = clashes.find((c) => c.site === entry.site && c.element === (entry.element || "") && c.field === entry.field) || null;
    if (entry.base !== undefined) return { base: entry.base, clash };
    if (clash) return { base: Math.max(...clash.values.map((v) => v.seq), row && row.seq ? row.seq : 0), clash };
    return { base: row ? row.seq : null, clash };
  }

  /** Put entries into the journal and their answers before the person, inside `tx`; gives [{op, answer}]. */
  async function putAll(tx, survey, entries, replaces = null) {
    const now = await known(tx, survey, entries);
    const time = later(now.last);
    tx.objectStore("meta").put(time, "last_at").catch(() => {});
    const at = new Date(time).toISOString();
    const made = [];
    for (const entry of entries) made.push(await put(tx, survey, now, entry, at, replaces));
    return made;
  }

  async function put(tx, survey, { person, clashes, rows }, entry, at, replaces) {
    const answers = tx.objectStore("answers");
    const about = entry.element || "";
    const place = String(keyOf(survey, entry));
    const row = rows.get(place);
    const { base, clash } = baseOf(clashes, row, entry);
    const value = entry.value === undefined ? null : entry.value;
    const nothingNew = row ? same(row.value, value) : value === null;
    if (nothingNew && !clash && !replaces && !(row && row.open_state === "rejected")) return { op: null, answer: row };
    const op = {
      op: Tablet.uuid(), survey, site: entry.site, element: entry.element || null, about, field: entry.field, value, base, at,
      by_id: person.id, by_name: person.name, state: "waiting", status: null, seq: null, reason: null, tries: 0, replaces,
    };
    // A refused entry that is written anew is replaced by what is written.
    if (row && row.open_state === "rejected" && row.open_op !== replaces) {
      await mark(tx, row.open_op, { state: "replaced" });
      op.replaces = row.open_op;
    }
    const answer = {
      survey, site: entry.site, element: about, field: entry.field, value, seq: base, by: person.name, at, mine: true,
      open_op: op.op, open_state: "waiting", standing: row ? row.standing : null,
    };
    // Should one of these fail, the whole transaction does, and says so.
    tx.objectStore("ops").add(op).catch(() => {});
    answers.put(answer).catch(() => {});
    rows.set(place, answer);
    return { op: op.op, answer };
  }

  async function find(tx, op) {
    const found = await tx.objectStore("ops").index("op").get(op);
    if (!found) throw new Error("There is no such entry.");
    return found;
  }
  async function mark(tx, op, change) {
    const found = await find(tx, op);
    await tx.objectStore("ops").put({ ...found, ...change });
    return found;
  }

  const spread = (survey, answers, { photos = false, entered = null } = {}) => {
    if (Tablet.sender && entered) Tablet.sender.added(entered);
    else if (Tablet.sender) Tablet.sender.refresh().catch(() => {});
    Tablet.say("changed", { survey, answers: answers.filter(Boolean), conflicts: false, photos });
    if (Tablet.sender) Tablet.sender.soon();
  };

  function recordMany(survey, entries) {
    return tracked(async () => {
      const made = await store.write(PARTS, (tx) => {
        for (const { draft } of entries) if (draft) tx.objectStore("meta").delete(store.draftKey(survey, draft)).catch(() => {});
        return putAll(tx, survey, entries);
      });
      for (const { draft } of entries) if (draft) Tablet.say("draft", { survey, key: draft, value: null });
      const fresh = made.filter((m) => m.op);
      if (fresh.length) spread(survey, fresh.map((m) => m.answer), { entered: { answers: fresh.length } });
      return made;
    });
  }

  const record = async (survey, entry) => (await recordMany(survey, [entry]))[0];

  /** The entries that say where a photo belongs: one per element, or one for the site as a whole. */
  const bindings = (photo, about, value) =>
    (about.length ? about : [null]).map((element) => ({ site: photo.site, element, field: attachment(photo.uuid), value }));

  function addPhoto(survey, { site, about = [], file, caption = "" }) {
    return tracked(async () => {
      const made = await Tablet.photo.prepare(file);
      const at = new Date().toISOString();
      const { photo, answers } = await store.write([...PARTS, "photos"], async (tx) => {
        const person = await personOf(tx, survey);
        const row = {
          uuid: Tablet.uuid(), survey, site, blob: made.blob, media_type: made.media_type, digest: made.digest, size: made.size,
          width: made.width, height: made.height, caption, about: [...about], state: "waiting", offset: 0, reason: null, tries: 0, at,
          by_id: person.id, by_name: person.name,
        };
        await tx.objectStore("photos").add(row);
        const said = await putAll(tx, survey, bindings(row, about, { caption }));
        return { photo: row, answers: said.map((m) => m.answer) };
      });
      spread(survey, answers, { photos: true, entered: { answers: answers.length, photos: 1 } });
      return photo;
    });
  }

  /** Change a photo's row and what is said of it, in one transaction. */
  function changePhoto(uuid, change) {
    return tracked(async () => {
      const { photo, answers } = await store.write([...PARTS, "photos"], async (tx) => {
        const old = await tx.objectStore("photos").get(uuid);
        if (!old) throw new Error("There is no such photo.");
        const { row, entries } = change(old);
        await tx.objectStore("photos").put(row);
        const said = await putAll(tx, old.survey, entries);
        return { photo: row, answers: said.map((m) => m.answer) };
      });
      spread(photo.survey, answers, { photos: true });
      return photo;
    });
  }

  const caption = (uuid, text) => changePhoto(uuid, (old) => ({
    row: { ...old, caption: text }, entries: bindings(old, old.about, { caption: text }),
  }));

  const bind = (uuid, about) => changePhoto(uuid, (old) => {
    const places = (list) => (list.length ? list : [null]);
    const gone = places(old.about).filter((element) => !places(about).includes(element));
    const entry = (value) => (element) => ({ site: old.site, element, field: attachment(uuid), value });
    return {
      row: { ...old, about: [...about] },
      entries: [...gone.map(entry(null)), ...places(about).map(entry({ caption: old.caption }))],
    };
  });

  /** Let the answer of an op that no longer counts fall back: to the newest own entry still waiting, else to what stands. */
  async function fallBack(tx, gone) {
    const answers = tx.objectStore("answers");
    const place = [gone.survey, gone.site, gone.about, gone.field];
    const row = await answers.get(place);
    if (!row || row.open_op !== gone.op) return row;
    const others = (await tx.objectStore("ops").index("key").getAll(place))
      .filter((op) => op.op !== gone.op && (op.state === "waiting" || op.state === "rejected"));
    const last = others.at(-1);
    const standing = row.standing || { value: null, seq: null, by: "", at: gone.at };
    const next = last
      ? { ...row, value: last.value, seq: last.base, by: last.by_name, at: last.at, open_op: last.op, open_state: last.state }
      : { ...row, ...standing, mine: false, open_op: null, open_state: null };
    await answers.put(next);
    return next;
  }

  function discard(which, reason = "") {
    if (which.photo) return discardPhoto(which.photo, reason);
    return tracked(async () => {
      const { survey, answer } = await store.write(PARTS, async (tx) => {
        const op = await find(tx, which.op);
        if (op.state !== "waiting" && op.state !== "rejected") throw new Error("This entry has been sent or is settled already.");
        await tx.objectStore("ops").put({ ...op, state: "discarded", reason: reason || op.reason });
        return { survey: op.survey, answer: await fallBack(tx, op) };
      });
      spread(survey, [answer]);
      return answer;
    });
  }

  function discardPhoto(uuid, reason) {
    return tracked(async () => {
      const { photo, answers } = await store.write([...PARTS, "photos"], async (tx) => {
        const old = await tx.objectStore("photos").get(uuid);
        if (!old) throw new Error("There is no such photo.");
        const row = { ...old, state: old.state === "sent" ? "sent" : "discarded", reason: reason || old.reason };
        await tx.objectStore("photos").put(row);
        const changed = [];
        for (const { site, element, field } of bindings(old, old.about, null)) {
          const ops = await tx.objectStore("ops").index("key").getAll([old.survey, site, element || "", field]);
          const unsent = ops.filter((op) => op.state === "waiting" || op.state === "rejected");
          for (const op of unsent) {
            await tx.objectStore("ops").put({ ...op, state: "discarded", reason: reason || op.reason });
            changed.push(await fallBack(tx, op));
          }
          // What the server may have been told already is taken back there too.
          if (ops.some((op) => op.state === "sent" || op.tries > 0)) {
            const [taken] = await putAll(tx, old.survey, [{ site, element, field, value: null }], unsent.at(-1)?.op || null);
            changed.push(taken.answer);
          }
        }
        return { photo: row, answers: changed };
      });
      spread(photo.survey, answers, { photos: true });
      return photo;
    });
  }

  function correct(op, value) {
    return tracked(async () => {
      const { survey, made } = await store.write(PARTS, async (tx) => {
        const old = await find(tx, op);
        if (old.state !== "waiting" && old.state !== "rejected") throw new Error("This entry has been sent or is settled already.");
        await tx.objectStore("ops").put({ ...old, state: "replaced" });
        const [made] = await putAll(tx, old.survey, [{ ...old, value }], old.op);
        return { survey: old.survey, made };
      });
      spread(survey, [made.answer]);
      return made;
    });
  }

  function retry(which) {
    return tracked(async () => {
      const survey = await store.write(["ops", "answers", "photos"], async (tx) => {
        const photo = await tx.objectStore("photos").get(which);
        if (photo) {
          if (photo.state === "rejected") await tx.objectStore("photos").put({ ...photo, state: "waiting", reason: null, tries: 0, offset: 0 });
          return photo.survey;
        }
        const op = await find(tx, which);
        if (op.state !== "rejected") return op.survey;
        await tx.objectStore("ops").put({ ...op, state: "waiting", reason: null });
        const row = await tx.objectStore("answers").get([op.survey, op.site, op.about, op.field]);
        if (row && row.open_op === op.op) await tx.objectStore("answers").put({ ...row, open_state: "waiting" });
        return op.survey;
      });
      spread(survey, [], { photos: true });
    });
  }

  Tablet.journal = { record, recordMany, addPhoto, caption, bind, discard, correct, retry, idle };
})();
