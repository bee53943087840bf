import type { Offset } from "./offset.ts"

/** What an app can switch on. Each code says who can act: the caller, the user, the operator or nobody but time. */
export type ErrorCode =
  /** The event does not fit its stream's definition, or is too large. The caller mends it; nothing was stored. */
  | "invalid-event"
  /** The stream's definition is not one. */
  | "invalid-definition"
  /** The text is not a stream path. */
  | "invalid-path"
  /** The options of `connect`, or of another call, are not what they should be. */
  | "invalid-options"
  /** The page is no secure context (https, or http on localhost), so the browser withholds what a log needs. */
  | "unsupported"
  /** The view does not compile, or is not deterministic, or touches what it does not own. */
  | "invalid-view"
  /** The query does not compile, or would do more than read the view's tables. */
  | "invalid-query"
  /** The query ran for longer than it may. Nothing was changed; ask for less at once, or give it more time. */
  | "query-timeout"
  /** The query's rows, or what it needs to find them, are more than one answer may be. Ask for less at once. */
  | "query-too-large"
  /** The source of the view does not stand still at that event. */
  | "not-halted"
  /** Too many events wait for the edge. Append again when some are confirmed. */
  | "backlog-full"
  /** The browser grants no more space. Nothing of this append was stored. */
  | "storage-full"
  /**
   * IndexedDB cannot be opened or was lost. Nothing of this append was stored, as far as anybody knows: when it was
   * lost in the middle, the event may turn out to be there once it is back.
   */
  | "storage-unavailable"
  /** The edge does not answer, or not now. It is tried again; nothing needs to be done. */
  | "unreachable"
  /** The edge takes no more of this for now: rate, budget or room. It is tried again when the edge said. */
  | "throttled"
  /** The edge does not take the caller's token, or none can be had. It is tried again, each time with a new one. */
  | "unauthorized"
  /** Whatever answers at the edge's address does not speak the protocol. */
  | "not-an-edge"
  /** The edge refused these events for good. They stay on this device. */
  | "rejected"
  /** The edge's log is not the one that this device has read from. Everything local is kept. */
  | "diverged"
  /** The event was to be appended if the stream ended at `expected`; it ends at the error's `tail`. */
  | "conflict"
  /** The edge's log ends where this device has read on: it was put back to an older copy. Everything local is kept. */
  | "rolled-back"
  /** No refused event of this id is on this device: it was dismissed, or never there. */
  | "not-rejected"
  /** The client was closed before the answer came. What was stored stays stored. */
  | "closed"
  /** The offset is none of this log's: it is another stream's, or was never given. */
  | "invalid-offset"
  /** A line is no event of ours. Those before it were taken. */
  | "invalid-import"
  /** The edge answers and takes none of what waits. It was connected to anew, and is tried on. */
  | "stalled"
  /** A newer version of the app has this device's database. Reload the page; nothing is lost. */
  | "outdated"
  /** What this device had stored cannot be read. What was confirmed is read again; the rest is among the rejected. */
  | "damaged"
  /** Events of this account are on this device alone, so it was not cleared. */
  | "pending"

/** The shape in which an error crosses from thread to page: structured clone drops an Error's own fields. */
export type ErrorData = {
  readonly code: ErrorCode
  readonly message: string
  /** Of a `conflict`: where the stream ended. */
  readonly tail?: Offset
}

export type HeadwaterErrorOptions = ErrorOptions & { readonly tail?: Offset | undefined }

/**
 * A failure the app can do something about: switch on `code`, show `message`. Anything else that throws is a bug.
 */
export class HeadwaterError extends Error {
  override readonly name = "HeadwaterError"
  readonly code: ErrorCode
  /** Of a `conflict`: where the stream ended. */
  readonly tail: Offset | undefined

  constructor(code: ErrorCode, message: string, { tail, ...options }: HeadwaterErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.tail = tail
  }

  /** As plain data, for a message port or a log. */
  toData(): ErrorData {
    const { code, message, tail } = this
    return tail === undefined ? { code, message } : { code, message, tail }
  }

  static fromData({ code, message, tail }: ErrorData): HeadwaterError {
    return new HeadwaterError(code, message, { tail })
  }
}
