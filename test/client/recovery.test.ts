import { expect, test } from "vitest"
import { NO_KEY } from "../../client/disk/records.ts"
import type { EdgeStream, ReadPage } from "../../client/sync/edge.ts"
import type { Exchange } from "../../client/sync/edge-requests.ts"
import { type Reappended, recover } from "../../client/sync/recovery.ts"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import type { ProducerId } from "../../shared/ids.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import { logOnDisk, STREAM } from "./log-on-disk.ts"

const [device, fresh] = ["phone", "fresh"] as [ProducerId, ProducerId]
const textOf = (id: string, source = "ada/phone") => JSON.stringify({ id, type: "t", source })
const idsOf = (texts: readonly string[]) =>
  texts.flatMap((text) => (JSON.parse(`[${text}]`) as { id: string }[]).map(({ id }) => id)).join("")

/** An edge that holds these messages. Its places are those of any log that begins with the same. */
function edgeOf(messages: readonly string[]) {
  const places: Offset[] = [START]
  let chain = EMPTY_CHAIN
  for (const [at, text] of messages.entries()) {
    chain = extendChain(chain, text)
    places.push(issueOffset({ generation: 7, position: at + 1, chain }))
  }
  const seen = { asked: 0, cached: true }
  const read = async (after: Offset): Promise<Exchange<ReadPage>> => {
    const at = places.indexOf(after)
    const rest = messages.slice(at).map((text) => JSON.parse(text))
    const page = { from: after, next: places.at(-1)!, text: messages.slice(at).join(","), messages: rest }
    return { kind: "done", value: { page, upToDate: true, closed: false } }
  }
  const knows = async (place: Offset): Promise<Exchange<boolean>> => {
    seen.asked++
    return { kind: "done", value: places.includes(place) }
  }
  const doubtCaches = () => {
    seen.cached = false
  }
  const edge = { read, knows, doubtCaches } as unknown as EdgeStream // all that is asked
  return { edge, seen }
}

/** A device that has read a to f, of which c and e are another's, in pages of two, with x and y waiting. */
async function ahead() {
  const world = logOnDisk()
  const by = (id: string) => textOf(id, "ce".includes(id) ? "bob/tablet" : "ada/phone")
  for (const page of ["ab", "cd", "ef"]) await world.grow([...page].map(by))
  for (const id of "xy") await world.log.append(STREAM, [{ text: textOf(id), count: 1, bytes: 50 }], "strict")
  const recoverAt = (edge: EdgeStream, reappended: Reappended) => {
    const { signal } = new AbortController()
    return recover({ log: world.log, edge, stream: STREAM, device, fresh, signal }, reappended)
  }
  return { ...world, by, recoverAt, opened: () => world.log.open(STREAM, NO_KEY, device) }
}

test.each([
  ["own", "dfxy"],
  ["all", "cdefxy"],
  ["none", "xy"],
] as const)(
  "[CONFLICT7] of what the edge lacks %s is put back, before what waits",
  async (reappended, waiting) => {
    const { recoverAt, opened, by, offsets, log } = await ahead()
    const { edge, seen } = edgeOf([..."ab"].map(by))
    expect(await recoverAt(edge, reappended)).toBe(true)
    const { record, entries } = await opened()
    expect(idsOf(entries.map(({ text }) => text))).toBe(waiting)
    expect(record).toEqual({
      stream: STREAM,
      head: offsets[2],
      producer: fresh,
      epoch: 0,
      nextSeq: 0,
      knownEpoch: 0,
      inFlight: null,
    })
    const left = []
    for await (const pages of log.pages(STREAM, { after: START, upTo: "z" as Offset })) left.push(...pages)
    expect(left.map(({ next }) => next)).toEqual([offsets[2]])
    expect(seen).toEqual({ asked: 2, cached: false })
  },
)

