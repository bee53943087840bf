import { expect, test, vi } from "vitest"
import { START } from "../../shared/offset.ts"
import { headerOf, world } from "./one-stream.ts"

/** A live client with events that went out one after the other, the last of them in one batch. */
async function sent(ids: readonly string[], expected?: string) {
  const made = world()
  for (const [at, id] of ids.entries()) made.append(at + 1, id, expected)
  made.sync.input({ kind: "started" })
  await made.live()
  await vi.waitFor(() => expect(made.appends()).toHaveLength(1))
  return made
}

type World = Awaited<ReturnType<typeof sent>>

const idsOf = (frame: string | undefined) => [...(frame ?? "").matchAll(/"id":"(\w+)"/g)].map(([, id]) => id)

/** Plays an edge that refuses some events and takes all else, until nothing is sent any more. */
async function guarded({ appends, told, replica }: World, refuses: (id: string) => boolean) {
  let tail = 0
  const log: string[] = []
  for (let at = 0; replica.pendingEvents > 0; at++) {
    await vi.waitFor(() => expect(appends().length).toBeGreaterThan(at))
    const frame = appends()[at]
    const { id } = headerOf(frame)
    const ids = idsOf(frame) as string[]
    if (ids.some(refuses)) {
      told({ t: "reply", id, status: 422, headers: {}, message: "Not this." })
      continue
    }
    const place = (n: number) => (n === 0 ? START : String(n).padStart(4, "0"))
    const from = place(tail)
    tail += ids.length
    log.push(...ids)
    told({ t: "reply", id, status: 200, headers: { "stream-next-offset": place(tail) }, from })
  }
  return log
}

test("[CONFLICT2] what is refused for good leaves the outbox by itself, and all else goes through", async () => {
  const made = await sent([..."abcdefg"])
  expect(idsOf(made.appends()[0])).toEqual([..."abcdefg"])
  const log = await guarded(made, (id) => "cf".includes(id))
  expect(log).toEqual([..."abdeg"])
  expect(made.seen.rejected.map(({ text, error }) => [idsOf(text), error])).toEqual([
    [["c"], { code: "rejected", message: "Not this." }],
    [["f"], { code: "rejected", message: "Not this." }],
  ])
  expect([made.replica.rejectedEvents, made.sync.state.kind]).toEqual([2, "live"])
})

test("[CONFLICT2] where everything is refused, one entry after the other is", async () => {
  const made = await sent([..."abcdefgh"])
  expect(await guarded(made, () => true)).toEqual([])
  expect(made.seen.rejected.map(({ key }) => key)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(made.appends().length).toBeLessThan(12)
})

test("[CONFLICT2] no number stands for two batches, refused ones included", async () => {
  const made = await sent([..."abcdef"])
  await guarded(made, (id) => id === "d")
  const numbers = made.appends().map((frame) => {
    const { producer, epoch, seq } = headerOf(frame)
    return `${producer} ${epoch} ${seq}`
  })
  expect(new Set(numbers).size).toBe(numbers.length)
})

test("[CONFLICT4] what waits for a stream that is closed is refused, and so is what is appended then", async () => {
  const { told, seen, replica, append, sync } = await sent(["a", "b"])
  const headers = { "stream-next-offset": START, "stream-closed": "true" }
  told({ t: "reply", id: 0, status: 409, headers, message: "It is closed." })
  expect(sync.state).toEqual({ kind: "stopped", reason: "closed" })
  append(3, "c")
  expect(seen.rejected.map(({ key, error }) => [key, error.code])).toEqual([
    [1, "rejected"],
    [2, "rejected"],
    [3, "rejected"],
  ])
  expect([replica.pendingEvents, replica.position.inFlight, seen.stopped]).toEqual([0, null, 0])
})

test("[CONFLICT4] what waits for a stream that this account may only read stays", async () => {
  const { told, seen, replica, sync } = await sent(["a"])
  told({ t: "reply", id: 0, status: 404, headers: {} })
  expect(sync.state).toEqual({ kind: "stopped", reason: "forbidden" })
  expect([replica.pendingEvents, seen.rejected, seen.stopped]).toEqual([1, [], 1])
})

test("[CONFLICT5] an event that expects a tail says so and travels alone; elsewhere it is a conflict", async () => {
  const made = await sent(["a", "b"], START)
  expect(headerOf(made.appends()[0])).toMatchObject({ expectedOffset: START })
  expect(idsOf(made.appends()[0])).toEqual(["a"])
  made.told({ t: "reply", id: 0, status: 200, headers: { "stream-next-offset": "0001" }, from: START })
  await vi.waitFor(() => expect(made.appends()).toHaveLength(2))
  const { id } = headerOf(made.appends()[1])
  made.told({ t: "reply", id, status: 409, headers: { "stream-next-offset": "0001" } })
  expect(made.seen.rejected).toMatchObject([{ key: 2, error: { code: "conflict", tail: "0001" } }])
  expect(made.sync.state.kind).toBe("live")
})
