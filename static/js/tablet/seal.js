/**
 * Tablet.seal: the digest that a signature is bound to.
 *   canonical(value)                 JSON without spaces, keys sorted by code point, other scripts as they are
 *   sha256(text)                     promise of the hex of the SHA-256 of its UTF-8
 *   digest(answers, conflicts)       promise: the digest of what stands, as certify/certification/surveys/seal.py makes it
 *   judge(answers, conflicts, field) promise: null (not signed) | {intact, signed: the signature's value, digest: today's}
 *                                    field: "signature:leader" | "signature:surveyor", of any site
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const SIGNATURE = "signature:";

  /** Order of texts by code point, as Python sorts; JavaScript's own order differs beyond the basic plane. */
  function byCodePoint(one, other) {
    const a = Array.from(one), b = Array.from(other);
    for (let i = 0; i < a.length && i < b.length; i += 1) {
      if (a[i] !== b[i]) return a[i].codePointAt(0) - b[i].codePointAt(0);
    }
    return a.length - b.length;
  }

  function canonical(value) {
    if (value === undefined) return "null";
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    const keys = Object.keys(value).filter((k) => value[k] !== undefined).sort(byCodePoint);
    return `{${keys.map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }

  const sha256 = async (text) => Tablet.photo.hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

  function standing(answers, conflicts) {
    const clashing = new Set(conflicts.map((c) => Tablet.store.key(c.site, c.element, c.field)));
    return answers
      .filter((row) => !row.field.startsWith(SIGNATURE))
      .map((row) => [row.site, row.element || "", row.field,
        clashing.has(Tablet.store.key(row.site, row.element, row.field)) ? { conflict: true } : row.value])
      .filter((entry) => entry[3] !== null && entry[3] !== undefined)
      .sort((a, b) => a[0] - b[0] || byCodePoint(a[1], b[1]) || byCodePoint(a[2], b[2]));
  }

  const digest = (answers, conflicts = []) => sha256(canonical(standing(answers, conflicts)));

  async function judge(answers, conflicts, field) {
    const row = answers.find((a) => a.field === field && a.value);
    if (!row) return null;
    const now = await digest(answers, conflicts);
    return { intact: row.value.digest === now, signed: row.value, site: row.site, at: row.at, by: row.by, digest: now };
  }

  Tablet.seal = { canonical, sha256, digest, judge };
})();