test("[CONFLICT7] what the edge has behind the last common place is not put back", async () => {
  const { recoverAt, opened, by, offsets } = await ahead()
  const { edge } = edgeOf([by("a"), by("b"), textOf("new", "eve"), by("f"), by("c")])
  expect(await recoverAt(edge, "all")).toBe(true)
  const { record, entries } = await opened()
  expect(record.head).toBe(offsets[2])
  expect(idsOf(entries.map(({ text }) => text))).toBe("dexy")
})

test("[CONFLICT7] an edge that was put back into the middle of a page is followed from before that page", async () => {
  const { recoverAt, opened, by, offsets } = await ahead()
  expect(await recoverAt(edgeOf([..."abc"].map(by)).edge, "all")).toBe(true)
  const { record, entries } = await opened()
  expect(record.head).toBe(offsets[2])
  expect(idsOf(entries.map(({ text }) => text))).toBe("defxy")
})

test("[CONFLICT7] an edge that was put back into what is absent here is followed from before it, or from what is behind", async () => {
  const { recoverAt, opened, by, offsets, log } = await ahead()
  const { record } = await opened()
  const absent = { stream: STREAM, from: START, next: offsets[4]!, text: "", absent: true } as const
  const gone = [offsets[2]!, offsets[4]!]
  await log.goBack(STREAM, {
    head: offsets[6]!,
    common: START,
    gone: [...gone, offsets[6]!],
    entries: [],
    fresh,
  })
  const term = await log.claim()
  const rest = { stream: STREAM, from: offsets[4]!, next: offsets[6]!, text: [..."ef"].map(by).join(",") }
  for (const page of [absent, rest])
    await log.save(term, "relaxed", {
      page,
      confirmed: [],
      rejected: [],
      record: { ...record, head: page.next },
    })
  expect(await recoverAt(edgeOf([..."abcd"].map(by)).edge, "all")).toBe(true)
  expect((await opened()).record.head).toBe(offsets[4])
  expect(await log.standing(STREAM)).toMatchObject({ head: offsets[4] })
  expect(await recoverAt(edgeOf([..."abc"].map(by)).edge, "all")).toBe(true)
  const { record: last, entries } = await opened()
  expect([last.head, await log.pageBehind(STREAM, START)]).toEqual([START, undefined])
  expect(idsOf(entries.map(({ text }) => text))).toBe("efxy")
})

test("[CONFLICT7] the leader's term is over, and nothing is done where the log goes on", async () => {
  const { recoverAt, opened, by, log } = await ahead()
  const before = await opened()
  expect(await recoverAt(edgeOf([..."abcdefgh"].map(by)).edge, "all")).toBe(false)
  expect(await opened()).toEqual(before)
  const term = await log.claim()
  const change = { page: undefined, confirmed: [], rejected: [], record: before.record }
  await log.save(term, "relaxed", change)
  await recoverAt(edgeOf([by("a"), by("b")]).edge, "own")
  await expect(log.save(term, "relaxed", change)).rejects.toThrow("Another tab has led")
})

test("[CONFLICT7] an edge that keeps no place of it cannot be followed", async () => {
  const { recoverAt, opened } = await ahead()
  const before = await opened()
  const trimmed = {
    ...edgeOf([]),
    edge: { doubtCaches() {}, knows: async () => ({ kind: "done", value: false }) },
  }
  await expect(recoverAt(trimmed.edge as unknown as EdgeStream, "own")).rejects.toMatchObject({
    code: "diverged",
  })
  expect(await opened()).toEqual(before)
})

test("[CONFLICT6] the log on disk knows each place that it has passed, and no other", async () => {
  const { log, offsets, by } = await ahead()
  for (const place of offsets.slice(1)) expect(await log.passed(STREAM, place)).toBe(true)
  const other = issueOffset({ generation: 7, position: 3, chain: extendChain(EMPTY_CHAIN, by("z")) })
  expect(await log.passed(STREAM, other)).toBe(false)
})
