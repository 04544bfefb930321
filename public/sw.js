// The service worker: an installed Xiadan opens without a network and shows the pages and the cart last seen.
// It never answers with an old page while the network does: pages are always asked for first, and a page that comes
// from the cache says so (see boot.js).

// Raise the number when the shape of the caches changes. Every cache not named here is deleted on activation; the
// shell is of one build, which boot.js names in the worker's address, so a new build brings a new worker and shell.
const VERSION = "1";
const SHELL = `shell-${VERSION}-${new URL(location.href).searchParams.get("build")}`;
const PAGES = `pages-${VERSION}`;
const FILES = `files-${VERSION}`;
const MEDIA = `media-${VERSION}`;
const LIMITS = { [SHELL]: Infinity, [PAGES]: 60, [FILES]: 80, [MEDIA]: 240 };
// A page is the same page whatever headers asked for it.
const ANY = { ignoreVary: true };

const OFFLINE = "/offline";
// A phone on a bad line waits this long for the first byte before it is shown the copy it has, marked as such.
const PATIENCE_MS = 6000;

// Money, the merchant's side, live streams and machine endpoints are worth nothing when old.
const NEVER = /^\/(api|live|office|pay|sandbox|healthz|readyz|metrics)(\/|$)/;
// Files without a hash in their name: always the network's, the cache's only when there is none.
const UNHASHED = /^\/[^/]+\.(svg|png|ico|js|json|webmanifest|bin|txt)$/;
// After these nobody's pages may be left behind for the next person at this device.
const CHANGES_PERSON = /sign[-_](in|out)/;

self.addEventListener("install", (event) => {
  event.waitUntil(precacheOffline().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (!(name in LIMITS)) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method !== "GET") {
    if (CHANGES_PERSON.test(url.pathname)) event.waitUntil(caches.delete(PAGES));
    return;
  }
  if (NEVER.test(url.pathname) || request.headers.has("range")) return;

  if (request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith("/pkg/")) event.respondWith(cacheFirst(event, FILES));
  else if (url.pathname.startsWith("/media/")) event.respondWith(cacheFirst(event, MEDIA));
  else if (UNHASHED.test(url.pathname)) event.respondWith(networkFirst(event, FILES));
});

// Pages shown from the cache, by the client that shows them; boot.js asks, because a page cannot know it itself.
const stale = new Set();

self.addEventListener("message", (event) => {
  const { type, url } = event.data ?? {};
  if (type === "is-saved-copy") event.source.postMessage({ type: "saved-copy", saved: stale.has(event.source.id) });
  if (type === "visited") event.waitUntil(remember(url));
});

async function page(event) {
  const { request } = event;
  // The answer is handed on while it still streams; a late one still refreshes the saved copy for the next time.
  const fresh = fetch(request).then((response) => {
    event.waitUntil(keepPage(request.url, response.clone()));
    return response;
  });
  event.waitUntil(fresh.catch(() => {}));

  const saved = await caches.match(request.url, { ...ANY, cacheName: PAGES });
  try {
    return await (saved ? Promise.race([fresh, after(PATIENCE_MS)]) : fresh);
  } catch {
    stale.add(event.resultingClientId);
    return saved ?? (await caches.match(OFFLINE, ANY)) ?? Response.error();
  }
}

// Moving inside the running client asks the server for no page, so boot.js tells us where the visitor is.
async function remember(href) {
  const url = new URL(href, location.origin);
  if (url.origin !== location.origin || NEVER.test(url.pathname)) return;
  const response = await fetch(url.href, { headers: { accept: "text/html" }, priority: "low" }).catch(() => undefined);
  if (response) await keepPage(url.href, response);
}

async function keepPage(url, response) {
  if (/cookies|storage|\*/.test(response.headers.get("clear-site-data") ?? "")) return caches.delete(PAGES);
  const html = (response.headers.get("content-type") ?? "").startsWith("text/html");
  if (html && response.ok && !response.redirected) await keep(PAGES, url, response);
}

async function cacheFirst(event, cacheName) {
  const saved = await caches.match(event.request, ANY);
  if (saved) return saved;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(keep(cacheName, event.request, response.clone()));
  return response;
}

async function networkFirst(event, cacheName) {
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(cacheName, event.request, response.clone()));
    return response;
  } catch {
    return (await caches.match(event.request, ANY)) ?? Response.error();
  }
}

// Stores a copy and keeps the cache within its limit; keys come oldest first, and storing again makes one young.
// A full disk or a broken answer must not spoil the page that is being shown, so failures end here.
async function keep(cacheName, key, response) {
  if (/no-store/.test(response.headers.get("cache-control") ?? "")) return;
  try {
    const cache = await caches.open(cacheName);
    await cache.delete(key, ANY);
    await cache.put(key, response);
    const keys = await cache.keys();
    for (const old of keys.slice(0, Math.max(0, keys.length - LIMITS[cacheName]))) await cache.delete(old, ANY);
  } catch (error) {
    console.debug("not kept for offline use:", String(key.url ?? key), error);
  }
}

// The offline page stands in at any address, so the client must not wake up in it and look for another page: its
// scripts are taken out, except boot.js. The files it names are those every saved page needs; their names are hashed,
// so they are read from its HTML.
async function precacheOffline() {
  const response = await fetch(OFFLINE, { cache: "reload" });
  if (!response.ok) return;
  const html = await response.text();
  const inert = html.replace(/<script(?![^>]*src="\/boot\.js")[\s\S]*?<\/script>/g, "");
  const shell = await caches.open(SHELL);
  await shell.put(OFFLINE, new Response(inert, { headers: response.headers }));
  const links = html.matchAll(/(?:href|src)="(\/(?:pkg\/[^"#]+|[^"/#?]+\.(?:css|js|svg|webmanifest)))["#]/g);
  const files = new Set([...links].map((match) => match[1]));
  await Promise.allSettled([...files].map((file) => shell.add(file)));
}

function after(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("slow")), ms));
}
