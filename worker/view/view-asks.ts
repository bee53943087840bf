import { bad, type Decoded, good, isRecord, parseJson } from "../../shared/decoded.ts"
import type { Bounds } from "../../shared/limits.ts"
import { type Offset, readIssuedOffset } from "../../shared/offset.ts"
import type { SqlValue } from "../../shared/sql.ts"
import { fromJsonValue } from "../../shared/view/json-value.ts"
import type { QueryParameters } from "../../shared/view/query.ts"
import { decodeLeast } from "./cursor.ts"
import type { QueryAsk } from "./fold-reads.ts"
import type { SkipAsk } from "./view-claim.ts"

/** Reads the body of a query. */
export function decodeQuery(bytes: Uint8Array, bounds: Pick<Bounds, "queryWaitMsMax">): Decoded<QueryAsk> {
  const { queryWaitMsMax } = bounds
  const parsed = parseJson(new TextDecoder().decode(bytes))
  if (!parsed.ok || !isRecord(parsed.value) || typeof parsed.value.sql !== "string")
    return bad(`A query is {"sql": "...", "params": [...], "min_offset": {...}, "wait_ms": 1000} in JSON.`)
  const { sql, params, min_offset: minOffset, wait_ms: waitMs } = parsed.value
  const parameters = decodeParameters(params ?? [])
  if (!parameters.ok) return parameters
  const least = decodeLeast(minOffset)
  if (!least.ok) return least
  if (waitMs !== undefined && !(typeof waitMs === "number" && waitMs >= 0 && waitMs <= queryWaitMsMax))
    return bad(`"wait_ms" is a number from 0 to ${queryWaitMsMax}; ${JSON.stringify(waitMs)} came.`)
  return good({
    sql,
    parameters: parameters.value,
    least: least.value,
    waitMs: waitMs ?? Math.min(WAIT_MS_DEFAULT, queryWaitMsMax),
  })
}

const WAIT_MS_DEFAULT = 5_000

function decodeParameters(params: unknown): Decoded<QueryParameters> {
  const isList = Array.isArray(params)
  if (!isList && !isRecord(params))
    return bad(`"params" is an array of values, or an object of them by name.`)
  const read: [string, SqlValue][] = []
  for (const [name, value] of Object.entries(params)) {
    const decoded = fromJsonValue(value)
    if (!decoded.ok) return bad(`Of parameter ${isList ? Number(name) + 1 : name}: ${decoded.reason}.`)
    read.push([name, decoded.value])
  }
  return good(isList ? read.map(([, value]) => value) : Object.fromEntries(read))
}

/** Reads the body of a skip. */
export function decodeSkip(bytes: Uint8Array): Decoded<SkipAsk> {
  const parsed = parseJson(new TextDecoder().decode(bytes))
  const { source, stream, event, earliest } = parsed.ok && isRecord(parsed.value) ? parsed.value : {}
  if (typeof source === "string" && typeof stream === "string") {
    if (typeof event === "string" && earliest === undefined) return good({ source, stream, event })
    if (typeof earliest === "string" && event === undefined && readIssuedOffset(earliest) !== undefined)
      return good({ source, stream, earliest: earliest as Offset }) // read as one
  }
  const item = `"event": "..." or "earliest": "..."`
  return bad(`A skip is {"source": "...", "stream": "...", ${item}} in JSON; something else came.`)
}
