import { HeadwaterError } from "../../../shared/errors.ts"
import type { SqlDatabase } from "../../../shared/sql.ts"
import { type CompiledView, compileView } from "../../../shared/view/compile.ts"
import { ViewFold } from "../../../shared/view/fold.ts"
import { type StateHash, stateHash } from "../../../shared/view/state-hash.ts"
import { checkStreams } from "../../../shared/view/streams.ts"
import { type Case, PATHS, READS, type Run } from "./cases.ts"

/** What a case comes to: its rows and where its sources stand still, or that its view is refused. */
export type Outcome =
  | { readonly refused: string }
  | { readonly hash: StateHash; readonly halts: readonly string[] }

/** Opens again where a database was left; the one that was left is closed or the same. */
export type Reopen = (database: SqlDatabase, view: CompiledView) => SqlDatabase

/** Folds a case stream by stream, all at once. */
export function foldPlainly(database: SqlDatabase, { view, runs }: Case): Promise<Outcome> {
  return outcomeOf(database, { view }, (compiled) => {
    const fold = new ViewFold(database, compiled, READS)
    for (const run of runs) fold.fold(batchOf(run))
    return { database, fold }
  })
}

/** Folds a case in its own manner: in batches, with pending events that are taken back, over a restart. */
export function foldInManner(
  first: SqlDatabase,
  reopen: Reopen,
  { view, runs, manner }: Case,
): Promise<Outcome> {
  return outcomeOf(first, { view }, (compiled) => {
    let database = first
    let fold = new ViewFold(database, compiled, READS)
    for (const [at, batch] of batches(runs, manner.batch, manner.interleaves).entries()) {
      if (at === manner.rebasesAfter) foldAndTakeBack(database, fold, manner.pending)
      if (at === manner.restartsAfter) {
        const { halts } = fold
        fold.close()
        database = reopen(database, compiled)
        fold = new ViewFold(database, compiled, READS)
        fold.halts = halts
      }
      fold.fold(batchOf(batch))
    }
    return { database, fold }
  })
}

async function outcomeOf(
  database: SqlDatabase,
  { view }: Pick<Case, "view">,
  folded: (compiled: CompiledView) => { readonly database: SqlDatabase; readonly fold: ViewFold },
): Promise<Outcome> {
  let compiled: CompiledView
  try {
    compiled = compileView(database, "view", view)
    checkStreams(compiled, READS)
  } catch (cause) {
    if (!(cause instanceof HeadwaterError)) throw cause
    return { refused: cause.message }
  }
  const done = folded(compiled)
  const tables = compiled.sources.flatMap((source) => source.tables)
  const hash = await stateHash(done.database, tables, sha256)
  const halts = [...done.fold.halts.values()]
    .map((halt) => `${halt.source} ${halt.stream} ${halt.eventId}`)
    .sort()
  done.fold.close()
  return { hash, halts }
}

class TakenBack extends Error {}

function foldAndTakeBack(database: SqlDatabase, fold: ViewFold, pending: readonly string[]): void {
  const { halts } = fold
  try {
    database.atomically(() => {
      for (const stream of PATHS) fold.fold(batchOf({ stream, texts: pending }))
      throw new TakenBack()
    })
  } catch (cause) {
    if (!(cause instanceof TakenBack)) throw cause
  }
  fold.halts = halts
}

function batches(runs: readonly Run[], size: number, interleaves: boolean): Run[] {
  const cut = runs.map(({ stream, texts }) => {
    const count = Math.ceil(texts.length / size)
    return Array.from({ length: count }, (_, at) => ({
      stream,
      texts: texts.slice(at * size, (at + 1) * size),
    }))
  })
  if (!interleaves) return cut.flat()
  const rounds = Math.max(...cut.map((own) => own.length))
  return Array.from({ length: rounds }, (_, round) =>
    cut.flatMap((own) => own.slice(round, round + 1)),
  ).flat()
}

function batchOf({ stream, texts }: Run) {
  return { stream, messages: texts.map((text): unknown => JSON.parse(text)) }
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)) // nothing is shared
}
