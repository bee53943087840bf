import { type Client, type ClientStatus, connect, type Stream } from "../../../client/index.ts"
import { items } from "./items.ts"

export type Place = { readonly edge: string; readonly path: string; readonly account: string }

export type Opened = { readonly client: Client; readonly stream: Stream<(typeof items)["events"]> }

export async function open({ edge, path, account }: Place): Promise<Opened> {
  const client = await connect({ edge, account })
  return { client, stream: client.stream(items, path) }
}

/** Resolves when the client's status is as wanted. */
export function whenStatus(client: Client, isWanted: (status: ClientStatus) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onStatus((status) => {
      if (!isWanted(status)) return
      resolve()
      queueMicrotask(() => stop()) // the first call comes before there is a way to stop
    })
  })
}

/** Resolves when every event of the stream reaches this device as it happens. */
export function whenLive(client: Client, path: string): Promise<void> {
  return whenStatus(client, ({ streams }) => streams[path]?.connection === "live")
}
