/**
 * Tablet.offline: takes a survey along.
 *   take(survey, progress)           fetches the pack (or finds it unchanged), keeps it; gives {changed, size}.
 *       progress({stage:"pack", received, total|null}). Throws Tablet.Failed with `problem` as in SenderState and `detail`.
 *   files(survey, evidence, progress)   fetches evidence files ([{url, size, media_type}] of the pack) into the store;
 *       progress({stage:"files", done, of, received, total}); those kept already are not fetched again.
 *       Gives {kept, failed:[{url, reason}]}.
 *   renew(survey)                    quietly asks for a newer pack; false when there is none or nobody to ask
 */
