import type { Place } from "../../shared/offset.ts"

/*
 * A fork holds what was appended to it. What comes before is held by the streams that it descends from, its lineage,
 * oldest first:
 *
 *   ancestor 0        ancestor 1      the fork itself
 *   0 ──────── until 0 ───── until 1 ──────────── tail
 *                              = base
 *
 * Each ancestor holds the messages from where the one before it ends up to its `until`, and gave the offsets of the
 * places behind those messages. So an offset up to the fork point is the same in source and fork.
 */

/** One generation of the stream `path`, as far as it is part of a fork. */
export type Ancestor = { readonly path: string; readonly generation: number; readonly until: Place }

export type Lineage = readonly Ancestor[]

/** The ancestor whose offset names the place at a position; undefined when the stream names it itself. */
export function namerAt(lineage: Lineage, position: number): Ancestor | undefined {
  return lineage.find(({ until }) => position <= until.position)
}

/** The ancestor that holds the message behind a position; undefined when the stream holds it itself. */
export function holderAt(lineage: Lineage, position: number): Ancestor | undefined {
  return lineage.find(({ until }) => position < until.position)
}

/** What a fork of `source` descends from, if it leaves the source at `point`. */
export function lineageOfFork(source: Omit<Ancestor, "until">, lineage: Lineage, point: Place): Lineage {
  const older = lineage
    .filter((_, at) => at === 0 || isBefore(lineage[at - 1], point))
    .map((ancestor) => (isBefore(ancestor, point) ? ancestor : { ...ancestor, until: point }))
  const last = older.at(-1)
  return last === undefined || isBefore(last, point) ? [...older, { ...source, until: point }] : older
}

function isBefore(ancestor: Ancestor | undefined, point: Place): boolean {
  return ancestor !== undefined && ancestor.until.position < point.position
}
