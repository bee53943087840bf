import { afterAll, beforeAll, expect, inject, test } from "vitest"
import { type Site, serveSite } from "../support/site.ts"
import type { EngineBrowser } from "./engine.ts"
import { engineOf } from "./engines.ts"

const engine = engineOf(inject("engine"))

let site: Site
let browser: EngineBrowser

beforeAll(async () => {
  site = await serveSite("e2e/app")
  browser = await engine.launch()
})
afterAll(async () => {
  await browser?.close()
  await site?.close()
})

test(`[ENGINE1] ${engine.name} has what the client stands on; what it may lack is told`, async () => {
  const page = await browser.open(site.url)
  const { needed, optional } = await page.evaluate(async () => {
    const name = crypto.randomUUID()
    const stolen = () =>
      new Promise<string>((resolve) => {
        navigator.locks
          .request(name, () => new Promise(() => {}))
          .catch((reason: DOMException) => resolve(reason.name))
        void navigator.locks.request(name, { steal: true }, () => {})
      })
    const durability = () =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open(name)
        opening.onupgradeneeded = () => opening.result.createObjectStore("a")
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () =>
          resolve(opening.result.transaction("a", "readwrite", { durability: "strict" }).durability)
      })
    // WebKitGTK has no StorageManager, whatever the types promise
    const storage = navigator.storage as Partial<StorageManager> | undefined
    return {
      needed: {
        isSecureContext,
        commit: typeof IDBTransaction.prototype.commit,
        broadcastChannel: typeof BroadcastChannel,
        stolenLock: await stolen(),
      },
      optional: {
        durability: await durability(),
        persist: typeof storage?.persist,
        isPersisted: (await storage?.persisted?.()) ?? null,
        estimate: typeof storage?.estimate,
        quotaMb: Math.round(((await storage?.estimate?.())?.quota ?? 0) / 1e6),
        originPrivateFiles: typeof storage?.getDirectory,
        sharedWorker: typeof SharedWorker,
        compressionStream: typeof CompressionStream,
      },
    }
  })
  expect(needed).toEqual({
    isSecureContext: true,
    commit: "function",
    broadcastChannel: "function",
    stolenLock: "AbortError",
  })
  process.stdout.write(`${engine.name} ${browser.version} ${JSON.stringify(optional)}\n`)
})
