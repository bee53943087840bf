import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ThreadLink } from "../../client/page/thread-link.ts"
import { exportLines, type ImportSource, importLines } from "../../client/page/transfer.ts"
import type { EntryKind, Reply } from "../../client/port.ts"
import type { ClientStatus } from "../../client/status.ts"
import { Importer } from "../../client/thread/importer.ts"
import { DeviceLog, NO_KEY } from "../../client/thread/log.ts"
import { LogReaders } from "../../client/thread/log-readers.ts"
import { MemoryStorage } from "../../client/thread/memory-storage.ts"
import type { Replica } from "../../client/thread/replica.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { localLocks } from "../support/local-locks.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const STREAM = "tests/log" as StreamPath
const event = (id: string | number, data: unknown = {}) => JSON.stringify({ id: String(id), type: "t", data })
const offset = (position: number) => issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })

/** A device whose disk can be full, and whose edge makes room when it is told to. */
function device() {
  const storage = new MemoryStorage()
  const log = new DeviceLog(storage)
  let appendsLeft = Number.POSITIVE_INFINITY
  log.append = ((append) => async (stream, entries, durability) => {
    if (appendsLeft-- <= 0) throw new HeadwaterError("storage-full", "The disk is full.")
    return append.call(log, stream, entries, durability)
  })(log.append)
  let elsewhere = 0
  let status: ClientStatus["streams"][string]["connection"] = "waiting"
  const listeners = new Set<(status: ClientStatus) => void>()
  const pending = async () => (await log.open(STREAM, NO_KEY, "device" as ProducerId)).entries
  let waiting = 0
  const statusNow = () =>
    ({ streams: { [STREAM]: { pending: waiting, connection: status } } }) as unknown as ClientStatus
  const changed = async () => {
    waiting = (await pending()).length + elsewhere
    for (const listener of [...listeners]) listener(statusNow())
  }
  const parts = { host: localLocks(), log, name: "account" }
  const replica = async () => ({ pendingEvents: (await pending()).length + elsewhere }) as Replica // all that is used
  const importer = new Importer({ ...parts, replica, stored: changed })
  const readers = new LogReaders(parts)
  const answer = async <T>(act: () => Promise<T> | T): Promise<Reply<T>> => ({ ok: true, value: await act() })
  const engine = {
    importLines: (stream: StreamPath, lines: string[]) =>
      answer(() => importer.take(stream, structuredClone(lines))),
    entriesBehind: (...[stream, kind, after]: [StreamPath, EntryKind, OutboxKey]) =>
      answer(() => log.entriesBehind(stream, kind, after)),
    openReader: (...[stream, request]: Parameters<LogReaders["open"]>) =>
      answer(() => readers.open(stream, request)),
    readOn: (reader: number) => answer(() => readers.next(reader)),
    closeReader: (reader: number) => answer(() => readers.close(reader)),
  }
  const ask = async <T>(reply: Promise<Reply<T>>): Promise<T> => {
    const answered = await reply
    if (answered.ok) return answered.value
    throw HeadwaterError.fromData(answered.error)
  }
  const link = { engine, ask } as unknown as ThreadLink // what moving uses of one
  const onStatus = (listener: (status: ClientStatus) => void) => {
    listeners.add(listener)
    listener(statusNow())
    return () => void listeners.delete(listener)
  }

  return {
    link,
    import: (source: ImportSource) => importLines({ link, onStatus }, STREAM, source),
    pending: async () => (await pending()).map(({ text }) => text),
    entries: pending,
    /** As many events as that wait for the edge besides. */
    async elsewhere(count: number) {
      elsewhere = count
      await changed()
    },
    async connection(is: typeof status) {
      status = is
      await changed()
    },
    fullAfter(appends: number) {
      appendsLeft = appends
    },
    listeners,
    async put(store: "outbox" | "rejected", key: number, text: string, stream = STREAM) {
      const refused = { error: { code: "rejected", message: "" }, at: 0 }
      await storage.write("relaxed", (tx) =>
        tx.put(store, { key, stream, text, count: 1, bytes: text.length, ...refused }),
      )
    },
    async logged(pages: readonly string[][]) {
      let at: Offset = START
      let position = 0
      for (const page of pages) {
        position += page.length
        const next = offset(position)
        const record = { stream: STREAM, from: at, next, text: page.join(",") }
        await storage.write("relaxed", (tx) => tx.put("pages", record))
        at = next
      }
      await storage.write("relaxed", (tx) => tx.put("streams", { stream: STREAM, head: at }))
    },
    async exported(what: "log" | EntryKind): Promise<string> {
      let text = ""
      for await (const line of exportLines(link, STREAM, { what })) text += line
      return text
    },
  }
}

