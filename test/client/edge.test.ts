import { expect, test } from "vitest"
import { EdgeStream } from "../../client/thread/edge.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"

function readingGone(headers: Record<string, string>) {
  const host = { after: () => () => {}, fetch: async () => new Response("", { status: 410, headers }) }
  const edge = new EdgeStream(host, "http://edge", "a/b" as StreamPath)
  return edge.read("0003" as Offset, new AbortController().signal)
}

test("[CONN4] a stream that the edge has trimmed past this device stops, and says from where it is kept", async () => {
  expect(await readingGone({ "stream-earliest-offset": "0009" })).toEqual({
    kind: "refused",
    reason: "diverged",
    error: {
      code: "diverged",
      message: expect.stringMatching(/keeps this stream from 0009 on.*has read less/),
    },
  })
})

test("[CONN4] a stream that is another stops, and says so", async () => {
  expect(await readingGone({})).toMatchObject({
    kind: "refused",
    reason: "diverged",
    error: { code: "diverged", message: expect.stringContaining("the stream is another") },
  })
})
