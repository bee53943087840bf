import { parseJson } from "../../shared/decoded.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { decodeManifest, type SnapshotManifest } from "../../shared/view/snapshot.ts"
import type { Host } from "../host.ts"
import { done, EdgeRequests, type Exchange, notAnEdge } from "./edge-requests.ts"
import type { Tokens } from "./tokens.ts"

/** One view at the edge: what a client asks of it. */
export class EdgeView {
  readonly #url: string
  readonly #requests: EdgeRequests

  constructor(host: Pick<Host, "fetch" | "after">, edge: string, name: StreamPath, tokens?: Tokens) {
    this.#url = `${edge}/v1/view/${name}`
    this.#requests = new EdgeRequests(host, tokens)
  }

  /** What its newest snapshot is of. `missing`: it has none yet, or there is no such view for this caller. */
  snapshot(signal: AbortSignal): Promise<Exchange<SnapshotManifest>> {
    return this.#requests.ask(
      `${this.#url}/snapshot`,
      { method: "GET", signal },
      async (response, silence) => {
        const body = parseJson(await silence.textOf(response))
        const manifest = body.ok ? decodeManifest(body.value) : body
        return manifest.ok ? done(manifest.value) : notAnEdge(response, manifest.reason)
      },
    )
  }

  /** The rows of a table in a snapshot, by their hash. `missing`: newer ones have taken their place. */
  rows(hash: string, signal: AbortSignal): Promise<Exchange<string>> {
    const url = `${this.#url}/rows?hash=${hash}`
    return this.#requests.ask(url, { method: "GET", signal }, async (response, silence) =>
      done(await silence.textOf(response)),
    )
  }
}
