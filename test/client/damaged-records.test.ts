import { describe, expect, test } from "vitest"
import { BesideLog } from "../../client/disk/beside-log.ts"
import { CheckedStorage } from "../../client/disk/checked-storage.ts"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import { NO_KEY } from "../../client/disk/records.ts"
import { STORES, type StoreName } from "../../client/disk/storage.ts"
import { Replica } from "../../client/replica/replica.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { firstPosition } from "../../shared/outbox.ts"
import { Random } from "../simulation/random.ts"

const RUNS = 5_000
const STREAMS = ["a/one", "b/two"] as StreamPath[]
const DEVICE = "device" as ProducerId
const KEYS: Record<StoreName, readonly string[]> = {
  outbox: ["key"],
  pages: ["stream", "next"],
  streams: ["stream"],
  meta: ["name"],
  rejected: ["key"],
  cursors: ["stream", "name"],
}

/** A page that is not on the device: what takes it for an empty one has other rows. */
const ABSENT = { stream: "b/two", page: 2 }

type Fields = Record<string, unknown>

const event = (id: string) => JSON.stringify({ id, type: "t", data: { of: id } })
const offset = (position: number) => (position === 0 ? START : (`x_${position}` as Offset))

const HOST = { now: () => 0 as Millis, newId: () => "fresh" }

function logOf(storage: MemoryStorage) {
  const checked = new CheckedStorage(storage, HOST)
  return { checked, log: new DeviceLog(checked), beside: new BesideLog(checked) }
}

/** A disk with something in every store, as the log itself writes it. */
async function fullDisk() {
  const storage = new MemoryStorage()
  const { log, beside, checked } = logOf(storage)
  await log.device(() => DEVICE)
  const texts = { pages: new Set<string>(), entries: new Map<string, StreamPath>() }
  for (const stream of STREAMS) {
    const drafts = Array.from({ length: 4 }, (_, n) => event(`${stream}-${n}`))
    const entries = drafts.map((text) => ({ text, count: 1, bytes: text.length }))
    const keys = await log.append(stream, entries, "strict")
    for (const text of drafts.slice(0, 3)) texts.entries.set(text, stream)
    const term = await log.claim()
    for (let page = 0; page < 4; page++) {
      const isAbsent = stream === ABSENT.stream && page === ABSENT.page
      const text = isAbsent ? "" : `${event(`${stream}-p${page}`)},${event(`${stream}-q${page}`)}`
      texts.pages.add(isAbsent ? "absent" : text)
      const [from, next] = [offset(page), offset(page + 1)]
      const inFlight = { producer: DEVICE, epoch: 3, seq: 1, keys: keys.slice(0, 2) }
      const record = { stream, head: next, ...firstPosition(DEVICE), inFlight }
      const [refused] = page === 3 ? keys.slice(3) : []
      const error = { code: "rejected", message: "no" } as const
      const last = { text: drafts[3] ?? "", count: 1, bytes: 1, stream, error, at: 0 as Millis }
      const rejected = refused === undefined ? [] : [{ ...last, key: refused }]
      const stored = { stream, from, next, text, ...(isAbsent && { absent: true as const }) }
      await log.save(term, "relaxed", { page: stored, confirmed: [], rejected, record })
    }
    await beside.moveCursor(stream, "consumer", offset(2))
  }
  const { stream, page } = ABSENT
  await checked.write("strict", (tx) => tx.put("meta", { name: `absent ${stream}`, upTo: offset(page + 1) }))
  return { storage, log, checked, beside, texts }
}

/** Does to one record what disks do. Answers what was done. */
async function damage(storage: MemoryStorage, random: Random): Promise<string> {
  const store = STORES[random.whole(0, STORES.length - 1)] ?? "pages"
  const records = (await storage.read((tx) => tx.getAll(store, {}))) as Fields[]
  const record = records[random.whole(0, records.length - 1)] ?? {}
  const other = records[random.whole(0, records.length - 1)] ?? {}
  const names = Object.keys(record).filter((name) => !KEYS[store].includes(name))
  const name = names[random.whole(0, names.length - 1)]
  if (name === undefined) return "nothing"
  const changed = { ...record }
  const kind = random.whole(0, 3)
  const wrong = [null, 7.5, -1, "", "\u0000", [], {}, true, Number.NaN]
  if (kind === 0) delete changed[name]
  else if (kind === 1) changed[name] = wrong[random.whole(0, wrong.length - 1)]
  else if (kind === 2) for (const of of names) changed[of] = other[of]
  else if (typeof changed[name] === "string")
    changed[name] = String(changed[name]).slice(0, random.whole(0, 8))
  await storage.write("relaxed", (tx) => tx.put(store, changed))
  return `${store} ${JSON.stringify(record)} became ${JSON.stringify(changed)}`
}

