/**
 * Tablet.sender: brings what is waiting to the server, oldest first, and what others said back.
 *
 * @typedef {{unsentAnswers:number, unsentPhotos:number, rejected:number, held:Object<number, number>, lastSentAt:string|null, sending:boolean, online:boolean,
 *   problem:"offline"|"signed_out"|"other_person"|"server"|"garbage"|"refused"|"full"|null, detail:string, nextTryAt:string|null,
 *   me:{id:number,name:string}|null, persisted:boolean|null, nearlyFull:boolean, share:number}} SenderState
 *   detail: words of the server for "refused"; the other person's name for "other_person". held: per survey, how many texts
 *   are held back or not finished.
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
  const { Stopped } = Tablet.wire;
  const LOCK = "certify-outbox";
  const TAG = "certify-outbox";
  const SOON = 300;
  const FIRST_WAIT = 1000;
  const LONGEST_WAIT = 60000;
  const POLL = 20000;
  const ROOM_ASKED = 15000;
  const QUIET = 1500;
  const page = typeof document !== "undefined";

  let wait = FIRST_WAIT;
  let timer = 0;
  let going = null;
  let again = false;
  let registered = false;
  let watched = null;
  let polling = 0;
  let full = "";
  let room = { persisted: null, nearly_full: false, share: 0, asked: 0 };
  let lastPresence = "";
  const snapshot = {
    unsentAnswers: 0, unsentPhotos: 0, rejected: 0, held: {}, lastSentAt: null, sending: false, online: true, problem: null, detail: "",
    nextTryAt: null, me: null, persisted: null, nearlyFull: false, share: 0,
  };

  /** Who is signed in; remembered on the tablet, so that it is known without a network too. */
  async function whoAmI() {
    const me = await Tablet.wire.whoAmI();
    const known = await store.meta("me");
    if (!known || known.id !== me.id || known.name !== me.name) await store.meta("me", me);
    snapshot.me = me;
    return me;
  }

  /** Send for each survey in turn; one that the server refuses as a whole does not keep the others waiting. */
  async function eachSurvey(name, me, send) {
    let refused = null;
    for (const survey of await store.queuedSurveys(name, me.id)) {
      try {
        await send(survey, me, refresh);
      } catch (error) {
        if (!(error instanceof Stopped) || error.problem !== "refused") throw error;
        refused = error;
      }
    }
    return refused;
  }

  async function attempt() {
    const left = await store.unsent();
    if (!left.answers && !left.photos && watched === null) return null;
    const me = await whoAmI();
    const refused = [await eachSurvey("ops", me, Tablet.answers.sendAll), await eachSurvey("photos", me, Tablet.uploads.sendAll)].find(Boolean);
    if (refused) throw refused;
    if (watched !== null && (await store.pack(watched))) await Tablet.answers.listen(watched, me, POLL / 2);
    const [all, own] = [await store.unsent(), await store.waitingOf(me.id)];
    // Entered while this attempt was on its way: the next one takes it along.
    if (own) again = true;
    return all.answers + all.photos > own ? new Stopped("other_person", me.name) : null;
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
    const [left, held, sentAt] = await Promise.all([store.unsent(), store.heldBack(), store.meta("last_sent_at")]);
    // How full the storage is takes the browser a while to find out.
    if (Date.now() - room.asked > ROOM_ASKED) room = { ...(await store.estimate()), asked: Date.now() };
    Object.assign(snapshot, {
      unsentAnswers: left.answers, unsentPhotos: left.photos, rejected: left.rejected, held, lastSentAt: sentAt || null,
      persisted: room.persisted, nearlyFull: room.nearly_full, share: room.share,
    });
    const said = state();
    Tablet.events.dispatchEvent(new CustomEvent("state", { detail: said }));
    return said;
  }

  const state = () => ({
    ...snapshot, ...(full ? { problem: "full", detail: full } : {}), online: snapshot.online && navigator.onLine,
  });

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
      if (snapshot.problem === "other_person" && again) later(SOON);
      else {
        // Who has to sign in first will come back to the page; until then asking now and then is enough.
        const delay = RETRIED.has(snapshot.problem) ? wait : LONGEST_WAIT;
        later(delay * (0.75 + Math.random() / 2));
      }
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
    // Without a network nothing is tried: the browser says when it is back, and a rare try finds out if it does not.
    if (!navigator.onLine) {
      inBackground();
      if (!timer) later(LONGEST_WAIT);
      return;
    }
    // While the server cannot be reached the next attempt is set already; a tap must not hurry it. That another person's
    // entries wait keeps nobody's own waiting.
    if (snapshot.problem && snapshot.problem !== "other_person" && timer) return;
    if (going) again = true;
    else later(SOON);
  }

  /** Say at once what the journal has just taken in; the store is asked again when nothing is being entered. */
  function added({ answers = 0, photos = 0 }) {
    snapshot.unsentAnswers += answers;
    snapshot.unsentPhotos += photos;
    Tablet.events.dispatchEvent(new CustomEvent("state", { detail: state() }));
  }

  // Counting reads what the next tap writes, and would keep it waiting.
  let counting = 0;
  function recountSoon() {
    clearTimeout(counting);
    counting = setTimeout(async () => {
      const said = await refresh().catch(() => null);
      // The worker or another tab got everything through: what was wrong here is over.
      if (said && said.problem && !said.unsentAnswers && !said.unsentPhotos && !going) run();
    }, QUIET);
  }

  function now() {
    wait = FIRST_WAIT;
    Tablet.answers.afresh();
    return run();
  }

  /** Let the browser send when the network is back, even when no page is open. */
  async function inBackground() {
    if (!page || registered || !navigator.serviceWorker) return;
    registered = true;
    try {
      const registration = await navigator.serviceWorker.getRegistration("/");
      if (registration && registration.sync) await registration.sync.register(TAG);
    } catch {
      registered = false; // a browser that cannot, sends when a page is open
    }
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
    addEventListener("offline", async () => {
      await outcome(new Stopped("offline"));
      if (snapshot.unsentAnswers || snapshot.unsentPhotos) inBackground();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") now();
      else if (snapshot.unsentAnswers || snapshot.unsentPhotos) inBackground();
    });
    addEventListener("pageshow", (event) => event.persisted && now());
    for (const kind of ["changed", "draft"]) Tablet.events.addEventListener(kind, recountSoon);
    polling = setInterval(() => {
      if (document.visibilityState === "visible" && navigator.onLine && watched !== null && !timer) run();
    }, POLL);
    store.persist().catch(() => {});
    // Asked even when nothing waits: whoever opens the app must not enter under another's name.
    store.meta("me").then((me) => { snapshot.me = snapshot.me || me || null; }).then(whoAmI).then(refresh).catch(() => {});
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
        method: "POST", credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(Tablet.wire.patience.silence),
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ device: await store.device(), site, standard }),
      });
    } catch { /* others then see a little later who is where */ }
  }

  const signInAddress = (survey) => `/sign-in?next=${encodeURIComponent(survey ? `/tablet#/${survey}` : "/tablet")}`;

  Tablet.sender = {
    start, now, state, refresh, watch, presence, signInAddress, soon, added, notKept, kept, drain,
  };
})();
