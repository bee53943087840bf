import { copyFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { defineConfig } from "tsdown"

/*
 * What npm carries. The page's part starts the thread by the address `./thread.js`, and the thread finds SQLite at
 * `./sqlite3.wasm`: bundlers know both forms (`new Worker(new URL(...))`, `new URL(...)`), so an app needs no plug-in.
 * For that the thread is one file without imports and without top-level await: Vite makes a classic script of it.
 */

const WASM = "@sqlite.org/sqlite-wasm/sqlite3.wasm"
const ADDRESSES = new Map([
  ["../thread/thread.ts", "./thread.js"],
  [WASM, "./sqlite3.wasm"],
])

/** In the sources an address is that of a source; in the package, of what was made of it. */
const packagedAddresses = {
  name: "packaged-addresses",
  transform(code: string) {
    return code.replace(/new URL\("([^"]+)", import\.meta\.url\)/g, (whole, address) => {
      const packaged = ADDRESSES.get(address)
      if (packaged === undefined) throw new Error(`The package has no place for ${whole}.`)
      return `new URL("${packaged}", import.meta.url)`
    })
  },
}

await rm("dist", { recursive: true, force: true })

export default defineConfig([
  {
    entry: { "client/index": "client/index.ts", "shared/index": "shared/index.ts" },
    tsconfig: "tsconfig.package-client.json",
    clean: false,
    platform: "browser",
    target: "es2023",
    dts: true,
    plugins: [packagedAddresses],
  },
  {
    entry: { "client/thread": "client/thread/thread.ts" },
    tsconfig: "tsconfig.package-client.json",
    clean: false,
    platform: "browser",
    target: "es2023",
    dts: false,
    deps: { alwaysBundle: [/./], onlyBundle: false },
    plugins: [packagedAddresses],
    onSuccess: () => copyFile(createRequire(import.meta.url).resolve(WASM), "dist/client/sqlite3.wasm"),
  },
  {
    entry: { "client/node/index": "client/node/index.ts" },
    tsconfig: "tsconfig.package-node.json",
    clean: false,
    platform: "node",
    target: "es2023",
    dts: true,
    outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  },
  {
    entry: { "worker/index": "worker/index.ts" },
    tsconfig: "tsconfig.package-worker.json",
    clean: false,
    platform: "neutral",
    target: "es2024",
    dts: true,
    deps: { neverBundle: [/^cloudflare:/] },
  },
])
