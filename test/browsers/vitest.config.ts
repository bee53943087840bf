import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import type { EngineName } from "../../scripts/engines.mjs"
import { enginesHere } from "./engines.ts"
import { inEngine } from "./provider.ts"

declare module "vitest" {
  interface ProvidedContext {
    engine: EngineName
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** As in the other configuration: how long is no promise, only what a busy machine may need. */
const PATIENCE_MS = 20_000

export default defineConfig({
  root,
  test: {
    expect: { poll: { timeout: PATIENCE_MS } },
    testTimeout: 3 * PATIENCE_MS,
    hookTimeout: 6 * PATIENCE_MS,
    fileParallelism: false,
    projects: enginesHere().flatMap((engine, at) => [
      {
        extends: true,
        optimizeDeps: {
          exclude: ["@sqlite.org/sqlite-wasm"],
          include: ["comlink", "idb", "zod", "fast-check"],
        },
        worker: { format: "es" },
        test: {
          name: engine.name,
          include: ["test/browser/**/*.test.ts"],
          // The disk that tests crash is modelled on Chromium's (DISK16): docs/browsers.md says where others differ.
          exclude: engine.name === "chromium" ? [] : ["test/browser/thread/differential/**"],
          provide: { databases: 60, seed: 20_26 },
          sequence: { groupOrder: 2 * at },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: inEngine(engine),
            instances: [{ browser: engine.name }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: `${engine.name} pages`,
          include: ["test/browsers/**/*.test.ts"],
          sequence: { groupOrder: 2 * at + 1 },
          provide: { engine: engine.name },
        },
      },
    ]),
  },
})
