import { expect, test } from "vitest"
import type { Offset } from "../../shared/offset.ts"
import { meaningOf } from "../../shared/reply-meaning.ts"

const [before, tail] = ["0001", "0002"] as [Offset, Offset]
const reply = (status: number, headers: Record<string, string> = {}) =>
  ({ t: "reply", id: 1, status, headers, message: "Why." }) as const
const at = { "stream-next-offset": tail }

test.each([
  ["a duplicate", reply(204, at), { kind: "taken", next: tail }],
  ["a duplicate on a closed stream", reply(204, { ...at, "stream-closed": "true" }), { kind: "taken" }],
  ["an old duplicate", reply(204), { kind: "taken", next: undefined }],
  ["a number of other messages", reply(204, { "producer-conflict": "true" }), { kind: "number" }],
  ["a fenced number", reply(403, { "producer-conflict": "true" }), { kind: "number" }],
  ["a gap", reply(409, { "producer-conflict": "true" }), { kind: "number" }],
  ["too much for now", reply(429, { "retry-after": "7" }), { kind: "wait", waitMs: 7_000 }],
  ["an event in another's name", reply(403), { kind: "batch", error: { code: "rejected", message: "Why." } }],
  ["a broken body", reply(400), { kind: "batch" }],
  ["a batch that is too large", reply(413), { kind: "batch" }],
  ["what a guard refuses", reply(422), { kind: "batch" }],
  ["another tail, that nobody asked for", reply(409, at), { kind: "batch", error: { code: "rejected" } }],
  ["a closed stream", reply(409, { ...at, "stream-closed": "true" }), { kind: "stream", reason: "closed" }],
  ["a deleted stream", reply(410), { kind: "stream", reason: "deleted" }],
  ["a stream that is only read", reply(404), { kind: "stream", reason: "forbidden" }],
  ["a storage that failed", reply(503, { "retry-after": "1" }), { kind: "lost", leastMs: 1_000 }],
  ["a caller who is not known", reply(401), { kind: "lost" }],
])("[CONFLICT1] what a reply is about: %s", (_, came, meaning) => {
  expect(meaningOf(came, undefined)).toMatchObject(meaning)
})

test("[CONFLICT1] new data says where it stands", () => {
  const stored = { ...reply(200, at), from: before }
  expect(meaningOf(stored, undefined)).toEqual({ kind: "stored", from: before, next: tail })
})

test("[CONFLICT5] a tail that was not expected is a conflict, and names both", () => {
  const meaning = meaningOf(reply(409, at), before)
  expect(meaning).toMatchObject({ kind: "batch", error: { code: "conflict", tail } })
  expect(meaning.kind === "batch" && meaning.error.message).toMatch(/0001.*0002/)
  expect(meaningOf(reply(409, { ...at, "stream-closed": "true" }), before)).toMatchObject({
    reason: "closed",
  })
})
