// The service worker: an installed Xiadan opens without a network and shows the pages and the cart last seen.
// It never answers with an old page while the network does: pages are always asked for first, and a page that comes
// from the cache says so (see boot.js).

// Raise the number when the shape of the caches changes. Every cache not named here is deleted on activation; the
// shell is of one build, which boot.js names in the worker's address, so a new build brings a new worker and shell.
const VERSION = "2";
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

// Money, one's own data, the merchant's side, live streams and machine endpoints are worth nothing when old.
const NEVER = /^\/(api|live|office|pay|sandbox|healthz|readyz|metrics)(\/|$)/;
// Pages with a form that the server keeps: an old one would be typed into, and overwrite what is newer there. Names and
// addresses have no business on the disk either.
const FORMS = /^\/((checkout|me|sign-in|outbox)(\/|$)|orders\/[^/]+)/;
// Files without a hash in their name: always the network's, the cache's only when there is none.
const UNHASHED = /^\/[^/]+\.(svg|png|ico|js|json|webmanifest|bin|txt)$/;
// After these nobody's pages may be left behind for the next person at this device.
const CHANGES_PERSON = /(?<!begin_)sign[-_](in|out)|account\/(enter|second_enter|end_device|forget)|passkey\/finish_second|privacy\/delete_account/;
// After these all saved pages speak the wrong language.
const CHANGES_LANGUAGE = /^\/lang\//;

self.addEventListener("install", (event) => {
  // The last word of a page that is left: it gets lost where a worker has to be asked first.
  event.addRoutes?.({ condition: { urlPattern: "/api/order/save_checkout" }, source: "network" });
  event.waitUntil(precacheOffline().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      await dropPersonal().catch((error) => console.debug("saved pages were not looked through:", error));
      await keepFilesOfPages().catch((error) => console.debug("files of saved pages were not kept:", error));
      for (const name of await caches.keys()) if (!(name in LIMITS)) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

// An older worker may have kept pages that have no business on the disk.
async function dropPersonal() {
  const pages = await caches.open(PAGES);
  for (const { url } of await pages.keys()) if (FORMS.test(new URL(url).pathname)) await pages.delete(url, ANY);
}

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

// Pages shown from the cache, by the client that shows them: "lost" when the network failed, "late" when it was slow,
// "fresh" when the present page is there by now. boot.js asks, because a page cannot know it itself.
const stale = new Map();
// Fresh pages that came too late to be shown, by address, and when. Who loads one again gets it from the cache at once:
// on a line that stays slow the network would only be late again.
const late = new Map();
const LATE_MS = 60_000;

self.addEventListener("message", (event) => {
  const { type, url } = event.data ?? {};
  if (type === "is-saved-copy") {
    const { id } = event.source;
    event.source.postMessage({ type: "saved-copy", state: stale.get(id) });
  }
  if (type === "visited") event.waitUntil(remember(url));
  if (type === "cart-changed") event.waitUntil(rememberCart());
});

async function page(event) {
  const { request, resultingClientId: client } = event;
  const address = request.url.split("#")[0];
  const path = new URL(address).pathname;
  const find = () => (FORMS.test(path) ? undefined : caches.match(address, { ...ANY, cacheName: PAGES }));
  const came = late.get(address);
  late.delete(address);
  if (Date.now() - came < LATE_MS) {
    const saved = await find();
    if (saved) return saved;
  }

  // The answer is handed on while it still streams; a late one refreshes the saved copy, and the page that shows it.
  const fresh = fetch(request).then((response) => {
    if (CHANGES_LANGUAGE.test(path)) event.waitUntil(changeLanguage());
    const kept = keepPage(address, response.clone());
    event.waitUntil(kept.then((kept) => kept && stale.has(client) && tellFresh(client, address)));
    return response;
  });
  event.waitUntil(fresh.catch(() => {}));

  const saved = await find();
  try {
    return await (saved ? Promise.race([fresh, after(PATIENCE_MS)]) : fresh);
  } catch (error) {
    stale.set(client, error instanceof TooLate ? "late" : "lost");
    return saved ?? (await caches.match(OFFLINE, ANY)) ?? Response.error();
  }
}

async function tellFresh(client, address) {
  stale.set(client, "fresh");
  late.set(address, Date.now());
  // A page that is not there yet will ask.
  (await self.clients.get(client))?.postMessage({ type: "fresh-copy" });
}

// The answer has set the language that the next request asks for.
async function changeLanguage() {
  await caches.delete(PAGES);
  await precacheOffline().catch(() => {});
}

// Moving inside the running client asks the server for no page, so boot.js tells us where the visitor is.
async function remember(href) {
  const url = new URL(href, location.origin);
  if (url.origin !== location.origin || NEVER.test(url.pathname) || FORMS.test(url.pathname)) return;
  const response = await fetch(url.href, { headers: { accept: "text/html" }, priority: "low" }).catch(() => undefined);
  if (response) await keepPage(url.href, response);
}

// Tells whether the page was stored.
// Only where it was looked at before: who never opened the cart does not need it offline.
async function rememberCart() {
  const cart = new URL("/cart", location.origin).href;
  if (await caches.match(cart, { ...ANY, cacheName: PAGES })) await remember(cart);
}

async function keepPage(url, response) {
  if (/cookies|storage|\*/.test(response.headers.get("clear-site-data") ?? "")) {
    await caches.delete(PAGES);
    return false;
  }
  const html = (response.headers.get("content-type") ?? "").startsWith("text/html");
  const worth = html && response.ok && !response.redirected && !FORMS.test(new URL(url).pathname);
  return worth && (await keep(PAGES, url, response));
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
// A full disk or a broken answer must not spoil the page that is being shown, so failures end here. Tells whether it
// was stored.
async function keep(cacheName, key, response) {
  if (/no-store/.test(response.headers.get("cache-control") ?? "")) return false;
  try {
    const cache = await caches.open(cacheName);
    await cache.delete(key, ANY);
    await cache.put(key, response);
    const keys = await cache.keys();
    for (const old of keys.slice(0, Math.max(0, keys.length - LIMITS[cacheName]))) await cache.delete(old, ANY);
    return true;
  } catch (error) {
    console.debug("not kept for offline use:", String(key.url ?? key), error);
    return false;
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
  await Promise.allSettled([...filesOf(html)].map((file) => shell.add(file)));
}

// A saved page needs the style sheet and the scripts of the build that made it, which are in the shell of that build. Before
// that goes, what the saved pages name moves to the other files. It is young again there at each new build, so that the
// limit takes what no saved page names before it.
async function keepFilesOfPages() {
  const pages = await caches.open(PAGES);
  const files = new Set();
  for (const request of await pages.keys()) {
    const html = (await (await pages.match(request, ANY))?.text()) ?? "";
    for (const file of filesOf(html)) if (file.startsWith("/pkg/")) files.add(file);
  }
  for (const file of files) {
    if (await caches.match(file, { ...ANY, cacheName: SHELL })) continue;
    const copy = await caches.match(file, ANY);
    if (copy) await keep(FILES, file, copy);
  }
}

// The files that a page names, of those that are kept.
function filesOf(html) {
  const links = html.matchAll(/(?:href|src)="(\/(?:pkg\/[^"#]+|[^"/#?]+\.(?:css|js|svg|webmanifest)))["#]/g);
  return new Set([...links].map((match) => match[1]));
}

class TooLate extends Error {}

function after(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new TooLate()), ms));
}
