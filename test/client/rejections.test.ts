import { expect, test } from "vitest"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import { NO_KEY } from "../../client/disk/records.ts"
import { eventsOf } from "../../client/disk/rejections.ts"
import type { EventId, Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"

const stream = "s" as StreamPath
const error = { code: "rejected", message: "Not this." } as const
const at = 5 as Millis
const textOf = (id: string) => JSON.stringify({ id, type: "t", data: { id } })
const entryOf = (...ids: string[]) => ({ text: ids.map(textOf).join(","), count: ids.length, bytes: 50 })

/** A log of which entries were refused: one of two events, and one of one. */
async function refused() {
  const log = new DeviceLog(new MemoryStorage())
  const keys = await log.append(stream, [entryOf("a", "b"), entryOf("c"), entryOf("d")], "strict")
  const { record } = await log.open(stream, NO_KEY, "p" as ProducerId)
  const rejected = [entryOf("a", "b"), entryOf("c")].map((entry, n) => ({
    ...entry,
    key: keys[n] as OutboxKey,
    stream,
    error,
    at,
  }))
  await log.save(await log.claim(), "relaxed", { page: undefined, confirmed: [], rejected, record })
  const pending = async () =>
    (await log.open(stream, NO_KEY, "p" as ProducerId)).entries.map(({ text }) => text)
  const listed = async () => (await log.rejections.list(stream)).flatMap(eventsOf).map(({ id }) => id)
  return { log, pending, listed }
}

test("[CONFLICT3] refused entries are listed event by event, in the order of appending, and wait no more", async () => {
  const { log, pending, listed } = await refused()
  expect([await listed(), await pending()]).toEqual([["a", "b", "c"], [textOf("d")]])
  const [first] = (await log.rejections.list(stream)).flatMap(eventsOf)
  expect(first).toEqual({ id: "a", type: "t", data: { id: "a" }, error, at })
  expect(await log.rejections.list("other" as StreamPath)).toEqual([])
})

test("[CONFLICT3] dismissing one event leaves those that were refused with it", async () => {
  const { log, listed } = await refused()
  await log.rejections.dismiss(stream, ["a", "c", "unknown"] as EventId[])
  expect(await listed()).toEqual(["b"])
  await log.rejections.dismiss(stream, ["b"] as EventId[])
  expect(await log.rejections.list(stream)).toEqual([])
})

test("[CONFLICT3] a refused event is appended anew and forgotten in one transaction, once", async () => {
  const { log, pending, listed } = await refused()
  await log.rejections.replace(stream, entryOf("e"), "b" as EventId)
  expect([await listed(), await pending()]).toEqual([
    ["a", "c"],
    [textOf("d"), textOf("e")],
  ])
  const again = log.rejections.replace(stream, entryOf("f"), "b" as EventId)
  await expect(again).rejects.toMatchObject({ code: "not-rejected" })
  expect(await pending()).toEqual([textOf("d"), textOf("e")])
})

test("[CONFLICT3] tabs that take events off one entry at the same time take each their own, and each event once", async () => {
  const { log, listed, pending } = await refused()
  const outcomes = await Promise.allSettled([
    log.rejections.dismiss(stream, ["a"] as EventId[]),
    log.rejections.replace(stream, entryOf("e"), "b" as EventId),
    log.rejections.replace(stream, entryOf("f"), "b" as EventId),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"])
  expect([await listed(), await pending()]).toEqual([["c"], [textOf("d"), textOf("e")]])
})
