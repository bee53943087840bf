import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { LedgerEvent } from "./model.ts"

/** One event that an app appended, and what its client has said of it. */
export type Appended = {
  readonly event: LedgerEvent
  readonly stream: StreamPath
  readonly device: string
  readonly tab: string
  /** All that was appended in the same turn: an entry is refused whole. */
  readonly turn: readonly LedgerEvent[]
  /** Nobody is told what becomes of it later. */
  readonly isImported?: boolean
  /**
   * `asked`: no answer yet, or never, or one that a power cut has undone. `local`: on this device's disk. `stored`:
   * flushed there. `failed`: nothing was stored. `rejected`: the edge has refused it, and its tab was told.
   */
  state: "asked" | "local" | "stored" | "failed" | "rejected"
  /** What the edge's confirmation said. */
  offset: Offset | undefined
}

/** Whether its device has said that it has it, and nothing has happened since that may have taken it. */
export function isKept({ state }: Appended): boolean {
  return state === "local" || state === "stored"
}

/** Everything that was appended in one run, in the order of the calls. */
export class History {
  readonly #byId = new Map<string, Appended>()
  readonly #byTab = new Map<string, Appended[]>()

  add(appended: Appended): void {
    this.#byId.set(appended.event.id, appended)
    const ofTab = this.#byTab.get(appended.tab) ?? []
    ofTab.push(appended)
    this.#byTab.set(appended.tab, ofTab)
  }

  get(id: string): Appended | undefined {
    return this.#byId.get(id)
  }

  /** Its device has said that it has it. */
  stored(id: string): void {
    const appended = this.#byId.get(id)
    if (appended !== undefined) appended.state = "stored"
  }

  get all(): Iterable<Appended> {
    return this.#byId.values()
  }

  get size(): number {
    return this.#byId.size
  }

  /** In the order in which the tab appended. */
  of(tab: string): readonly Appended[] {
    return this.#byTab.get(tab) ?? []
  }

  /** What the device had not flushed may be lost. */
  cutPower(device: string): void {
    this.forget(device, ({ state }) => state === "local")
  }

  /** Some of what the device has stored may be lost. */
  forget(device: string, isLost: (appended: Appended) => boolean): void {
    for (const appended of this.all) {
      if (appended.device === device && isKept(appended) && isLost(appended)) appended.state = "asked"
    }
  }

  get tabs(): Iterable<string> {
    return this.#byTab.keys()
  }
}
