/**
 * Tablet.rules: what "finish" will refuse, judged on the tablet by the pack's `rules` (workflows/survey.yaml), as the server does
 * in certify/certification/surveys/rules.py.
 *   gaps(pack, answers, conflicts, site)   [{site, element, standard, kind, message}] in the order of the sites and the checklist.
 *       pack: the pack's JSON; answers: AnswerRow[]; conflicts: ConflictRow[] (may be []); site: one site's id, or all of them.
 *       kind: "unrated" | "note" | "na_reason" | "conflict" | "agreement"; element is a standard's code for what concerns it,
 *       "" for the site as a whole.
 *   lacks(pack, fields)                    the missing thing of one element: {kind, message} | null;
 *       fields: {rating, note, na_reason, …} values
 *   mark(pack, standard, answers, conflicts, site)   "met" | "not_met" | "not_applicable" | "not_assessed" | "lacking" | "conflict"
 *   level(pack, risk)                      "low" | "moderate" | "high" | null for {harm, scope}
 */
(() => {
  "use strict";

  const Tablet = (globalThis.Tablet = globalThis.Tablet || {});
  const AGREED = "na_agreed";
  // What the server takes for blank; JavaScript's own trim() goes by another list.
  const BLANK = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;

  const filled = (value) => typeof value === "string" && !BLANK.test(value);
  const ratingOf = (rules, key) => rules.ratings.find((rating) => rating.key === key);

  /** What stands, by site, element and field; what is in conflict counts as not said. */
  function lookUp(answers, conflicts) {
    const key = Tablet.store.key;
    const clashing = new Set(conflicts.map((c) => key(c.site, c.element, c.field)));
    const clashes = new Set(conflicts.map((c) => `${c.site}|${c.element || ""}`));
    const rows = new Map();
    for (const row of answers) {
      const place = key(row.site, row.element, row.field);
      if (!clashing.has(place)) rows.set(place, row);
    }
    return {
      row: (site, element, field) => rows.get(key(site, element, field)),
      value: (site, element, field) => (rows.get(key(site, element, field)) || { value: null }).value,
      clashes: (site, element) => clashes.has(`${site}|${element}`),
      clashing: (site, element, field) => clashing.has(key(site, element, field)),
    };
  }

  /** The kind of what is open on an element, one at a time. */
  function open(rules, value) {
    const given = value("rating");
    if (given === null || given === undefined) return "unrated";
    const needs = (ratingOf(rules, given) || {}).needs;
    return needs && !filled(value(needs)) ? needs : null;
  }

  /** Whether a standard set to not applicable throughout still waits for a second person to agree. */
  function alone(rules, standard, site, said) {
    const na = ratingOf(rules, "na") || {};
    if (!(na.second_reviewer === "every" || (na.second_reviewer === "critical" && standard.critical))) return false;
    const rows = standard.elements.map((element) => said.row(site, element.id, "rating"));
    if (!rows.every((row) => row && row.value === "na")) return false;
    // What has not been sent yet is newer than anything that was agreed.
    const newest = Math.max(...rows.map((row) => (row.open_op || row.seq === null ? Infinity : row.seq)));
    const agreed = said.row(site, standard.code, AGREED);
    return (agreed && agreed.value === true && agreed.seq !== null ? agreed.seq : 0) < newest;
  }

  function gaps(pack, answers, conflicts = [], site = null) {
    const rules = pack.rules;
    const said = lookUp(answers, conflicts);
    const found = [];
    for (const place of pack.sites) {
      if (site !== null && site !== undefined && place.id !== site) continue;
      const add = (element, standard, kind) => found.push({ site: place.id, element, standard, kind, message: rules.gaps[kind].message });
      if (said.clashes(place.id, "")) add("", "", "conflict");
      if (!place.visited) continue;
      for (const domain of pack.domains) {
        for (const standard of domain.standards) {
          if (alone(rules, standard, place.id, said)) add(standard.code, standard.code, "agreement");
          if (said.clashes(place.id, standard.code)) add(standard.code, standard.code, "conflict");
          for (const element of standard.elements) {
            const kind = said.clashes(place.id, element.id) ? "conflict" : open(rules, (field) => said.value(place.id, element.id, field));
            if (kind) add(element.id, standard.code, kind);
          }
        }
      }
    }
    return found;
  }

  function lacks(pack, fields) {
    const kind = open(pack.rules, (field) => fields[field]);
    return kind ? { kind, message: pack.rules.gaps[kind].message } : null;
  }

  function mark(pack, standard, answers, conflicts, site) {
    const said = lookUp(answers, conflicts);
    const given = standard.elements.map((element) =>
      (said.clashing(site, element.id, "rating") ? "conflict" : said.value(site, element.id, "rating")));
    if (given.includes("conflict")) return "conflict";
    const lacking = standard.elements.some((element, n) => said.clashes(site, element.id)
      || (given[n] !== null && open(pack.rules, (field) => said.value(site, element.id, field))));
    if (lacking) return "lacking";
    if (given.includes("no")) return "not_met";
    if (given.includes(null)) return "not_assessed";
    return given.every((rating) => rating === "na") ? "not_applicable" : "met";
  }

  function level(pack, risk) {
    const matrix = pack.rules && pack.rules.matrix;
    return (risk && matrix && matrix[risk.harm] && matrix[risk.harm][risk.scope]) || null;
  }

  Tablet.rules = { gaps, lacks, mark, level };
})();
