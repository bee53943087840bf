import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build, preview } from "vite"

/** A page of a test, built and served as an app would be. */
export type Site = { readonly url: string; close(): Promise<void> }

/** @param folder With an index.html, below test/. */
export async function serveSite(folder: string): Promise<Site> {
  const root = fileURLToPath(new URL(`../${folder}`, import.meta.url))
  const outDir = await mkdtemp(join(tmpdir(), "headwater-site-"))
  const quiet = { configFile: false, logLevel: "error", root } as const
  await build({ ...quiet, worker: { format: "es" }, build: { outDir, emptyOutDir: true, target: "es2023" } })
  const server = await preview({ ...quiet, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } })
  const url = server.resolvedUrls?.local[0]
  if (url === undefined) throw new Error("The site has no address.")
  return {
    url: url.replace(/\/$/, ""),
    async close() {
      await server.close()
      await rm(outDir, { recursive: true, force: true })
    },
  }
}
