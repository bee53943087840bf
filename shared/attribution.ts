import { parseBatch } from "./batch.ts"
import { isEvent } from "./events.ts"

/**
 * The source of an event that this principal may not append, written as JSON; undefined when there is none. A
 * principal speaks for itself and for what is below it (`ada`, `ada/phone`). A message that is no event, or an event
 * without a source, says nothing of who made it.
 *
 * @param batch Text of a batch that has been checked.
 */
export function foreignSource(principal: string, batch: string): string | undefined {
  for (const message of parseBatch(batch)) {
    if (!isEvent(message)) continue
    const source: unknown = message.source // others write events too, with anything in it
    if (source === undefined || source === principal) continue
    if (typeof source !== "string" || !source.startsWith(`${principal}/`)) return JSON.stringify(source)
  }
  return undefined
}

/** The sentence that refuses a foreign source. */
export function foreignSourceMessage(principal: string, came: string): string {
  return `The source of an event is ${JSON.stringify(principal)} or begins with it and a slash; ${came} came.`
}
