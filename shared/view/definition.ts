import type { EventSchemas, StreamDefinition } from "../events.ts"
import { scanSql } from "../sql-text.ts"
import { fieldsOf } from "./fields.ts"
import { invalidView } from "./refusal.ts"
import type { CheckedHandlers } from "./sql-parameters.ts"

/** One SQL statement, or several that belong together and run in this order. */
export type SqlTexts = string | readonly string[]

/** How the events of one stream become rows. */
export type ViewSource<S extends EventSchemas = EventSchemas> = {
  /** The stream's definition. Which stream it is, is said where the view is opened. */
  readonly from: StreamDefinition<S>
  /** `CREATE TABLE` and `CREATE INDEX` statements. Only this source writes to these tables. */
  readonly table: SqlTexts
  /** What an event of each type does to the tables. Types that are not named are skipped. */
  readonly on: { readonly [Type in keyof S & string]?: SqlTexts }
}

/** Tables that are a fold of streams. Made by `defineView`. */
export type ViewDefinition<V extends Record<string, EventSchemas> = Record<string, EventSchemas>> = {
  readonly sources: { readonly [Source in keyof V]: ViewSource<V[Source]> }
}

/** What `defineView` is given: sources by name. */
export type ViewSources = { readonly [source: string]: ViewSource }

/** The event types of each source's stream. */
export type SchemasOf<T extends ViewSources> = { readonly [Source in keyof T]: T[Source]["from"]["events"] }

/** The sources as they are, if each handler is of a type that the stream has and each parameter has a value. */
export type CheckedSources<T extends ViewSources> = {
  readonly [Source in keyof T]: {
    readonly on: CheckedHandlers<T[Source]["from"]["events"], T[Source]["on"]>
  }
}

/**
 * A view as plain data: it can be cloned to a thread, written as JSON and sent to an edge. Schemas stay
 * behind.
 */
export type ViewData = {
  readonly [source: string]: {
    readonly tables: readonly string[]
    readonly on: { readonly [type: string]: readonly string[] }
  }
}

/**
 * Says how events become rows, source by source.
 *
 * A handler is one statement, or several in an array that take effect together. `:name` in it is the field
 * `name` of the event's data; `:event_id`, `:event_type`, `:event_time`, `:event_source`, `:event_subject`
 * and `:event_stream` are the event's own attributes and the path of its stream. Objects and arrays arrive as
 * JSON text (`json_each` reads them), booleans as 1 and 0, what is absent as NULL. A SQL text that is a literal
 * does not compile with a parameter that neither the schema's output nor an event has.
 *
 * Whoever handles `order.placed` handles `order.placed@2` too, if the stream has it: each version of a type has
 * its own handler, or an empty array where it is skipped on purpose.
 *
 * The SQL itself is checked when the view is opened, because only SQLite can tell what it does.
 *
 * @throws HeadwaterError `invalid-view` when the definition has the wrong shape, names an event type that the
 * stream does not have, leaves a version out, or has a parameter that no field of the data fills, as far as
 * the schema says what its fields are (JSON Schema extension of Standard Schema).
 */
export function defineView<const T extends ViewSources>(
  sources: T & CheckedSources<T>,
): ViewDefinition<SchemasOf<T>> {
  const view: ViewDefinition = { sources }
  const data = viewData(view)
  for (const [source, { on }] of Object.entries(data)) {
    const events = view.sources[source]?.from.events ?? {}
    for (const [type, statements] of Object.entries(on)) {
      const schema = events[type]
      const fields = schema === undefined ? undefined : fieldsOf(schema)
      if (fields !== undefined) checkFields(statements, fields, `source "${source}", event "${type}"`)
    }
  }
  return { sources: sources as ViewDefinition<SchemasOf<T>>["sources"] } // what came in, with its types by name
}

/** Attributes of the event are no fields; whether they exist is looked at with the SQL. */
function checkFields(statements: readonly string[], fields: ReadonlySet<string>, place: string): void {
  for (const [at, sql] of statements.entries()) {
    const names = scanSql(sql).parameters.map((written) => written?.slice(1) ?? "")
    const strange = names.find((name) => name !== "" && !fields.has(name) && !name.startsWith("event_"))
    if (strange === undefined) continue
    const known =
      fields.size === 0 ? "data without fields" : `a field of the data (${[...fields].join(", ")})`
    throw invalidView(`View, ${place}, statement ${at + 1}: expected ${known}; got :${strange}.`)
  }
}

/**
 * The part of a view that says what happens, as plain data. Types that are skipped on purpose are not in it.
 *
 * @throws HeadwaterError `invalid-view` when the definition has the wrong shape, names an event type that the
 * stream does not have, or leaves a version of one out.
 */
export function viewData(view: ViewDefinition): ViewData {
  const sources = Object.entries(view.sources)
  if (sources.length === 0) throw invalidView("A view has at least one source; none came.")
  return Object.fromEntries(
    sources.map(([source, { from, table, on }]) => {
      const tables = texts(table, `the tables of source "${source}"`)
      if (tables.length === 0) throw notTexts(table, `the tables of source "${source}"`)
      const known = Object.keys(from?.events ?? {})
      const handlers = Object.entries(on ?? {}).filter(([, handler]) => handler !== undefined)
      const entries = handlers.map(([type, handler]): [string, string[]] => {
        if (known.includes(type)) return [type, texts(handler, `source "${source}", event "${type}"`)]
        throw invalidView(
          `Source "${source}" of a view handles "${type}"; its stream has ${known.join(", ")}.`,
        )
      })
      checkVersions(source, known, new Set(entries.map(([type]) => type)))
      return [
        source,
        { tables, on: Object.fromEntries(entries.filter(([, statements]) => statements.length > 0)) },
      ]
    }),
  )
}

/** What is called `name@2` is another version of `name`. */
function checkVersions(source: string, known: readonly string[], handled: ReadonlySet<string>): void {
  const families = new Set([...handled].map(familyOf))
  const missing = known.filter((type) => families.has(familyOf(type)) && !handled.has(type))
  if (missing.length === 0) return
  throw invalidView(
    `Source "${source}" of a view handles some versions of a type and not ${missing.join(", ")}: expected a ` +
      "handler for each, or [] for one that is skipped.",
  )
}

function familyOf(type: string): string {
  return type.replace(/@[^@]*$/, "")
}

/**
 * Equal for two definitions that do the same, whatever the order in which sources and event types were
 * written down. Rows that were folded under one key are of no use to a view with another.
 */
export function viewKey(view: ViewData): string {
  const sources = Object.entries(view).map(([source, { tables, on }]) => [
    source,
    tables,
    Object.entries(on).sort(byName),
  ])
  return JSON.stringify(sources.sort(byName))
}

function byName([left]: readonly unknown[], [right]: readonly unknown[]): number {
  return String(left) < String(right) ? -1 : 1
}

function texts(value: unknown, place: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.every((entry) => typeof entry === "string")) return list
  throw notTexts(value, place)
}

function notTexts(value: unknown, place: string): Error {
  return invalidView(
    `Expected a SQL text or an array of them for ${place}; got ${JSON.stringify(value) ?? typeof value}.`,
  )
}
