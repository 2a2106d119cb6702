/**
 * Tablet.wire: one question to the server, and what kind of no it was when there is no answer.
 *   ask(url, options, refusals)   {status, body (JSON), headers}; throws Stopped. `refusals`: statuses that count as answers too.
 *   whoAmI()                      {id, name} of who is signed in; throws Stopped("signed_out")
 *   Stopped                       why an attempt ended: `problem` as in SenderState, `detail` in words, `status` of HTTP or 0
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const TIMEOUT = 20000;

  /** Why an attempt ended without success; what was not acknowledged stays in the queue. */
  class Stopped extends Error {
    constructor(problem, detail = "", status = 0) {
      super(problem);
      this.problem = problem;
      this.detail = detail;
      this.status = status;
    }
  }

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
    if (!body.signed_in || !Number.isInteger(body.id)) throw new Stopped("signed_out");
    return { id: body.id, name: String(body.name) };
  }

  Tablet.wire = { ask, whoAmI, Stopped };
})();
