const KiB = 1024
const MiB = 1024 * KiB
const DAY_MS = 24 * 60 * 60 * 1000

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
  /** `Stream-Seq` and content types, in characters: they are stored with the stream, and read with every append. */
  streamSeqLengthMax: 1_024,
  contentTypeLengthMax: 256,
  /** All headers of the protocol in one request: more than all of them at their bounds. */
  headerBytesMax: 8 * KiB,
  /** How far an epoch may be ahead of a producer's last: past it the producer could be fenced off for ever. */
  epochJumpMax: 1_000,
  /** Batches of one producer of which a stream remembers where they stand: official clients have five in flight. */
  producerBatchesMax: 32,
  /** Producers of a stream that its object keeps in memory between two appends: each is some 2 kB. */
  producersRememberedMax: 1_000,
  /** The highest position of an event: fits the offset's digits and a double. */
  positionMax: Number.MAX_SAFE_INTEGER,
  /** Events waiting for the edge, per stream. Past this, `append` says `backlog-full` instead of filling the disk. */
  pendingEventsMax: 100_000,
  /** Their bytes, per stream: they are in memory as well, as text and parsed. */
  pendingBytesMax: 64 * MiB,
  /** Between two notes that a stream with a TTL is in use: each costs a row, and the stream outlives its TTL by one. */
  useNoteMsInterval: 60_000,
  /** Stored bytes in one catch-up answer. Cacheable, and small enough to hold in memory many times over. */
  readBytesMax: 4 * MiB,
  /** Stored bytes in one sealed segment: one answer of a read, and a size that caches are good at. */
  segmentBytes: 4 * MiB,
  /** Stored bytes that stay in the stream's object after sealing, so that sockets catch up without R2. */
  hotBytesMin: 2 * MiB,
  /** Between two attempts to seal, or to delete what was sealed, when R2 does not take it. */
  upkeepRetryMs: 30_000,
  /** Sockets of one stream, those included that feed long-polls or server-sent events. An object takes 32,768. */
  socketsMax: 10_000,
  /** How long somebody waits who found no room for a socket: others come and go in this time. */
  roomRetrySecondsMin: 10,
  /** Appends to one stream that are judged at all: above what one object stores in a second. 0 is no bound. */
  appendsPerSecondMax: 20_000,
  /** Appends that may come at once after a while without any. */
  appendsBurstMax: 40_000,
  /** Streams that one principal has made and not deleted, where the edge knows its callers. 0 is no bound. */
  streamsPerPrincipalMax: 10_000,
  /** Streams that are looked at when a principal has too many: each is a question to an object. */
  principalSweepMax: 50,
  /** A creation that was begun so long ago is done, or failed. */
  creationMsMax: 10_000,
  /** What a stream without a budget of its own may cost in a day before it takes no appends. 0 is no bound. */
  budgetMicrodollarsPerDay: 0,
  /** Between two lines in the log that say the same of one stream. */
  logRepeatMsInterval: 60_000,
  /** Streams that one fork descends from: their list is read at every turn. Forks of one stream have no bound. */
  lineageLengthMax: 100,
  /** Before a deleted stream first looks whether its forks still need it: they tell it themselves, if they can. */
  forkLookMsMin: 10_000,
  /** Between two such looks, which come at doubling times: a fork may live for years. */
  forkLookMsMax: 86_400_000,
  /** Forks asked in one look, each a call to another object. */
  forksPerLookMax: 100,
  /** Rows in one page: each becomes an object in memory, however little it holds. */
  pageRowsMax: 10_000,
  /** Bodies of appends that are stored together: they are in memory as they came, as text and as frames. */
  turnBytesMax: 16 * MiB,
  /** How much later than it could a batch goes whose age is over: each time that some go is an alarm. */
  retentionSlackMsMax: 3_600_000,
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
  /** Patterns in one token. Each is tried with each request; a token has to fit in a header all the same. */
  grantsMax: 100,
  /** A token as it comes in a header. Runtimes take 16 KiB of headers or more. */
  tokenLengthMax: 8 * KiB,
  /** The name of a principal or of a token. Both are kept beside each socket, where 16 KiB have room. */
  principalLengthMax: 256,
  /** How long a token may count: a revocation is remembered for as long, so this bounds what is remembered. */
  tokenLifeMsMax: 400 * DAY_MS,
  /** How far the clocks of the edge and of who issues tokens may differ. */
  clockToleranceMs: 30_000,
  /** From the issue of a ticket to its use: a browser opens the socket next. */
  ticketMsMax: 30_000,
  /** Tickets of one stream that were issued and may still be used: more than a crowd that comes back at once. */
  ticketsMax: 20_000,
  /** Principals and tokens that one stream remembers as revoked. */
  revocationsMax: 1_000,
  /** A view's definition as JSON, with the streams of its sources: it is in memory and in one row. */
  viewBytesMax: 256 * KiB,
  /** Streams of one view, those counted that its patterns stand for: each is asked now and then. */
  viewStreamsMax: 10_000,
  /** Stored bytes that a view at the edge folds in one transaction: some thousand events, which is some 50 ms. */
  viewPageBytesMax: 512 * KiB,
  /** Stored bytes that it reads before it lets its alarm go on: one call of an object must end some time. */
  viewTurnBytesMax: 16 * MiB,
  /** Before a view that has heard of nothing asks its streams by itself; doubling. */
  viewPollMsMin: 30_000,
  /** Between two such looks at most: streams tell of what is new, so this is for what was lost when a machine was. */
  viewPollMsMax: 3_600_000,
  /** Before a view tries again when a stream, its storage or the directory could not answer. */
  viewRetryMs: 5_000,
  /** Rows of one answer to a query. */
  queryRowsMax: 10_000,
  /** Their bytes, roughly: an answer is in memory as values and as text. */
  queryBytesMax: 4 * MiB,
  /** Rows that a query may read, as the storage counts them: a million take a second or less. */
  queryRowsReadMax: 1_000_000,
  /** Steps that a query may need by its plan, before it runs. An object has one thread, and nothing stops SQLite. */
  queryStepsMax: 10_000_000,
  /** How long the sizes of tables are known that a query's plan is judged by: to count a table is to read it. */
  queryCountMsMax: 10_000,
  /** Rows that a recursive part of a query may ask for. */
  queryRecursionMax: 10_000,
  /** How long a query waits for an offset to be folded. */
  queryWaitMsMax: 30_000,
  /** The size of a view whose rows are hashed: all of one table are in memory for it. */
  viewHashBytesMax: 32 * MiB,
  /**
   * Messages folded since a view was last written down for others, or a tenth of all if that is more: who begins there
   * folds so many themselves, in some 50 ms.
   */
  viewSnapshotMessagesMin: 5_000,
  /** Between two snapshots of a view: each stores tables anew, and whoever reads one has this time to read its rows. */
  viewSnapshotMsInterval: 60_000,
  /**
   * The size of a view that is written down: the text of one table is some two times its rows, and in memory twice. It
   * begins by itself, so it has to stay well below what an object may take (128 MB).
   */
  viewSnapshotBytesMax: 16 * MiB,
  /** Streams in one answer of the directory. */
  directoryPageMax: 1_000,
  /** A client gets a new token so long before the old one ends, for clocks differ and requests take time. */
  tokenLeadMs: 30_000,
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
  /**
   * How long a query runs on a device, if its caller does not say: longer, and what is appended meanwhile is not seen.
   */
  deviceQueryMsDefault: 1_000,
  /** How long it may run if its caller says so: nothing else is folded or told in this time. */
  deviceQueryMsMax: 30_000,
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
  /** How often opening is tried when the browser's storage has failed: it comes back within a second, or not. */
  storageTriesMax: 5,
  /** Before the second try; doubling. */
  storageRetryMsMin: 50,
  /** Between two looks at how much of the browser's space is used: it changes slowly, and the browser has to count. */
  estimateMsInterval: 60_000,
  /** One transaction. A strict one may take seconds on a slow phone; a frozen one takes for ever. */
  transactionMsMax: 20_000,
} as const

/** The same bounds with values of an operator's choice. */
export type Bounds = { readonly [Name in keyof typeof LIMITS]: number }
