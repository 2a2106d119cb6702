/* What the program declared for surveys (workflows/survey.yaml, in the pack), in the shape the screens want. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const entries = (given) => (Array.isArray(given) ? given : Object.entries(given || {}).map(([key, value]) => (typeof value === "object" && value ? { key, ...value } : { key, label: value })));
  const plain = (entry) => ({ ...entry, words: entry.label || entry.key });
  const known = new WeakMap();

  function read(pack) {
    const rules = pack.rules || {};
    const harms = entries(rules.harm).map(plain);
    const scopes = entries(rules.scope).map(plain);
    const levels = new Map(entries(rules.levels).map((one) => [one.key, plain(one)]));
    const statements = entries(rules.statements).map(plain);
    const signatures = entries(rules.signatures).map(plain);
    /** The level of one cell: {key, words, demands: labels of the statements its plan must hold}. */
    const level = (harm, scope) => {
      const key = ((rules.matrix || {})[harm] || {})[scope];
      const found = levels.get(key);
      return found ? { ...found, demands: (found.demands || []).map((one) => (statements.find((statement) => statement.key === one) || { words: one }).words) } : null;
    };
    const kinds = entries(rules.notes).map(plain);
    const at = (list, key) => list.find((one) => one.key === key);
    const riskWords = (value) => (value && value.harm ? `${(at(harms, value.harm) || { words: value.harm }).words} harm · ${(at(scopes, value.scope) || { words: value.scope }).words.toLowerCase()}` : "");
    const kindWords = (key) => (at(kinds, key) || { words: String(key).replace("_", " ") }).words;
    return { harms, scopes, level, kinds, signatures, riskWords, kindWords };
  }

  const of = (pack) => {
    if (!known.has(pack)) known.set(pack, read(pack));
    return known.get(pack);
  };

  const FIELDS = {
    rating: "Rating", note: "Note", na_reason: "Why it does not apply", seen_documentation: "Seen in documents", seen_observation: "Observed", seen_data: "Seen in data",
    risk: "Severity and scope", strength: "Strength", recommendation: "Recommendation", standard_note: "Note on the standard", site_note: "Note on the site", remote_interview: "Remote interview",
    "signature:leader": "Signature of the practice leader", "signature:surveyor": "Signature of the surveyor",
  };
  const RATINGS = { yes: "Yes", no: "No", na: "Not applicable" };
  const fieldWords = (field) => FIELDS[field] || (field.startsWith("attachment:") ? "Photo" : field.startsWith("note:") ? "Note" : field);

  /** A value in words, for lists. */
  function valueWords(pack, field, value) {
    if (value === null || value === undefined || value === "") return "taken back";
    if (field === "rating") return RATINGS[value] || String(value);
    if (field === "risk") return of(pack).riskWords(value);
    if (value === true) return "seen";
    if (value === false) return "not seen";
    if (typeof value === "object") {
      if (field.startsWith("note:")) return `${of(pack).kindWords(value.kind)}: ${value.text}`;
      if (field.startsWith("signature:")) return value.name;
      return value.what || value.caption || "added";
    }
    return String(value);
  }

  Tablet.declared = { of, fieldWords, valueWords, RATINGS };
})();
