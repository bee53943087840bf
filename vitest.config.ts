import { fileURLToPath } from "node:url"
import { cloudflareTest } from "@cloudflare/vitest-plugin"
import { playwright } from "@vitest/browser-playwright"
import { defineConfig } from "vitest/config"
import { launchOptions } from "./test/support/chromium.ts"

const SLOW_MS = 120_000

/** Tests wait for conditions. How long is no promise of the product, only what a busy machine may need. */
const PATIENCE_MS = 20_000

/** The environment ends at the runtime of the edge, so what tests in there take from it is handed in. */
function number(name: string, otherwise: number): number {
  return Number(process.env[name] ?? otherwise)
}

export default defineConfig({
  resolve: { alias: { headwater: fileURLToPath(new URL("client/index.ts", import.meta.url)) } },
  test: {
    expect: { poll: { timeout: PATIENCE_MS } },
    testTimeout: 2 * PATIENCE_MS,
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/worker/**",
            "test/browser/**",
            "test/e2e/**",
            "test/conformance/**",
            "test/faults/**",
            "test/browsers/**",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          fileParallelism: false,
          hookTimeout: SLOW_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: SLOW_MS,
          hookTimeout: SLOW_MS,
        },
      },
      {
        extends: true,
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ACCESS: "open" } },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/worker/**/*.test.ts"],
          provide: { runs: number("HEADWATER_RUNS", 2_000), seed: number("HEADWATER_SEED", 20_26) },
        },
      },
      {
        extends: true,
        optimizeDeps: {
          exclude: ["@sqlite.org/sqlite-wasm"],
          include: ["comlink", "idb", "zod", "fast-check"],
        },
        worker: { format: "es" },
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          provide: { databases: number("HEADWATER_DATABASES", 60), seed: number("HEADWATER_SEED", 20_26) },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: launchOptions() }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: SLOW_MS,
          hookTimeout: SLOW_MS,
        },
      },
    ],
  },
})
