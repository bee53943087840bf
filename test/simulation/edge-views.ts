import { createHash } from "node:crypto"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { EDGE_MARK, HEADER } from "../../shared/http.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { placedTexts } from "../../shared/page-places.ts"
import { compileView } from "../../shared/view/compile.ts"
import { viewKey } from "../../shared/view/definition.ts"
import { ViewFold } from "../../shared/view/fold.ts"
import { type SnapshotManifest, snapshotText } from "../../shared/view/snapshot.ts"
import { stateHash, textHash } from "../../shared/view/state-hash.ts"
import type { EdgeObject } from "./edge-object.ts"
import { readAll } from "./edge-object.ts"
import { ledgerStreams, ledgerView } from "./model.ts"
import type { Random } from "./random.ts"

/** The name of the view over the first so many ledgers. */
export function edgeViewName(ledgers: number): StreamPath {
  return `views/ledgers-${ledgers}` as StreamPath
}

const ASKED = /^\/v1\/view\/views\/ledgers-([0-9]+)\/(snapshot|rows)$/

/** How often what was written down last is still the newest. */
const OLD = 0.5

type Written = { readonly manifest: SnapshotManifest; readonly texts: ReadonlyMap<string, string> }

const digest = async (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest())

/** The edge's views, written down now and then from what lasts: with everything that may be told of them later. */
export class EdgeViews {
  readonly #objectOf: (stream: StreamPath) => EdgeObject
  readonly #random: Random
  readonly #written = new Map<number, Written[]>()

  constructor(objectOf: (stream: StreamPath) => EdgeObject, random: Random) {
    this.#objectOf = objectOf
    this.#random = random
  }

  /** Undefined when views are not what is asked for. */
  async answer(request: Request): Promise<Response | undefined> {
    const url = new URL(request.url)
    const [, ledgers, what] = ASKED.exec(url.pathname) ?? []
    if (ledgers === undefined) return undefined
    const headers = { [HEADER.edge]: EDGE_MARK }
    const written = this.#written.get(Number(ledgers)) ?? []
    if (what === "snapshot") {
      const last = written.at(-1)
      const isOld = last !== undefined && this.#random.chance(OLD)
      const { manifest } = isOld ? last : await this.#write(Number(ledgers), written)
      return Response.json(manifest, { headers })
    }
    const hash = url.searchParams.get("hash")
    for (const { manifest, texts } of written.slice(-2)) {
      const table = Object.entries(manifest.tables).find(([, told]) => told.hash === hash)?.[0]
      if (table !== undefined) return new Response(texts.get(table), { headers })
    }
    return new Response("There are no such rows.", { status: 404, headers })
  }

  async #write(ledgers: number, written: readonly Written[]): Promise<Written> {
    const [view, streams] = [ledgerView(ledgers), ledgerStreams(ledgers)]
    const database = openNodeSqlite()
    const compiled = compileView(database, "ledgers", view)
    const fold = new ViewFold(database, compiled, streams, [])
    const cursor: Record<string, Offset> = {}
    for (const stream of Object.values(streams)) {
      const { messages, offset } = this.#lasting(stream)
      fold.fold({ stream, messages })
      if (offset !== START) cursor[stream] = offset
    }
    const texts = new Map<string, string>()
    const tables: [string, SnapshotManifest["tables"][string]][] = []
    for (const table of compiled.sources.flatMap(({ owned }) => owned)) {
      const text = snapshotText(database, table)
      const hash = await textHash(text, digest)
      tables.push([table.name, { rows: 0, bytes: text.length, hash }]) // else they were more than what is lacking
      texts.set(table.name, text)
    }
    const hash = await stateHash(
      database,
      tables.map(([name]) => name),
      digest,
    )
    fold.close()
    database.close()
    const place = { key: viewKey(view), streams, cursor, halts: [], skipped: [] }
    const manifest = { ...place, hash, tables: Object.fromEntries(tables), savedAt: 0 as Millis }
    const one = { manifest, texts }
    this.#written.set(ledgers, [...written, one].slice(-2))
    return one
  }

  /** A view is told of nothing that may be gone when the edge's process dies. */
  #lasting(stream: StreamPath): { messages: readonly unknown[]; offset: Offset } {
    const object = this.#objectOf(stream)
    const count = object.log.length
    let [read, offset] = [0, START]
    for (const { page } of readAll(object)) {
      const text = new TextDecoder().decode(page.body).slice(1, -1)
      for (const placed of placedTexts({ from: page.from, next: page.next, text })) {
        if (read === count) break
        read++
        offset = placed.offset
      }
    }
    return { messages: object.log, offset }
  }
}
