import type { EventSchemas, StreamDefinition } from "../events.ts"
import { invalidView } from "./refusal.ts"

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
 * JSON text (`json_each` reads them), booleans as 1 and 0, what is absent as NULL.
 *
 * The SQL itself is checked when the view is opened, because only SQLite can tell what it does.
 *
 * @throws HeadwaterError `invalid-view` when the definition has the wrong shape or names an event type that
 * the stream does not have.
 */
export function defineView<const V extends Record<string, EventSchemas>>(
  sources: {
    readonly [Source in keyof V]: ViewSource<V[Source]>
  },
): ViewDefinition<V> {
  viewData({ sources: sources as ViewDefinition["sources"] }) // checks what callers without types may pass
  return { sources }
}

/**
 * The part of a view that says what happens, as plain data.
 *
 * @throws HeadwaterError `invalid-view` as `defineView` does.
 */
export function viewData(view: ViewDefinition): ViewData {
  const sources = Object.entries(view.sources)
  if (sources.length === 0) throw invalidView("A view has at least one source; none came.")
  return Object.fromEntries(
    sources.map(([source, { from, table, on }]) => {
      const tables = texts(table, `the tables of source "${source}"`)
      const known = Object.keys(from?.events ?? {})
      const handlers = Object.entries(on ?? {}).filter(([, handler]) => handler !== undefined)
      const entries = handlers.map(([type, handler]): [string, string[]] => {
        if (known.includes(type)) return [type, texts(handler, `source "${source}", event "${type}"`)]
        throw invalidView(
          `Source "${source}" of a view handles "${type}"; its stream has ${known.join(", ")}.`,
        )
      })
      return [source, { tables, on: Object.fromEntries(entries) }]
    }),
  )
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
  if (list.length > 0 && list.every((entry) => typeof entry === "string")) return list
  throw invalidView(
    `Expected a SQL text or an array of them for ${place}; got ${JSON.stringify(value) ?? typeof value}.`,
  )
}
