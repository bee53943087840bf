import { COMMON_LIMITS } from "./common-limits.ts"

/** Events that wait for the edge, of one stream. */
export type Load = { readonly events: number; readonly bytes: number }

export const NOTHING: Load = { events: 0, bytes: 0 }

export function plus(a: Load, b: Load): Load {
  return { events: a.events + b.events, bytes: a.bytes + b.bytes }
}

/** The bound that is exceeded when so much waits, in words; undefined when so much may. */
export function fullness({ events, bytes }: Load): string | undefined {
  if (events > COMMON_LIMITS.pendingEventsMax) return `${COMMON_LIMITS.pendingEventsMax} events`
  return bytes > COMMON_LIMITS.pendingBytesMax ? `${COMMON_LIMITS.pendingBytesMax} bytes` : undefined
}

/** Why no more is taken. */
export function fullSentence(stream: string, { events, bytes }: Load, bound: string): string {
  const waiting = `${events} events of ${bytes} bytes of ${stream} do`
  return `Up to ${bound} of a stream may wait for the edge; ${waiting}, and more was to.`
}
