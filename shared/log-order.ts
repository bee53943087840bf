import { isEvent } from "./events.ts"
import { isAfter, type Offset } from "./offset.ts"
import type { OutboxEntry } from "./outbox.ts"

/** A run of messages as the edge ordered them: all between two offsets. */
export type Page = {
  readonly from: Offset
  readonly next: Offset
  /** The messages, comma-joined, byte for byte as the edge stores them. */
  readonly text: string
  readonly messages: readonly unknown[]
}

/** A page as it is stored and handed on: its messages stay text until somebody wants them. */
export type PageText = Omit<Page, "messages">

/** An event run of this device that has not been read back yet. */
export type Pending = OutboxEntry & { readonly messages: readonly unknown[] }

/** What a page means to somebody who has read up to `head`. */
export type Arrival =
  | { readonly kind: "next" }
  /** Seen before; it changes nothing twice. */
  | { readonly kind: "seen" }
  /** Messages between `head` and the page are missing: read again from `head`. */
  | { readonly kind: "gap" }

export function arrival(head: Offset, page: Pick<Page, "from" | "next">): Arrival {
  if (page.from === head) return { kind: "next" }
  return isAfter(page.next, head) ? { kind: "gap" } : { kind: "seen" }
}

/**
 * The pending entries that a page confirms: those whose events it holds. An entry travels in one batch and a batch in
 * one page, so its first event speaks for all of it. Identity alone decides, never position or number: that is why a
 * lost reply needs no case of its own.
 */
export function confirmedBy<P extends Pick<Pending, "messages">>(
  pending: readonly P[],
  page: Pick<Page, "messages">,
): P[] {
  if (pending.length === 0) return []
  const ids = new Set<unknown>()
  for (const message of page.messages) if (isEvent(message)) ids.add(message.id)
  return pending.filter((entry) => {
    const first = entry.messages[0]
    return isEvent(first) && ids.has(first.id)
  })
}
