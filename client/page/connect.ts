import { Client, type ConnectOptions } from "./client.ts"

/**
 * Opens this device's log for an edge and starts to sync it.
 *
 * Resolves when the log on this device can be appended to and read, before any network traffic: it works offline.
 * Starts a thread (a Web Worker) by itself. Losing the network is no error: see `client.status`. Neither is a browser
 * that gives no storage at all, as in some private windows: everything is in memory then, and `client.storage` says so.
 *
 * @throws HeadwaterError `invalid-options`, naming what was expected and what came; `unsupported` outside secure
 * contexts; `storage-unavailable` when there is storage that cannot be opened now; `outdated` when a newer version of
 * the app has used it.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  return Client.connect(options)
}
