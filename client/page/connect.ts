import { Client, type ConnectOptions } from "./client.ts"

/**
 * Opens this device's log for an edge and starts to sync it.
 *
 * Resolves when the log on this device can be appended to and read, before any network traffic: it works offline.
 * Starts a thread (a Web Worker) by itself. Losing the network is no error: see `client.status`.
 *
 * @throws HeadwaterError `invalid-options`, naming what was expected and what came; `unsupported` outside secure
 * contexts; `storage-unavailable` when the browser gives no IndexedDB.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  return Client.connect(options)
}
