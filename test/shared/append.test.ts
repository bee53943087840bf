import { expect, test } from "vitest"
import {
  type AppendClaim,
  type AppendVerdict,
  judge,
  type RawBody,
  type StreamFacts,
} from "../../shared/append.ts"
import { claimOfFrame, claimOfHeaders } from "../../shared/append-claim.ts"
import { replyTo } from "../../shared/append-reply.ts"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import { bad, good } from "../../shared/decoded.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, START } from "../../shared/offset.ts"
import { admit } from "../../shared/producer.ts"

const AT_8 = extendChain(EMPTY_CHAIN, "0")
const AT_9 = extendChain(AT_8, "1")
const before = issueOffset({ generation: 1, position: 8, chain: AT_8 })
const tail = issueOffset({ generation: 1, position: 9, chain: AT_9 })

/** The last batch of producer `p`: the message `1`. */
const TAKEN = { from: before, next: tail, before: AT_8, after: AT_9 }

const STREAM: StreamFacts = {
  contentType: "application/json",
  closed: false,
  tail,
  isEmpty: false,
  streamSeq: "b",
  producer: { owner: undefined, epoch: 3, seq: 7, batch: (seq) => (seq === 7 ? TAKEN : undefined) },
  bounds: LIMITS,
}

const CLAIM: AppendClaim = {
  contentType: "application/json",
  producer: { id: "p", epoch: 3, seq: 8 },
  streamSeq: "c",
  expectedOffset: undefined,
  close: false,
  principal: undefined,
}

const BODY: RawBody = { bytes: 1, decode: () => good({ data: "1", count: 1, bytes: 1 }) }
const NO_BODY: RawBody = { bytes: 0, decode: () => bad("It is not looked into.") }
const BROKEN: RawBody = { bytes: 1, decode: () => bad("It is broken.") }
const HUGE: RawBody = { ...BODY, bytes: LIMITS.appendBytesMax + 1 }

const GAP = { ...CLAIM, producer: { id: "p", epoch: 3, seq: 9 } }
const KNOWN = { ...CLAIM, producer: { id: "p", epoch: 3, seq: 7 } }
const OTHER_TYPE = { ...GAP, contentType: "text/plain", streamSeq: "a" }
const CLOSED = { ...STREAM, closed: true }

const ORDER: [string, StreamFacts, AppendClaim, RawBody, AppendVerdict["kind"], number][] = [
  ["what is too large", CLOSED, OTHER_TYPE, HUGE, "too-large", 413],
  ["what is empty", CLOSED, OTHER_TYPE, NO_BODY, "malformed", 400],
  ["a closed stream", CLOSED, OTHER_TYPE, BROKEN, "closed", 409],
  ["another type", STREAM, OTHER_TYPE, BROKEN, "wrong-type", 409],
  ["no type", STREAM, { ...GAP, contentType: undefined }, BROKEN, "malformed", 400],
  ["a broken body", STREAM, { ...GAP, streamSeq: "a" }, BROKEN, "malformed", 400],
  ["a gap", STREAM, { ...GAP, streamSeq: "a" }, BODY, "gap", 409],
  ["a duplicate", STREAM, { ...KNOWN, streamSeq: "a" }, BODY, "duplicate", 204],
  ["a stale Stream-Seq", STREAM, { ...CLAIM, streamSeq: "b" }, BODY, "stale-stream-seq", 409],
  ["nothing against it", STREAM, CLAIM, BODY, "store", 200],
  ["no producer", STREAM, { ...CLAIM, producer: undefined }, BODY, "store", 204],
  ["closing alone", STREAM, { ...CLAIM, contentType: undefined, close: true }, NO_BODY, "close", 204],
  ["closing again", CLOSED, { ...CLAIM, producer: undefined, close: true }, NO_BODY, "close", 204],
  ["closing again as another batch", CLOSED, { ...CLAIM, close: true }, NO_BODY, "closed", 409],
  ["a duplicate after the end", CLOSED, KNOWN, BODY, "duplicate", 204],
]

test.each(ORDER)("[EDGE6] the first thing wrong wins: %s", (_, stream, claim, body, kind, status) => {
  const verdict = judge(stream, claim, body)
  expect(verdict.kind).toBe(kind)
  expect(replyTo(verdict, claim, stream.tail, stream).status).toBe(status)
})

test("[EDGE7] a duplicate tells where the batch stands, and whether it was another one", () => {
  const other: RawBody = { bytes: 1, decode: () => good({ data: "2", count: 1, bytes: 1 }) }
  const forgotten = { ...CLAIM, producer: { id: "p", epoch: 3, seq: 2 } }
  const headersOf = (claim: AppendClaim, body: RawBody) =>
    replyTo(judge(STREAM, claim, body), claim, tail, STREAM).headers
  const mark = { "producer-epoch": "3", "producer-seq": "7" }
  const place = { "stream-from-offset": before, "stream-next-offset": tail }
  expect(headersOf(KNOWN, BODY)).toEqual({ ...place, ...mark })
  expect(headersOf(KNOWN, other)).toEqual({ ...place, ...mark, "producer-conflict": "true" })
  expect(headersOf(forgotten, BODY)).toEqual(mark)
})

