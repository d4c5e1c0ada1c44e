/**
 * Keeps the console's own files on the device, so that it opens at once and without a network.
 *
 * It answers for the files of its build, the page that names them and `config.json`. Everything
 * else, the API above all, it leaves alone: an answer of the API always came from the API. A newer
 * build waits until the page says that nobody is being served.
 */

/** The parts of a service worker that are used here. */
interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Names of the files of this build, and a hash over them, put in by the build. */
declare const PRECACHE: readonly string[];
declare const BUILD: string;

const worker = self as unknown as Worker;
const PREFIX = "5sov-";
const CACHE = `${PREFIX}${BUILD}`;
const PAGE = "./";
const CONFIG = "config.json";
const FILES = new Set(PRECACHE.filter((name) => name !== "index.html"));
/** A network that takes longer than this to say where the API is counts as none. */
const CONFIG_PATIENCE_MS = 3000;

worker.addEventListener("install", (event) => event.waitUntil(precache()));
worker.addEventListener("activate", (event) => event.waitUntil(dropOldBuilds()));
worker.addEventListener("message", ({ data }) => {
  if (data === "take over") void worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { scope } = worker.registration;
  const [url = ""] = request.url.split(/[?#]/);
  if (request.method !== "GET" || !url.startsWith(scope)) return;
  const name = url.slice(scope.length);
  if (name === CONFIG) event.respondWith(config(request));
  else if (FILES.has(name)) event.respondWith(kept(name));
  else if (request.mode === "navigate" && (name === "" || name === "index.html")) {
    event.respondWith(kept(PAGE));
    event.waitUntil(renewPage().catch(() => {}));
  }
});

async function precache(): Promise<void> {
  const cache = await caches.open(CACHE);
  const names = [PAGE, CONFIG, ...FILES];
  await cache.addAll(names.map((name) => new Request(name, { cache: "no-cache" })));
}

async function dropOldBuilds(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
}

async function kept(name: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(name)) ?? fetch(name);
}

async function config(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const signal = AbortSignal.timeout(CONFIG_PATIENCE_MS);
    const answer = await fetch(request, { signal });
    // A Wi-Fi portal may answer in the site's name, with a page of its own.
    await answer.clone().json();
    if (!answer.ok) throw new TypeError(`status ${answer.status}`);
    await cache.put(CONFIG, answer.clone());
    return answer;
  } catch {
    return (await cache.match(CONFIG)) ?? Response.error();
  }
}

/** Takes over headers that changed without a new build, such as where the page may connect to. */
async function renewPage(): Promise<void> {
  const cache = await caches.open(CACHE);
  const [fresh, known] = await Promise.all([fetch(PAGE, { cache: "no-cache" }), cache.match(PAGE)]);
  if (!fresh.ok || !known) return;
  const [text, knownText] = await Promise.all([fresh.clone().text(), known.text()]);
  if (text === knownText) await cache.put(PAGE, fresh);
}
