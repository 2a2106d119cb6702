/* The line that is always in view: what is not yet sent, when all was sent, or what is wrong and what to do. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, icon, count, moment } = Tablet.dom;

  const WRONG = {
    signed_out: (waiting) => ["Sign in to send", `${waiting}. Your sign-in has ended: sign in to send it. Nothing is lost.`],
    other_person: (waiting, { detail }) => ["Someone else is signed in", `${waiting}. ${detail || "Another person"} is signed in and cannot send another person's entries. Sign in as the one who made them, or save a backup file.`],
    server: (waiting) => [waiting, `${waiting}. The server does not answer as it should; trying again by itself.`],
    garbage: (waiting) => [waiting, `${waiting}. This network answers instead of the server (a sign-in page of the Wi-Fi?). Open its page, then it goes on by itself.`],
    refused: (waiting, { detail }) => ["The server refuses", `${waiting}. ${detail || "The server does not take answers of this survey from you."} What you entered stays on this tablet.`],
    full: () => ["Tablet nearly full", "The tablet's storage is nearly full. Send what waits, or save a backup file, then free some space."],
    offline: (waiting) => [waiting, `${waiting}. No network; it is sent by itself when the network is back.`],
  };

  const waitingWords = ({ unsentAnswers = 0, unsentPhotos = 0 }) => {
    const parts = [];
    if (unsentAnswers) parts.push(count(unsentAnswers, "answer"));
    if (unsentPhotos) parts.push(count(unsentPhotos, "photo"));
    return parts.length ? `${parts.join(", ")} not yet sent` : "";
  };

  /** What is on this tablet and was not given as an answer. */
  const draftWords = (drafts) => (drafts ? `${count(drafts, "text")} held back or not finished, on this tablet only` : "");

  const heldIn = (state) => Object.values(state.held || {}).reduce((sum, one) => sum + one, 0);

  /** Return {short, long, kind} for a state of the sender; what the person holds back is said with everything else. */
  function words(state, zone) {
    const said = wordsOfSending(state, zone);
    const held = heldIn(state);
    if (!held) return said;
    const texts = `${count(held, "text")} held back`;
    const what = `${draftWords(held)}: open this list to change, confirm or discard ${held === 1 ? "it" : "them"}.`;
    if (said.kind !== "sent") return { ...said, short: `${said.short} · ${texts}`, long: `${said.long} ${what}` };
    return { short: texts, long: `${what}${state.lastSentAt ? ` ${said.long.replace("All", "All else")}` : ""}`, kind: "held" };
  }

  function wordsOfSending(state, zone) {
    const waiting = waitingWords(state);
    const refused = state.rejected ? `${count(state.rejected, "entry", "entries")} refused` : "";
    if (state.problem === "full") {
      const [short, long] = WRONG.full();
      return { short: waiting ? `${waiting} · ${short}` : short, long, kind: "wrong" };
    }
    if (waiting || refused) {
      const problem = waiting && WRONG[state.problem];
      let [short, long] = problem ? problem(waiting, state) : state.nearlyFull ? ["Tablet nearly full", `${waiting || refused}. The tablet's storage is nearly full: send what waits, or save a backup file, before going on.`] : ["", waiting && `${waiting}.`];
      if (short === waiting) short = "";
      if (refused) long = `${long} ${refused} by the server: open this list to see why, and correct or discard.`.trim();
      const wrong = refused || state.nearlyFull || ["signed_out", "other_person", "garbage", "refused"].includes(state.problem);
      return { short: [waiting, refused, short].filter(Boolean).join(" · "), long, kind: wrong ? "wrong" : "waiting" };
    }
    if (state.nearlyFull) return { short: "Tablet nearly full", long: "All is sent, but the tablet's storage is nearly full. Remove evidence files or surveys you no longer need.", kind: "wrong" };
    if (state.lastSentAt) return { short: `All sent ${moment(state.lastSentAt, zone)}`, long: `All sent ${moment(state.lastSentAt, zone)}.`, kind: "sent" };
    return { short: "Nothing waits to be sent", long: "Nothing waits to be sent.", kind: "sent" };
  }

  /** Where the line leads: to the list of this survey, or, when texts are held back in others only, to all surveys. */
  function wayOf(state, survey, kind) {
    if (!survey || (kind === "held" && !(state.held || {})[survey])) return "#/";
    return `#/${survey}/outbox`;
  }

  let state = { unsentAnswers: 0, unsentPhotos: 0, rejected: 0, held: {}, lastSentAt: null, problem: null };
  let drawn = null;
  let spoken = "";
  let timer = 0;

  // Read out once it rests: a person who answers fast is not talked over at each tap.
  const voice = h("p", { class: "sr-only", role: "status", "aria-live": "polite" });
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (text === spoken) return;
      spoken = text;
      voice.textContent = text;
    }, 1200);
  };

  function draw() {
    if (!drawn) return;
    const { short, long, kind } = words(state, drawn.zone);
    // Each tap comes here: only what differs is touched.
    if (drawn.kind !== kind) {
      drawn.kind = kind;
      drawn.link.className = `save-line save-line--${kind} tablet-line`;
      drawn.sign.replaceChildren(icon(kind === "sent" ? "check" : kind === "waiting" ? "upload" : "alert"));
    }
    const way = wayOf(state, drawn.survey, kind);
    if (drawn.link.getAttribute("href") !== way) drawn.link.setAttribute("href", way);
    if (drawn.text.textContent !== short) drawn.text.textContent = short;
    if (drawn.long === long) return;
    drawn.long = long;
    drawn.link.title = long;
    say(long);
    for (const place of document.querySelectorAll("[data-line-long]")) place.textContent = long;
  }

  /** The line as a link to what has not been sent. */
  function line(survey, zone) {
    const text = h("span", { data: { line: "text" } });
    const sign = h("span", { class: "tablet-line__sign" });
    const link = h("a", { class: "save-line tablet-line", id: "save-line", href: wayOf(state, survey) }, sign, text);
    drawn = { link, text, sign, zone, survey };
    draw();
    return link;
  }

  const take = (fresh) => {
    state = { ...state, ...fresh };
    draw();
  };

  Tablet.line = { line, words, take, voice, waitingWords, draftWords, state: () => state };
})();
