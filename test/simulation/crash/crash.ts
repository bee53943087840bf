import type { Device } from "../device.ts"
import type { Appended } from "../history.ts"
import type { Image } from "../image.ts"
import type { World } from "../world.ts"

/** How a device, or one of its tabs, comes to its end between two steps of its disk. */
export type Crash = {
  /** Which call of the disk's probe it follows. */
  readonly at: number
  readonly delivery: Delivery
  readonly end: End
}

/** What becomes of what its tabs have sent. `late`: it arrives right before the next batch of the device does. */
export type Delivery = "arrives" | "late" | "lost"

export type End =
  /**
   * The browser ends, or one tab beside others. Everything complete stays; of what those that end have committed, the
   * transactions complete whose places are listed.
   */
  | { readonly kind: "kill"; readonly tab: string | undefined; readonly completing: readonly number[] }
  /** A tab gets no turns for long, and what it has begun waits for it. */
  | { readonly kind: "freeze"; readonly tab: string }
  /** The device stops. Of what is complete and not flushed it keeps so much, in order: with 0 what was strict. */
  | { readonly kind: "power"; readonly kept: number }

/** Every way in which it can end in this moment. */
export function possibleEnds(device: Device, world: World): End[] {
  const { disk } = device
  const tabs = world.tabsOf(device).flatMap(({ name, isAlive }) => (isAlive ? [name] : []))
  const kills = [undefined, ...(tabs.length > 1 ? tabs : [])].flatMap((tab) => killsOf(tab, device))
  const cuts = Array.from({ length: disk.unflushed + 1 }, (_, kept): End => ({ kind: "power", kept }))
  const freezes = tabs.map((tab): End => ({ kind: "freeze", tab }))
  return [...kills, ...freezes, ...cuts]
}

function killsOf(tab: string | undefined, { disk }: Device): End[] {
  const places = [...disk.underWay.keys()].filter(
    (at) => tab === undefined || disk.underWay[at]?.owner.name === tab,
  )
  return subsets(places).map((completing) => ({ kind: "kill", tab, completing }))
}

export function possibleDeliveries({ kind }: End, { network }: Device): readonly Delivery[] {
  const { sent, arrived } = network.traffic
  return kind !== "freeze" && sent > arrived ? ["arrives", "late", "lost"] : ["arrives"]
}

/** What is on the disk then at least, and all that is on it if nothing that is under way completes. */
export function imageAfter(end: End, { disk }: Device): Image {
  return end.kind === "power" ? disk.imageAfterPowerCut(end.kept) : disk.committed
}

/** Whether the device has said that an event would outlive such an end. */
export function isPromised({ kind }: End, { state }: Appended): boolean {
  return state === "stored" || state === "rejected" || (state === "local" && kind !== "power")
}

/** All tabs of the device are gone, or the one that ends, and its disk holds what is left. */
export function crash({ delivery, end }: Crash, device: Device, world: World): void {
  const { disk, network } = device
  if (end.kind === "freeze")
    return world
      .tabsOf(device)
      .find(({ name }) => name === end.tab)
      ?.freeze()
  const completing = end.kind === "kill" ? end.completing.map((at) => disk.underWay[at]) : []
  disk.lastWill = (transaction) => completing.includes(transaction)
  const tabs = world.tabsOf(device)
  const only = end.kind === "kill" ? tabs.find(({ name }) => name === end.tab) : undefined
  if (delivery === "lost") network.loseAll(only)
  if (delivery === "late") network.lingerAll(only)
  for (const tab of only === undefined ? tabs : [only]) tab.end(true)
  if (end.kind === "power") {
    disk.cutPower(end.kept)
    world.history.cutPower(device.name)
  }
  world.bury()
}

export function describeCrash({ at, delivery, end }: Crash): string {
  const step = `${at % 2 === 0 ? "before" : "after"} request ${(at >> 1) + 1}`
  return `${step}: ${describeEnd(end)}; what was sent: ${delivery}`
}

function describeEnd(end: End): string {
  if (end.kind === "power") return `power cut, keeps ${end.kept}`
  if (end.kind === "freeze") return `${end.tab} freezes`
  return `kill of ${end.tab ?? "all"}, [${end.completing}] completes`
}

function subsets(places: readonly number[]): number[][] {
  return Array.from({ length: 2 ** places.length }, (_, chosen) =>
    places.filter((_, at) => (chosen >> at) & 1),
  )
}
