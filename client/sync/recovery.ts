import { messageTexts } from "../../shared/batch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { isEvent, utf8Length } from "../../shared/events.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { OutboxEntry } from "../../shared/outbox.ts"
import type { DeviceLog } from "../disk/log.ts"
import { NO_KEY, type StoredPage } from "../disk/records.ts"
import type { EdgeStream } from "./edge.ts"
import { errorOf } from "./edge-requests.ts"

/**
 * Which of the events that the edge has lost are appended once more: this device's own, everybody's, or none, which are
 * then forgotten. More than one device that appends everybody's appends them more than once.
 */
export type Reappended = "own" | "all" | "none"

export type RecoveryParts = {
  readonly log: DeviceLog
  readonly edge: EdgeStream
  readonly stream: StreamPath
  readonly device: ProducerId
  /** Who produces from then on. */
  readonly fresh: ProducerId
  readonly signal: AbortSignal
}

const GONE = "The edge does not have this stream."

/** A log that has left the edge's, and where both were last the same, at a place between two of its pages. */
type Parting = { readonly head: Offset; readonly common: Offset; readonly behind: readonly StoredPage[] }

/**
 * Brings a log that the edge's does not go on from back to the last place that both have passed, and puts events that
 * the edge lacks back into the outbox, before what waits there. Everything is found out first, and written in one
 * transaction, which also ends the term of whoever leads. Answers false when there was nothing to be done.
 *
 * @throws HeadwaterError `unreachable` and the like when the edge cannot be asked; `diverged` when it keeps no place
 * that both have passed.
 */
export async function recover(parts: RecoveryParts, reappended: Reappended): Promise<boolean> {
  parts.edge.doubtCaches()
  const parting = await findParting(parts)
  if (parting.behind.length === 0) return false
  const theirs = await eventsAfter(parts, parting.common)
  const lost = parting.behind
    .flatMap(({ text }) => [...messageTexts(text)])
    .filter((text) => {
      const event: unknown = JSON.parse(text)
      if (!isEvent(event) || theirs.has(event.id)) return false
      return reappended === "all" || (reappended === "own" && isBy(parts.device, event.source))
    })
  const { head, common, behind } = parting
  const gone = behind.map(({ next }) => next)
  return parts.log.goBack(parts.stream, { head, common, gone, entries: entriesOf(lost), fresh: parts.fresh })
}

/** Asks the edge for the last of this log's places that it knows: what it knows of one, it knows of all before. */
async function findParting({ log, edge, stream, device, signal }: RecoveryParts): Promise<Parting> {
  const { head } = (await log.open(stream, NO_KEY, device)).record
  const places = [START]
  for await (const pages of log.pages(stream, { after: START, upTo: head }))
    places.push(...pages.map(({ next }) => next))
  let [known, unknown] = [-1, places.length]
  while (unknown - known > 1) {
    const middle = Math.floor((known + unknown) / 2)
    const answer = await edge.knows(places[middle] ?? START, signal)
    if (answer.kind !== "done") throw errorOf(answer, GONE)
    if (answer.value) known = middle
    else unknown = middle
  }
  const common = places[known]
  if (common === undefined)
    throw new HeadwaterError("diverged", "The edge keeps no place that this device has passed.")
  const behind: StoredPage[] = []
  for await (const pages of log.pages(stream, { after: common, upTo: head })) behind.push(...pages)
  return { head, common, behind }
}

/** The ids of all that the edge has behind a place. */
async function eventsAfter({ edge, signal }: RecoveryParts, common: Offset): Promise<Set<unknown>> {
  const ids = new Set<unknown>()
  for (let after = common; ; ) {
    const answer = await edge.read(after, signal)
    if (answer.kind !== "done") throw errorOf(answer, GONE)
    for (const message of answer.value.page.messages) if (isEvent(message)) ids.add(message.id)
    if (answer.value.upToDate) return ids
    after = answer.value.page.next
  }
}

/** As many events in an entry as an append would put there. */
function entriesOf(texts: readonly string[]): Omit<OutboxEntry, "key">[] {
  const entries: { texts: string[]; bytes: number }[] = []
  for (const text of texts) {
    const bytes = utf8Length(text) + 1 // the comma
    const last = entries.at(-1)
    const isFull =
      last === undefined ||
      last.texts.length >= COMMON_LIMITS.batchEventsMax ||
      last.bytes + bytes > COMMON_LIMITS.batchBytesMax
    if (isFull) entries.push({ texts: [text], bytes })
    else {
      last.texts.push(text)
      last.bytes += bytes
    }
  }
  return entries.map((entry) => ({
    text: entry.texts.join(","),
    count: entry.texts.length,
    bytes: entry.bytes,
  }))
}

/** Sources are `<account>/<device>`, or the device. */
function isBy(device: ProducerId, source: unknown): boolean {
  return typeof source === "string" && (source === device || source.endsWith(`/${device}`))
}
