import { assert } from "./assert.ts"

const KiB = 1024
const MiB = 1024 * KiB

/** Every bound in the system. The unit is in the name; the reason is beside the number. */
export const LIMITS = {
  /** One event as JSON. A quarter of a batch, and far below the 2 MB row of a Durable Object. */
  eventBytesMax: 256 * KiB,
  /** One batch as sent, stored in one row and fanned out in one frame: stays below the 2 MB row with its columns. */
  batchBytesMax: 1 * MiB,
  /** Messages in one batch of the client's making: keeps a resend cheap and a fold step short. */
  batchEventsMax: 2_000,
  /** One append by any client of the protocol. A row of a Durable Object holds 2 MB with all its columns. */
  appendBytesMax: 1_900_000,
  /** Nesting of one JSON message. Deeper ones are an attack on whoever parses recursively. */
  jsonDepthMax: 64,
  /** A stream's path. Leaves room for prefix and query below the 2 KB that proxies allow a URL. */
  pathLengthMax: 512,
  /** A producer's name, in characters. */
  producerIdLengthMax: 256,
  /** The highest position of an event: fits the offset's digits and a double. */
  positionMax: Number.MAX_SAFE_INTEGER,
  /** Events waiting for the edge, per stream. Past this, `append` says `backlog-full` instead of filling the disk. */
  pendingEventsMax: 100_000,
  /** Between two notes that a stream with a TTL is in use: each costs a row, and the stream outlives its TTL by one. */
  useNoteMsInterval: 60_000,
  /** Stored bytes in one catch-up answer. Cacheable, and small enough to hold in memory many times over. */
  readBytesMax: 4 * MiB,
  /** A reader further behind than this gets `behind` on its socket and catches up over HTTP. */
  socketCatchUpBytesMax: 1 * MiB,
  /** One WebSocket frame from a client: a batch and its header. */
  frameBytesMax: 2 * MiB,
  /** The first line of a frame: names and numbers only. */
  frameHeaderBytesMax: 16 * KiB,
  /** How long a long-poll is held without news. Below the 5 s that test runners and proxies tolerate least. */
  longPollMsDefault: 3_000,
  /** How long it is held at the most, for whoever asks: proxies give up on an answer after a minute. */
  longPollMsMax: 30_000,
  /** How long one SSE answer lasts before the client is asked to come again, so that proxies can collapse. */
  sseMsMax: 60_000,
  /** One HTTP exchange of the client. Slow mobile networks need seconds; a dead one must not look slow. */
  requestMsMax: 15_000,
  /** Between two signs of life on an open socket, then a ping. */
  pingMsInterval: 15_000,
  /** After a ping without any frame: the socket is half-open. With the interval it bounds detection to 25 s. */
  pongMsMax: 10_000,
  /** The first retry waits up to this; full jitter, doubling. */
  retryMsMin: 250,
  /** No retry waits longer: a person who looks at a screen waits that long at most. */
  retryMsMax: 30_000,
  /** One SQL statement of a view or a query, in characters: Durable Objects take 100 kB of UTF-8. */
  sqlLengthMax: 30_000,
  /** Parameters of one statement: what Durable Objects bind. */
  sqlParametersMax: 100,
  /** Opening IndexedDB may be blocked for ever by another tab; past this it is `storage-unavailable`. */
  storageOpenMsMax: 10_000,
} as const

assert(LIMITS.eventBytesMax <= LIMITS.batchBytesMax, "the largest event must fit in a batch")
assert(
  LIMITS.batchBytesMax <= LIMITS.appendBytesMax,
  "the largest batch must be an append that the edge takes",
)
assert(
  LIMITS.appendBytesMax + LIMITS.frameHeaderBytesMax < LIMITS.frameBytesMax,
  "the largest append must fit in a frame with its header",
)
assert(LIMITS.appendBytesMax <= LIMITS.readBytesMax, "a read must be able to carry the largest batch")
assert(LIMITS.longPollMsDefault <= LIMITS.longPollMsMax, "a poll is held no longer than the longest one")
assert(LIMITS.retryMsMin < LIMITS.retryMsMax, "backoff must have room to grow")
