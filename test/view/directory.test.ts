import { DatabaseSync } from "node:sqlite"
import { expect, test } from "vitest"
import { Directory } from "../../worker/directory/directory.ts"
import type { SqlRow } from "../../worker/stream/stream-host.ts"

function directories(directoryPageMax = 3) {
  const database = new DatabaseSync(":memory:")
  const told: string[] = []
  const open = () =>
    new Directory({
      bounds: { directoryPageMax },
      exec: (sql, ...values) => database.prepare(sql).all(...(values as string[])) as SqlRow[],
      listener: (name) => ({
        news: async () => {
          told.push(name)
          return name !== "gone"
        },
      }),
    })
  return { open, told }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test("[EVIEW9] lists streams below a prefix, page by page, in order of their paths", () => {
  const directory = directories().open()
  for (const path of ["b/1", "a/3", "a/1", "a/2", "a", "a/5", "a/4", "ab"]) directory.there(path, 1)
  expect(directory.list("a/")).toEqual({ paths: ["a/1", "a/2", "a/3"], next: "a/4" })
  expect(directory.list("a/", "a/4")).toEqual({ paths: ["a/4", "a/5"], next: undefined })
  expect(directory.list("")).toMatchObject({ paths: ["a", "a/1", "a/2"], next: "a/3" })
  expect(directory.list("c")).toEqual({ paths: [], next: undefined })
})

test("[EVIEW9] a stream that is gone is not listed, and word of an older one does not end a newer one", () => {
  const directory = directories().open()
  directory.there("a", 1)
  directory.gone("a", 1)
  directory.there("a", 2)
  directory.gone("a", 1)
  directory.there("a", 1)
  expect(directory.list("").paths).toEqual(["a"])
  directory.gone("a", 2)
  directory.gone("a", 2)
  expect(directory.list("").paths).toEqual([])
})

test("[EVIEW9] whoever knows all up to a place is told what came behind it, also after a stream went", () => {
  const { open } = directories()
  const directory = open()
  for (const path of ["a/1", "x/1", "a/2", "a/3"]) directory.there(path, 1)
  const first = directory.since(0, ["a/*"])
  expect(first).toEqual({ paths: ["a/1", "a/2"], seq: 3, isAll: false })
  const second = open().since(first.seq, ["a/*"])
  expect(second).toEqual({ paths: ["a/3"], seq: 4, isAll: true })
  directory.gone("a/3", 1)
  directory.there("a/9", 1)
  expect(directory.since(second.seq, ["a/*", "b"])).toEqual({ paths: ["a/9"], seq: 5, isAll: true })
  expect(directory.since(5, ["a/*"])).toEqual({ paths: [], seq: 5, isAll: true })
})

test("[EVIEW9] tells those whose patterns cover a new stream, whatever was in memory", async () => {
  const { open, told } = directories()
  open().watch("one", ["a/*"])
  open().watch("gone", ["**"])
  open().there("a/1", 1)
  await settled()
  expect(told.sort()).toEqual(["gone", "one"])
  open().there("a/1", 1) // which is known
  open().there("b/1", 1)
  open().there("a/2", 1)
  await settled()
  expect(told.filter((name) => name === "one")).toHaveLength(2)
  expect(told.filter((name) => name === "gone").length).toBeLessThanOrEqual(2)
})
