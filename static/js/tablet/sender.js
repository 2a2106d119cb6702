/**
 * Tablet.sender: brings what is waiting to the server, oldest first, and what others said back.
 *
 * @typedef {{unsentAnswers:number, unsentPhotos:number, rejected:number, lastSentAt:string|null, sending:boolean, online:boolean,
 *   problem:"offline"|"signed_out"|"other_person"|"server"|"garbage"|"refused"|"full"|null, detail:string, nextTryAt:string|null,
 *   me:{id:number,name:string}|null, persisted:boolean|null, nearlyFull:boolean, share:number}} SenderState
 *   detail: words of the server for "refused"; the other person's name for "other_person".
 *
 *   start()                          call once in a page: sends now and from then on by itself
 *   now()                            try at once (the button); resolves with the state when the attempt is over
 *   state()                          the last known SenderState, at once
 *   refresh()                        counts again and says "state"
 *   watch(survey|null)               ask this survey every 20 s what others said, while the page is seen
 *   presence(survey, {site, standard})   tell the server what is open here; never fails
 *   signInAddress(survey)            where to sign in so that the person comes back here
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const store = Tablet.store;
  const LOCK = "certify-outbox";
  const TAG = "certify-outbox";
  const BATCH = 40;
  const TIMEOUT = 20000;
  const SOON = 300;
  const FIRST_WAIT = 1000;
  const LONGEST_WAIT = 60000;
  const POLL = 20000;
  const PATIENCE = 3; // tries of one entry alone before the others go first
  const PUT_ASIDE = 10 * 60000;
  const ROOM_ASKED = 15000;
  const PART = { most: 256 * 1024, least: 32 * 1024 };
  const TAKEN = new Set(["applied", "duplicate", "conflict", "late"]);
  const page = typeof document !== "undefined";

  let wait = FIRST_WAIT;
  let timer = 0;
  let going = null;
  let again = false;
  let registered = false;
  let watched = null;
  let polling = 0;
  let part = PART.most;
  let size = BATCH;
  let full = "";
  let room = { persisted: null, nearly_full: false, share: 0, asked: 0 };
  const poisoned = new Map(); // op → until when it is put aside
  let heard = new Map(); // survey → when it was last asked what others said
  let lastPresence = "";
  let snapshot = {
    unsentAnswers: 0, unsentPhotos: 0, rejected: 0, lastSentAt: null, sending: false, online: true, problem: null, detail: "",
    nextTryAt: null, me: null, persisted: null, nearlyFull: false, share: 0,
  };

  /** Why an attempt ended without success; what was not acknowledged stays in the queue. */
  class Stopped extends Error {
    constructor(problem, detail = "", status = 0) {
      super(problem);
      this.problem = problem;
      this.detail = detail;
      this.status = status;
    }
  }

  // ---- asking the server

  /** Fetch and read JSON; whatever is not an answer of ours ends the attempt as a problem. Gives {status, body, headers}. */
  async function ask(url, options = {}, refusals = []) {
    let response;
    try {
      response = await fetch(url, {
        credentials: "same-origin", redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT), ...options,
        headers: { Accept: "application/json", ...options.headers },
      });
    } catch (error) {
      throw new Stopped(error && error.name === "TimeoutError" && navigator.onLine ? "server" : "offline");
    }
    // Our own pages lead to the sign-in page; someone else's network leads to a page of its own. Which one, me.json tells.
    if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) throw new Stopped("garbage");
    if (response.status === 401) throw new Stopped("signed_out");
    const json = /^application\/([a-z.-]+\+)?json\b/.test(response.headers.get("Content-Type") || "");
    if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Stopped("server", "", response.status);
    let body = null;
    if (json) {
      try {
        body = await response.json();
      } catch (error) {
        throw new Stopped(error instanceof SyntaxError ? "garbage" : "offline");
      }
    }
    if (body === null || typeof body !== "object") throw new Stopped("garbage");
    if (response.ok || refusals.includes(response.status)) return { status: response.status, body, headers: response.headers };
    throw new Stopped("refused", typeof body.detail === "string" ? body.detail : "", response.status);
  }

  /** Who is signed in here. Throws Stopped("signed_out") when nobody is. */
  async function whoAmI() {
    const { body } = await ask("/tablet/me.json");
    if (typeof body.signed_in !== "boolean") throw new Stopped("garbage");
    if (!body.signed_in || !Number.isInteger(body.id)) {
      snapshot.me = null;
      throw new Stopped("signed_out");
    }
    snapshot.me = { id: body.id, name: String(body.name) };
    return snapshot.me;
  }

  // ---- answers

  const isChange = (c) => c && Number.isInteger(c.seq) && Number.isInteger(c.site) && typeof c.field === "string";
  const isAnswer = (body) => Number.isInteger(body.seq) && Array.isArray(body.acks) && Array.isArray(body.changes)
    && Array.isArray(body.conflicts) && body.changes.every(isChange);

  async function exchange(survey, me, batch) {
    const since = (await store.meta(`since:${survey}`)) || 0;
    const device = await store.device();
    const ops = batch.map(({ op, site, element, field, value, base, at }) => ({ op, site, element, field, value, base, at }));
    // A person who signs in between the question and this call must not send another's answers: the server compares.
    const { status, body } = await ask(`/surveys/${survey}/sync`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ device, person: me.id, since, ops }),
    }, [409]);
    if (status === 409) {
      await whoAmI();
      throw snapshot.me.id === me.id ? new Stopped("refused", body.detail || "") : new Stopped("other_person", snapshot.me.name);
    }
    if (!isAnswer(body)) throw new Stopped("garbage");
    const { changed, conflicts, settled } = await takeIn(survey, me, batch, body, since, device);
    heard.set(survey, Date.now());
    if (settled) snapshot.lastSentAt = await store.meta("last_sent_at", new Date().toISOString());
    if (changed.length || conflicts) Tablet.say("changed", { survey, answers: changed, conflicts, photos: false });
    return settled;
  }

  /** Write down in one transaction what the server acknowledged and what others said. */
  function takeIn(survey, me, batch, body, since, device) {
    const acks = new Map(body.acks.filter((ack) => ack && typeof ack.op === "string").map((ack) => [ack.op.toLowerCase(), ack]));
    return store.write(["ops", "answers", "conflicts", "meta"], async (tx) => {
      const ops = tx.objectStore("ops"), answers = tx.objectStore("answers");
      const changed = new Map();
      const put = (row) => {
        answers.put(row);
        changed.set(store.key(row.site, row.element, row.field), row);
      };
      let settled = 0;
      for (const sent of batch) {
        const ack = acks.get(sent.op);
        const op = await ops.get(sent.n);
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
        const row = await answers.get([survey, op.site, op.about, op.field]);
        if (!row || row.open_op !== op.op) {
          if (row && !refused && ack.status !== "late" && (!row.standing || row.standing.seq < ack.seq)) {
            answers.put({ ...row, standing: { value: op.value, seq: ack.seq, by: op.by_name, at: op.at } });
          }
          continue;
        }
        if (refused) put({ ...row, open_state: "rejected" });
        else put(landed(row, op, ack));
      }
      const restarted = body.seq < since;
      for (const c of [...body.changes].sort((a, b) => a.seq - b.seq)) {
        if (c.stands === false) continue;
        const about = c.element || "";
        const place = store.key(c.site, about, c.field);
        const row = await answers.get([survey, c.site, about, c.field]);
        if (row && !restarted && row.standing && row.standing.seq > c.seq) continue;
        const laid = store.lay(row, c, survey, c.site, about, c.field, me.id);
        if (c.device === device && !laid.open_op) laid.mine = !row || row.mine || laid.by === me.name;
        answers.put(laid);
        if (!row || !same(row, laid)) changed.set(place, laid);
      }
      const conflicts = await store.replaceConflicts(tx, survey, body.conflicts);
      tx.objectStore("meta").put(body.seq, `since:${survey}`);
      return { changed: [...changed.values()], conflicts, settled };
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

  /** What waits of one person and one survey, in the order in which it was entered. */
  async function waiting(name, me, survey, count) {
    const db = await store.open();
    return db.transaction(name).objectStore(name).index("queue").getAll(IDBKeyRange.only(["waiting", me, survey]), count);
  }
  async function surveysWith(name, me) {
    const db = await store.open();
    const found = [];
    let cursor = await db.transaction(name).objectStore(name).index("queue")
      .openKeyCursor(IDBKeyRange.bound(["waiting", me], ["waiting", me, []]), "nextunique");
    for (; cursor; cursor = await cursor.continue()) found.push(cursor.key[2]);
    return found;
  }

  /** Send for each survey in turn; one that the server refuses as a whole does not keep the others waiting. */
  async function eachSurvey(name, me, send) {
    let refused = null;
    for (const survey of await surveysWith(name, me.id)) {
      try {
        await send(survey, me);
      } catch (error) {
        if (!(error instanceof Stopped) || error.problem !== "refused") throw error;
        refused = error;
      }
    }
    if (refused) throw refused;
  }

  async function sendAnswers(survey, me) {
    for (;;) {
      const rows = await waiting("ops", me.id, survey, BATCH + poisoned.size);
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
        if (error.status !== 500 || !navigator.onLine) throw error;
        // One entry that the server stumbles over must not hold back the rest: smaller and smaller batches find it.
        if (batch.length === 1 && batch[0].tries >= PATIENCE) poisoned.set(batch[0].op, Date.now() + PUT_ASIDE);
        else {
          size = Math.max(1, size >> 1);
          throw error;
        }
        continue;
      }
      size = Math.min(BATCH, size * 2);
      await refresh();
      if (!settled) throw new Stopped("garbage");
    }
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

  // ---- photos

  const base64 = (hex) => btoa(hex.match(/../g).map((byte) => String.fromCharCode(parseInt(byte, 16))).join(""));

  async function keepPhoto(uuid, change) {
    const photo = await store.write(["photos"], async (tx) => {
      const now = await tx.objectStore("photos").get(uuid);
      if (!now) return null;
      const row = { ...now, ...change };
      // Discarded while it was on its way: that stands.
      if (now.state === "discarded") row.state = "discarded";
      await tx.objectStore("photos").put(row);
      return row;
    });
    return photo;
  }

  async function sendPhotos(survey, me) {
    for (;;) {
      const photos = await waiting("photos", me.id, survey);
      if (!photos.length) return;
      Tablet.say("sending", { survey, answers: 0, photos: photos.length });
      await sendPhoto(photos.reduce((first, photo) => (photo.at < first.at ? photo : first)));
      await refresh();
    }
  }

  async function sendPhoto(photo) {
    const address = `/surveys/${photo.survey}/attachments/${photo.uuid}`;
    let offset = photo.offset;
    let whole = photo.size <= PART.least;
    // An earlier attempt may have left parts there, more or fewer than is known here.
    if (!whole && (photo.tries || photo.offset)) {
      const { status, body } = await ask(`${address}/parts.json?digest=${photo.digest}`, {}, [404]);
      if (status === 404) whole = true;
      else if (Number.isInteger(body.offset) && body.offset >= 0 && body.offset <= photo.size) offset = body.offset;
      else throw new Stopped("garbage");
    }
    await keepPhoto(photo.uuid, { tries: photo.tries + 1, offset });
    if (whole || offset >= photo.size) offset = 0;
    let stuck = 0;
    for (;;) {
      const end = whole ? photo.size : Math.min(offset + part, photo.size);
      const headers = { "Content-Type": photo.media_type, "Content-Digest": `sha-256=:${base64(photo.digest)}:` };
      if (!whole && end - offset < photo.size) headers["Content-Range"] = `bytes ${offset}-${end - 1}/${photo.size}`;
      let answer;
      try {
        answer = await ask(address, { method: "PUT", headers, body: photo.blob.slice(offset, end) }, [409, 413, 415, 416, 422]);
      } catch (error) {
        // Too slow a link for parts of this size: the next ones are smaller.
        if (error instanceof Stopped && (error.problem === "server" || error.problem === "offline")) part = Math.max(PART.least, part / 2);
        throw error;
      }
      const { status, body } = answer;
      if (status === 200 || status === 201) {
        if (String(body.id).toLowerCase() !== photo.uuid || body.sha256 !== photo.digest) throw new Stopped("garbage");
        await keepPhoto(photo.uuid, { state: "sent", offset: photo.size, reason: null });
        snapshot.lastSentAt = await store.meta("last_sent_at", new Date().toISOString());
        part = Math.min(PART.most, part * 2);
        Tablet.say("changed", { survey: photo.survey, answers: [], conflicts: false, photos: true });
        return;
      }
      if (Number.isInteger(body.offset) && body.offset >= 0 && body.offset <= photo.size) {
        stuck = body.offset > offset ? 0 : stuck + 1;
        if (stuck > 3) throw new Stopped("server");
        offset = body.offset >= photo.size ? 0 : body.offset;
        await keepPhoto(photo.uuid, { offset });
        continue;
      }
      if (status === 202) throw new Stopped("garbage");
      await keepPhoto(photo.uuid, { state: "rejected", reason: body.detail || "The server does not take this photo." });
      Tablet.say("changed", { survey: photo.survey, answers: [], conflicts: false, photos: true });
      return;
    }
  }

  // ---- what others said

  async function listen(me) {
    const packs = await store.packs();
    const asked = packs.filter((pack) => pack.survey === watched && Date.now() - (heard.get(pack.survey) || 0) > POLL / 2);
    for (const pack of asked) await exchange(pack.survey, me, []);
  }

  // ---- one attempt

  async function attempt() {
    const left = await store.unsent();
    if (!left.answers && !left.photos && watched === null) return null;
    const me = await whoAmI();
    let refused = null;
    for (const [name, send] of [["ops", sendAnswers], ["photos", sendPhotos]]) {
      try {
        await eachSurvey(name, me, send);
      } catch (error) {
        if (!(error instanceof Stopped) || error.problem !== "refused") throw error;
        refused = error;
      }
    }
    if (refused) throw refused;
    await listen(me);
    const others = await store.unsent();
    return others.answers || others.photos ? new Stopped("other_person", me.name) : null;
  }

  /** Send all that waits, alone among tabs and the worker; gives whether nothing is left to try again. */
  async function drain() {
    let stopped = null;
    snapshot.sending = true;
    Tablet.events.dispatchEvent(new CustomEvent("state", { detail: state() }));
    try {
      stopped = await navigator.locks.request(LOCK, attempt);
    } catch (error) {
      if (error instanceof Stopped) stopped = error;
      else if (error instanceof Tablet.NotKept) stopped = new Stopped(error.full ? "full" : "server", error.message);
      else {
        console.warn("sending failed", error);
        stopped = new Stopped("server", String(error));
      }
    }
    snapshot.sending = false;
    if (stopped && stopped.problem === "garbage") stopped = await whatKind(stopped);
    await outcome(stopped);
    return !stopped;
  }

  /** A redirect or a page instead of an answer: is it that the sign-in has ended? */
  async function whatKind(stopped) {
    try {
      await whoAmI();
      return stopped;
    } catch (error) {
      return error instanceof Stopped && error.problem === "signed_out" ? error : stopped;
    }
  }

  async function outcome(stopped) {
    const before = snapshot.problem;
    snapshot.problem = stopped ? stopped.problem : null;
    snapshot.detail = stopped ? stopped.detail : "";
    snapshot.online = !stopped || stopped.problem !== "offline";
    if (before !== snapshot.problem) await store.meta("problem", snapshot.problem).catch(() => {});
    await refresh();
  }

  async function refresh() {
    const [left, sentAt] = await Promise.all([store.unsent(), store.meta("last_sent_at")]);
    // How full the storage is takes the browser a while to find out.
    if (Date.now() - room.asked > ROOM_ASKED) room = { ...(await store.estimate()), asked: Date.now() };
    Object.assign(snapshot, {
      unsentAnswers: left.answers, unsentPhotos: left.photos, rejected: left.rejected, lastSentAt: sentAt || null,
      persisted: room.persisted, nearlyFull: room.nearly_full, share: room.share,
    });
    const said = state();
    Tablet.events.dispatchEvent(new CustomEvent("state", { detail: said }));
    return said;
  }

  const state = () => ({
    ...snapshot, ...(full ? { problem: "full", detail: full } : {}), online: snapshot.online && navigator.onLine,
  });

  // ---- when to try

  const RETRIED = new Set(["offline", "server", "garbage", "full", "refused"]);

  function run() {
    if (going) {
      again = true;
      return going;
    }
    clearTimeout(timer);
    timer = 0;
    snapshot.nextTryAt = null;
    again = false;
    // Not at once: whoever hears that an attempt begins and asks for one finds this one under way.
    going = Promise.resolve().then(drain).then(async (done) => {
      going = null;
      if (done) {
        wait = FIRST_WAIT;
        registered = false;
        if (again) later(SOON);
        return state();
      }
      await inBackground();
      // Who has to sign in first will come back to the page; until then asking now and then is enough.
      const delay = RETRIED.has(snapshot.problem) ? wait : LONGEST_WAIT;
      later(delay * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT);
      return refresh();
    }, (error) => {
      going = null;
      console.warn("sending failed", error);
      later(wait);
      return state();
    });
    return going;
  }

  function later(delay) {
    if (!page) return; // the worker is woken by the browser
    clearTimeout(timer);
    snapshot.nextTryAt = new Date(Date.now() + delay).toISOString();
    timer = setTimeout(run, delay);
  }

  /** Something was entered: send it in a moment, together with what follows at once. */
  function soon() {
    if (!navigator.onLine) inBackground();
    // While the server cannot be reached the next attempt is set already; a tap must not hurry it.
    if (snapshot.problem && timer) return;
    if (going) again = true;
    else later(SOON);
  }

  function now() {
    wait = FIRST_WAIT;
    return run();
  }

  /** Let the browser send when the network is back, even when no page is open. */
  async function inBackground() {
    if (!page || registered || !navigator.serviceWorker) return;
    try {
      const registration = await navigator.serviceWorker.getRegistration("/");
      if (!registration || !registration.sync) return;
      await registration.sync.register(TAG);
      registered = true;
    } catch { /* a browser that cannot, sends when a page is open */ }
  }

  /** A write failed: that is said until one succeeds again. */
  function notKept(error) {
    full = error.full ? error.message : full;
    room.asked = 0;
    Tablet.events.dispatchEvent(new CustomEvent("state", { detail: state() }));
  }
  function kept() {
    full = "";
  }

  function start() {
    if (!page || polling) return;
    addEventListener("online", () => now());
    addEventListener("offline", () => outcome(new Stopped("offline")));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") now();
      else if (snapshot.unsentAnswers || snapshot.unsentPhotos) inBackground();
    });
    addEventListener("pageshow", (event) => event.persisted && now());
    Tablet.events.addEventListener("changed", async () => {
      const said = await refresh().catch(() => null);
      // The worker or another tab got everything through: what was wrong here is over.
      if (said && said.problem && !said.unsentAnswers && !said.unsentPhotos && !going) run();
    });
    polling = setInterval(() => {
      if (document.visibilityState === "visible" && navigator.onLine && watched !== null && !timer) run();
    }, POLL);
    store.persist().catch(() => {});
    return now();
  }

  function watch(survey) {
    watched = survey;
    if (survey !== null) later(SOON);
  }

  async function presence(survey, { site, standard }) {
    const what = `${survey}|${site}|${standard}|${Math.floor(Date.now() / 60000)}`;
    if (what === lastPresence || !navigator.onLine || snapshot.problem) return;
    lastPresence = what;
    try {
      await fetch(`/surveys/${survey}/presence`, {
        method: "POST", credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT),
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ device: await store.device(), site, standard }),
      });
    } catch { /* others then see a little later who is where */ }
  }

  const signInAddress = (survey) => `/sign-in?next=${encodeURIComponent(survey ? `/tablet#/${survey}` : "/tablet")}`;

  Tablet.sender = {
    start, now, state, refresh, watch, presence, signInAddress, soon, notKept, kept, drain, ask, Stopped, outcome,
  };
})();