/** Reads all that there is, as threads do, and writes a little. */
async function useAll({ log, beside }: { readonly log: DeviceLog; readonly beside: BesideLog }) {
  const device = await log.device(() => "other" as ProducerId)
  await log.owing(NO_KEY)
  const found = []
  for (const stream of STREAMS) {
    const upTo = (await log.open(stream, NO_KEY, device)).record.head
    const pages = []
    for await (const some of log.pages(stream, { after: START, upTo })) pages.push(...some)
    const { record, entries } = await log.open(stream, NO_KEY, device) // what was damaged is found
    await beside.outside(stream)
    const { absentUpTo } = await log.standing(stream)
    expect(absentUpTo === START || pages.some(({ absent, next }) => absent && next === absentUpTo)).toBe(true)
    await beside.entriesBehind(stream, "pending", NO_KEY)
    await beside.entriesBehind(stream, "rejected", NO_KEY)
    await beside.cursor(stream, "consumer")
    const rejected = await log.rejections.list(stream)
    const listener = { appended() {}, advanced() {}, reordered() {} }
    const replica = new Replica(record, entries, listener as never)
    found.push({ stream, record, entries, pages, rejected, replica })
  }
  const term = await log.claim()
  for (const { stream, replica } of found) {
    const page = undefined
    await log.save(term, "strict", { page, confirmed: [], rejected: [], record: replica.record })
    await log.append(stream, [{ text: event("new"), count: 1, bytes: 1 }], "strict")
  }
  return found
}

describe("records that are damaged", () => {
  test(`[DAMAGE1] ${RUNS} damages of one record each: nothing throws, and all else is there`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const { storage, texts } = await fullDisk()
      const what = await damage(storage, new Random(run, "damage"))
      const found = await useAll(logOf(storage)).catch((cause: unknown) => {
        throw new Error(`Run ${run}: ${what}`, { cause })
      })
      let kept = 0
      for (const { stream, record, entries, pages, rejected } of found) {
        let reached: string = START
        for (const page of pages) {
          expect([run, what, page.from]).toEqual([run, what, reached])
          expect(texts.pages).toContain(page.absent ? "absent" : page.text)
          reached = page.next
        }
        expect([run, what, record.head]).toEqual([run, what, reached])
        for (const { text } of entries)
          expect([run, what, texts.entries.get(text)]).toEqual([run, what, stream])
        kept += entries.length + rejected.length
      }
      const lost = 8 - kept // one whose stream is damaged is with no stream that is known
      expect([run, what, lost <= 1]).toEqual([run, what, true])
    }
  }, 120_000)

  test("[DAMAGE2] a damaged page ends the log before it, under a new term; what it was is put aside", async () => {
    const { storage, log, checked } = await fullDisk()
    const [stream = "" as StreamPath] = STREAMS
    const term = await log.claim()
    const page = (await storage.read((tx) => tx.get("pages", [stream, offset(2)]))) as Fields
    await storage.write("relaxed", (tx) => tx.put("pages", { ...page, text: String(page.text).slice(0, -3) }))
    const repaired: StreamPath[] = []
    checked.onRepaired((streams) => repaired.push(...streams))
    const pages = []
    for await (const some of log.pages(stream, { after: START, upTo: offset(4) })) pages.push(...some)
    expect(pages.map(({ next }) => next)).toEqual([offset(1)])
    const { record } = await log.open(stream, NO_KEY, DEVICE)
    expect(record).toMatchObject({ head: offset(1), inFlight: { seq: 1 } })
    expect(repaired).toEqual([stream])
    const change = { page: undefined, confirmed: [], rejected: [], record }
    await expect(log.save(term, "relaxed", change)).rejects.toThrow("Another tab has led")
    expect(await storage.read((tx) => tx.get("meta", `damaged:pages:${stream},${offset(2)}`))).toMatchObject({
      record: { next: offset(2) },
    })
  })

  test("[DAMAGE3] a damaged entry waits no more: it is among the refused ones, with what is left of it", async () => {
    const { storage, log } = await fullDisk()
    const [stream = "" as StreamPath] = STREAMS
    const { entries } = await log.open(stream, NO_KEY, DEVICE)
    const [first] = entries
    if (first === undefined) throw new Error("nothing waits")
    const raw = (await storage.read((tx) => tx.get("outbox", first.key))) as Fields
    await storage.write("relaxed", (tx) => tx.put("outbox", { ...raw, text: `${raw.text} ` }))
    const after = await log.open(stream, NO_KEY, DEVICE)
    expect(after.entries.map(({ key }) => key)).toEqual(entries.slice(1).map(({ key }) => key))
    const [found] = await log.rejections.list(stream)
    expect(found).toMatchObject({ key: first.key, error: { code: "damaged" }, count: 1 })
    expect(JSON.parse(found?.text ?? "")).toMatchObject({ data: { text: `${raw.text} ` } })
  })

  test("[DAMAGE1] records without a sum are those of an older version, and count", async () => {
    const { storage, log, checked, beside } = await fullDisk()
    for (const store of ["outbox", "pages", "streams"] as const) {
      const records = (await storage.read((tx) => tx.getAll(store, {}))) as Fields[]
      for (const { sum: _sum, ...record } of records)
        await storage.write("relaxed", (tx) => tx.put(store, record))
    }
    const repaired: unknown[] = []
    checked.onRepaired((streams) => repaired.push(streams))
    const found = await useAll({ log, beside })
    expect(found.map(({ entries, pages }) => [entries.length, pages.length])).toEqual([
      [3, 4],
      [3, 4],
    ])
    expect(repaired).toEqual([])
  })
})
