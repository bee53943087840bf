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
import { bad, good } from "../../shared/decoded.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset } from "../../shared/offset.ts"
import { admit } from "../../shared/producer.ts"

const tail = issueOffset({ generation: 1, position: 9 })

const STREAM: StreamFacts = {
  contentType: "application/json",
  closed: false,
  tail,
  streamSeq: "b",
  producer: { epoch: 3, seq: 7, next: tail },
}

const CLAIM: AppendClaim = {
  contentType: "application/json",
  producer: { id: "p", epoch: 3, seq: 8 },
  streamSeq: "c",
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
  expect(replyTo(verdict, claim, stream).status).toBe(status)
})

test("[EDGE7] the producer rule, number by number", () => {
  const known = { epoch: 3, seq: 7 }
  expect(admit(undefined, { epoch: 9, seq: 0 })).toEqual({ kind: "accept" })
  expect(admit(undefined, { epoch: 0, seq: 1 })).toEqual({ kind: "gap", expectedSeq: 0 })
  expect(admit(known, { epoch: 3, seq: 8 })).toEqual({ kind: "accept" })
  expect(admit(known, { epoch: 3, seq: 9 })).toEqual({ kind: "gap", expectedSeq: 8 })
  for (const seq of [0, 6, 7]) expect(admit(known, { epoch: 3, seq })).toEqual({ kind: "duplicate", known })
  expect(admit(known, { epoch: 2, seq: 8 })).toEqual({ kind: "fenced", epoch: 3 })
  expect(admit(known, { epoch: 4, seq: 0 })).toEqual({ kind: "accept" })
  expect(admit(known, { epoch: 4, seq: 1 })).toEqual({ kind: "bad-start" })
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
  expect(claimOfHeaders((name) => headers.get(name), undefined)).toEqual(claimOfFrame(fields, undefined))
  expect(claimOfFrame(fields, undefined)).toEqual({ ok: true, value: { ...CLAIM, close: true } })
  expect(claimOfHeaders(() => undefined, undefined)).toEqual(claimOfFrame({}, undefined))
})

test.each(["-1", "+1", "1.0", "1e3", "0x1", " 1", "", "9007199254740992", "99999999999999999"])(
  "[EDGE7] %j is no number of a producer",
  (text) => {
    const headers = new Map([
      ["producer-id", "p"],
      ["producer-epoch", "0"],
      ["producer-seq", text],
    ])
    expect(claimOfHeaders((name) => headers.get(name), undefined)).toMatchObject({ ok: false })
  },
)
