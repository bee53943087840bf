import { type DiskFaults, SOUND_DISK } from "./disk.ts"
import { type NetworkFaults, SOUND_NETWORK } from "./network.ts"
import type { Random } from "./random.ts"

/** What can happen to a world besides its users. */
export type Fault =
  | "cut"
  | "crawl"
  | "away"
  | "restart"
  | "evict"
  | "power"
  | "steal"
  | "portal"
  | "deaf"
  | "freeze"
  | "copy"
  | "restore"
  | "close"

/** What one seed's world is made of. Each fault is in about half of the worlds, so that rare ones are not drowned. */
export type Plan = {
  readonly devices: number
  readonly tabsMax: number
  readonly ledgers: number
  readonly stormMs: number
  /** Between two things that users do, and between two that befall them, on average. */
  readonly actMs: number
  readonly faultMs: number
  readonly faults: Readonly<Record<Fault, number>>
  readonly disk: DiskFaults
  readonly network: NetworkFaults
  /** Whether the edge refuses some events for what they hold. */
  readonly isGuarded: boolean
  /** Whether views may begin with rows of the edge. */
  readonly startsAtEdge: boolean
}

export function drawPlan(random: Random): Plan {
  const some = (value: number) => (random.chance(0.5) ? value * random.next() : 0)
  const freeze = some(3)
  const isDiskSound = freeze > 0 && random.chance(0.5) // else a tab may fail to lead for another reason
  const ofDisk = (value: number) => (isDiskSound ? 0 : some(value))
  return {
    devices: random.whole(1, 4),
    tabsMax: random.whole(1, 3),
    ledgers: random.whole(1, 2),
    stormMs: random.whole(5_000, 40_000),
    actMs: random.pick([60, 150, 400]),
    faultMs: random.pick([400, 1_500, 4_000]),
    faults: {
      cut: some(4),
      crawl: some(2),
      away: some(2),
      restart: some(2),
      evict: some(1),
      power: some(1),
      steal: some(1),
      close: random.chance(0.2) ? 0.3 : 0,
      portal: some(1),
      deaf: some(0.5),
      freeze,
      copy: some(0.3),
      restore: some(0.5),
    },
    disk: { full: ofDisk(0.05), stall: ofDisk(0.01), delayMs: SOUND_DISK.delayMs * random.pick([1, 1, 10]) },
    network: {
      delayMs: SOUND_NETWORK.delayMs * random.pick([0.2, 1, 10]),
      requestLost: some(0.2),
      answerLost: some(0.2),
      answerTorn: some(0.1),
    },
    isGuarded: random.chance(0.5),
    startsAtEdge: random.chance(0.5),
  }
}
