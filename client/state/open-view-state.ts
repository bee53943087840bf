import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { Skip, SourceStreams } from "../../shared/view/fold.ts"
import { checkStreams } from "../../shared/view/streams.ts"
import type { LocalDatabase } from "../host.ts"
import { type FoldPlace, ViewState } from "./view-state.ts"

/** A view as a device folds it. */
export type ViewTerms = {
  readonly name: string
  readonly view: ViewData
  /** The path or pattern of each source. */
  readonly streams: SourceStreams
  /** Events that are passed over. */
  readonly skips: readonly Skip[]
}

/**
 * Opens a view in an empty database, which is its own from now on.
 *
 * @throws HeadwaterError `invalid-view` that names the place, what was expected and what came. The database
 * is closed then.
 */
export function openViewState(database: LocalDatabase, terms: ViewTerms): ViewState {
  return closingOnFailure(
    database,
    () => new ViewState({ ...terms, database, view: compiled(database, terms) }),
  )
}

/**
 * Opens a view where its rows were left.
 *
 * @param database As an image of the view's state made it. It is the state's own from now on.
 * @param empty An empty database, for compiling; it is closed.
 * @returns Undefined when the image has other tables than the view: then both are closed.
 * @throws HeadwaterError as `openViewState`.
 */
export function restoreViewState(
  database: LocalDatabase,
  empty: LocalDatabase,
  terms: ViewTerms,
  place: FoldPlace,
): ViewState | undefined {
  return closingOnFailure(database, () => {
    try {
      const view = compiled(empty, terms)
      if (schemaOf(database) === schemaOf(empty)) return new ViewState({ ...terms, database, view, place })
    } finally {
      empty.close()
    }
    database.close()
    return undefined
  })
}

function compiled(database: SqlDatabase, { name, view, streams }: ViewTerms): CompiledView {
  const compiled = compileView(database, name, view)
  checkStreams(compiled, streams)
  return compiled
}

function closingOnFailure<T>(database: SqlDatabase, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    database.close()
    throw cause
  }
}

function schemaOf(database: SqlDatabase): string {
  const statement = database.prepare(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name, type",
  )
  try {
    return JSON.stringify(statement.all([]))
  } finally {
    statement.finalize()
  }
}
