/**
 * What a client of the test app was told, in the moment in which it was told. `author` names one life of one client;
 * its events are numbered from 0 in the order of its calls, and `from` and `count` are those that were appended in
 * one task.
 */
export type Report =
  /** `append` has resolved: they are on this device's disk. */
  | { readonly kind: "flushed"; readonly author: string; readonly from: number; readonly count: number }
  /** `append` has rejected: they are nowhere. */
  | {
      readonly kind: "refused"
      readonly author: string
      readonly from: number
      readonly count: number
      readonly code: string
    }
  /** Their receipts say where they stand at the edge. */
  | {
      readonly kind: "confirmed"
      readonly author: string
      readonly from: number
      readonly count: number
      readonly offset: string
    }
  /** Their receipts say that the edge does not take them. */
  | {
      readonly kind: "rejected"
      readonly author: string
      readonly from: number
      readonly count: number
      readonly code: string
    }
  | {
      readonly kind: "status"
      readonly author: string
      readonly role: "leader" | "follower"
      readonly connection: string
      readonly head: string
    }

/** How often an event of one author was folded, and up to which number. */
export type Shown = {
  readonly author: string
  readonly events: number
  readonly last: number
  readonly times: number
}

/** Of the appends that a client makes by itself: so many events in a task, each so many ms, so many tasks at once. */
export type Rhythm = { readonly count: number; readonly everyMs: number; readonly aheadMax: number }