test.each([
  ["an earlier epoch", { id: "p", epoch: 2, seq: 0 }],
  ["a gap", { id: "p", epoch: 3, seq: 9 }],
  ["a new epoch that does not begin with 0", { id: "p", epoch: 4, seq: 1 }],
  ["an epoch out of reach", { id: "p", epoch: 4 + LIMITS.epochJumpMax, seq: 0 }],
  ["another principal's producer", { id: "p", epoch: 3, seq: 8 }, "bob"],
])("[EDGE7] a refusal for the number says so: %s", (_, producer, principal?: string) => {
  const owned = { ...STREAM, producer: STREAM.producer && { ...STREAM.producer, owner: principal && "ada" } }
  const claim = { ...CLAIM, producer, principal }
  const { status, headers } = replyTo(judge(owned, claim, BODY), claim, tail, STREAM)
  expect(status).toBeGreaterThanOrEqual(400)
  expect(headers).toMatchObject({ "producer-conflict": "true" })
})

test("[EDGE13] an append that expects another tail is refused, after the producer rule and before Stream-Seq", () => {
  const elsewhere = { ...CLAIM, expectedOffset: before }
  const verdict = judge(STREAM, { ...elsewhere, streamSeq: "a" }, BODY)
  expect(verdict.kind).toBe("unexpected-tail")
  expect(replyTo(verdict, elsewhere, tail, STREAM)).toMatchObject({
    status: 409,
    headers: { "stream-next-offset": tail },
  })
  expect(judge(STREAM, { ...elsewhere, producer: KNOWN.producer }, BODY).kind).toBe("duplicate")
  expect(judge(STREAM, { ...CLAIM, expectedOffset: tail }, BODY).kind).toBe("store")
  expect(judge(STREAM, { ...CLAIM, expectedOffset: START }, BODY).kind).toBe("unexpected-tail")
  expect(judge({ ...STREAM, isEmpty: true }, { ...CLAIM, expectedOffset: START }, BODY).kind).toBe("store")
})

test("[ACCESS8] a producer's id belongs to the principal that first used it", () => {
  const owned = { ...STREAM, producer: STREAM.producer && { ...STREAM.producer, owner: "ada" } }
  expect(judge(owned, { ...CLAIM, principal: "ada" }, BODY).kind).toBe("store")
  expect(judge(owned, { ...CLAIM, principal: "bob" }, BODY).kind).toBe("foreign-producer")
  expect(judge(owned, { ...KNOWN, principal: "bob" }, BODY).kind).toBe("foreign-producer")
  expect(judge({ ...owned, closed: true }, { ...KNOWN, principal: "bob" }, BODY).kind).toBe(
    "foreign-producer",
  )
})

test("[EDGE7] an epoch may rise, and not out of reach", () => {
  const jump = (epoch: number) => judge(STREAM, { ...CLAIM, producer: { id: "p", epoch, seq: 0 } }, BODY).kind
  expect(jump(3 + LIMITS.epochJumpMax)).toBe("store")
  expect(jump(4 + LIMITS.epochJumpMax)).toBe("epoch-jump")
  expect(jump(Number.MAX_SAFE_INTEGER)).toBe("epoch-jump")
})

test("[EDGE7] the producer rule, number by number", () => {
  const known = { epoch: 3, seq: 7 }
  expect(admit(undefined, { epoch: 9, seq: 0 }, LIMITS.epochJumpMax)).toEqual({ kind: "accept" })
  expect(admit(undefined, { epoch: 0, seq: 1 }, LIMITS.epochJumpMax)).toEqual({ kind: "gap", expectedSeq: 0 })
  expect(admit(known, { epoch: 3, seq: 8 }, LIMITS.epochJumpMax)).toEqual({ kind: "accept" })
  expect(admit(known, { epoch: 3, seq: 9 }, LIMITS.epochJumpMax)).toEqual({ kind: "gap", expectedSeq: 8 })
  for (const seq of [0, 6, 7])
    expect(admit(known, { epoch: 3, seq }, LIMITS.epochJumpMax)).toEqual({ kind: "duplicate", known })
  expect(admit(known, { epoch: 2, seq: 8 }, LIMITS.epochJumpMax)).toEqual({ kind: "fenced", epoch: 3 })
  expect(admit(known, { epoch: 4, seq: 0 }, LIMITS.epochJumpMax)).toEqual({ kind: "accept" })
  expect(admit(known, { epoch: 4, seq: 1 }, LIMITS.epochJumpMax)).toEqual({ kind: "bad-start" })
})

test("[WS11] headers and a frame's fields make the same claim", () => {
  const headers = new Map([
    ["producer-id", "p"],
    ["producer-epoch", "3"],
    ["producer-seq", "8"],
    ["stream-seq", "c"],
    ["stream-closed", "TRUE"],
    ["content-type", "application/json"],
  ])
  const fields = {
    producer: "p",
    epoch: 3,
    seq: 8,
    streamSeq: "c",
    close: true,
    contentType: "application/json",
  }
  expect(claimOfHeaders((name) => headers.get(name), LIMITS, undefined)).toEqual(
    claimOfFrame(fields, LIMITS, undefined),
  )
  expect(claimOfFrame(fields, LIMITS, undefined)).toEqual({ ok: true, value: { ...CLAIM, close: true } })
  expect(claimOfHeaders(() => undefined, LIMITS, undefined)).toEqual(claimOfFrame({}, LIMITS, undefined))
})

test.each(["-1", "+1", "1.0", "1e3", "0x1", " 1", "", "9007199254740992", "99999999999999999"])(
  "[EDGE7] %j is no number of a producer",
  (text) => {
    const headers = new Map([
      ["producer-id", "p"],
      ["producer-epoch", "0"],
      ["producer-seq", text],
    ])
    expect(claimOfHeaders((name) => headers.get(name), LIMITS, undefined)).toMatchObject({ ok: false })
  },
)
