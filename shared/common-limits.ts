const KiB = 1024
const MiB = 1024 * KiB
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * The bounds that clients go by, an edge as well. The unit is in the name; the reason is beside the number. They stand
 * apart from the edge's own so that no page loads those.
 */
export const COMMON_LIMITS = {
  /** One event as JSON. A quarter of a batch, and far below the 2 MB row of a Durable Object. */
  eventBytesMax: 256 * KiB,
  /** One batch as sent, stored in one row and fanned out in one frame: stays below the 2 MB row with its columns. */
  batchBytesMax: 1 * MiB,
  /** Messages in one batch of the client's making: keeps a resend cheap and a fold step short. */
  batchEventsMax: 2_000,
  /** Nesting of one JSON message. Deeper ones are an attack on whoever parses recursively. */
  jsonDepthMax: 64,
  /** A stream's path. Leaves room for prefix and query below the 2 KB that proxies allow a URL. */
  pathLengthMax: 512,
  /** How far an epoch may be ahead of a producer's last: past it the producer could be fenced off for ever. */
  epochJumpMax: 1_000,
  /** The highest position of an event: fits the offset's digits and a double. */
  positionMax: Number.MAX_SAFE_INTEGER,
  /** Events waiting for the edge, per stream. Past this, `append` says `backlog-full` instead of filling the disk. */
  pendingEventsMax: 100_000,
  /** Their bytes, per stream: they are in memory as well, as text and parsed. */
  pendingBytesMax: 64 * MiB,
  /** How long somebody waits who found no room for a socket: others come and go in this time. */
  roomRetrySecondsMin: 10,
  /** The first line of a frame: names and numbers only. */
  frameHeaderBytesMax: 16 * KiB,
  /** How long the client waits for the next byte of an answer, for a socket, or for an app's token: a slow network
   * needs seconds, a dead one must not look slow. An answer that goes on coming may take as long as it likes. */
  requestMsMax: 15_000,
  /** Between two signs of life on an open socket, then a ping. */
  pingMsInterval: 15_000,
  /** After a ping without any frame: the socket is half-open. With the interval it bounds detection to 25 s. */
  pongMsMax: 10_000,
  /** The same behind an upload, counted from its last progress that can be seen: systems keep some 100 KiB more. */
  uploadPongMsMax: 20_000,
  /** Between two looks at how much of an upload is left while a pong is awaited. */
  pongLookMs: 1_000,
  /** The first retry waits up to this; full jitter, doubling. */
  retryMsMin: 250,
  /** No retry waits longer: a person who looks at a screen waits that long at most. */
  retryMsMax: 30_000,
  /** Between two connections that come back when one of them has found the edge again, on average twice as fast. */
  wakeSpreadMs: 50,
  /** A live connection that brings nothing to the edge for so long is given up. Longer than a dead one is found in. */
  stallMsMax: 25_000,
  /** Between two looks at how a batch stands that is on its way. */
  stallLookMs: 5_000,
  /** However long an edge asks to be left alone: a budget is of a day, and a browser's timer overflows at 24 days. */
  retryAfterMsMax: DAY_MS,
  /** A client gets a new token so long before the old one ends, for clocks differ and requests take time. */
  tokenLeadMs: 30_000,
  /**
   * How long a query runs on a device, if its caller does not say: longer, and what is appended meanwhile is not seen.
   */
  deviceQueryMsDefault: 1_000,
  /** How long it may run if its caller says so: nothing else is folded or told in this time. */
  deviceQueryMsMax: 30_000,
  /** Between two signs of life of the leading tab: a message that costs nothing. */
  beatMsInterval: 1_000,
  /** So many missed, and another tab takes the lead: a leader that is frozen is replaced within 5 s. */
  beatsMissedMax: 4,
  /** Terms of which a device remembers that they are over: a tab that was frozen for longer than these is not left. */
  termsRememberedMax: 10_000,
  /** What was only asked to be `local` is flushed so much later: one flush is for all of a while, and costs as one. */
  flushMsMax: 100,
  /** The name of a cursor, in characters: it is part of a key and of a lock's name. */
  cursorNameLengthMax: 256,
  /** Lines of an import that are dealt with together. The whole log is read for them once: fewer would take longer. */
  importLinesMax: 20_000,
  /** Their characters: they are in memory twice for a moment, in the page and in its thread. */
  importLengthMax: 8 * MiB,
  /** Characters of pages that a client holds before its disk has them. Past it they are read at the disk's pace. */
  unwrittenLengthMax: 16 * MiB,
  /** Opening IndexedDB may be blocked for ever by another tab; past this it is `storage-unavailable`. */
  storageOpenMsMax: 10_000,
  /** How often opening is tried when the browser's storage has failed: it comes back within a second, or not. */
  storageTriesMax: 5,
  /** Before the second try; doubling. */
  storageRetryMsMin: 50,
  /** Between two looks at how much of the browser's space is used: it changes slowly, and the browser has to count. */
  estimateMsInterval: 60_000,
  /** One transaction. A strict one may take seconds on a slow phone; a frozen one takes for ever. */
  transactionMsMax: 20_000,
} as const

