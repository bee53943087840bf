import type { ReadTransaction, Storage, StoreName, WriteTransaction } from "../../client/disk/storage.ts"
import { Replica } from "../../client/replica/replica.ts"
import { StallWatch } from "../../client/sync/stall-watch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { decodeClientFrame, encodeAppendFrame, type FrameData } from "../../shared/frames.ts"
import { EDGE_MARK } from "../../shared/http.ts"
import { NOW } from "../../shared/offset.ts"
import type { AppendAsk } from "../../worker/stream/append-turn.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { Reader } from "../../worker/stream/stream-host.ts"
import { PORTAL_HEADERS } from "./portal.ts"
import { VIEW_MUTANTS } from "./view-mutants.ts"
import type { Parts } from "./world.ts"

/** A bug that systems of this kind have had, put back in. The simulator is worth what it finds of these. */
export type Mutant = {
  readonly name: string
  readonly bug: string
  readonly parts: Parts
  /** Changes production code in memory. Returns the way back. */
  install?(): () => void
}

class ForgetfulCore extends StreamCore {
  #count = 0

  override asked(reader: Reader, data: FrameData): AppendAsk | undefined {
    const frame = decodeClientFrame(data)
    if (!frame.ok) return super.asked(reader, data)
    const { id, fields, body } = frame.value
    const producer = `${fields.producer}/${this.#count++}`
    return super.asked(reader, encodeAppendFrame({ t: "append", id, producer, epoch: 0, seq: 0, body }))
  }
}

class SkippingCore extends StreamCore {
  override connect(reader: Reader): void {
    super.connect(reader, NOW)
  }
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "dedupe off",
    bug: "The edge takes a batch that it has taken before.",
    parts: { core: (host) => new ForgetfulCore(host) },
  },
  {
    name: "ack before commit",
    bug: "The edge answers before what it has stored is on disk.",
    parts: { gated: false },
  },
  {
    name: "socket from now",
    bug: "A new socket is told what comes next, and not what it lacks.",
    parts: { core: (host) => new SkippingCore(host) },
  },
  {
    name: "fan-out forgets one",
    bug: "One reader is left out when an append is told.",
    parts: { core: (host) => new StreamCore({ ...host, readers: () => [...host.readers()].slice(1) }) },
  },
  {
    name: "batch chosen anew",
    bug: "A batch is sent under a number that the disk does not know.",
    parts: writing({
      put: (record) =>
        record.inFlight ? { ...record, nextSeq: Number(record.nextSeq) - 1, inFlight: null } : record,
    }),
  },
  {
    name: "head without its page",
    bug: "The head moves in another transaction than the page that moves it.",
    parts: writing({ put: (record) => ("text" in record ? undefined : record) }),
  },
  {
    name: "confirmed stays pending",
    bug: "What the edge has confirmed is not taken out of the outbox.",
    parts: writing({ keepsEntries: true }),
  },
  {
    name: "refused is forgotten",
    bug: "What the edge has refused leaves the outbox and goes nowhere.",
    parts: writing({ put: (record) => ("error" in record ? undefined : record) }),
  },
  {
    name: "relaxed outbox",
    bug: "Appends are answered when they would survive the tab, not the device.",
    parts: wrapping((storage) => ({ write: (_, body, stores) => storage.write("relaxed", body, stores) })),
  },
  {
    name: "answered before stored",
    bug: "Appends are answered when the disk has the request, not when it has the event.",
    parts: wrapping((storage) => ({
      write: (durability, body, stores) =>
        new Promise((resolve, reject) => {
          const early = (tx: WriteTransaction) => {
            const running = body(tx)
            Promise.resolve(running).then(resolve, reject)
            return running
          }
          storage.write(durability, early, stores).catch(reject)
        }),
    })),
  },
  {
    name: "leader keeps pages to itself",
    bug: "Followers are not told that the disk has more.",
    parts: { tells: (message) => (message as { kind: string }).kind !== "saved" },
  },
  {
    name: "frozen leader waited for",
    bug: "Nobody takes the lead from a tab that has it and says nothing more.",
    parts: {},
    install() {
      const { beatsMissedMax } = COMMON_LIMITS
      Object.assign(COMMON_LIMITS, { beatsMissedMax: Number.POSITIVE_INFINITY })
      return () => void Object.assign(COMMON_LIMITS, { beatsMissedMax })
    },
  },
  {
    name: "deposed leader writes on",
    bug: "What a leader writes is taken although another leads by now.",
    parts: wrapping((storage) => ({
      write: (durability, body, stores) =>
        storage.write(durability, (tx) => body({ ...methodsOf(tx), insert() {} }), stores),
    })),
  },
  {
    name: "own entries forgotten",
    bug: "A tab takes its own entries for those of another when it looks at the disk.",
    parts: {},
    install() {
      const { stored } = Replica.prototype
      Replica.prototype.stored = function (entries, keys) {
        const confirmed = stored.call(this, entries, [])
        for (const [at, entry] of entries.entries()) entry.key = keys[at]
        return confirmed
      }
      return () => {
        Replica.prototype.stored = stored
      }
    },
  },
  {
    name: "portal believed",
    bug: "What answers at the edge's address is taken for the edge.",
    parts: {},
    install() {
      PORTAL_HEADERS["headwater-edge"] = EDGE_MARK
      return () => void delete PORTAL_HEADERS["headwater-edge"]
    },
  },
  {
    name: "stalls overlooked",
    bug: "A connection that lives and brings nothing to the edge is kept.",
    parts: {},
    install() {
      const { begin } = StallWatch.prototype
      StallWatch.prototype.begin = () => {}
      return () => {
        StallWatch.prototype.begin = begin
      }
    },
  },
  ...VIEW_MUTANTS,
]

function wrapping(change: (storage: Storage) => Pick<Storage, "write">): Parts {
  return {
    storage: (storage) => ({
      health: storage.health,
      read: <T>(body: (tx: ReadTransaction) => Promise<T>, stores?: readonly StoreName[]) =>
        storage.read(body, stores),
      close: () => storage.close(),
      ...change(storage),
    }),
  }
}

/** Its methods as a plain object, some of which another can then replace. */
function methodsOf(tx: WriteTransaction): WriteTransaction {
  return {
    get: (store, key) => tx.get(store, key),
    getAll: (store, range, limit) => tx.getAll(store, range, limit),
    add: (record) => tx.add(record),
    insert: (store, record) => tx.insert(store, record),
    put: (store, record) => tx.put(store, record),
    delete: (store, key) => tx.delete(store, key),
  }
}

type Tampering = {
  /** Another record for the one that is put; undefined for none. */
  put?(record: Readonly<Record<string, unknown>>): object | undefined
  readonly keepsEntries?: boolean
}

function writing({ put = (record) => record, keepsEntries = false }: Tampering): Parts {
  return wrapping((storage) => ({
    write: (durability, body, stores) =>
      storage.write(
        durability,
        (tx) =>
          body({
            ...methodsOf(tx),
            put(store, record) {
              const changed = put(record as Record<string, unknown>) // records are objects with names
              if (changed !== undefined) tx.put(store, changed)
            },
            delete(store, key) {
              if (!keepsEntries) tx.delete(store, key)
            },
          }),
        stores,
      ),
  }))
}
