import type { RawBody } from "../../shared/append.ts"
import { mediaType } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import { isSameLifetime } from "../../shared/lifetime.ts"
import { LIMITS } from "../../shared/limits.ts"
import { begin, beginningOf, type CreateFault, type CreateOutcome, LEFT_TO_FORKS } from "./create.ts"
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
import type { StreamHost } from "./stream-host.ts"
import type { StreamLife } from "./stream-life.ts"
import type { StreamLog } from "./stream-log.ts"
import { stateOf } from "./stream-record.ts"

/**
 * A stream as fork, and as source of forks. Each method is one turn of the stream; `forking.ts` joins the turns of two
 * streams. A fork and its source are bound by a reference that the source has stored before the fork is, and that goes
 * after it: what a fork reads through is there for as long as it lives.
 */
export class StreamForks {
  readonly #host: StreamHost
  readonly #log: StreamLog
  readonly #life: StreamLife

  constructor(host: StreamHost, log: StreamLog, life: StreamLife) {
    this.#host = host
    this.#log = log
    this.#life = life
  }

  /** What a creation comes to that needs no source: there is a stream already. */
  existing(claim: ForkClaim): CreateOutcome | undefined {
    const found = this.#life.find()
    if (found.kind === "missing") return undefined
    if (found.kind === "deleted") return LEFT_TO_FORKS
    return conflictWithFork(found.stream, claim) ?? { ...stateOf(found.stream), isNew: false }
  }

  /** Makes the fork that its source has granted, unless there is a stream by now. */
  create(id: ForkId, claim: ForkClaim, point: ForkPoint, grant: ForkGrant, body: RawBody): CreateOutcome {
    const existing = this.existing(claim)
    if (existing !== undefined) return existing
    const beginning = beginningOf(grant, body)
    if (beginning.kind !== "beginning") return beginning
    const { contentType, base, lineage } = grant
    const { source, closed, lifetime = grant.lifetime } = claim
    const asked = askedPoint(claim, contentType, point, base)
    const inheritsLifetime = isSameLifetime(lifetime, grant.lifetime)
    const fork = { id, source, asked, inheritsLifetime, lineage }
    const bodies = [prefixBody(point), beginning.body]
    const stream = this.#host.transact(() =>
      begin(this.#log, { contentType, closed, lifetime, fork, base }, bodies, this.#host.now()),
    )
    this.#life.wakeAtEnd(stream)
    return { ...stateOf(stream), isNew: true }
  }

  /** Whether this stream is the fork `id`, to which its source is needed. */
  isFork(id: ForkId): boolean {
    this.#life.find() // it goes if its time is over
    return this.#log.find()?.fork?.id === id
  }

  /** Stores a reference to a fork to be, and says what it begins with. */
  grant({ id, path, source, contentType, offset }: ForkAsk): ForkGrant | CreateFault {
    const found = this.#life.find()
    if (found.kind === "missing") return noSource(source)
    if (found.kind === "deleted") return deletedSource(source)
    const { stream } = found
    const location = locate(this.#host, stream, offset)
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
    if (lineage.length > LIMITS.lineageLengthMax) {
      const reason = `A fork descends from ${LIMITS.lineageLengthMax} streams at most; this one would from more.`
      return { kind: "conflict", reason }
    }
    addReference(this.#host, { id, path })
    return { kind: "granted", contentType: stream.contentType, lifetime: stream.lifetime, base, lineage }
  }

  /** Forgets a fork that is no more. A deleted stream goes with the last of them. Repeatable. */
  drop(id: ForkId): void {
    const stream = this.#log.find()
    if (stream === undefined) return
    dropReference(this.#host, id)
    if (stream.deletedAt !== undefined && referencesIn(this.#host, 1).length === 0) this.#life.remove(stream)
  }

  /** The forks that keep a deleted stream, at most as many as one look asks. */
  keepers(): readonly ForkReference[] {
    const stream = this.#log.find()
    return stream?.deletedAt === undefined ? [] : referencesIn(this.#host, LIMITS.forksPerLookMax)
  }

  /** Asks to be woken for the next look at the forks of a deleted stream: ever more rarely. */
  wakeToLook(): void {
    const deletedAt = this.#log.find()?.deletedAt
    if (deletedAt === undefined) return
    const now = this.#host.now()
    const wait = Math.min(Math.max(now - deletedAt, LIMITS.forkLookMsMin), LIMITS.forkLookMsMax)
    this.#host.wakeAt((now + wait) as Millis) // a time plus a duration
  }
}

export function noSource(source: string): CreateFault {
  return { kind: "no-source", reason: `A fork has a source; there is no stream ${source}.` }
}

export function deletedSource(source: string): CreateFault {
  return { kind: "conflict", reason: `A fork has a source that is there; ${source} was deleted.` }
}
