import { bad, type Decoded, good, isRecord } from "./decoded.ts"
import type { Bounds } from "./limits.ts"
import { coversPattern, coversSegments } from "./path-pattern.ts"

/** What a caller may do with a stream. None of them implies another. */
export type Right = "read" | "append" | "manage"

/** Rights by patterns of stream paths, as a token carries them: `{"acme/**": ["read", "append"]}`. */
export type Grants = readonly Grant[]

type Grant = { readonly pattern: readonly string[]; readonly rights: readonly Right[] }

const RIGHTS: readonly string[] = ["read", "append", "manage"] satisfies Right[]

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
  return grants.some(({ pattern, rights }) => rights.includes(right) && coversSegments(pattern, segments))
}

/** Whether one of the grants gives this right to every stream that a path or pattern may stand for. */
export function isGrantedForAll(grants: Grants, pathOrPattern: string, right: Right): boolean {
  const segments = pathOrPattern.split("/")
  return grants.some(({ pattern, rights }) => rights.includes(right) && coversPattern(pattern, segments))
}
