// Runs beside the client, before it and without it: registers the service worker and keeps the offline bar honest.
// It touches nothing that the client hydrates except the hidden attribute of #offline-bar, which no view binds.

const worker = navigator.serviceWorker;
let savedCopy = false;

function showOfflineBar() {
  const bar = document.getElementById("offline-bar");
  if (bar) bar.hidden = navigator.onLine && !savedCopy;
}

// The worker knows whether this page came from its cache; navigator.onLine only knows about the cable.
function askWorker() {
  worker.controller?.postMessage({ type: "is-saved-copy" });
}

addEventListener("offline", showOfflineBar);
addEventListener("online", async () => {
  showOfflineBar();
  if (!savedCopy) return;
  // A cable is not yet a shop: ask before throwing away the copy on the screen. Typed input is worth more than
  // freshness, so a page with a field in use stays.
  const reached = await fetch("/healthz", { cache: "no-store" }).then((r) => r.ok, () => false);
  if (reached && !document.activeElement?.matches("input, select, textarea")) location.reload();
});
showOfflineBar();

if (worker && isSecureContext) {
  worker.addEventListener("message", (event) => {
    if (event.data?.type !== "saved-copy") return;
    savedCopy = event.data.saved;
    showOfflineBar();
  });
  askWorker();
  // After the first paint, so that filling the cache never competes with the page itself. The first hashed name in the
  // page stands for the build: a new build registers a new worker, which fetches its own offline page.
  addEventListener("load", () => {
    const build = document.querySelector('link[href^="/pkg/"]')?.getAttribute("href").split("/").pop() ?? "";
    worker.register(`/sw.js?build=${encodeURIComponent(build)}`, { updateViaCache: "none" }).catch(() => {});
  });

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
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...args) {
      const before = location.href;
      original.apply(this, args);
      if (location.href !== before) visited();
    };
  }
  addEventListener("popstate", visited);
  // The very first page was fetched before there was a worker.
  worker.addEventListener("controllerchange", visited);
}
