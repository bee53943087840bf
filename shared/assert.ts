/** Throws when an invariant of ours is broken. For bugs only: what a user or the network can cause has a code. */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`Headwater bug: ${invariant}`)
}

/** The default branch of a switch over a union: a new member does not compile until every switch has met it. */
export function unreachable(value: never): never {
  throw new Error(`Headwater bug: unexpected ${JSON.stringify(value)}`)
}
