import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ImportSource } from "../../client/page/transfer.ts"
import type { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { ImportingDevice } from "./importing-device.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const event = (id: string | number, data: unknown = {}) => JSON.stringify({ id: String(id), type: "t", data })

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
    const one = new ImportingDevice()
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
    const one = new ImportingDevice()
    await one.logged([[event("logged"), "7"], [event("late")]])
    await one.put("outbox", 1, `${event("a")},${event("waiting")}`)
    await one.put("rejected", 2, event("refused"))
    const lines = ["logged", "new", "waiting", "refused", "late", "new", "newer"].map((id) => event(id))
    expect(await one.import(lines.join("\n"))).toEqual({ appended: 2, skipped: 5 })
    expect((await one.pending()).slice(1)).toEqual([event("new"), event("newer")])
    expect(await one.import(lines.join("\n"))).toEqual({ appended: 0, skipped: 7 })
  })

  test("[MOVE3] does not have an event that another stream has", async () => {
    const one = new ImportingDevice()
    await one.put("outbox", 1, event("a"), "other" as StreamPath)
    await one.put("rejected", 1, event("a"), "other" as StreamPath)
    expect(await one.import(event("a"))).toEqual({ appended: 1, skipped: 0 })
  })

  test("[MOVE4] keeps the bytes of each, one entry each", async () => {
    const one = new ImportingDevice()
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
      const one = new ImportingDevice()
      expect(await one.import(source)).toEqual({ appended: 3, skipped: 0 })
      expect(await one.pending()).toEqual(text.split("\n"))
    }
    for (const source of [7, [7], null] as unknown as ImportSource[]) {
      expect((await refusalOf(new ImportingDevice().import(source))).message).toMatch(
        /^import expects text.*(number|object) came/,
      )
    }
  })

  test("[MOVE5] ends at a line that is no event: those before are stored, and the error says where and how many", async () => {
    const one = new ImportingDevice()
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
    const one = new ImportingDevice()
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
    const refusal = await refusalOf(new ImportingDevice().import(new Blob([bytes])))
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
          const one = new ImportingDevice()
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
    const one = new ImportingDevice()
    const text = Array.from({ length: 30 }, (_, n) => event(n)).join("\n")
    const [first, second] = await Promise.all([one.import(text), one.import(text)])
    expect(first.appended + second.appended).toBe(30)
    expect(await one.pending()).toHaveLength(30)
  })

  test("[MOVE7] without room and an edge it takes what fits, and says how much that was", async () => {
    const one = new ImportingDevice()
    await one.elsewhere({ events: LIMITS.pendingEventsMax - 3 })
    const text = Array.from({ length: 9 }, (_, n) => event(n)).join("\n")
    const refusal = await refusalOf(one.import(text))
    expect(refusal.code).toBe("backlog-full")
    expect(refusal.message).toMatch(/^Line 4: .*3 events were stored before, 0 were there already\.$/)
    expect(await one.pending()).toEqual([event(0), event(1), event(2)])
    expect(one.listeners.size).toBe(0)
  })

  test("[MOVE7] the bytes that wait have a bound as well", async () => {
    const one = new ImportingDevice()
    await one.elsewhere({ bytes: LIMITS.pendingBytesMax - 2 * event(0).length })
    const refusal = await refusalOf(one.import([0, 1, 2].map((id) => event(id)).join("\n")))
    expect([refusal.code, await one.pending()]).toEqual(["backlog-full", [event(0), event(1)]])
  })

  test("[MOVE7] without room it goes on as the edge takes events", async () => {
    const one = new ImportingDevice()
    await one.elsewhere({ events: LIMITS.pendingEventsMax - 1 })
    await one.connection("live")
    const text = Array.from({ length: 3 }, (_, n) => event(n)).join("\n")
    const importing = one.import(text)
    await expect.poll(() => one.listeners.size).toBe(1)
    await one.elsewhere({ events: LIMITS.pendingEventsMax - 2 })
    expect(await one.pending()).toEqual([event(0)])
    await one.elsewhere({ events: LIMITS.pendingEventsMax - 3 })
    expect(await importing).toEqual({ appended: 3, skipped: 0 })
    expect(one.listeners.size).toBe(0)
  })
})
