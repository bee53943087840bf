/**
 * Names of the protocol's headers, in lower case as they travel in reply frames. HTTP does not tell case
 * apart.
 */
export const HEADER = {
  nextOffset: "stream-next-offset",
  upToDate: "stream-up-to-date",
  closed: "stream-closed",
  cursor: "stream-cursor",
  ttl: "stream-ttl",
  expiresAt: "stream-expires-at",
  streamSeq: "stream-seq",
  producerId: "producer-id",
  producerEpoch: "producer-epoch",
  producerSeq: "producer-seq",
  expectedSeq: "producer-expected-seq",
  receivedSeq: "producer-received-seq",
  expectedOffset: "stream-expected-offset",
  forkedFrom: "stream-forked-from",
  forkOffset: "stream-fork-offset",
  forkSubOffset: "stream-fork-sub-offset",
  sseEncoding: "stream-sse-data-encoding",
  /** Ours: the values of `live` that this edge understands. */
  liveModes: "stream-live-modes",
  /** Ours: how many seconds, and how many bytes, of a stream are kept at least. */
  retentionAge: "stream-retention-age",
  retentionBytes: "stream-retention-bytes",
  /** Ours: dollars that a stream may cost in a day of UTC. */
  budget: "stream-budget",
  /** Ours, of a stream that has cost as much: when it takes appends again. */
  resumesAt: "stream-resumes-at",
  retryAfter: "retry-after",
  /** Ours, of a stream that no longer holds its beginning: where what is kept begins. */
  earliestOffset: "stream-earliest-offset",
  /** Ours: the place before the first message of an append; `stream-next-offset` is the place after its last. */
  fromOffset: "stream-from-offset",
  /** Ours: says `true` where it is its number that keeps a batch from being stored: another id would let it in. */
  producerConflict: "producer-conflict",
  /** Ours, on every answer: it is this edge's, and not that of something on the way to it. */
  edge: "headwater-edge",
} as const

/** What `headwater-edge` says: the version of what an edge and a client rely on of each other. */
export const EDGE_MARK = "1"

export const JSON_TYPE = "application/json"

/** What the protocol compares: the type and subtype, without parameters and case. */
export function mediaType(contentType: string): string {
  const [type = ""] = contentType.split(";")
  return type.trim().toLowerCase()
}

/** Whether a stream of this type keeps messages apart (JSON), or is a run of bytes. */
export function isJsonType(contentType: string): boolean {
  return mediaType(contentType) === JSON_TYPE
}

/** `Stream-Closed` counts when it says true, in any case. Anything else is as if it were not there. */
export function saysTrue(value: string | null | undefined): boolean {
  return value?.trim().toLowerCase() === "true"
}
