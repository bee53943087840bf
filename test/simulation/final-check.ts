import type { StreamPath } from "../../shared/ids.ts"
import { positionOf } from "./disk-check.ts"
import type { Edge } from "./edge.ts"
import { readAll } from "./edge-object.ts"
import { type History, isKept } from "./history.ts"
import type { LedgerEvent } from "./model.ts"
import { Violation } from "./trace.ts"

/** What the edge's log holds when all is over, against everything that was ever appended. */
export function checkLog(
  stream: StreamPath,
  edge: Edge,
  history: History,
  rejected: ReadonlySet<string>,
): void {
  const object = edge.object(stream)
  const log = readLog(stream, edge)
  const places = new Map(log.map((event, at) => [event.id, at]))
  if (places.size < log.length) throw new Violation("S2", `${stream} holds an event twice.`)
  if (JSON.stringify(log) !== JSON.stringify(object.log))
    throw new Violation("S6", `${stream} does not read as it did when it was written.`)
  for (const event of log) {
    const appended = history.get(event.id)
    if (appended === undefined || appended.state === "failed")
      throw new Violation("S7", `${stream} holds ${event.id}, which was not stored.`)
    if (rejected.has(event.id) || appended.state === "rejected")
      throw new Violation("S7", `${stream} holds ${event.id}, which was refused.`)
    if (JSON.stringify(event) !== JSON.stringify(appended.event))
      throw new Violation("S6", `${stream} holds another ${event.id} than was appended.`)
  }
  for (const appended of history.all) {
    const { event, stream: of, offset } = appended
    if (of !== stream || !isKept(appended) || rejected.has(event.id)) continue
    const at = places.get(event.id)
    if (at === undefined) throw new Violation("S1", `${event.id} was stored and is not in ${stream}.`)
    if (offset !== undefined && at >= positionOf(offset))
      throw new Violation("S1", `${event.id} is at ${at} of ${stream} and was confirmed before ${offset}.`)
  }
  for (const tab of history.tabs) checkOrder(stream, places, tab, history)
}

/** Reads from the start on, as anybody may. */
function readLog(stream: StreamPath, edge: Edge): LedgerEvent[] {
  const log: LedgerEvent[] = []
  for (const { page, messages } of readAll(edge.object(stream))) {
    log.push(...(messages as LedgerEvent[])) // the apps append nothing else
    const isRising = page.next > page.from || messages.length === 0
    if (!isRising || positionOf(page.next) !== log.length)
      throw new Violation(
        "S4",
        `A page of ${stream} leads from ${page.from} to ${page.next} at ${log.length}.`,
      )
  }
  return log
}

/** A tab's events stand in the log in the order in which it appended them. */
function checkOrder(
  stream: StreamPath,
  places: ReadonlyMap<string, number>,
  tab: string,
  history: History,
): void {
  let last = -1
  for (const { event, stream: of } of history.of(tab)) {
    const at = of === stream ? places.get(event.id) : undefined
    if (at === undefined) continue
    if (at < last)
      throw new Violation("S3", `${tab} appended ${event.id} later than what follows it in ${stream}.`)
    last = at
  }
}
