import { DeviceLog } from "../../client/disk/log.ts"
import type { Snapshot } from "../../client/disk/snapshots.ts"
import type { ReadTransaction } from "../../client/disk/storage.ts"
import { ViewState } from "../../client/state/view-state.ts"
import { OpenView } from "../../client/thread/open-view.ts"
import { Views } from "../../client/thread/views.ts"
import type { Mutant } from "./mutants.ts"
import { DeviceSnapshots } from "./snapshots.ts"

/** Bugs of rows, put back in. */
export const VIEW_MUTANTS: readonly Mutant[] = [
  {
    name: "rebase forgotten",
    bug: "Rows are not folded again when pending events go away or come in between.",
    parts: {},
    install() {
      const { reordered } = Views.prototype
      Views.prototype.reordered = () => {}
      return () => {
        Views.prototype.reordered = reordered
      }
    },
  },
  {
    name: "snapshot off by one",
    bug: "A snapshot's rows are newer than the place that is saved with them.",
    parts: {},
    install() {
      const { openFor } = DeviceSnapshots.prototype
      const places = new Map<string, Pick<Snapshot, "heads">>()
      DeviceSnapshots.prototype.openFor = function (owner) {
        const snapshots = openFor.call(this, owner)
        return {
          ...snapshots,
          save(id, snapshot) {
            const heads = places.get(id)?.heads ?? snapshot.heads
            places.set(id, snapshot)
            return snapshots.save(id, { ...snapshot, heads })
          },
        }
      }
      return () => {
        DeviceSnapshots.prototype.openFor = openFor
      }
    },
  },
  {
    name: "pending in a snapshot",
    bug: "A snapshot has rows of events that the edge has not confirmed.",
    parts: {},
    install() {
      const { image } = ViewState.prototype
      ViewState.prototype.image = function (pending) {
        const before = image.call(this, [])
        this.rebase(
          pending.map(({ stream, messages }) => ({ stream, messages })),
          [],
        )
        const { bytes } = image.call(this, [])
        return { ...before, bytes }
      }
      return () => {
        ViewState.prototype.image = image
      }
    },
  },
  {
    name: "stale rows kept",
    bug: "Rows stay those of a log that is no more.",
    parts: {},
    install() {
      const { refold } = OpenView.prototype
      OpenView.prototype.refold = () => {}
      return () => {
        OpenView.prototype.refold = refold
      }
    },
  },
  {
    name: "absent taken for empty",
    bug: "Where a part of the log is absent, readers and views go on as if there had been nothing.",
    parts: {},
    install() {
      const { pages } = DeviceLog.prototype
      DeviceLog.prototype.pages = async function* (stream, span) {
        for await (const some of pages.call(this, stream, span))
          yield some.map(({ absent: _, ...page }) => page)
      }
      return () => {
        DeviceLog.prototype.pages = pages
      }
    },
  },
  {
    name: "ahead of what waits",
    bug: "A log goes ahead although something waits that may lie in what it passes over.",
    parts: {
      storage: (storage) => ({
        health: storage.health,
        read(body, stores) {
          const isAll = stores?.length === 1 && stores[0] === "outbox"
          return storage.read((tx) => body(isAll ? withoutAll(tx) : tx), stores)
        },
        write: (durability, body, stores) => storage.write(durability, body, stores),
        close: () => storage.close(),
      }),
    },
  },
]

/** Finds nothing when all of a store is asked for. */
function withoutAll(tx: ReadTransaction): ReadTransaction {
  return {
    get: (store, key) => tx.get(store, key),
    getAll: async (store, range, limit) =>
      Object.keys(range).length === 0 ? [] : tx.getAll(store, range, limit),
  }
}
