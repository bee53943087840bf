import { COMMON_LIMITS, VIEW_LIMITS } from "./common-limits.ts"

const KiB = 1024
const MiB = 1024 * KiB
const DAY_MS = 24 * 60 * 60 * 1000

/** Every bound in the system. The unit is in the name; the reason is beside the number. */
export const LIMITS = {
  ...COMMON_LIMITS,
  ...VIEW_LIMITS,
  /** One append by any client of the protocol. A row of a Durable Object holds 2 MB with all its columns. */
  appendBytesMax: 1_900_000,
  /** A producer's name, in characters. */
  producerIdLengthMax: 256,
  /** `Stream-Seq` and content types, in characters: they are stored with the stream, and read with every append. */
  streamSeqLengthMax: 1_024,
  contentTypeLengthMax: 256,
  /** All headers of the protocol in one request: more than all of them at their bounds. */
  headerBytesMax: 8 * KiB,
  /** Batches of one producer of which a stream remembers where they stand: official clients have five in flight. */
  producerBatchesMax: 32,
  /** Producers of a stream that its object keeps in memory between two appends: each is some 2 kB. */
  producersRememberedMax: 1_000,
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
  /** How long a long-poll is held without news. Below the 5 s that test runners and proxies tolerate least. */
  longPollMsDefault: 3_000,
  /** How long it is held at the most, for whoever asks: proxies give up on an answer after a minute. */
  longPollMsMax: 30_000,
  /** How long one SSE answer lasts before the client is asked to come again, so that proxies can collapse. */
  sseMsMax: 60_000,
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
} as const

/** The same bounds with values of an operator's choice. */
export type Bounds = { readonly [Name in keyof typeof LIMITS]: number }
