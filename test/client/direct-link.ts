import type { BesideLog } from "../../client/disk/beside-log.ts"
import type { ThreadLink } from "../../client/page/thread-link.ts"
import type { EnginePort, Reply } from "../../client/port.ts"
import type { Importer } from "../../client/thread/importer.ts"
import type { LogReaders } from "../../client/thread/log-readers.ts"
import { HeadwaterError } from "../../shared/errors.ts"

type ThreadParts = { readonly readers: LogReaders; readonly importer?: Importer; readonly beside: BesideLog }

type Moving = "openReader" | "readOn" | "moveCursor" | "closeReader" | "entriesBehind" | "importLines"

/** A page's way to the parts of a thread that move data, which run beside it. The page of a dead one hears nothing. */
export function directLink({ readers, importer, beside }: ThreadParts, isAlive = () => true): ThreadLink {
  const engine: Pick<EnginePort, Moving> = {
    openReader: (stream, request) => answer(() => readers.open(stream, structuredClone(request))),
    readOn: (reader) => answer(() => readers.next(reader)),
    moveCursor: (reader, offset) => answer(() => readers.moveCursor(reader, offset)),
    closeReader: (reader) => answer(() => readers.close(reader)),
    entriesBehind: (stream, kind, after) => answer(() => beside.entriesBehind(stream, kind, after)),
    importLines: (stream, lines) =>
      answer(() => {
        if (importer === undefined) throw new Error("This thread imports nothing.")
        return importer.take(stream, structuredClone(lines))
      }),
  }
  async function ask<T>(reply: Promise<Reply<T>>): Promise<T> {
    const answered = structuredClone(await reply)
    if (!isAlive()) return new Promise(() => {})
    if (answered.ok) return answered.value
    throw HeadwaterError.fromData(answered.error)
  }
  return { engine, ask } as unknown as ThreadLink // all of one that moving data uses
}

async function answer<T>(act: () => Promise<T> | T): Promise<Reply<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    if (error instanceof HeadwaterError) return { ok: false, error: error.toData() }
    throw error
  }
}
