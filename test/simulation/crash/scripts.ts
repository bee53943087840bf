import type { StoredPage } from "../../../client/disk/records.ts"
import { isKept } from "../history.ts"
import { Consumer, importEvents } from "./moving.ts"
import type { Script, Stage } from "./stage.ts"

const ALONE = { devices: 1, ledgers: 1 } as const

/** What is done around each promise of the device's log. Short, since each of their requests is a place to crash at. */
export const SCRIPTS: readonly Script[] = [
  {
    name: "the first tab opens",
    ...ALONE,
    async act(stage) {
      await stage.opened()
    },
  },
  {
    name: "one event is appended",
    ...ALONE,
    async act(stage) {
      stage.append(await stage.opened(), 1)
      await stage.confirmed()
    },
  },
  {
    name: "events are appended that may be flushed later",
    ...ALONE,
    async act(stage) {
      const tab = await stage.opened()
      stage.append(tab, 2, { durability: "local" })
      await stage.until("it is local", () => [...stage.world.history.all].every(isKept))
      stage.append(tab, 1, { durability: "local" })
      await stage.stored()
      await stage.confirmed()
    },
  },
  {
    name: "two streams get more than a batch each",
    devices: 1,
    ledgers: 2,
    async act(stage) {
      const tab = await stage.opened()
      stage.append(tab, 7)
      stage.append(tab, 3, { stream: stage.otherStream })
      await stage.stored()
      stage.append(tab, 1)
      await stage.confirmed()
    },
  },
  {
    name: "an event is appended while pages come in",
    devices: 2,
    ledgers: 1,
    async act(stage) {
      await filledByNeighbour(stage, 30)
      const tab = stage.world.openTab(stage.device, 1)
      await stage.until("the tab is open", () => tab.isOpen)
      stage.append(tab, 2)
      await stage.confirmed()
    },
  },
  {
    name: "events of two devices cross",
    devices: 2,
    ledgers: 1,
    async act(stage) {
      const neighbour = await filledByNeighbour(stage, 2)
      const tab = await stage.opened()
      stage.append(neighbour, 3)
      stage.append(tab, 3)
      await stage.stored()
      stage.append(neighbour, 1)
      await stage.confirmed()
    },
  },
  {
    name: "a reply is lost and its batch is read back",
    ...ALONE,
    async act(stage) {
      stage.append(await stage.opened(), 2)
      await stage.atEdge(2)
      stage.device.network.loseAll()
      await stage.confirmed()
    },
  },
  {
    name: "the edge dies with a batch in its hands",
    ...ALONE,
    async act(stage) {
      const { edge, scheduler } = stage.world
      const { traffic } = stage.device.network
      const tab = await stage.opened()
      const before = traffic.arrived
      stage.append(tab, 2)
      await stage.until("the batch has arrived", () => traffic.arrived > before)
      edge.kill()
      scheduler.after(500, "edge is back", () => edge.start())
      await stage.confirmed()
    },
  },
  {
    name: "the leader closes and another tab goes on",
    ...ALONE,
    async act(stage) {
      const leader = await stage.opened()
      const follower = await stage.opened()
      stage.append(follower, 2)
      await stage.stored()
      void leader.close()
      stage.append(follower, 1)
      await stage.confirmed()
    },
  },
  {
    name: "the leader dies with another tab's batch on the way",
    ...ALONE,
    async act(stage) {
      const { traffic } = stage.device.network
      const leader = await stage.opened()
      const follower = await stage.opened()
      const before = traffic.sent
      stage.append(follower, 2)
      await stage.until("the batch is on the way", () => traffic.sent > before)
      leader.end(true)
      await stage.confirmed()
    },
  },
  {
    name: "two tabs append at once",
    ...ALONE,
    async act(stage) {
      const tabs = [await stage.opened(), await stage.opened()]
      for (const tab of tabs) stage.append(tab, 2)
      await stage.confirmed()
    },
  },
  {
    name: "events are appended in a pause",
    ...ALONE,
    async act(stage) {
      const tab = await stage.opened()
      tab.setPaused(true)
      await stage.until("it is paused", () => tab.isPaused)
      stage.append(tab, 1)
      await stage.stored()
      stage.append(tab, 2)
      await stage.stored()
      tab.setPaused(false)
      await stage.confirmed()
    },
  },
  {
    name: "the disk is put back to an older copy",
    ...ALONE,
    async act(stage) {
      const { disk } = stage.device
      const tab = await stage.opened()
      const copy = disk.committed
      stage.append(tab, 2)
      await stage.confirmed()
      stage.world.restore(stage.device, copy)
      stage.append(await stage.opened(), 3)
      await stage.confirmed()
    },
  },
  {
    name: "a copy of the disk goes on elsewhere",
    ...ALONE,
    async act(stage) {
      const tab = await stage.opened()
      stage.append(tab, 1)
      await stage.confirmed()
      const elsewhere = await stage.opened(stage.world.copy(stage.device))
      stage.append(tab, 2)
      stage.append(elsewhere, 2)
      await stage.confirmed()
      stage.append(tab, 1)
      await stage.confirmed()
    },
  },
  {
    name: "some events are refused",
    ...ALONE,
    isGuarded: true,
    async act(stage) {
      const tab = await stage.opened()
      for (const count of [1, 1, 1, 1]) stage.append(tab, count)
      await stage.confirmed()
      stage.append(tab, 2)
      await stage.confirmed()
    },
  },
  {
    name: "events are imported",
    ...ALONE,
    async act(stage) {
      const tab = await stage.opened()
      stage.append(tab, 1)
      await stage.confirmed()
      const events = stage.events("elsewhere", 4)
      stage.again = (reopened) => importEvents(stage, reopened, events)
      await importEvents(stage, tab, events)
      await stage.atEdge(1 + events.length)
    },
  },
  {
    name: "a view begins with rows of the edge, and a reader comes to what is absent",
    devices: 2,
    ledgers: 1,
    startsAtEdge: true,
    async act(stage) {
      await filledByNeighbour(stage, 12)
      const tab = await stage.opened()
      const pages = () => stage.device.disk.committed.store("pages").range() as StoredPage[]
      stage.append(tab, 2)
      await stage.confirmed()
      await stage.until("all of the log is there", () => pages().every(({ absent }) => absent === undefined))
      stage.append(tab, 1)
      await stage.confirmed()
    },
  },
  {
    name: "a consumer keeps its place",
    ...ALONE,
    async act(stage) {
      const tab = await stage.opened()
      const consumer = new Consumer()
      stage.again = (reopened) => consumer.readOn(stage, reopened)
      for (const count of [2, 1]) {
        stage.append(tab, count)
        await stage.confirmed()
        await consumer.readOn(stage, tab)
      }
    },
  },
  {
    name: "the disk is full for a while",
    ...ALONE,
    async act(stage) {
      const { disk } = stage.device
      const tab = await stage.opened()
      stage.append(tab, 1)
      await stage.confirmed()
      disk.faults = { ...disk.faults, full: 1 }
      stage.append(tab, 2)
      await stage.stored()
      disk.faults = { ...disk.faults, full: 0 }
      stage.append(tab, 2)
      await stage.confirmed()
    },
  },
  {
    name: "the device gets over a power cut",
    ...ALONE,
    async act(stage) {
      const { device } = stage
      const tab = await stage.opened()
      stage.append(tab, 2)
      await stage.stored()
      tab.end(false)
      device.disk.cutPower(0)
      stage.world.history.cutPower(device.name)
      stage.append(await stage.opened(), 1)
      await stage.until("all is at the edge", () => stage.world.checker.log(stage.stream).length === 3)
    },
  },
]

/** A tab of the other device, whose events are at the edge. */
async function filledByNeighbour(stage: Stage, count: number) {
  const tab = await stage.opened(stage.neighbour)
  for (let left = count; left > 0; left -= 5) stage.append(tab, Math.min(5, left))
  await stage.confirmed()
  return tab
}
