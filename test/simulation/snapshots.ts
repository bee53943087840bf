import type { Snapshot, SnapshotPlace, Snapshots } from "../../client/disk/snapshots.ts"
import type { Owner } from "./disk.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

/** How long a snapshot takes in or out, in the middle. */
const MS = 3

/** How often one is not there any more: the browser had no room, or was ended. */
const LOST = 0.1

/** The snapshots of a device, whole or not at all. They come and go as they like: everything can be made anew. */
export class DeviceSnapshots {
  readonly #kept = new Map<string, Snapshot>()
  readonly #scheduler: Scheduler
  readonly #random: Random

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random
  }

  /** As one tab sees them. What was under way when it ends is done, or not. */
  openFor(owner: Owner): Snapshots {
    let isOpen = true
    const run = <T>(act: () => T): Promise<T | undefined> =>
      new Promise((resolve) => {
        this.#scheduler.after(this.#random.delay(MS), `${owner.name} snapshot`, () => {
          const result = isOpen && !this.#random.chance(LOST) ? act() : undefined
          owner.turn(() => resolve(result))
        })
      })
    return {
      place: (id) => run((): SnapshotPlace | undefined => this.#kept.get(id)),
      load: (id) => run(() => structuredClone(this.#kept.get(id))),
      save: async (id, snapshot) => void (await run(() => this.#kept.set(id, structuredClone(snapshot)))),
      drop: async (id) => void (await run(() => this.#kept.delete(id))),
      close() {
        isOpen = false
      },
    }
  }
}
