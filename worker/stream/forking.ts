import type { RawBody } from "../../shared/append.ts"
import type { CreateFault, CreateOutcome } from "./create.ts"
import type { ForkAsk, ForkClaim, ForkGrant, ForkPoint } from "./fork-claim.ts"
import type { ForkId, ForkRecord } from "./fork-record.ts"
import type { StreamForks } from "./stream-forks.ts"

/** What one stream's object asks of another one. */
export interface ForkPeer {
  grantFork(ask: ForkAsk): Promise<ForkGrant | CreateFault>
  dropFork(id: ForkId): Promise<void>
  holdsFork(id: ForkId): Promise<boolean>
}

export type ForkingParts = {
  readonly forks: StreamForks
  peer(path: string): ForkPeer
  newId(): ForkId
}

/**
 * What a fork and its source do together. Each waits for the other here and nowhere else; what is decided and written
 * is a turn of one of them, which looks at everything anew.
 *
 * A fork is made in two steps: the source stores a reference, then the fork is stored; on failure the reference is
 * dropped. It goes in two: the fork is removed, then the reference. So whatever step is the last, a fork has its
 * source; and a reference that outlives its fork is found by the source, once that is deleted, by asking.
 */
export class Forking {
  readonly #parts: ForkingParts
  /** Forks that have been granted, perhaps, and are not stored yet. */
  readonly #underway = new Set<ForkId>()
  readonly #tellings = new Set<Promise<void>>()

  constructor(parts: ForkingParts) {
    this.#parts = parts
  }

  /** Makes the stream `path`, which is this one, a fork. */
  async create(path: string, claim: ForkClaim, point: ForkPoint, body: RawBody): Promise<CreateOutcome> {
    const { forks, peer, newId } = this.#parts
    const existing = forks.existing(claim)
    if (existing !== undefined) return existing
    const id = newId()
    const { source, contentType } = claim
    this.#underway.add(id)
    try {
      const grant = await peer(source).grantFork({ id, path, source, contentType, offset: point.offset })
      if (grant.kind !== "granted") return grant
      return forks.create(id, claim, point, grant, body)
    } finally {
      this.#underway.delete(id)
      if (!forks.isFork(id)) await this.#drop(source, id)
    }
  }

  /** Whether a source has to keep its reference to the fork `id` of this name. */
  holds(id: ForkId): boolean {
    return this.#underway.has(id) || this.#parts.forks.isFork(id)
  }

  /** Begins to tell the source of a fork that is no more. */
  letGo({ source, id }: ForkRecord): void {
    const telling = this.#drop(source, id).finally(() => this.#tellings.delete(telling))
    this.#tellings.add(telling)
  }

  /** Resolves when sources have been told, as far as they can be reached. */
  async told(): Promise<void> {
    await Promise.all(this.#tellings)
  }

  /**
   * Asks the forks that keep this stream, if it is deleted, whether they are there. One that is keeps it, so the others
   * may wait for the next look. That one is arranged first, so that no failure is the end of it.
   */
  async look(): Promise<void> {
    const { forks, peer } = this.#parts
    forks.wakeToLook()
    for (const { id, path } of forks.keepers()) {
      const isHeld = await peer(path)
        .holdsFork(id)
        .catch(() => true) // whoever cannot be asked may be there
      if (isHeld) return
      forks.drop(id)
    }
  }

  /** Does not reject: a source that is not told finds out by itself. */
  async #drop(source: string, id: ForkId): Promise<void> {
    await this.#parts
      .peer(source)
      .dropFork(id)
      .catch(() => undefined)
  }
}
