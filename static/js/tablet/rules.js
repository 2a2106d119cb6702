/**
 * Tablet.rules: what "finish" will refuse, judged on the tablet by the pack's `rules` (workflows/survey.yaml), as the server does.
 *   gaps(pack, answers, conflicts, site)   [{site, element, standard, kind, message}] in the order of the checklist.
 *       pack: the pack's JSON; answers: AnswerRow[]; conflicts: ConflictRow[] (may be []); site: one site's id, or all visited.
 *       kind: "unrated" | "note" | "na_reason" | "conflict" | "second_person"
 *   lacks(pack, fields)                    the first missing thing of one element: {kind, message} | null;
 *       fields: {rating, note, na_reason, …} values
 *   mark(pack, standard, answers, conflicts, site)   "met" | "not_met" | "not_applicable" | "not_assessed" | "lacking" | "conflict"
 *   level(pack, risk)                      "low" | "moderate" | "high" | null for {harm, scope}
 */
