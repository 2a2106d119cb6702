/**
 * Tablet.answers: brings the entries of one person and survey to the server and writes down what it and the others said.
 *   sendAll(survey, me, told)   in batches, oldest first; `told()` after each; throws Stopped
 *   listen(survey, me, atMost)  asks what others said, unless it was asked less than `atMost` milliseconds ago
 *   afresh()                    forgets which entries were put aside and how slow the link was
 * An entry counts as sent only when an answer names it; everything else leaves it waiting.
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const { ask, whoAmI, Stopped } = Tablet.wire;
  const BATCH = 40;
  const PATIENCE = 3; // tries of one entry alone before the others go first
  const PUT_ASIDE = 10 * 60000;
  const TAKEN = new Set(["applied", "duplicate", "conflict", "late"]);
  let size = BATCH; // how many go at once now, and how many at most
  let most = BATCH;
  const poisoned = new Map(); // op → until when it is put aside
  const MOST_HEARD = 2000; // changes in one answer: what a weak link still brings
  const heard = new Map(); // survey → when it was last asked what others said

  const isChange = (c) => c && Number.isInteger(c.seq) && Number.isInteger(c.site) && typeof c.field === "string";
  const isAnswer = (body) => Number.isInteger(body.seq) && Array.isArray(body.acks) && Array.isArray(body.changes)
    && Array.isArray(body.conflicts) && body.changes.every(isChange);

  async function exchange(survey, me, batch) {
    const since = (await store.meta(`since:${survey}`)) || 0;
    const device = await store.device();
    const ops = batch.map(({ op, site, element, field, value, base, at }) => ({ op, site, element, field, value, base, at }));
    // A person who signs in between the question and this call must not send another's answers: the server compares.
    const { status, body } = await ask(`/surveys/${survey}/sync`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ device, person: me.id, since, ops, most: MOST_HEARD }),
    }, [409]);
    if (status === 409) {
      const now = await whoAmI();
      throw now.id === me.id ? new Stopped("refused", body.detail || "") : new Stopped("other_person", now.name);
    }
    if (!isAnswer(body)) throw new Stopped("garbage");
    const { changed, conflicts, settled } = await takeIn(survey, me, batch, body, since, device);
    heard.set(survey, Date.now());
    if (changed.length || conflicts) Tablet.say("changed", { survey, answers: changed, conflicts, photos: false });
    // What others said comes in portions; `seq` is how far this one tells.
    if (body.more === true && body.seq > since) await exchange(survey, me, []);
    return settled;
  }

  /** Write down in one transaction what the server acknowledged and what others said. */
  function takeIn(survey, me, batch, body, since, device) {
    const acks = new Map(body.acks.filter((ack) => ack && typeof ack.op === "string").map((ack) => [ack.op.toLowerCase(), ack]));
    return store.write(["ops", "answers", "conflicts", "meta", "photos"], async (tx) => {
      const ops = tx.objectStore("ops"), answers = tx.objectStore("answers");
      const changed = new Map();
      // All that is concerned is read at once: one question after the other would take most of the time.
      const places = [...batch, ...body.changes].map(({ site, element, field }) => [survey, site, element || "", field]);
      const [queued, rows] = await Promise.all([
        Promise.all(batch.map(({ n }) => ops.get(n))), Promise.all(places.map((place) => answers.get(place))),
      ]);
      const entries = new Map(queued.filter(Boolean).map((op) => [op.op, op]));
      const known = new Map(rows.filter(Boolean).map((row) => [store.key(row.site, row.element, row.field), row]));
      const rowOf = (site, element, field) => known.get(store.key(site, element, field));
      const keep = (row) => {
        answers.put(row).catch(() => {}); // should it fail, the whole transaction does, and says so
        known.set(store.key(row.site, row.element, row.field), row);
      };
      const put = (row) => {
        keep(row);
        changed.set(store.key(row.site, row.element, row.field), row);
      };
      let settled = 0;
      for (const sent of batch) {
        const ack = acks.get(sent.op);
        const op = entries.get(sent.op);
        if (!op) continue;
        if (!ack || !(TAKEN.has(ack.status) || ack.status === "rejected")) {
          ops.put({ ...op, tries: op.tries + 1 });
          continue;
        }
        settled += 1;
        const refused = ack.status === "rejected";
        // Discarded or replaced meanwhile: what the server holds is still written down.
        const state = op.state === "waiting" ? (refused ? "rejected" : "sent") : op.state;
        ops.put({
          ...op, state, status: ack.status, seq: Number.isInteger(ack.seq) ? ack.seq : null,
          reason: ack.reason || op.reason, tries: op.tries + 1,
        });
        const row = rowOf(op.site, op.about, op.field);
        if (!row || row.open_op !== op.op) {
          if (row && !refused && ack.status !== "late" && (!row.standing || row.standing.seq < ack.seq)) {
            keep({ ...row, standing: { value: op.value, seq: ack.seq, by: op.by_name, at: op.at } });
          }
          continue;
        }
        if (refused) put({ ...row, open_state: "rejected" });
        else put(landed(row, op, ack));
      }
      const restarted = body.seq < since;
      if (restarted) for (const row of await giveBack(tx, survey, me, acks, body.seq)) put(row);
      for (const c of [...body.changes].sort((a, b) => a.seq - b.seq)) {
        if (c.stands === false) continue;
        const about = c.element || "";
        const place = store.key(c.site, about, c.field);
        const row = rowOf(c.site, about, c.field);
        if (row && !restarted && row.standing && row.standing.seq > c.seq) continue;
        const laid = store.lay(row, c, survey, c.site, about, c.field, me.id);
        if (c.device === device && !laid.open_op) laid.mine = !row || row.mine || laid.by === me.name;
        keep(laid);
        if (!row || !same(row, laid)) changed.set(place, laid);
      }
      const conflicts = await store.replaceConflicts(tx, survey, body.conflicts);
      tx.objectStore("meta").put(restarted ? 0 : body.seq, `since:${survey}`);
      if (settled) tx.objectStore("meta").put(new Date().toISOString(), "last_sent_at");
      return { changed: [...changed.values()], conflicts, settled };
    });
  }

  /**
   * The server knows less than it once told: it was restored from a backup, and gives its numbers out a second time. All that
   * this person had sent waits again (what is there after all is known by its name), her photos are asked about again, and
   * what others had said is shown until the server, asked anew for everything, says otherwise.
   * `acks`: what this very call brought, by entry; `seq`: how far the server is. Gives the answers' new rows.
   */
  async function giveBack(tx, survey, me, acks, seq) {
    const [ops, answers, photos] = ["ops", "answers", "photos"].map((name) => tx.objectStore(name));
    const [entries, rows, taken] = await Promise.all([ops, answers, photos].map((one) => one.index("survey").getAll(survey)));
    const fresh = [...acks.values()].filter((ack) => ack.status !== "duplicate" && Number.isInteger(ack.seq)).map((ack) => ack.seq - 1);
    const known = Math.min(seq, ...fresh);
    const kept = (n) => (n !== null && n > known ? null : n); // a number that means something else by now
    const last = new Map();
    for (const op of entries) {
      if (op.by_id !== me.id || op.state !== "sent" || acks.has(op.op)) continue;
      ops.put({ ...op, state: "waiting", status: null, seq: null, base: kept(op.base) }).catch(() => {});
      last.set(store.key(op.site, op.about, op.field), op);
    }
    for (const photo of taken) {
      // `tries` makes the sender ask what of it is there before it sends anything.
      if (photo.by_id === me.id && photo.state === "sent" && photo.blob) photos.put({ ...photo, state: "waiting", tries: 1, offset: 0 }).catch(() => {});
    }
    return rows.filter((row) => row.standing).map((row) => {
      const own = row.open_op ? null : last.get(store.key(row.site, row.element, row.field));
      if (own && own.seq === row.standing.seq) return { ...row, standing: null, seq: kept(own.base), open_op: own.op, open_state: "waiting" };
      return { ...row, seq: kept(row.seq), standing: { ...row.standing, seq: null } };
    });
  }

  /** The row of an answer whose entry has arrived: it stands, unless something newer is known to stand. */
  function landed(row, op, ack) {
    const own = { value: op.value, seq: ack.seq, by: op.by_name, at: op.at };
    const older = row.standing && row.standing.seq !== null && row.standing.seq > ack.seq;
    const nothing = { value: null, seq: null, by: "", at: op.at };
    const standing = ack.status === "late" ? row.standing || nothing : older ? row.standing : own;
    return { ...row, ...standing, mine: standing === own, open_op: null, open_state: null, standing: standing === nothing ? null : standing };
  }
  const same = (a, b) => JSON.stringify([a.value, a.seq, a.by, a.open_op, a.standing]) === JSON.stringify([b.value, b.seq, b.by, b.open_op, b.standing]);


  async function sendAll(survey, me, told) {
    for (;;) {
      const rows = await store.queued("ops", me.id, survey, BATCH + poisoned.size);
      const batch = rows.filter((op) => !(poisoned.get(op.op) > Date.now())).slice(0, size);
      if (!batch.length) {
        if (rows.length) throw new Stopped("server", "", 500);
        return;
      }
      Tablet.say("sending", { survey, answers: batch.length, photos: 0 });
      let settled;
      try {
        settled = await exchange(survey, me, batch);
      } catch (error) {
        if (!(error instanceof Stopped)) throw error;
        await count(batch);
        smaller(error, batch);
        continue;
      }
      size = Math.min(most, size * 2);
      await told();
      if (!settled) throw new Stopped("garbage");
    }
  }
  /** After a failure that fewer entries at once may mend: halve them, or put the only one aside. Throws what is to wait for. */
  function smaller(error, batch) {
    const tooLarge = error.status === 413;
    if (!(tooLarge || error.slow || error.status === 500) || !navigator.onLine) throw error;
    if (batch.length > 1) {
      size = batch.length >> 1;
      // On a slow link larger ones would fail again and again in between.
      if (tooLarge || error.slow) most = size;
      if (tooLarge) return;
      throw error;
    }
    // One entry that the server stumbles over must not hold back the rest: smaller and smaller batches find it.
    if (error.slow || (!tooLarge && batch[0].tries < PATIENCE)) throw error;
    poisoned.set(batch[0].op, Date.now() + PUT_ASIDE);
  }

  /** An attempt that ended without an answer may have reached the server all the same: that is remembered. */
  async function count(batch) {
    await store.write(["ops"], async (tx) => {
      const ops = tx.objectStore("ops");
      for (const sent of batch) {
        const op = await ops.get(sent.n);
        if (op && op.state === "waiting") ops.put({ ...op, tries: op.tries + 1 });
      }
    });
  }

  async function listen(survey, me, atMost) {
    if (Date.now() - (heard.get(survey) || 0) >= atMost) await exchange(survey, me, []);
  }

  /** A person presses the button, or the network is back: what was put aside gets another chance. */
  function afresh() {
    poisoned.clear();
    size = most = BATCH;
  }

  Tablet.answers = { sendAll, listen, afresh };
})();
