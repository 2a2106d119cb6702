/* The service worker of the tablet's app. `RELEASE` is put before this text by the server: {version, release, shell,
   kept: [{url, digest}], scripts}. It keeps exactly these files, answers them without asking, and leaves all else to the
   network. It never changes the store's shape and deletes nothing but older copies of these files. */

importScripts(...RELEASE.scripts);

const PREFIX = "certify-tablet-";
const CACHE = PREFIX + RELEASE.release;
const KEPT = new Set(RELEASE.kept.map(({ url }) => new URL(url, location.origin).href));
const SHELL = new URL(RELEASE.shell, location.origin);
// Pages that lead to the tablet when there is no network; all others say so in the browser's own words.
const LEADS = [/^\/$/, /^\/my-surveys$/, /^\/surveys\/(\d+)(?:\/|$)/];

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Fetch one file of the release; what is not it, to the byte, is not kept. */
async function keep(cache, { url, digest }) {
  const answer = await fetch(new Request(url, { cache: "reload", credentials: "omit", redirect: "error" }));
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  if (digest) {
    const body = await answer.clone().arrayBuffer();
    const found = hex(await crypto.subtle.digest("SHA-256", body));
    if (!found.startsWith(digest)) throw new Error(`${url} is not what this release holds`);
  }
  await cache.put(url, answer);
}

async function install() {
  const cache = await caches.open(CACHE);
  // Files whose address holds their digest may be there from the last release.
  for (const entry of RELEASE.kept) {
    const there = entry.digest && entry.url.includes("?v=") ? await caches.match(entry.url) : null;
    if (there) await cache.put(entry.url, there);
    else await keep(cache, entry);
  }
}

async function begin() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("message", (event) => {
  if (event.data && event.data.type === "begin") self.skipWaiting();
});

async function fromCache(url, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) || fetch(request);
}

/** Evidence that was taken along, at its own address. */
async function fromStore(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const { pathname, search } = new URL(request.url);
    const file = (await Tablet.store.file(pathname + search)) || (await Tablet.store.file(pathname));
    if (file) {
      // As the server gives it out: to keep, never to run.
      return new Response(file.blob, {
        headers: {
          "Content-Type": "application/octet-stream", "Content-Disposition": file.disposition || "attachment",
          "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
        },
      });
    }
    const lead = request.mode === "navigate" && LEADS.map((pattern) => pattern.exec(pathname)).find(Boolean);
    if (lead) return Response.redirect(lead[1] ? `${SHELL.href}#/${lead[1]}` : SHELL.href, 302);
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (url.pathname === SHELL.pathname) event.respondWith(fromCache(RELEASE.shell, request));
    else if (/\/evidence\//.test(url.pathname) || LEADS.some((pattern) => pattern.test(url.pathname))) event.respondWith(fromStore(request));
    return;
  }
  url.hash = ""; // a symbol of a picture is asked for by the picture's address and its own name
  if (KEPT.has(url.href)) event.respondWith(fromCache(url.href, request));
  else if (/\/evidence\//.test(url.pathname)) event.respondWith(fromStore(request));
});

self.addEventListener("sync", (event) => {
  if (event.tag !== "certify-outbox") return;
  event.waitUntil(Tablet.sender.drain().then((done) => {
    const { problem } = Tablet.sender.state();
    // The browser tries again by itself only where time may mend it.
    if (!done && ["offline", "server", "garbage"].includes(problem)) throw new Error(problem);
  }));
});
