import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { Skip, SourceStreams } from "../../shared/view/fold.ts"
import { checkStreams } from "../../shared/view/streams.ts"
import type { LocalDatabase } from "../host.ts"
import type { Pace } from "./live-queries.ts"
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

/** A database that has a view's tables, without rows, and what fills them. */
export type EmptyView = { readonly database: LocalDatabase; readonly view: CompiledView }

/**
 * Checks a view, and makes its tables in an empty database.
 *
 * @throws HeadwaterError `invalid-view` that names the place, what was expected and what came. The database
 * is closed then.
 */
export function emptyView(database: LocalDatabase, { name, view, streams }: ViewTerms): EmptyView {
  return closingOnFailure(database, () => {
    const compiled = compileView(database, name, view)
    checkStreams(compiled, streams)
    return { database, view: compiled }
  })
}

/** Opens a view without rows. The database is the state's own from now on. @throws HeadwaterError as `emptyView`. */
export function openViewState(database: LocalDatabase, terms: ViewTerms, pace?: Pace): ViewState {
  return new ViewState({ ...terms, pace, ...emptyView(database, terms) })
}

/**
 * Opens a view where its rows were left.
 *
 * @param database As an image of the view's state made it. It is the state's own from now on, unless the image has
 * other tables than the view: then it is closed, and there is no state.
 */
export function restoreViewState(
  database: LocalDatabase,
  empty: EmptyView,
  terms: ViewTerms,
  place: FoldPlace,
  pace?: Pace,
): ViewState | undefined {
  return closingOnFailure(database, () => {
    const { view } = empty
    if (schemaOf(database) === schemaOf(empty.database))
      return new ViewState({ ...terms, pace, database, view, place })
    database.close()
    return undefined
  })
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
