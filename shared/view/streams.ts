import { isPattern } from "../path-pattern.ts"
import { scanSql } from "../sql-text.ts"
import type { CompiledSource, CompiledStatement, CompiledView } from "./compile.ts"
import type { SourceStreams } from "./fold.ts"
import { begin, type Place, refusal } from "./refusal.ts"

/**
 * Makes sure that a view can be folded over these streams: each source has one, and where that is a pattern, its
 * rows cannot tell how the streams come beside each other. So each statement names `:event_stream`, and no
 * table counts the rows of all streams together.
 *
 * @throws HeadwaterError `invalid-view` that names the source, the event type and the statement.
 */
export function checkStreams(view: CompiledView, streams: SourceStreams): void {
  const missing = view.sources.map(({ name }) => name).filter((name) => !Object.hasOwn(streams, name))
  if (missing.length > 0) throw refusal(`View "${view.name}"`, `a stream for ${missing.join(", ")}`, "none")
  for (const source of view.sources) {
    const stream = streams[source.name]
    if (stream === undefined || !isPattern(stream)) continue
    const place = `View "${view.name}", source "${source.name}"`
    const reason = `because "${stream}" stands for several streams`
    const numbered = source.owned.find((table) => table.isNumbered)
    if (numbered !== undefined) {
      const came = `INTEGER PRIMARY KEY, which numbers the rows of all streams`
      throw refusal(place, `another key for "${numbered.name}", ${reason}`, came)
    }
    for (const [type, statements] of source.handlers) {
      for (const [at, statement] of statements.entries()) {
        checkStatement(source, statement, reason, `${place}, event "${type}", statement ${at + 1}`)
      }
    }
  }
}

function checkStatement(
  source: CompiledSource,
  statement: CompiledStatement,
  reason: string,
  place: Place,
): void {
  if (!statement.parameters.some((parameter) => parameter.attribute === "event_stream")) {
    throw refusal(place, `:event_stream, ${reason}`, begin(statement.sql))
  }
  const columns = source.owned.flatMap((table) => table.columns.map((column) => column.toLowerCase()))
  const rowid = scanSql(statement.sql).tokens.find(
    ({ kind, text }) =>
      (kind === "word" || kind === "name") &&
      /^(rowid|oid|_rowid_)$/i.test(text) &&
      !columns.includes(text.toLowerCase()),
  )
  if (rowid !== undefined) throw refusal(place, `rows to be found by their columns, ${reason}`, rowid.text)
}
