import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import { startSqlite } from "../../../client/state/wasm-module.ts"

const GIGABYTE = 1_000_000_000 // reserved only: what is never written takes no memory of the machine
const wasm = () => readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm")))

test("[SQL10] the build runs from bytes, in any place with WebAssembly", async () => {
  const sqlite = await loadSqlite(await wasm())
  const version = sqlite
    .open()
    .prepare("SELECT sqlite_version(), datetime('now') > '2026', datetime('now', 'localtime')")
  expect(version.all([])[0]?.slice(0, 2)).toEqual(["3.54.1", 1])
})

test("[SQL10] memory grows to its bound; past it SQLite is told no and goes on", async () => {
  const module = await startSqlite(await wasm())
  const first = module.api.sqlite3_malloc(GIGABYTE)
  expect(first).toBeGreaterThan(0)
  expect(module.bytes.length).toBeGreaterThan(first + GIGABYTE)
  expect(module.api.sqlite3_malloc(GIGABYTE)).toBeGreaterThan(first)
  expect(module.api.sqlite3_malloc(GIGABYTE)).toBe(0)
  module.api.sqlite3_free(first)
  expect(module.api.sqlite3_malloc(GIGABYTE)).toBe(first)
})

test("[SQL10] what is not the build is refused", async () => {
  await expect(loadSqlite(new TextEncoder().encode("<html>"))).rejects.toThrow("WebAssembly")
  const missing = new Response("none", { status: 404 })
  await expect(loadSqlite(missing)).rejects.toThrow("answered 404 instead of SQLite's WASM build")
})
