import { bad, type Decoded, good, isRecord, parseJson } from "../../shared/decoded.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { SourceStreams } from "../../shared/view/fold.ts"
import { pathFault } from "../http/stream-path.ts"

/** A view as it is defined over HTTP: what it does, and with which streams. */
export type ViewClaim = { readonly view: ViewData; readonly streams: SourceStreams }

/** What somebody has said to pass over: an event that a source halts at, or what a stream no longer holds. */
export type SkipAsk =
  | { readonly source: string; readonly stream: string; readonly event: string }
  | { readonly source: string; readonly stream: string; readonly earliest: Offset }

/** A generation of a view: what one fold folds. */
export type FoldClaim = ViewClaim & {
  readonly name: string
  readonly generation: number
  readonly skips: readonly SkipAsk[]
}

/** The name of the object that holds a generation's rows. No path of an address has the sign. */
export function foldName(name: string, generation: number): string {
  return `${name}#${generation}`
}

/** Reads the body of a definition. What it does is for the compiler to judge. */
export function decodeViewClaim(
  bytes: Uint8Array,
  { viewBytesMax, pathLengthMax }: Pick<Bounds, "viewBytesMax" | "pathLengthMax">,
): Decoded<ViewClaim> {
  if (bytes.length > viewBytesMax)
    return bad(`A view has at most ${viewBytesMax} bytes; ${bytes.length} came.`)
  const parsed = parseJson(new TextDecoder().decode(bytes))
  if (!parsed.ok || !isRecord(parsed.value))
    return bad(`A view is {"view": {...}, "streams": {...}} in JSON.`)
  const { view, streams } = parsed.value
  if (!isViewData(view))
    return bad(`"view" is {"source": {"tables": ["..."], "on": {"type": ["..."]}}}; it is not.`)
  const sources = Object.keys(view)
  if (sources.length === 0) return bad("A view has at least one source; none came.")
  if (!isRecord(streams)) return bad(`"streams" is {"source": "path or pattern"}; it is not.`)
  for (const source of new Set([...sources, ...Object.keys(streams)])) {
    const path = Object.hasOwn(streams, source) ? streams[source] : undefined
    if (!sources.includes(source))
      return bad(`"streams" names the source "${source}"; the view has none such.`)
    const fault = typeof path === "string" ? pathFault(path, pathLengthMax) : "it is no text"
    if (fault !== undefined) return bad(`The stream of source "${source}" is a path or a pattern: ${fault}.`)
  }
  return good({ view, streams: streams as SourceStreams }) // each of its values was looked at
}

function isViewData(value: unknown): value is ViewData {
  return isRecord(value) && Object.values(value).every(isSource)
}

function isSource(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { tables, on } = value
  return isTexts(tables) && tables.length > 0 && isRecord(on) && Object.values(on).every(isTexts)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string")
}

/** Whether two definitions ask for the same of the same streams, given that their keys are equal. */
export function sameStreams(one: SourceStreams, other: SourceStreams): boolean {
  const sources = Object.keys(one)
  return (
    sources.length === Object.keys(other).length && sources.every((source) => one[source] === other[source])
  )
}
