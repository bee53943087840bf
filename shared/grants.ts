import { bad, type Decoded, good, isRecord } from "./decoded.ts"
import type { Bounds } from "./limits.ts"

/** What a caller may do with a stream. None of them implies another. */
export type Right = "read" | "append" | "manage"

/** Rights by patterns of stream paths, as a token carries them: `{"acme/**": ["read", "append"]}`. */
export type Grants = readonly Grant[]

type Grant = { readonly pattern: readonly string[]; readonly rights: readonly Right[] }

const RIGHTS: readonly string[] = ["read", "append", "manage"] satisfies Right[]

/** Any number of segments, none included. */
const ANY_SEGMENTS = "**"

/** Any run of characters within a segment, none included. */
const ANY_CHARACTERS = "*"

/** Reads a token's claim `grants`. What is not wholly understood grants nothing, so one mistake refuses all of it. */
export function decodeGrants(
  claim: unknown,
  { grantsMax, pathLengthMax }: Pick<Bounds, "grantsMax" | "pathLengthMax">,
): Decoded<Grants> {
  if (!isRecord(claim)) return bad("grants is an object of rights by stream pattern; something else came.")
  const entries = Object.entries(claim)
  if (entries.length > grantsMax)
    return bad(`grants has at most ${grantsMax} patterns; ${entries.length} came.`)
  const grants: Grant[] = []
  for (const [pattern, rights] of entries) {
    if (pattern === "" || pattern.length > pathLengthMax)
      return bad(`A pattern in grants has 1 to ${pathLengthMax} characters; one of ${pattern.length} came.`)
    if (!isRights(rights))
      return bad(`The rights in grants are lists of ${RIGHTS.join(", ")}; ${JSON.stringify(rights)} came.`)
    grants.push({ pattern: pattern.split("/"), rights })
  }
  return good(grants)
}

function isRights(value: unknown): value is Right[] {
  return Array.isArray(value) && value.every((right) => RIGHTS.includes(right))
}

/** Whether one of the grants gives this right to the stream of this path. */
export function isGranted(grants: Grants, path: string, right: Right): boolean {
  const segments = path.split("/")
  return grants.some(({ pattern, rights }) => rights.includes(right) && coversPath(pattern, segments))
}

function coversPath(pattern: readonly string[], segments: readonly string[]): boolean {
  return covers(pattern, segments, ANY_SEGMENTS, coversSegment)
}

function coversSegment(pattern: string, segment: string): boolean {
  return covers([...pattern], [...segment], ANY_CHARACTERS, (one, other) => one === other)
}

/**
 * Whether a pattern covers a list whole, `any` standing for any run of items. It goes back to the last `any` only:
 * whatever an earlier one could take, the later one can. So the time is at most the product of the lengths, where
 * a regular expression made of the pattern could take for ever.
 */
function covers(
  pattern: readonly string[],
  items: readonly string[],
  any: string,
  isSame: (pattern: string, item: string) => boolean,
): boolean {
  let [at, next] = [0, 0]
  let retry: { readonly after: number; from: number } | undefined
  while (next < items.length) {
    const [part, item] = [pattern[at], items[next]]
    if (part === any) {
      retry = { after: ++at, from: next }
    } else if (part !== undefined && item !== undefined && isSame(part, item)) {
      at++
      next++
    } else if (retry !== undefined) {
      at = retry.after
      next = ++retry.from
    } else {
      return false
    }
  }
  return pattern.slice(at).every((part) => part === any)
}
