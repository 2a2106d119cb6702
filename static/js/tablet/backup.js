/**
 * Tablet.backup: everything unsent in one file, for staff to take in on the server (/surveys/<id>/backup).
 *   make(survey, {ops, photos})      promise of a Blob (application/json); ops, photos: UUIDs to take only those; default all unsent
 *   name(survey)                     "certify-backup-12-2026-11-22-1402.json"
 *   save(survey, choice)             makes it and hands it to the browser to keep; gives {answers, photos, size}
 */
