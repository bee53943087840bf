import { createHash } from "node:crypto"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import type { AskedView } from "../../client/port.ts"
import type { Exchange } from "../../client/sync/edge-requests.ts"
import { joinBatches, parseBatch } from "../../shared/batch.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { offsetBehind, pageBehind, placedTexts } from "../../shared/page-places.ts"
import { compileView } from "../../shared/view/compile.ts"
import { viewKey } from "../../shared/view/definition.ts"
import { ViewFold } from "../../shared/view/fold.ts"
import {
  linesOf,
  type SnapshotManifest,
  type SnapshotSkip,
  snapshotText,
} from "../../shared/view/snapshot.ts"
import { stateHash, textHash } from "../../shared/view/state-hash.ts"
import type { StagedEdge, stageDevice } from "./view-stage.ts"

const digest = async (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest())

type Written = { readonly manifest: SnapshotManifest; readonly texts: ReadonlyMap<string, string> }

/** A view as it is folded up to some places of its streams, written down. */
async function written(
  { view, streams }: AskedView,
  pageOf: (stream: StreamPath) => Promise<PageText>,
  places: Readonly<Record<string, Offset>>,
  skipped: readonly SnapshotSkip[],
): Promise<Written> {
  const database = openNodeSqlite()
  const compiled = compileView(database, "written", view)
  const skips = skipped.flatMap((skip) =>
    "event" in skip ? [{ source: skip.source, eventId: skip.event as never }] : [],
  )
  const fold = new ViewFold(database, compiled, streams, skips)
  const cursor: Record<string, Offset> = {}
  for (const stream of new Set(Object.values(streams) as StreamPath[])) {
    const page = await pageOf(stream)
    const upTo = places[stream] ?? page.next
    const count = [...placedTexts(page)].findIndex(({ offset }) => offset === upTo) + 1
    const messages = parseBatch(page.text).slice(0, count)
    fold.fold({ stream, messages, offsetBehind: (at) => offsetBehind(page, at) })
    cursor[stream] = upTo
  }
  const owned = compiled.sources.flatMap((source) => source.owned)
  const texts = new Map(owned.map((table) => [table.name, snapshotText(database, table)]))
  const told = [...texts].map(async ([table, text]) => {
    const size = { rows: linesOf(text).length, bytes: text.length }
    return [table, { ...size, hash: await textHash(text, digest) }] as const
  })
  const tables = Object.fromEntries(await Promise.all(told))
  const hash = await stateHash(database, Object.keys(tables), digest)
  const place = { key: viewKey(view), streams, cursor, skipped, halts: [...fold.halts.values()] }
  fold.close()
  database.close()
  return { manifest: { ...place, hash, tables, savedAt: 0 as Millis }, texts }
}

/** All that a stream holds. */
async function wholePage(origin: ReturnType<typeof stageDevice>, stream: StreamPath): Promise<PageText> {
  const { head } = await origin.log.standing(stream)
  const texts: string[] = []
  for await (const pages of origin.log.pages(stream, { after: START, upTo: head }))
    texts.push(...pages.map(({ text }) => text))
  return { from: START, next: head, text: joinBatches(texts) }
}

/** An edge whose streams are those of another device, and whose views are written down when a test says so. */
export function stageEdge(origin: ReturnType<typeof stageDevice>, { pageEvents = 1_000 } = {}) {
  const asked = { pages: 0, rows: 0 }
  const kept = new Map<string, Written>()
  /** Where streams begin that have let go of what is before. */
  const earliest = new Map<StreamPath, Offset>()
  /** What every answer is instead, while there is something. */
  const trouble: { answer: Exchange<never> | undefined } = { answer: undefined }

  const pageOf = (stream: StreamPath) => wholePage(origin, stream)

  const edge: StagedEdge = {
    viewAt: (name) => ({
      async snapshot() {
        const found = kept.get(name)
        if (trouble.answer !== undefined) return trouble.answer
        return found === undefined ? { kind: "missing" } : { kind: "done", value: found.manifest }
      },
      async rows(hash) {
        asked.rows++
        const { manifest, texts } = kept.get(name)!
        const table = Object.entries(manifest.tables).find(([, told]) => told.hash === hash)?.[0]
        return { kind: "done", value: texts.get(table ?? "")! }
      },
    }),
    edgeOf: (stream) => ({
      async knows(place) {
        const isKept = place >= (earliest.get(stream) ?? START)
        return trouble.answer ?? { kind: "done", value: isKept }
      },
      async read(after, _signal, end) {
        asked.pages++
        if (trouble.answer !== undefined) return trouble.answer
        const rest = pageBehind(await pageOf(stream), after)
        if (rest === undefined) return { kind: "gone" }
        const texts: string[] = []
        let next = after
        for (const { text, offset } of placedTexts(rest)) {
          if (texts.length === pageEvents || next === end) break
          texts.push(text)
          next = offset
        }
        const text = texts.join(",")
        const page = { from: after, next, text, messages: parseBatch(text) }
        return { kind: "done", value: { page, upToDate: next === rest.next, closed: false } }
      },
    }),
  }

  return {
    ...edge,
    asked,
    kept,
    earliest,
    trouble,
    /** Writes a view down as it is now, over the streams up to some places. */
    async writeDown(
      name: string,
      asked: AskedView,
      places: Readonly<Record<string, Offset>> = {},
      skipped: readonly SnapshotSkip[] = [],
    ): Promise<SnapshotManifest> {
      const one = await written(asked, pageOf, places, skipped)
      kept.set(name, one)
      return one.manifest
    },
  }
}
