import type { RawBody } from "../../shared/append.ts"
import { mediaType } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import { isSameLifetime } from "../../shared/lifetime.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import { beginningOf, type CreateFault, type CreateOutcome, LEFT_TO_FORKS } from "./create.ts"
import {
  askedPoint,
  conflictWithFork,
  type ForkAsk,
  type ForkClaim,
  type ForkGrant,
  type ForkPoint,
  prefixBody,
} from "./fork-claim.ts"
import type { ForkId } from "./fork-record.ts"
import { addReference, dropReference, type ForkReference, referencesIn } from "./fork-references.ts"
import { lineageOfFork } from "./lineage.ts"
import { locate } from "./locate.ts"
import type { Starter } from "./starter.ts"
import type { StreamHost } from "./stream-host.ts"
import type { StreamLife } from "./stream-life.ts"
import type { StreamLog } from "./stream-log.ts"
import { stateOf } from "./stream-record.ts"

export type ForksParts = {
  readonly host: StreamHost
  readonly log: StreamLog
  readonly index: SegmentIndex
  readonly life: StreamLife
  readonly starter: Starter
}

/**
 * A stream as fork, and as source of forks. Each method is one turn of the stream; `forking.ts` joins the turns of two
 * streams. A fork and its source are bound by a reference that the source has stored before the fork is, and that goes
 * after it: what a fork reads through is there for as long as it lives.
 */
export class StreamForks {
  readonly #parts: ForksParts

  constructor(parts: ForksParts) {
    this.#parts = parts
  }

  /** What a creation comes to that needs no source: there is a stream already. */
  existing(claim: ForkClaim): CreateOutcome | undefined {
    const found = this.#parts.life.find()
    if (found.kind === "missing") return undefined
    if (found.kind === "deleted") return LEFT_TO_FORKS
    return conflictWithFork(found.stream, claim) ?? { ...stateOf(found.stream), isNew: false }
  }

  /** Makes the fork that its source has granted, unless there is a stream by now. */
  create(id: ForkId, claim: ForkClaim, point: ForkPoint, grant: ForkGrant, body: RawBody): CreateOutcome {
    const existing = this.existing(claim)
    if (existing !== undefined) return existing
    const { contentType, base, lineage } = grant
    const { source, closed, retention, budget, principal, lifetime = grant.lifetime } = claim
    const beginning = beginningOf({ contentType, principal }, body, this.#parts.host.bounds)
    if (beginning.kind !== "beginning") return beginning
    const asked = askedPoint(claim, contentType, point, base)
    const inheritsLifetime = isSameLifetime(lifetime, grant.lifetime)
    const fork = { id, source, asked, inheritsLifetime, lineage }
    const fresh = { contentType, closed, lifetime, retention, budget, creator: principal, fork, base }
    const stream = this.#parts.starter.begin(fresh, [prefixBody(point), beginning.body])
    return { ...stateOf(stream), isNew: true }
  }

  /** Whether this stream is the fork `id`, to which its source is needed. */
  isFork(id: ForkId): boolean {
    this.#parts.life.find() // it goes if its time is over
    return this.#parts.log.find()?.fork?.id === id
  }

  /** Stores a reference to a fork to be, and says what it begins with. */
  grant({ id, path, source, contentType, offset }: ForkAsk): ForkGrant | CreateFault {
    const found = this.#parts.life.find()
    if (found.kind === "missing") return noSource(source)
    if (found.kind === "deleted") return deletedSource(source)
    const { stream } = found
    const location = locate(this.#parts.host, this.#parts.index, stream, offset)
    if (location.kind !== "place" && location.kind !== "inherited") {
      return { kind: "malformed", reason: `${offset} is no place in ${source} any more.` }
    }
    if (contentType !== undefined && mediaType(contentType) !== mediaType(stream.contentType)) {
      const reason = `A fork holds what its source holds, here ${stream.contentType}; ${contentType} was asked for.`
      return { kind: "conflict", reason }
    }
    const base = location.place
    const lineage = lineageOfFork(
      { path: source, generation: stream.generation },
      stream.fork?.lineage ?? [],
      base,
    )
    const { lineageLengthMax } = this.#parts.host.bounds
    if (lineage.length > lineageLengthMax) {
      const reason = `A fork descends from ${lineageLengthMax} streams at most; this one would from more.`
      return { kind: "conflict", reason }
    }
    addReference(this.#parts.host, { id, path })
    return { kind: "granted", contentType: stream.contentType, lifetime: stream.lifetime, base, lineage }
  }

  /** Forgets a fork that is no more. A deleted stream goes with the last of them. Repeatable. */
  drop(id: ForkId): void {
    const stream = this.#parts.log.find()
    if (stream === undefined) return
    dropReference(this.#parts.host, id)
    if (stream.deletedAt !== undefined && referencesIn(this.#parts.host, 1).length === 0)
      this.#parts.life.remove(stream)
  }

  /** The forks that keep a deleted stream, at most as many as one look asks. */
  keepers(): readonly ForkReference[] {
    const stream = this.#parts.log.find()
    const { host } = this.#parts
    return stream?.deletedAt === undefined ? [] : referencesIn(host, host.bounds.forksPerLookMax)
  }

  /** Asks to be woken for the next look at the forks of a deleted stream: ever more rarely. */
  wakeToLook(): void {
    const deletedAt = this.#parts.log.find()?.deletedAt
    if (deletedAt === undefined) return
    const { host } = this.#parts
    const { forkLookMsMin, forkLookMsMax } = host.bounds
    const now = host.now()
    const wait = Math.min(Math.max(now - deletedAt, forkLookMsMin), forkLookMsMax)
    host.wakeAt((now + wait) as Millis) // a time plus a duration
  }
}

export function noSource(source: string): CreateFault {
  return { kind: "no-source", reason: `A fork has a source; there is no stream ${source}.` }
}

export function deletedSource(source: string): CreateFault {
  return { kind: "conflict", reason: `A fork has a source that is there; ${source} was deleted.` }
}
