import type { Device } from "../device.ts"
import type { Appended } from "../history.ts"
import type { Image } from "../image.ts"
import type { World } from "../world.ts"

/** How a device comes to its end between two steps of its disk. */
export type Crash = {
  /** Which call of the disk's probe it follows. */
  readonly at: number
  readonly delivery: Delivery
  readonly end: End
}

/** What becomes of what its tabs have sent. `late`: it arrives right before the next batch of the device does. */
export type Delivery = "arrives" | "late" | "lost"

export type End =
  /** The browser ends. Everything complete stays; of what is committed those complete whose places are listed. */
  | { readonly kind: "kill"; readonly completing: readonly number[] }
  /** The device stops. Of what is complete and not flushed it keeps so much, in order: with 0 what was strict. */
  | { readonly kind: "power"; readonly kept: number }

/** Every way in which the device can end in this moment. */
export function possibleEnds({ disk }: Device): End[] {
  const kills = subsets(disk.underWay.length).map((completing): End => ({ kind: "kill", completing }))
  const cuts = Array.from({ length: disk.unflushed + 1 }, (_, kept): End => ({ kind: "power", kept }))
  return [...kills, ...cuts]
}

export function possibleDeliveries({ network }: Device): readonly Delivery[] {
  const { sent, arrived } = network.traffic
  return sent > arrived ? ["arrives", "late", "lost"] : ["arrives"]
}

/** What is on the disk then at least, and all that is on it if nothing that is under way completes. */
export function imageAfter(end: End, { disk }: Device): Image {
  return end.kind === "kill" ? disk.committed : disk.imageAfterPowerCut(end.kept)
}

/** Whether the device has said that an event would outlive such an end. */
export function isPromised({ kind }: End, { state }: Appended): boolean {
  return state === "stored" || (state === "local" && kind === "kill")
}

/** All tabs of the device are gone, and its disk holds what is left. */
export function crash({ delivery, end }: Crash, device: Device, world: World): void {
  const { disk, network } = device
  const completing = end.kind === "kill" ? end.completing.map((at) => disk.underWay[at]) : []
  disk.lastWill = (transaction) => completing.includes(transaction)
  if (delivery === "lost") network.loseAll()
  if (delivery === "late") network.lingerAll()
  for (const tab of world.tabsOf(device)) tab.end(true)
  if (end.kind === "power") {
    disk.cutPower(end.kept)
    world.history.cutPower(device.name)
  }
  world.bury()
}

export function describeCrash({ at, delivery, end }: Crash): string {
  const step = `${at % 2 === 0 ? "before" : "after"} request ${(at >> 1) + 1}`
  const left = end.kind === "kill" ? `kill, [${end.completing}] completes` : `power cut, keeps ${end.kept}`
  return `${step}: ${left}; what was sent: ${delivery}`
}

function subsets(size: number): number[][] {
  const places = Array.from({ length: size }, (_, at) => at)
  return Array.from({ length: 2 ** size }, (_, chosen) => places.filter((at) => (chosen >> at) & 1))
}
