/**
 * Tablet.journal: the only way an answer, a note, a photo or a signature comes into the store.
 * Each promise is kept (resolves) once IndexedDB has written it to the disk; only then may a screen confirm.
 * A write that fails rejects with Tablet.NotKept (`full`: true when the storage is full) and leaves everything as it was.
 *
 *   record(survey, {site, element, field, value, settles})   gives {op, answer: AnswerRow} (op null: that was the value already)
 *       element: "7.3.b", a standard "7.3", or null for the site; value null takes an answer back.
 *       settles: true when a person chooses between the values of a conflict (any write on a key in conflict settles it too).
 *   recordMany(survey, [{site, element, field, value}, …])   all or none, in one transaction; gives [{op, answer}, …]
 *   addPhoto(survey, {site, about, file, caption})           resizes, digests, keeps, binds; gives PhotoRow
 *   caption(uuid, text)                                      PhotoRow
 *   bind(uuid, about)                                        PhotoRow; about: list of elements, [] for the site as a whole
 *   discard({op} | {photo}, reason)                          keeps it in the journal as discarded; the answer falls back
 *   correct(op, value)                                       replaces a waiting or refused entry by a new one; gives {op, answer}
 *   retry(op | uuid)                                         puts a refused entry or photo back in the queue as it is
 *   idle()                                                   resolves when no write of this page is under way
 */
