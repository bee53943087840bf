import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build, type Rolldown } from "vite"
import type { Figure } from "../figure.ts"

/** What a first visit loads of the smallest app, gzipped at the highest level. */
export async function measureSize(): Promise<Figure[]> {
  const root = fileURLToPath(new URL("../size", import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: "error",
    root,
    worker: { format: "es" },
    build: { write: false, target: "es2023", modulePreload: { polyfill: false } }, // which is none of ours
  })
  if (!Array.isArray(built) && !("output" in built)) throw new Error("The build gave no output.")
  const files = [built].flat().flatMap(({ output }) => output)
  return [
    figure("download: code of the page (gzip)", files.filter(isPage), 20),
    figure("download: code of the thread (gzip)", files.filter(isThread), 60),
    figure(
      "download: sqlite3.wasm (gzip)",
      files.filter(({ fileName }) => fileName.endsWith(".wasm")),
    ),
  ]
}

type File = Rolldown.OutputChunk | Rolldown.OutputAsset

const isPage = (file: File) => file.type === "chunk"
/** To the build of the page, the code of a thread is a finished file. */
const isThread = (file: File) => file.type === "asset" && file.fileName.endsWith(".js")

/** @param atMost In kilobytes. */
function figure(what: string, files: readonly File[], atMost?: number): Figure {
  const bytes = files.map(
    (file) => gzipSync(file.type === "chunk" ? file.code : file.source, { level: 9 }).length,
  )
  const ours = [bytes.reduce((sum, size) => sum + size, 0) / 1_000]
  return { what, unit: "kB", ours, raw: [], ...(atMost !== undefined && { target: { atMost } }) }
}
