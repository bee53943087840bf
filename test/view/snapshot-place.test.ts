import { expect, test } from "vitest"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { issueOffset, START } from "../../shared/offset.ts"
import type { Feed, FeedHalt } from "../../worker/view/feeds.ts"
import { snapshotPlace } from "../../worker/view/snapshot-place.ts"

function at(position: number) {
  return issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })
}

function feed(source: string, stream: string, position: number, halt?: FeedHalt): Feed {
  const offset = position === 0 ? START : at(position)
  return { source, stream: stream as StreamPath, offset, isCaughtUp: true, halt }
}

const event = { id: "e1", type: "put" }
const halted: FeedHalt = { kind: "event", offset: at(4), event, message: "no such" }

test("[EVIEW15] a place is that of all sources that go on, without streams that have not begun", () => {
  const feeds = [feed("x", "a", 7), feed("y", "a", 7), feed("x", "b", 5), feed("y", "c", 0)]
  expect(snapshotPlace(feeds)).toEqual({ cursor: { a: at(7), b: at(5) }, halts: [], messages: 12 })
  expect(snapshotPlace([])).toEqual({ cursor: {}, halts: [], messages: 0 })
})

test("[EVIEW15] a source that stands still at an event is told as clients tell it", () => {
  const halt = { stream: "a", offset: at(4), eventId: "e1", eventType: "put", message: "no such" }
  expect(snapshotPlace([feed("x", "a", 3, halted), feed("y", "a", 7)])).toEqual({
    cursor: { a: at(7) },
    halts: [{ source: "x", ...halt }],
    messages: 7,
  })
  expect(snapshotPlace([feed("x", "a", 3, halted), feed("y", "a", 3, halted)])).toEqual({
    cursor: { a: at(3) },
    halts: [
      { source: "x", ...halt },
      { source: "y", ...halt },
    ],
    messages: 3,
  })
})

test("[EVIEW15] no client has sources at different places of a stream, or stands still for other reasons", () => {
  expect(snapshotPlace([feed("x", "a", 3), feed("y", "a", 7)])).toBe(undefined)
  expect(snapshotPlace([feed("x", "a", 0), feed("y", "a", 7)])).toBe(undefined)
  const others: FeedHalt[] = [
    { kind: "trimmed", earliest: at(2) },
    { kind: "deleted" },
    { kind: "recreated" },
    { kind: "rolled-back" },
    { kind: "no-json", contentType: "text/plain" },
  ]
  for (const halt of others)
    expect(snapshotPlace([feed("x", "a", 7), feed("y", "b", 0, halt)])).toBe(undefined)
})
