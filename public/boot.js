// Runs beside the client, before it and without it: registers the service worker and keeps the offline bar honest.
// It touches nothing that the client hydrates except the hidden attribute of #offline-bar, which no view binds.

const worker = navigator.serviceWorker;
let savedCopy = false;

// Typed input is worth more than freshness: a page that was typed into, or asks something, is not loaded again.
let typed = false;
// A press may still be on its way to the server, which loading again would cut off.
let pressed = -Infinity;
const PRESS_MS = 3_000;
for (const name of ["input", "change"]) addEventListener(name, () => (typed = true), true);
addEventListener("click", () => (pressed = Date.now()), true);

// A page keeps its language while it lives, whatever is chosen elsewhere meanwhile, and so does all that its client asks
// for: an address may have asked for another language than the browser's own.
const send = window.fetch;
window.fetch = function (request, ...rest) {
  if (request instanceof Request && new URL(request.url).pathname.startsWith("/api/")) {
    request.headers.set("x-lang", document.documentElement.lang);
  }
  return send.call(this, request, ...rest);
};

function isInUse() {
  return typed || document.activeElement?.matches("input, select, textarea") || document.querySelector("dialog[open]");
}

function showOfflineBar() {
  const bar = document.getElementById("offline-bar");
  if (bar) bar.hidden = navigator.onLine && !savedCopy;
}

// The worker knows whether this page came from its cache; navigator.onLine only knows about the cable.
function askWorker() {
  worker.controller?.postMessage({ type: "is-saved-copy" });
}

// A cable is not yet a shop: ask before throwing away the copy on the screen. The browser says when its own network is
// back, but nobody says when the shop answers again, so it is asked now and then.
const ASK_MS = 4_000;
const ASK_AT_MOST_MS = 60_000;
let asking;
async function askShop(wait = ASK_MS) {
  clearTimeout(asking);
  if (!savedCopy) return;
  const ask = navigator.onLine && !document.hidden;
  const reached = ask && (await fetch("/healthz", { cache: "no-store" }).then((r) => r.ok, () => false));
  if (reached) showFresh();
  else asking = setTimeout(askShop, wait, Math.min(2 * wait, ASK_AT_MOST_MS));
}

addEventListener("offline", showOfflineBar);
addEventListener("online", () => {
  showOfflineBar();
  askShop();
});
showOfflineBar();

// The page came after all, when its saved copy was on the screen already.
function showFresh() {
  if (!savedCopy || isInUse()) return;
  const wait = pressed + PRESS_MS - Date.now();
  if (wait > 0) setTimeout(showFresh, wait);
  else location.reload();
}

// Inside the running client the next page is made of what the server answers.
function leavePage() {
  typed = false;
  if (navigator.onLine) savedCopy = false;
  showOfflineBar();
}

const here = () => location.pathname + location.search;
let address = here();

if (worker && isSecureContext) {
  worker.addEventListener("message", (event) => {
    const { type, state } = event.data ?? {};
    if (type === "saved-copy") savedCopy = state !== undefined;
    if (state === "lost") asking = setTimeout(askShop, ASK_MS);
    if (type === "fresh-copy" || state === "fresh") showFresh();
    showOfflineBar();
  });
  askWorker();
  // After the first paint, so that filling the cache never competes with the page itself. The first hashed name in the
  // page stands for the build: a new build registers a new worker, which fetches its own offline page.
  addEventListener("load", () => {
    const build = document.querySelector('link[href^="/pkg/"]')?.getAttribute("href").split("/").pop() ?? "";
    worker.register(`/sw.js?build=${encodeURIComponent(build)}`, { updateViaCache: "none" }).catch(() => {});
  });

  // The saved cart is to be the present one. Requests that change it are known by their addresses.
  const CHANGES_CART = /\/api\/(cart\/(?!get|count)|order\/(submit|again)\b)/;
  new PerformanceObserver((list) => {
    const changed = list.getEntries().some((entry) => CHANGES_CART.test(entry.name));
    if (changed) worker.controller?.postMessage({ type: "cart-changed" });
  }).observe({ type: "resource" });

  // Inside the running client a visit makes no page request. Tell the worker once the visitor stays, so that the page
  // is there offline; a metered connection is spared.
  let timer;
  const visited = () => {
    clearTimeout(timer);
    if (navigator.connection?.saveData) return;
    timer = setTimeout(() => {
      if (navigator.onLine && !document.hidden) worker.controller?.postMessage({ type: "visited", url: location.href });
    }, 2500);
  };
  // A choice written into the address of a page is still the same page.
  const moved = (replaced) => {
    if (here() === address) return;
    const stays = replaced && address.split("?")[0] === location.pathname;
    address = here();
    if (!stays) leavePage();
    visited();
  };
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      moved(name === "replaceState");
    };
  }
  addEventListener("popstate", () => moved(false));
  // The very first page was fetched before there was a worker.
  worker.addEventListener("controllerchange", visited);
}
