import { createHash } from "node:crypto"
import { CheckedStorage } from "../../client/disk/checked-storage.ts"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import type { Snapshot, Snapshots } from "../../client/disk/snapshots.ts"
import { ViewSkips } from "../../client/disk/view-skips.ts"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { appendedEntry } from "../../client/replica/pending-entry.ts"
import { Replica } from "../../client/replica/replica.ts"
import { EdgeStart, type EdgeStartParts } from "../../client/thread/edge-start.ts"
import { ViewSnapshots } from "../../client/thread/view-snapshots.ts"
import { Views } from "../../client/thread/views.ts"
import { WholeLog, type WholeLogParts } from "../../client/thread/whole-log.ts"
import { parseBatch } from "../../shared/batch.ts"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import { firstPosition } from "../../shared/outbox.ts"

export type StagedEvent = { readonly id: string; readonly type: string; readonly data: unknown }

/** A device's disk, which outlives its visits: logs, snapshots, and a clock that goes when it is told. */
export function stageDevice() {
  const storage = new CheckedStorage(new MemoryStorage(), { now: () => 0 as Millis, newId: () => "fresh" })
  const log = new DeviceLog(storage)
  const kept = new Map<string, Snapshot>()
  const places = new Map<StreamPath, { offsets: Offset[]; chain: ReturnType<typeof extendChain> }>()
  const seen = { saves: 0, turns: 0, time: 0 }
  const timers = new Map<object, { at: number; run: () => void }>()
  const snapshots = keeping(kept, seen)
  const host = {
    now: () => seen.time as Millis,
    after(ms: number, run: () => void) {
      const timer = {}
      timers.set(timer, { at: seen.time + ms, run })
      return () => void timers.delete(timer)
    },
    async turn() {
      seen.turns++
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
    digest: async (bytes: Uint8Array) => createHash("sha256").update(bytes).digest(),
    openSql: async (image?: Uint8Array<ArrayBuffer>) => openNodeSqlite(image),
  }

  return {
    log,
    kept,
    seen,
    host,
    /** Lets time pass, and whatever is due then happen. */
    async pass(ms: number): Promise<void> {
      seen.time += ms
      for (const [timer, { at, run }] of [...timers])
        if (at <= seen.time && timers.delete(timer)) {
          run()
          await settle()
        }
    },
    /** Adds a page to a stream's log on disk. */
    async grow(stream: StreamPath, events: readonly StagedEvent[]): Promise<Page> {
      const place = places.get(stream) ?? { offsets: [START], chain: EMPTY_CHAIN }
      places.set(stream, place)
      const from = place.offsets.at(-1) ?? START
      const texts = events.map((event) => JSON.stringify(event))
      for (const text of texts) {
        place.chain = extendChain(place.chain, text)
        place.offsets.push(issueOffset({ generation: 7, position: place.offsets.length, chain: place.chain }))
      }
      const next = place.offsets.at(-1) ?? START
      const page = { stream, from, next, text: texts.join(",") }
      await storage.write("relaxed", (tx) => {
        tx.put("pages", page)
        tx.put("streams", { stream, head: next, ...firstPosition("device" as ProducerId) })
      })
      return { from, next, text: page.text, messages: parseBatch(page.text) }
    },
    /** Before each message of a stream, and behind its last. */
    offsets: (stream: StreamPath): readonly Offset[] => places.get(stream)?.offsets ?? [START],
    visit: (edge: StagedEdge = NO_EDGE) => visit({ log, host, storage, snapshots, edge }),
  }
}

function keeping(kept: Map<string, Snapshot>, seen: { saves: number }): Snapshots {
  return {
    place: async (id) => kept.get(id),
    load: async (id) => structuredClone(kept.get(id)),
    async save(id, snapshot) {
      seen.saves++
      kept.set(id, structuredClone(snapshot))
    },
    drop: async (id) => void kept.delete(id),
    close() {},
  }
}

type Disk = {
  readonly log: DeviceLog
  readonly host: ReturnType<typeof stageDevice>["host"]
  readonly storage: CheckedStorage
  readonly snapshots: Snapshots
  readonly edge: StagedEdge
}

/** What a visit finds at the edge. */
export type StagedEdge = Pick<EdgeStartParts, "viewAt"> & {
  edgeOf(stream: StreamPath): ReturnType<EdgeStartParts["edgeOf"]> & ReturnType<WholeLogParts["edgeOf"]>
}

const failed = async () => ({
  kind: "failed" as const,
  error: { code: "unreachable" as const, message: "There is no edge here." },
})
const NO_EDGE: StagedEdge = {
  viewAt: () => ({ snapshot: failed, rows: failed }),
  edgeOf: () => ({ read: failed, knows: failed }),
}

/** One tab's views, over streams that are opened by hand. */
function visit({ log, host, storage, snapshots, edge }: Disk) {
  const replicas = new Map<StreamPath, Replica>()
  const skipped: string[] = []
  let ids = 0
  const openStream = async (stream: StreamPath) => {
    const known = replicas.get(stream)
    if (known !== undefined) return known
    const { record, entries } = await log.open(stream, 0 as never, "device" as ProducerId)
    const replica = new Replica(record, entries, views)
    replicas.set(stream, replica)
    views.loaded(stream)
    return replica
  }
  const isPaused = () => false
  const device = "device" as ProducerId
  /** What a session does: replicas begin anew with what the disk has. */
  const wentAhead = async (streams: readonly StreamPath[]) => {
    for (const stream of streams) {
      const replica = replicas.get(stream)
      if (replica === undefined) continue
      const { record, entries } = await log.open(stream, 0 as never, device)
      replica.restart(record, entries, new Set())
      views.wentOn(stream)
    }
  }
  const whole = new WholeLog({ log, edgeOf: edge.edgeOf, isPaused })
  const views: Views = new Views({
    ...{ host, log, whole },
    edgeStart: new EdgeStart({ host, log, device, ...edge, isPaused, wentAhead }),
    snapshots: new ViewSnapshots({ host, log, snapshots }),
    skips: new ViewSkips(storage),
    open: openStream,
    replicas: () => replicas.values(),
    changed() {},
    skipped: (id) => void skipped.push(id),
  })
  return {
    views,
    whole,
    skipped,
    openStream,
    replica: (stream: StreamPath) => replicas.get(stream)!,
    /** Shows an event that waits for the edge. */
    append(stream: StreamPath, event: StagedEvent): void {
      const text = JSON.stringify(event)
      replicas.get(stream)!.append([appendedEntry({ text, count: 1, bytes: text.length })])
    },
    newId: () => `v${++ids}`,
  }
}

/** Lets everything come to rest that waits for nothing but other promises and turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
