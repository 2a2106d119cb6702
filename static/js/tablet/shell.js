/**
 * Tablet.shell: registers the service worker and lets a newer version in, never while something is being written or sent.
 *   start()          called by this file itself
 *   ready            promise: the app can start without a network from now on
 *   waiting()        true when a newer version waits
 *   apply()          promise: waits for the journal and the sender, then starts the newer version (reloads this page)
 *   busy(work)       while the promise `work` is open no newer version starts here (an unsaved text, a dialog)
 *   onLine()         what the browser thinks of the network
 */
