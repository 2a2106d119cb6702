/**
 * Tablet.store: what the tablet keeps, in IndexedDB "certify-tablet". Runs in pages and in the service worker.
 *
 * Rows, as `answers`, `ops`, `photos`, `conflicts` and `packs` return them (`element` is "" for a site as a whole):
 * @typedef {{survey:number, person:{id:number,name:string}, taken_at:string, app:string, edition:string, etag:string|null,
 *   size:number, pack:object}} PackRow  `pack` is the JSON of GET /surveys/<id>/pack.json
 * @typedef {{value:any, seq:number|null, by:string, at:string}} Standing  what the server last said stands
 * @typedef {{survey:number, site:number, element:string, field:string, value:any, seq:number|null, by:string, at:string,
 *   mine:boolean, open_op:string|null, open_state:"waiting"|"rejected"|null, standing:Standing|null}} AnswerRow
 *   `value` is what the screen shows; `open_op` names the own entry that the server has not taken yet.
 * @typedef {{n:number, op:string, survey:number, site:number, element:string|null, field:string, value:any, base:number|null,
 *   at:string, by_id:number, by_name:string, state:"waiting"|"sent"|"rejected"|"discarded"|"replaced", status:string|null,
 *   seq:number|null, reason:string|null, tries:number, replaces:string|null}} OpRow
 * @typedef {{uuid:string, survey:number, site:number, blob:Blob, media_type:string, digest:string, size:number, width:number,
 *   height:number, caption:string, about:string[], state:"waiting"|"sent"|"rejected"|"discarded", offset:number,
 *   reason:string|null, tries:number, at:string, by_id:number, by_name:string}} PhotoRow  `about`: elements; [] is the site
 * @typedef {{survey:number, id:number, site:number, element:string, field:string,
 *   values:{value:any, seq:number, by:string, at:string, device:string}[]}} ConflictRow
 *
 * All give promises:
 *   open()                         the database; called by every other function, so nobody has to
 *   device()                       this tablet's UUID
 *   packs()                        PackRow[]
 *   pack(survey)                   PackRow | undefined
 *   savePack(survey, pack, {etag, size})   keeps a pack and lays its answers under what is still unsent
 *   removePack(survey)             forgets a pack, its files and answers; throws Tablet.Unsent while anything of it is unsent
 *   answers(survey)                AnswerRow[]
 *   answer(survey, site, element, field)   AnswerRow | undefined
 *   conflicts(survey)              ConflictRow[]
 *   ops(survey, {state})           OpRow[], oldest first; survey null: of all surveys; state: one or a list
 *   photos(survey, {state})        PhotoRow[]
 *   photo(uuid)                    PhotoRow | undefined
 *   files(survey)                  {url, size, media_type, taken_at}[] of the evidence kept for offline
 *   file(url)                      {url, blob, media_type, …} | undefined
 *   saveFile(survey, url, blob, media_type), removeFile(url)
 *   unsent(survey|null)            {answers, photos, rejected}
 *   meta(key), meta(key, value)    reads, writes one small value
 *   estimate()                     {usage, quota, share (0 to 1), nearly_full (share > 0.8), persisted:boolean|null}
 *   persist()                      asks the browser for storage it does not clear by itself; gives and keeps its answer
 *   key(site, element, field)      the text by which screens may index answers: "12|7.3.b|rating" (synchronous)
 */
