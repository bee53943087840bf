import { expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"

/** What bounds owe each other. */
test.each([
  ["the largest event must fit in a batch", LIMITS.eventBytesMax <= LIMITS.batchBytesMax],
  ["the largest batch must be an append that the edge takes", LIMITS.batchBytesMax <= LIMITS.appendBytesMax],
  [
    "the largest append must fit in a frame with its header",
    LIMITS.appendBytesMax + LIMITS.frameHeaderBytesMax < LIMITS.frameBytesMax,
  ],
  ["sockets catch up from what stays in the object", LIMITS.socketCatchUpBytesMax <= LIMITS.hotBytesMin],
  ["a read must be able to carry the largest batch", LIMITS.appendBytesMax <= LIMITS.readBytesMax],
  [
    "lines that are imported together must have room together, with three bytes to a character",
    3 * (LIMITS.importLengthMax + LIMITS.eventBytesMax) <= LIMITS.pendingBytesMax,
  ],
  [
    "lines that are imported together must have room together",
    LIMITS.importLinesMax <= LIMITS.pendingEventsMax,
  ],
  ["what an event carries can be stored in a row", LIMITS.eventBytesMax < LIMITS.sqlValueBytesMax],
  ["more can wait than what travels at once", LIMITS.batchBytesMax < LIMITS.pendingBytesMax],
  ["what waits for the disk can be a page and more", LIMITS.readBytesMax < LIMITS.unwrittenLengthMax],
  ["a poll is held no longer than the longest one", LIMITS.longPollMsDefault <= LIMITS.longPollMsMax],
  ["a frozen leader is replaced within 5 s", LIMITS.beatMsInterval * LIMITS.beatsMissedMax < 5_000],
  [
    "a half-open socket is found within 40 s",
    Math.max(LIMITS.pongMsMax, LIMITS.uploadPongMsMax) + LIMITS.pingMsInterval <= 40_000,
  ],
  ["a line that died during an upload is not taken for a stall", LIMITS.stallMsMax > LIMITS.uploadPongMsMax],
  ["a stall is found by several looks", LIMITS.stallLookMs < LIMITS.stallMsMax],
  ["a pong is awaited for several looks", LIMITS.pongLookMs < LIMITS.pongMsMax],
  ["backoff must have room to grow", LIMITS.retryMsMin < LIMITS.retryMsMax],
  ["looks must have room to become rare", LIMITS.forkLookMsMin < LIMITS.forkLookMsMax],
])("of the bounds: %s", (_, isSo) => {
  expect(isSo).toBe(true)
})
