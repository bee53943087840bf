import type { EventSchemas } from "../events.ts"

/**
 * The fields that a schema lets an event's data have, if it can say: libraries with the JSON Schema extension of
 * Standard Schema can. Undefined where it says nothing, or where the data may have fields of any name.
 */
export function fieldsOf(schema: EventSchemas[string]): ReadonlySet<string> | undefined {
  const standard: object = schema["~standard"]
  if (!("jsonSchema" in standard) || !isRecord(standard.jsonSchema)) return undefined // not every library has it
  if (typeof standard.jsonSchema.output !== "function") return undefined
  let json: unknown
  try {
    json = standard.jsonSchema.output({ target: "draft-2020-12" })
  } catch {
    return undefined // the extension says so of a type that it cannot write as JSON Schema: a transform, a date
  }
  const fields = new Set<string>()
  return collect(json, json, fields, new Set()) ? fields : undefined
}

/** Notes the fields that a JSON Schema names. False when there may be others. */
function collect(schema: unknown, root: unknown, fields: Set<string>, seen: Set<unknown>): boolean {
  if (!isRecord(schema)) return schema === false
  if (seen.has(schema)) return true
  seen.add(schema)
  const { $ref, properties, additionalProperties, patternProperties } = schema
  if (typeof $ref === "string") return collect(resolved($ref, root), root, fields, seen)
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  if (!parts.every((part) => collect(part, root, fields, seen))) return false
  if (isRecord(properties)) for (const name of Object.keys(properties)) fields.add(name)
  if (patternProperties !== undefined || isRecord(additionalProperties) || additionalProperties === true)
    return false
  const saysWhat = ["type", "properties", "const", "enum", "not"].some((key) => schema[key] !== undefined)
  return saysWhat || parts.length > 0
}

/** `#`, or a place in the schema such as `#/$defs/order`. */
function resolved(reference: string, root: unknown): unknown {
  const [start, ...steps] = reference.split("/")
  if (start !== "#") return true // elsewhere: anything
  return steps.reduce<unknown>((place, step) => {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
    return isRecord(place) && Object.hasOwn(place, key) ? place[key] : true
  }, root)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