async function refusalOf(work: Promise<unknown>): Promise<HeadwaterError> {
  return work.then(
    () => {
      throw new Error("nothing was refused")
    },
    (error: HeadwaterError) => error,
  )
}

describe("export", () => {
  test("[MOVE1] has a line for each message of the log, of what waits, or of what was refused", async () => {
    const one = device()
    await one.logged([[`{"a": 1.00}`, "7"], [`{\n "id":"x",\r\n "type":"t" }`]])
    for (let key = 1; key <= 100; key++) {
      await one.put("outbox", key, `${event(key)},${event(`${key}b`)}`)
      await one.put("rejected", key, event(`r${key}`))
      await one.put("outbox", key + 1_000, event("foreign"), "other" as StreamPath)
    }
    expect(await one.exported("log")).toBe(`{"a": 1.00}\n7\n{ "id":"x", "type":"t" }\n`)
    const both = Array.from({ length: 100 }, (_, n) => `${event(n + 1)}\n${event(`${n + 1}b`)}\n`)
    expect(await one.exported("pending")).toBe(both.join(""))
    expect((await one.exported("rejected")).split("\n").slice(0, 2)).toEqual([event("r1"), event("r2")])
    await expect(one.exported("all" as never)).rejects.toMatchObject({ code: "invalid-options" })
  })
})

