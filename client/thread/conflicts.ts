import type { EventId, ProducerId, StreamPath } from "../../shared/ids.ts"
import type { DeviceLog } from "../disk/log.ts"
import { eventsOf, type RejectedEvent } from "../disk/rejections.ts"
import type { Host } from "../host.ts"
import type { Replicas } from "../replica/replicas.ts"
import type { EdgeStream } from "../sync/edge.ts"
import { type Reappended, recover } from "../sync/recovery.ts"
import type { Tabs } from "./tabs.ts"

export type ConflictsParts = {
  readonly host: Pick<Host, "newId">
  readonly log: DeviceLog
  readonly device: ProducerId
  readonly replicas: Replicas
  readonly tabs: Tabs
  edgeOf(stream: StreamPath): EdgeStream
  /** Leads no more, if this tab does: the disk takes nothing from it any more. */
  resign(): void
}

/** What the app does about events that the edge has refused, and about a log that the edge's does not go on from. */
export class Conflicts {
  readonly #parts: ConflictsParts
  readonly #ended = new AbortController()

  constructor(parts: ConflictsParts) {
    this.#parts = parts
  }

  /** The events of a stream that the edge has refused, as the disk has them. */
  async rejected(stream: StreamPath): Promise<RejectedEvent[]> {
    return (await this.#parts.log.rejections.list(stream)).flatMap(eventsOf)
  }

  /** Forgets refused events. */
  async dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<void> {
    const { log, tabs, replicas } = this.#parts
    await log.rejections.dismiss(stream, ids)
    tabs.tell({ kind: "rejected", stream })
    await replicas.reviewRejected(stream)
  }

  /** Goes on from the last place that the edge's log and this device's have in common. */
  async recover(stream: StreamPath, reappended: Reappended): Promise<void> {
    const { host, log, device, replicas, edgeOf } = this.#parts
    await replicas.get(stream)
    const [edge, fresh] = [edgeOf(stream), host.newId() as ProducerId] // made here, for this
    const parts = { log, edge, stream, device, fresh, signal: this.#ended.signal }
    if (await recover(parts, reappended)) await this.wentElsewhere([stream])
  }

  /** The logs of these streams have gone back to an earlier place on the disk, or ahead to a later one. */
  async wentElsewhere(streams: readonly StreamPath[]): Promise<void> {
    for (const stream of streams) this.#parts.tabs.tell({ kind: "recovered", stream })
    await Promise.all(streams.map((stream) => this.becameAnother(stream)))
  }

  /** Another tab says so of a stream, or this one: the leader's term is over, and memory begins anew. */
  async becameAnother(stream: StreamPath): Promise<void> {
    this.#parts.resign()
    await this.#parts.replicas.recovered(stream)
  }

  /** No request is left. */
  end(): void {
    this.#ended.abort()
  }
}
