import type { AppendBody } from "../../shared/append.ts"
import { extendChain } from "../../shared/chain.ts"
import type { Meter } from "../meter/meter.ts"
import type { StreamHost } from "./stream-host.ts"
import type { StreamLog } from "./stream-log.ts"
import type { NewStream, StreamRecord } from "./stream-record.ts"
import type { Upkeep } from "./upkeep.ts"

export type StarterParts = {
  readonly host: StreamHost
  readonly log: StreamLog
  readonly upkeep: Upkeep
  readonly meter: Meter
}

/** Begins streams, forks among them. */
export class Starter {
  readonly #parts: StarterParts

  constructor(parts: StarterParts) {
    this.#parts = parts
  }

  /** Writes a stream with its first messages, those that there are, in one transaction. */
  begin(stream: NewStream, bodies: readonly (AppendBody | undefined)[]): StreamRecord {
    const { host, log, upkeep, meter } = this.#parts
    const now = host.now()
    const begun = host.transact(() => {
      let record = log.create(stream, now)
      for (const body of bodies) {
        if (body === undefined) continue
        meter.appended(1, body.count)
        record = log.append(record, { ...body, chain: extendChain(record.tail.chain, body.data) }, now)
      }
      return record
    })
    upkeep.wakeWhenDue(begun)
    host.changed()
    return begun
  }
}
