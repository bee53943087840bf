import type { Brand } from "../../shared/brand.ts"
import type { Lineage } from "./lineage.ts"

/** Names one creation of a fork, in the fork and in its source. */
export type ForkId = Brand<string, "ForkId">

/** What a fork remembers of having been forked. */
export type ForkRecord = {
  readonly id: ForkId
  /** The path of the stream that it was forked from, which keeps a reference to it. */
  readonly source: string
  /** The point as it was asked for: in a stream of bytes `sub` bytes past a position, in one of JSON a position. */
  readonly asked: { readonly position: number; readonly sub: number }
  /** Its lifetime is the one that the source had. */
  readonly inheritsLifetime: boolean
  readonly lineage: Lineage
}

export function writeForkRecord(fork: ForkRecord | undefined): string | null {
  return fork === undefined ? null : JSON.stringify(fork)
}

export function readForkRecord(text: string): ForkRecord {
  return JSON.parse(text) as ForkRecord // nobody but the function above writes the column
}
