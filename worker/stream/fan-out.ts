import type { Reply } from "../../shared/append-reply.ts"
import { joinBatches } from "../../shared/batch.ts"
import { CLOSE, encodeEdgeFrame, type FrameBody } from "../../shared/frames.ts"
import type { Meter } from "../meter/meter.ts"
import { joinBytes } from "../page-body.ts"
import type { AppendAsk, Judged, Stored } from "./append-turn.ts"
import type { Reader } from "./stream-host.ts"

export type TellParts = {
  /** Bytes of bodies in one frame. */
  readonly bytesMax: number
  readonly meter: Meter
}

/**
 * Tells every socket what a turn of appends has done: its own appends are answered, where they stand among the others,
 * and all else that was stored comes as data, neighbours in one frame.
 */
export function tell(
  readers: Iterable<Reader>,
  turn: readonly Judged[],
  { bytesMax, meter }: TellParts,
): void {
  const isLast = turn.some(({ closes }) => closes)
  const writers = new Set(turn.map(({ ask }) => ask.origin?.reader))
  const forReaders = framesOf(turn, undefined, bytesMax) // encoded once for the many that only read
  for (const reader of readers) {
    const { frames, bytes } = writers.has(reader) ? framesOf(turn, reader, bytesMax) : forReaders
    for (const frame of frames) reader.send(frame)
    meter.count("framesOut", frames.length)
    meter.count("bytesOut", bytes)
    if (isLast) reader.close(CLOSE.done, "The stream is closed.")
  }
}

/** Answers what came through a socket when there is nothing to tell anybody else. */
export function answer({ ask: { origin }, reply }: Answered, meter: Meter): void {
  if (origin === undefined) return
  origin.reader.send(encodeEdgeFrame({ t: "reply", id: origin.id, ...reply }))
  meter.count("framesOut", 1)
}

type Answered = { readonly ask: Pick<AppendAsk, "origin">; readonly reply: Reply }

/** What one reader is sent, and how many bytes of messages that is. */
type Told = { readonly frames: readonly FrameBody[]; readonly bytes: number }

function framesOf(turn: readonly Judged[], reader: Reader | undefined, bytesMax: number): Told {
  const frames: FrameBody[] = []
  let bytes = 0
  const tail = turn.at(-1)?.tail
  let run: Stored[] = []
  let runBytes = 0
  const endRun = (closed: boolean) => {
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined) return
    const { next } = last
    const body = joined(run.map(({ data }) => data))
    frames.push(encodeEdgeFrame({ t: "data", from: first.from, next, upToDate: next === tail, closed, body }))
    run = []
    runBytes = 0
  }
  for (const { ask, reply, stored, closes, tail: next } of turn) {
    const isOwn = reader !== undefined && ask.origin?.reader === reader
    if (isOwn) {
      endRun(false)
      const from = stored && { from: stored.from }
      frames.push(encodeEdgeFrame({ t: "reply", id: ask.origin?.id ?? 0, ...reply, ...from }))
    } else if (stored !== undefined) {
      if (runBytes + stored.bytes > bytesMax) endRun(false)
      run.push(stored)
      runBytes += stored.bytes + 1 // the comma
      bytes += stored.bytes
    }
    if (!closes) continue
    if (stored !== undefined && !isOwn) endRun(true)
    else if (stored === undefined) {
      endRun(false)
      frames.push(encodeEdgeFrame({ t: "control", next, upToDate: true, closed: true }))
    }
  }
  endRun(false)
  return { frames, bytes }
}

function joined(bodies: readonly FrameBody[]): FrameBody {
  const [only = ""] = bodies
  if (bodies.length < 2) return only
  const texts = bodies.filter((body) => typeof body === "string")
  return texts.length > 0 ? joinBatches(texts) : joinBytes(bodies.filter((body) => typeof body !== "string"))
}
