/**
 * Tablet.sender: brings what is waiting to the server, oldest first, and what others said back.
 *
 * @typedef {{unsentAnswers:number, unsentPhotos:number, rejected:number, lastSentAt:string|null, sending:boolean, online:boolean,
 *   problem:"offline"|"signed_out"|"other_person"|"server"|"garbage"|"refused"|"full"|null, detail:string, nextTryAt:string|null,
 *   me:{id:number,name:string}|null, persisted:boolean|null, nearlyFull:boolean, share:number}} SenderState
 *   detail: words of the server for "refused"; the other person's name for "other_person".
 *
 *   start()                          call once in a page: sends now and from then on by itself
 *   now()                            try at once (the button); resolves with the state when the attempt is over
 *   state()                          the last known SenderState, at once
 *   refresh()                        counts again and says "state"
 *   watch(survey|null)               ask this survey every 20 s what others said, while the page is seen
 *   presence(survey, {site, standard})   tell the server what is open here; never fails
 *   signInAddress(survey)            where to sign in so that the person comes back here
 */