describe("import", () => {
  test("[MOVE3] appends each event that this device does not have, wherever it has the others", async () => {
    const one = device()
    await one.logged([[event("logged"), "7"], [event("late")]])
    await one.put("outbox", 1, `${event("a")},${event("waiting")}`)
    await one.put("rejected", 2, event("refused"))
    const lines = ["logged", "new", "waiting", "refused", "late", "new", "newer"].map((id) => event(id))
    expect(await one.import(lines.join("\n"))).toEqual({ appended: 2, skipped: 5 })
    expect((await one.pending()).slice(1)).toEqual([event("new"), event("newer")])
    expect(await one.import(lines.join("\n"))).toEqual({ appended: 0, skipped: 7 })
  })

  test("[MOVE3] does not have an event that another stream has", async () => {
    const one = device()
    await one.put("outbox", 1, event("a"), "other" as StreamPath)
    await one.put("rejected", 1, event("a"), "other" as StreamPath)
    expect(await one.import(event("a"))).toEqual({ appended: 1, skipped: 0 })
  })

  test("[MOVE4] keeps the bytes of each, one entry each", async () => {
    const one = device()
    const text = `{"time":"1999", "source":"old","id":"a","type":"é","data":1.00}`
    await one.import(`\n  ${text}\r\n\n${event("b")}`)
    const length = new TextEncoder().encode(text).length
    expect((await one.entries()).map(({ key, count, bytes, text }) => ({ key, count, bytes, text }))).toEqual(
      [
        { key: 1, count: 1, bytes: length, text },
        { key: 2, count: 1, bytes: event("b").length, text: event("b") },
      ],
    )
  })

  test("[MOVE2] takes text in whatever form and pieces it comes", async () => {
    const text = [event("é"), event("🎉"), event("c")].join("\n")
    const bytes = new TextEncoder().encode(text)
    const stream = (size: number) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
          controller.close()
        },
      })
    async function* pieces() {
      yield* [text.slice(0, 9), text.slice(9, 40), text.slice(40)]
    }
    const sources = [text, [...text], pieces(), new Blob([bytes]), stream(1), stream(7)]
    for (const source of sources) {
      const one = device()
      expect(await one.import(source)).toEqual({ appended: 3, skipped: 0 })
      expect(await one.pending()).toEqual(text.split("\n"))
    }
    for (const source of [7, [7], null] as unknown as ImportSource[]) {
      expect((await refusalOf(device().import(source))).message).toMatch(
        /^import expects text.*(number|object) came/,
      )
    }
  })

  test("[MOVE5] ends at a line that is no event: those before are stored, and the error says where and how many", async () => {
    const one = device()
    await one.put("outbox", 1, event("had"))
    const refusal = await refusalOf(one.import([event("a"), event("had"), "", "{}", event("b")].join("\n")))
    expect(refusal.code).toBe("invalid-import")
    expect(refusal.message).toBe(
      "Line 4: An event was expected, an object with a text id and a text type; an object without them came. " +
        "1 events were stored before, 1 were there already.",
    )
    expect(await one.pending()).toEqual([event("had"), event("a")])
  })

  test("[MOVE5] does not gather a line without end", async () => {
    const one = device()
    let asked = 0
    async function* endless() {
      yield `${event("a")}\n`
      for (; asked < 1_000; asked++) yield "x".repeat(LIMITS.eventBytesMax / 4)
    }
    expect((await refusalOf(one.import(endless()))).message).toMatch(
      /^Line 2: An event may have 262144 bytes/,
    )
    expect(asked).toBeLessThan(6)
    expect(await one.pending()).toEqual([event("a")])
  })

  test("[MOVE5] does not take bytes that are no UTF-8", async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode(`${event("a")}\n`), 0x22, 0xff, 0x22])
    const refusal = await refusalOf(device().import(new Blob([bytes])))
    expect([refusal.code, refusal.message]).toEqual([
      "invalid-import",
      "Text in UTF-8 was expected; other bytes came. 0 events were stored before, 0 were there already.",
    ])
  })

  test("[MOVE6] repeated from the start it goes on where it was interrupted, by whatever", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.nat(3), { maxLength: 4 }),
        async (count, tries) => {
          const one = device()
          const text = Array.from({ length: count * 100 }, (_, n) => event(n)).join("\n")
          for (const appends of tries) {
            one.fullAfter(appends)
            await one.import(text).catch((error: HeadwaterError) => expect(error.code).toBe("storage-full"))
          }
          one.fullAfter(Number.POSITIVE_INFINITY)
          const { appended, skipped } = await one.import(text)
          expect(appended + skipped).toBe(count * 100)
          expect((await one.pending()).join("\n")).toBe(text)
        },
      ),
      { numRuns: 25 },
    )
  })

  test("[MOVE6] two at once append each event once", async () => {
    const one = device()
    const text = Array.from({ length: 30 }, (_, n) => event(n)).join("\n")
    const [first, second] = await Promise.all([one.import(text), one.import(text)])
    expect(first.appended + second.appended).toBe(30)
    expect(await one.pending()).toHaveLength(30)
  })

  test("[MOVE7] without room and an edge it takes what fits, and says how much that was", async () => {
    const one = device()
    await one.elsewhere(LIMITS.pendingEventsMax - 3)
    const text = Array.from({ length: 9 }, (_, n) => event(n)).join("\n")
    const refusal = await refusalOf(one.import(text))
    expect(refusal.code).toBe("backlog-full")
    expect(refusal.message).toMatch(/^Line 4: .*3 events were stored before, 0 were there already\.$/)
    expect(await one.pending()).toEqual([event(0), event(1), event(2)])
    expect(one.listeners.size).toBe(0)
  })

  test("[MOVE7] without room it goes on as the edge takes events", async () => {
    const one = device()
    await one.elsewhere(LIMITS.pendingEventsMax - 1)
    await one.connection("live")
    const text = Array.from({ length: 3 }, (_, n) => event(n)).join("\n")
    const importing = one.import(text)
    await expect.poll(() => one.listeners.size).toBe(1)
    await one.elsewhere(LIMITS.pendingEventsMax - 2)
    expect(await one.pending()).toEqual([event(0)])
    await one.elsewhere(LIMITS.pendingEventsMax - 3)
    expect(await importing).toEqual({ appended: 3, skipped: 0 })
    expect(one.listeners.size).toBe(0)
  })
})
