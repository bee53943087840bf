import type { StoredEntry, StoredPage, StreamRecord } from "../../client/disk/records.ts"
import type { RejectedEntry } from "../../client/disk/rejections.ts"
import { parseBatch } from "../../shared/batch.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { type Offset, readIssuedOffset, START } from "../../shared/offset.ts"
import type { Change, Image } from "./image.ts"
import type { LedgerEvent } from "./model.ts"
import { Violation } from "./trace.ts"

/** The log that the edge has made to last. */
export type EdgeLog = (stream: StreamPath) => readonly LedgerEvent[]

const parsed = new WeakMap<object, readonly LedgerEvent[]>()

/** The events of a stored page or entry. Records never change, so each is parsed once. */
export function eventsOf(record: { readonly text: string }): readonly LedgerEvent[] {
  let events = parsed.get(record)
  if (events === undefined) {
    events = parseBatch(record.text) as LedgerEvent[] // the apps append nothing else
    parsed.set(record, events)
  }
  return events
}

export function outboxOf(image: Image, stream?: StreamPath): StoredEntry[] {
  const entries = image.store("outbox").range() as StoredEntry[] // the log writes these
  return stream === undefined ? entries : entries.filter((entry) => entry.stream === stream)
}

/** The events that the edge has refused, as the device has them. */
export function rejectedOf(image: Image): readonly LedgerEvent[] {
  const entries = image.store("rejected").range() as RejectedEntry[] // the log writes these
  return entries.flatMap((entry) => eventsOf(entry))
}

/** Whether anything waits that has no number yet. */
export function hasUnnumbered(image: Image): boolean {
  const records = image.store("streams").range() as StreamRecord[] // the log writes these
  const inFlight = new Set<number>(records.flatMap((record) => record.inFlight?.keys ?? []))
  return outboxOf(image).some(({ key }) => !inFlight.has(key))
}

/** Where an offset stands: how many messages come before it. */
export function positionOf(offset: Offset): number {
  if (offset === START) return 0
  const issued = readIssuedOffset(offset)
  if (issued === undefined) throw new Violation("S4", `No edge has given the offset ${offset}.`)
  return issued.position
}

/** Whatever leaves the outbox is at the edge, or kept as refused: nothing local is ever deleted otherwise. */
export function checkRemoved(
  device: string,
  image: Image,
  undo: readonly Change[],
  changes: readonly Change[],
  log: EdgeLog,
): void {
  const removed = new Set(changes.filter(({ record }) => record === undefined).map(({ key }) => key))
  for (const { store, key, record } of undo) {
    if (store !== "outbox" || record === undefined || !removed.has(key)) continue
    const entry = record as StoredEntry // of the outbox
    const confirmed = new Set([...log(entry.stream), ...rejectedOf(image)].map(({ id }) => id))
    for (const { id } of eventsOf(entry)) {
      if (!confirmed.has(id))
        throw new Violation("S19", `${device} forgot ${id}, which the edge does not have.`)
    }
  }
}

/** What `DeviceLog` says of a disk after every transaction, and that its pages are the edge's log from its start. */
export function checkImage(device: string, image: Image, log: EdgeLog): void {
  for (const record of image.store("streams").range() as StreamRecord[])
    checkStream(device, image, record, log)
}

function checkStream(device: string, image: Image, record: StreamRecord, log: EdgeLog): void {
  const { stream, head, inFlight } = record
  const pages = image.store("pages").range({ after: [stream], upTo: [`${stream} `] }) as StoredPage[]
  const confirmed = log(stream)
  const seen: string[] = []
  let reached = START
  for (const page of pages) {
    if (page.from !== reached) {
      throw new Violation(
        "S14",
        `${device} has a page of ${stream} from ${page.from} behind one to ${reached}.`,
      )
    }
    const ids = page.absent ? confirmed.slice(positionOf(page.from), positionOf(page.next)) : eventsOf(page)
    reached = page.next
    for (const { id } of ids) seen.push(id)
    if (seen.length !== positionOf(reached))
      throw new Violation("S5", `${device} has ${seen.length} events of ${stream} before ${reached}.`)
  }
  if (reached !== head)
    throw new Violation("S14", `${device} has pages of ${stream} to ${reached}, and its head is ${head}.`)
  seen.forEach((id, at) => {
    if (confirmed[at]?.id !== id)
      throw new Violation(
        "S5",
        `${device} has ${id} at ${at} of ${stream}, the edge has ${confirmed[at]?.id}.`,
      )
  })
  checkOutbox(device, outboxOf(image, stream), seen, inFlight?.keys ?? [])
}

function checkOutbox(
  device: string,
  entries: readonly StoredEntry[],
  seen: readonly string[],
  inFlight: readonly number[],
): void {
  const confirmed = new Set(seen)
  for (const entry of entries) {
    for (const { id } of eventsOf(entry)) {
      if (confirmed.has(id)) throw new Violation("S14", `${device} has ${id} pending and confirmed.`)
    }
  }
  // A part of it may have gone in other batches, before this disk was put back to an older copy of itself.
  const keys = new Set<number>(entries.map(({ key }) => key))
  if (inFlight.length > 0 && !inFlight.some((key) => keys.has(key)))
    throw new Violation("S16", `${device} has entries ${inFlight} in flight and none of them in its outbox.`)
}
