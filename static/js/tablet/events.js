/**
 * Tablet.events: an EventTarget; what one tab or the service worker says, all of them hear (BroadcastChannel "certify-tablet").
 *
 * Events (detail):
 *   "changed"  {survey, answers: AnswerRow[] (those that changed; empty: read them all again), conflicts:boolean, photos:boolean}
 *   "pack"     {survey}                         a pack was taken, renewed or removed
 *   "sending"  {survey, answers, photos}        a batch is on its way
 *   "state"    SenderState (see sender.js)
 *   "update"   {ready:true}                     a newer version of the app waits (see shell.js)
 * Tablet.say(type, detail) sends one.
 */
