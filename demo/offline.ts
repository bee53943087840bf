/// <reference lib="webworker" />

/*
 * Keeps the page on the device. It knows the files of its own build and nothing else: the streams have their own way
 * of living without a network, and a cached answer of the edge would be a lie.
 */

/** The files of this build, and a name that changes with any of them. The build fills it in. */
declare const __SHELL__: { readonly version: string; readonly files: readonly string[] }
declare const self: ServiceWorkerGlobalScope

const FAMILY = "market-shell:"
const { version, files } = __SHELL__
const CACHE = FAMILY + version
const PAGE = pathOf("./")
const SHELL = new Set(files.map((file) => (file === "index.html" ? PAGE : pathOf(file))))
const NAVIGATION_MS_MAX = 3_000

self.addEventListener("install", (event) => event.waitUntil(install()))
self.addEventListener("activate", (event) => event.waitUntil(activate()))
self.addEventListener("fetch", (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== "GET" || url.origin !== location.origin) return
  if (!SHELL.has(url.pathname)) return
  event.respondWith(request.mode === "navigate" ? navigate(request) : kept(request))
})

/** All or nothing: a worker that misses a file is not installed, and the one before it goes on. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll([...SHELL].map((path) => new Request(path, { cache: "no-cache" })))
  await self.skipWaiting()
}

/** A page has loaded all its files when it starts, so the files of earlier builds are of no more use to anybody. */
async function activate(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(FAMILY) && name !== CACHE)
  await Promise.all(names.map((name) => caches.delete(name)))
  await self.clients.claim()
}

/** The newest page when the network gives it in time, else the kept one. */
async function navigate(request: Request): Promise<Response> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(NAVIGATION_MS_MAX) })
    if (response.status < 500) return response
    return (await shell()) ?? response
  } catch (reason) {
    const page = await shell()
    if (page === undefined) throw reason
    return page
  }
}

function shell(): Promise<Response | undefined> {
  return caches.match(PAGE, { cacheName: CACHE })
}

/** Names of built files carry a hash of what is in them, so a kept one is never out of date. */
async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: CACHE, ignoreVary: true })) ?? fetch(request)
}

function pathOf(file: string): string {
  return new URL(file, location.href).pathname
}
