import type { StandardSchemaV1 } from "@standard-schema/spec"
import { COMMON_LIMITS } from "./common-limits.ts"
import { HeadwaterError } from "./errors.ts"
import type { EventId } from "./ids.ts"

/** The event types of one stream, each with a schema of any library that speaks Standard Schema (zod, valibot ...). */
export type EventSchemas = { readonly [type: string]: StandardSchemaV1 }

/** What may be appended to a stream. Made by `defineStream`. */
export type StreamDefinition<S extends EventSchemas = EventSchemas> = { readonly events: S }

/** What `append` takes as the data of an event of this type. */
export type EventInput<S extends EventSchemas, Type extends keyof S> = StandardSchemaV1.InferInput<S[Type]>

/** What a reader finds as the data of an event of this type: the schema's output. */
export type EventData<S extends EventSchemas, Type extends keyof S> = StandardSchemaV1.InferOutput<S[Type]>

/** An event as it stands in the log. The attributes are those of CloudEvents. */
export type HeadwaterEvent = {
  readonly id: EventId
  readonly type: string
  /** The principal or device that produced it. */
  readonly source: string
  /** The producer's clock, RFC 3339 in UTC with milliseconds. For people; order is the offset. */
  readonly time: string
  readonly data: unknown
  readonly subject?: string
}

/** Everything of an event but its data, which the schema has still to see. */
export type EventAttributes = Omit<HeadwaterEvent, "data" | "subject"> & {
  readonly subject?: string | undefined
}

const TYPE = /^[A-Za-z0-9._:/@-]{1,128}$/

/**
 * Names the event types that a stream may hold, each with the schema of its data. A type whose data has changed
 * gets another name, by custom `name@2`: events that are in the log stay what they were.
 *
 * Schemas must answer at once: an event is on this device before `append` gives way to other code, and a schema that
 * asks a server first would break that. `append` refuses events whose schema answers later.
 *
 * @throws HeadwaterError `invalid-definition` when a type's name or schema is not one.
 */
export function defineStream<const S extends EventSchemas>(events: S): StreamDefinition<S> {
  const types = Object.entries(events)
  if (types.length === 0) throw invalidDefinition("at least one event type", "none")
  for (const [type, schema] of types) {
    if (!TYPE.test(type))
      throw invalidDefinition("type names of 1 to 128 letters, digits or . _ : / @ -", JSON.stringify(type))
    const validate: unknown = schema?.["~standard"]?.validate // callers without types pass anything
    if (typeof validate !== "function") {
      throw invalidDefinition(`a Standard Schema for "${type}" (zod, valibot, arktype ...)`, typeof schema)
    }
  }
  return { events }
}

function invalidDefinition(expected: string, came: string): HeadwaterError {
  return new HeadwaterError("invalid-definition", `A stream definition needs ${expected}; it has ${came}.`)
}

/**
 * Validates an event's data and writes the event as the JSON that is stored, sent and read everywhere.
 *
 * @throws HeadwaterError `invalid-event`, naming the type, the place in the data, what was expected and what came.
 */
export function encodeEvent(
  definition: StreamDefinition,
  attributes: EventAttributes,
  input: unknown,
): string {
  const data = validData(definition, attributes.type, input)
  const text = toJson(attributes, data)
  if (text.length * UTF8_BYTES_PER_UNIT_MAX <= COMMON_LIMITS.eventBytesMax) return text
  const bytes = utf8Length(text)
  if (bytes > COMMON_LIMITS.eventBytesMax) {
    throw new HeadwaterError(
      "invalid-event",
      `An event may have ${COMMON_LIMITS.eventBytesMax} bytes as JSON; this "${attributes.type}" has ${bytes}.`,
    )
  }
  return text
}

function validData(definition: StreamDefinition, type: string, input: unknown): unknown {
  const schema = Object.hasOwn(definition.events, type) ? definition.events[type] : undefined
  if (schema === undefined) {
    const known = Object.keys(definition.events).join(", ")
    throw new HeadwaterError("invalid-event", `The stream's event types are ${known}; "${type}" came.`)
  }
  const result = schema["~standard"].validate(input)
  if (result instanceof Promise) {
    throw new HeadwaterError(
      "invalid-event",
      `The schema of "${type}" must answer at once; it answered with a promise.`,
    )
  }
  if (result.issues === undefined) return result.value
  const faults = result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`)
  throw new HeadwaterError(
    "invalid-event",
    `The data of "${type}" does not fit its schema. ${faults.join("; ")}`,
  )
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const keys = (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step))
  return ["data", ...keys].join(".")
}

/** One object of a fixed shape is written several times as fast as one that is copied together. */
function toJson({ id, type, source, time, subject }: EventAttributes, data: unknown): string {
  if (data === undefined) throw notJson(type, "undefined came")
  try {
    return JSON.stringify({ id, type, source, time, subject, data }) // without a subject none is written
  } catch (cause) {
    throw notJson(type, String(cause), cause)
  }
}

function notJson(type: string, came: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError("invalid-event", `The data of "${type}" must be JSON: ${came}.`, { cause })
}

/** A unit of UTF-16 has so many bytes in UTF-8, or less. */
const UTF8_BYTES_PER_UNIT_MAX = 3

const BEYOND_ASCII = /[\u0080-\uffff]/

/** The text's length in UTF-8. A surrogate is half of a character of four bytes. */
export function utf8Length(text: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

/** Whether a message of a stream is an event of ours. Others may append any JSON; it stays in the log all the same. */
export function isEvent(message: unknown): message is HeadwaterEvent {
  if (typeof message !== "object" || message === null) return false
  const { id, type } = message as Record<string, unknown> // any object can be asked for two fields
  return typeof id === "string" && typeof type === "string"
}
