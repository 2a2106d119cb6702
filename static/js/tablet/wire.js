/**
 * Tablet.wire: one question to the server, and what kind of no it was when there is no answer.
 *   ask(url, options, refusals)   {status, body (JSON), headers}; throws Stopped. `refusals`: statuses that count as answers too.
 *   whoAmI()                      {id, name} of who is signed in; throws Stopped("signed_out")
 *   Stopped                       why an attempt ended: `problem` as in SenderState, `detail` in words, `status` of HTTP or 0,
 *                                 `slow` when nothing came for too long
 *   patience                      {silence: ms without a byte of the answer, pace: bytes a second that a call's body goes out at least}
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const patience = { silence: 20000, pace: 4096 };

  /** Why an attempt ended without success; what was not acknowledged stays in the queue. */
  class Stopped extends Error {
    constructor(problem, detail = "", status = 0, slow = false) {
      super(problem);
      this.slow = slow;
      this.problem = problem;
      this.detail = detail;
      this.status = status;
    }
  }

  /** A clock that ends a call when nothing is heard of it; `heard()` winds it up again. */
  function silence(first) {
    const control = new AbortController();
    const stop = () => control.abort(new DOMException("nothing was heard", "TimeoutError"));
    let timer = setTimeout(stop, first);
    const off = () => clearTimeout(timer);
    return { signal: control.signal, off, heard: () => { off(); timer = setTimeout(stop, patience.silence); } };
  }

  const died = ({ aborted }) => {
    const slow = aborted && navigator.onLine;
    return new Stopped(slow ? "server" : "offline", "", 0, slow);
  };

  /** The text of an answer, however slowly it comes, as long as it comes. */
  async function textOf(response, heard) {
    if (!response.body) return "";
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      heard();
      text += decoder.decode(value, { stream: true });
    }
  }

  const sizeOf = (body) => (body ? body.byteLength || body.length || 0 : 0);

  /** Fetch and read JSON; whatever is not an answer of ours ends the attempt as a problem. Gives {status, body, headers}. */
  async function ask(url, options = {}, refusals = []) {
    // A large body takes its time on a slow link, and nothing tells how far it is.
    const clock = silence(patience.silence + (sizeOf(options.body) / patience.pace) * 1000);
    try {
      return await answerOf(url, { signal: clock.signal, ...options }, refusals, clock.heard);
    } finally {
      clock.off();
    }
  }

  async function answerOf(url, options, refusals, heard) {
    let response;
    try {
      response = await fetch(url, {
        credentials: "same-origin", redirect: "manual", cache: "no-store", ...options, headers: { Accept: "application/json", ...options.headers },
      });
    } catch {
      throw died(options.signal);
    }
    heard();
    const { status } = response;
    // Our own pages lead to the sign-in page; someone else's network leads to a page of its own. Which one, me.json tells.
    if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) throw new Stopped("garbage");
    if (status === 401) throw new Stopped("signed_out");
    if (status >= 500 || status === 429 || status === 408) throw new Stopped("server", "", status);
    const json = /^application\/([a-z.-]+\+)?json\b/.test(response.headers.get("Content-Type") || "");
    // A server between may call it too large in a page of its own.
    if (status === 413 && !json) throw new Stopped("refused", "", status);
    let body = null;
    if (json) {
      let text;
      try {
        text = await textOf(response, heard);
      } catch {
        throw died(options.signal);
      }
      try { body = JSON.parse(text); } catch { throw new Stopped("garbage"); }
    }
    if (body === null || typeof body !== "object") throw new Stopped("garbage");
    if (response.ok || refusals.includes(status)) return { status, body, headers: response.headers };
    throw new Stopped("refused", typeof body.detail === "string" ? body.detail : "", status);
  }

  /** Who is signed in here. Throws Stopped("signed_out") when nobody is. */
  async function whoAmI() {
    const { body } = await ask("/tablet/me.json");
    if (typeof body.signed_in !== "boolean") throw new Stopped("garbage");
    if (!body.signed_in || !Number.isInteger(body.id)) throw new Stopped("signed_out");
    return { id: body.id, name: String(body.name) };
  }

  Tablet.wire = { ask, whoAmI, Stopped, patience };
})();
