import { openIdbStorage } from "../../../client/disk/idb-storage.ts"
import { type Client, connect } from "../../../client/index.ts"
import { databaseName } from "../../../client/port.ts"
import { pause, wallClock } from "./clock.ts"
import { items } from "./items.ts"
import { open, type Place, whenLive, whenStatus } from "./open.ts"

/** Between two looks whether the disk has all: each is a transaction of its own. */
const LOOK_MS = 5

let opened: Client | undefined

/** Our side of what is measured of the log alone, without views. */
export const log = {
  /** From a stream that this device knows nothing of to a disk that has it up to `tail`. The client leads already. */
  async catchUp(place: Place, tail: string): Promise<number> {
    const client = await connect(place)
    await whenStatus(client, ({ role }) => role === "leader")
    const disk = await openIdbStorage(databaseName(place))
    const start = performance.now()
    client.stream(items, place.path)
    while ((await headOnDisk()) !== tail) await pause(LOOK_MS)
    const ms = performance.now() - start
    disk.close()
    await client.close()
    return ms

    async function headOnDisk(): Promise<string | undefined> {
      const record = await disk.read((tx) => tx.get("streams", place.path), ["streams"])
      return (record as { head: string } | undefined)?.head // the log's own records
    }
  },

  /** From `connect` to the first append that has resolved. The client stays open. */
  async firstAppend(place: Place): Promise<Record<string, number>> {
    const start = performance.now()
    const { client, stream } = await open(place)
    const connected = performance.now()
    await stream.append("item.added", { n: -1, at: 0, text: "the first" })
    const end = performance.now()
    opened = client
    return { connect: connected - start, append: end - connected, total: end - start }
  },

  /** Opens the place's stream and waits until this device follows it, live. The client stays open. */
  async follow(place: Place): Promise<void> {
    const { client } = await open(place)
    await whenLive(client, place.path)
    opened = client
  },

  role: () => opened?.status.role,

  /** Closes the client. @returns when that began, for another page of this machine */
  async close(): Promise<number> {
    const at = wallClock()
    await opened?.close()
    return at
  },

  /** @returns when this page's client became the leader */
  async whenLeader(): Promise<number> {
    if (opened !== undefined) await whenStatus(opened, ({ role }) => role === "leader")
    return wallClock()
  },
}