/** Those of views and of whoever asks them: a page has no use for these either. */
export const VIEW_LIMITS = {
  /** Confirmed events that a view folds in one turn, if there are more: a few milliseconds, then others go first. */
  foldEventsPerTurn: 2_000,
  /**
   * Running live queries again in one turn; the rest waits for the next one. Half of what a frame of a screen takes.
   */
  liveMsPerTurn: 8,
  /** One SQL statement of a view or a query, in characters: Durable Objects take 100 kB of UTF-8. */
  sqlLengthMax: 30_000,
  /** What SQLite writes out of the parts of a WITH while it compiles a statement: each takes some kilobytes. */
  sqlCopiesMax: 1_000,
  /** One value or row of a view: a Durable Object holds no larger ones, so no other place may. */
  sqlValueBytesMax: 2_000_000,
  /** One pattern of LIKE or GLOB: what Durable Objects take. Against a value of 2 MB it takes up to a second. */
  sqlPatternBytesMax: 50,
  /** Rows of one answer on a device: each becomes an object in the thread, and again in the page. */
  deviceQueryRowsMax: 250_000,
  /** Their bytes, roughly: they are in memory four times for a moment, in the thread and in the page. */
  deviceQueryBytesMax: 64 * MiB,
  /** What SQLite may take to find them, to sort for one: memory that WASM has taken it never gives back. */
  deviceQueryMemoryBytesMax: 128 * MiB,
  /** Columns of one table of a view: Durable Objects take 100, and those of FTS5 and of a hash come on top. */
  tableColumnsMax: 90,
  /** Parameters of one statement: what Durable Objects bind. */
  sqlParametersMax: 100,
  /** Messages that are folded in some ten milliseconds: for fewer a snapshot is not worth its writing. */
  snapshotMessagesMin: 1_000,
  /** A view is written down when it has had no news for so long: it costs a turn, and what is told goes first. */
  snapshotQuietMs: 2_000,
  /** When there are always news, it is written down so often: some megabytes for each time. */
  snapshotMsInterval: 30_000,
  /** Pending events are folded again above what is written down: more are too much for one turn. */
  snapshotPendingMax: 2_000,
  /** What a view's snapshot is waited for: past it the log is folded, as if there were none. */
  snapshotMsMax: 2_000,
  /** A larger state is not written down: a browser would need several times as much memory in that moment. */
  snapshotBytesMax: 256 * MiB,
  /** Messages that a device lacks of a log: fewer are read and folded in the time that the edge's rows take. */
  edgeSnapshotMessagesMin: 5_000,
  /** How long the edge is waited for to say what its snapshot of a view is: then the log is read. */
  edgeSnapshotMsMax: 5_000,
} as const
