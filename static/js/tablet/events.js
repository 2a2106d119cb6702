/**
 * Tablet.events: an EventTarget; what one tab or the service worker says, all of them hear (BroadcastChannel "certify-tablet").
 *
 * Events (detail):
 *   "changed"  {survey, answers: AnswerRow[] (those that changed; empty: read them all again), conflicts:boolean, photos:boolean}
 *   "pack"     {survey}                         a pack was taken, renewed or removed
 *   "draft"    {survey, key, value}             a draft was kept (value null: ended)
 *   "sending"  {survey, answers, photos}        a batch is on its way
 *   "state"    SenderState (see sender.js)
 *   "update"   {ready:true}                     a newer version of the app waits (see shell.js)
 * Tablet.say(type, detail) sends one.
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const events = new EventTarget();
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("certify-tablet") : null;
  const tell = (type, detail) => events.dispatchEvent(new CustomEvent(type, { detail }));

  if (channel) channel.addEventListener("message", ({ data }) => data && data.type && tell(data.type, data.detail));

  Tablet.events = events;
  Tablet.say = (type, detail = {}) => {
    tell(type, detail);
    if (channel) channel.postMessage({ type, detail });
  };

  /** Something could not be written; the screen must not confirm. `full`: the tablet's storage is full. */
  Tablet.NotKept = class NotKept extends Error {
    constructor(cause) {
      super(cause && cause.message ? cause.message : String(cause));
      this.name = "NotKept";
      this.cause = cause;
      this.full = Boolean(cause && (cause.name === "QuotaExceededError" || /quota|full/i.test(cause.message || "")));
    }
  };
  /** Another person than who took the survey along is signed in: nobody's entries are credited to the other. */
  Tablet.NotYours = class NotYours extends Error {
    constructor(taken, me) {
      super(`This survey was taken along by ${taken.name}; you are ${me.name}. Renew it to enter under your own name.`);
      this.name = "NotYours";
    }
  };
  /** Something unsent stands in the way; `counts` is {answers, photos, rejected, drafts}. */
  Tablet.Unsent = class Unsent extends Error {
    constructor(counts) {
      const texts = counts.drafts ? `, and ${counts.drafts} texts are held back or not finished` : "";
      super(`${counts.answers} answers and ${counts.photos} photos have not been sent${texts}.`);
      this.name = "Unsent";
      this.counts = counts;
    }
  };
  /** Something could not be fetched; `problem` and `detail` as in SenderState. */
  Tablet.Failed = class Failed extends Error {
    constructor(problem, detail = "") {
      super(detail || problem);
      this.name = "Failed";
      this.problem = problem;
      this.detail = detail;
    }
  };
  Tablet.NotAPicture = class NotAPicture extends Error {
    constructor() {
      super("This file is not a picture that this tablet can read.");
      this.name = "NotAPicture";
    }
  };
  Tablet.uuid = () => crypto.randomUUID();
})();
