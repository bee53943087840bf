import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/**
 * Tells the service worker what to keep: `__SHELL__` in it becomes `{ version, files }`, all that was built and a name
 * that changes with any of it.
 */
const shellList: Plugin = {
  name: "shell-list",
  enforce: "post",
  generateBundle(_options, bundle) {
    const offline = bundle["offline.js"]
    if (offline?.type !== "chunk") return
    const files = Object.keys(bundle).filter((name) => name !== offline.fileName && !name.endsWith(".map"))
    const hash = createHash("sha256")
    for (const name of files.sort()) {
      const file = bundle[name]
      hash.update(name).update(file?.type === "asset" ? file.source : (file?.code ?? ""))
    }
    const shell = { version: hash.digest("hex").slice(0, 16), files }
    offline.code = offline.code.replaceAll("__SHELL__", JSON.stringify(shell))
  },
}

export default defineConfig({
  root: path("."),
  base: "./",
  resolve: { alias: { headwater: path("../client/index.ts") } },
  worker: { format: "es" },
  plugins: [shellList],
  build: {
    outDir: path("dist"),
    emptyOutDir: true,
    target: "es2023",
    rolldownOptions: {
      input: [path("index.html"), path("offline.ts")],
      output: {
        entryFileNames: ({ name }) => (name === "offline" ? "offline.js" : "assets/[name]-[hash].js"),
      },
    },
  },
})
