import { VIEW_LIMITS } from "../common-limits.ts"
import { SQL_ERROR, SQL_MISMATCH, SqlFailure, type SqlValue } from "../sql.ts"
import { isLongPattern, meansPresent } from "./determinism.ts"
import { invalidView, type Place } from "./refusal.ts"

/**
 * The attributes of an event that a statement can name. `event_stream` is the path of the stream that it is
 * in.
 */
const ATTRIBUTES = [
  "event_id",
  "event_type",
  "event_time",
  "event_source",
  "event_subject",
  "event_stream",
] as const
type Attribute = (typeof ATTRIBUTES)[number]

/** What binds to one position of a statement. */
export type Parameter = {
  readonly name: string
  /** An attribute of the event; undefined for a field of its data. */
  readonly attribute: Attribute | undefined
  /** A date function takes the value as a moment, so it must not mean the present one. */
  readonly isMoment: boolean
  /** LIKE or GLOB takes the value as a pattern, so it must not be longer than all places take. */
  readonly isPattern: boolean
}

/** Parameters that stand where not every value will do. */
export type Uses = { readonly moments: readonly string[]; readonly patterns: readonly string[] }

/** What a statement needs to know of an event. `data` may be any JSON; only an object has fields. */
export type BindableEvent = {
  readonly id: string
  readonly type: string
  readonly time?: unknown
  readonly source?: unknown
  readonly subject?: unknown
  readonly data?: unknown
}

/** Reads the parameters of a handler. @throws HeadwaterError `invalid-view` when one has no meaning. */
export function checkParameters(
  written: readonly (string | undefined)[],
  place: Place,
  { moments, patterns }: Uses,
): Parameter[] {
  if (written.length > VIEW_LIMITS.sqlParametersMax) {
    throw invalidView(
      `${place}: expected at most ${VIEW_LIMITS.sqlParametersMax} parameters; got ${written.length}.`,
    )
  }
  return written.map((text) => {
    const name = text?.startsWith(":") === true ? text.slice(1) : undefined
    if (name === undefined) {
      throw invalidView(`${place}: expected parameters such as :name; got ${text ?? "?"}.`)
    }
    const attribute = ATTRIBUTES.find((known) => known === name)
    if (attribute === undefined && name.startsWith("event_")) {
      throw invalidView(`${place}: names that begin with "event_" are ${ATTRIBUTES.join(", ")}; got ${name}.`)
    }
    return {
      name,
      attribute,
      isMoment: moments.includes(`:${name}`),
      isPattern: patterns.includes(`:${name}`),
    }
  })
}

/**
 * Writes what an event gives each parameter into `values`, which is as long as `parameters`: it is used again
 * for the next event, so that a long log makes no garbage here.
 *
 * @throws SqlFailure when a date function would take a value for the present moment.
 */
export function bindEvent(
  parameters: readonly Parameter[],
  event: BindableEvent,
  stream: string,
  values: SqlValue[],
): void {
  const { data } = event
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data)
  const fields = isObject ? (data as Record<string, unknown>) : undefined // any object can be asked for fields
  for (let at = 0; at < parameters.length; at++) {
    const parameter = parameters[at]
    if (parameter === undefined) continue
    const { name, attribute } = parameter
    let value: unknown
    if (attribute !== undefined) value = attributeOf(event, attribute, stream)
    else if (fields !== undefined) value = ownField(fields, name)
    const bound = sqlValueOf(value)
    if (parameter.isMoment && typeof bound === "string" && meansPresent(bound)) {
      throw new SqlFailure(
        SQL_MISMATCH,
        `:${name} is "${bound}", which a date function takes for the present moment`,
      )
    }
    if (parameter.isPattern && typeof bound === "string" && isLongPattern(bound)) {
      throw new SqlFailure(SQL_ERROR, `:${name}: LIKE or GLOB pattern too complex`)
    }
    values[at] = bound
  }
}

/** What an object inherits is no text, number or truth value: those are its own, and the rest is asked about. */
function ownField(fields: Record<string, unknown>, name: string): unknown {
  const value = fields[name]
  if (typeof value !== "object" && typeof value !== "function") return value
  return Object.hasOwn(fields, name) ? value : undefined
}

function attributeOf(event: BindableEvent, attribute: Attribute, stream: string): unknown {
  switch (attribute) {
    case "event_id":
      return event.id
    case "event_type":
      return event.type
    case "event_time":
      return event.time
    case "event_source":
      return event.source
    case "event_subject":
      return event.subject
    case "event_stream":
      return stream
  }
}

/**
 * A JSON value as SQLite stores it: what is absent is NULL, booleans are 1 and 0, objects and arrays are JSON
 * text.
 */
export function sqlValueOf(value: unknown): SqlValue {
  switch (typeof value) {
    case "string":
    case "number":
      return value
    case "boolean":
      return value ? 1 : 0
    case "object":
      return value === null ? null : JSON.stringify(value)
    default:
      return null
  }
}
