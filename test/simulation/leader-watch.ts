import type { Device } from "./device.ts"
import type { Tab } from "./tab.ts"
import type { World } from "./world.ts"

/** How long a device may be without a leader while one of its tabs could lead. */
export const LEADERLESS_MS_MAX = 5_000

/** Between two looks; a look sees a leader only once its page has heard of it. */
const LOOK_MS = 250

/** Looks whether somebody leads on each device, whoever is frozen, closed or killed meanwhile. */
export class LeaderWatch {
  readonly #world: World
  /** Since when each tab could lead: it is open and gets its turns. */
  readonly #awake = new Map<Tab, number>()
  /** When each device was last seen with a leader. */
  readonly #led = new Map<Device, number>()
  #isOver = false

  constructor(world: World) {
    this.#world = world
  }

  begin(): void {
    const { disk } = this.#world.plan
    if (disk.full > 0 || disk.stall > 0) return // without its disk nobody can lead
    this.#lookLater()
  }

  end(): void {
    this.#isOver = true
  }

  #lookLater(): void {
    this.#world.scheduler.after(LOOK_MS, "who leads?", () => {
      if (this.#isOver) return
      for (const device of this.#world.devices) this.#look(device)
      this.#lookLater()
    })
  }

  #look(device: Device): void {
    const { scheduler, trace } = this.#world
    const { now } = scheduler
    for (const tab of this.#world.tabsOf(device)) {
      if (!tab.isOpen) this.#awake.delete(tab)
      else if (!this.#awake.has(tab)) this.#awake.set(tab, now)
      if (tab.isOpen && tab.role === "leader") this.#led.set(device, now)
    }
    for (const tab of this.#world.tabsOf(device)) {
      const since = Math.max(this.#awake.get(tab) ?? now, this.#led.get(device) ?? 0)
      if (now - since > LEADERLESS_MS_MAX + 2 * LOOK_MS)
        trace.violated("L3", `${tab.name} could lead for ${now - since} ms, and nobody did.`)
    }
  }
}
