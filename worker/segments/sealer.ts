import { encodeSegment } from "./segment.ts"
import type { Draft, StreamSeals } from "./stream-seals.ts"

/** Where segments are kept. R2 is one; a map that fails when it is told to is another. */
export interface SegmentStore {
  /** Resolves when the object is stored whole. Storing it again changes nothing. */
  put(key: string, object: Uint8Array<ArrayBuffer>, sha256: string): Promise<void>
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Deletes every object whose key begins so. */
  deleteAll(prefix: string): Promise<void>
}

export type SealerParts = {
  readonly seals: StreamSeals
  readonly store: SegmentStore
  /** SHA-256 in hexadecimal digits. */
  digest(bytes: Uint8Array<ArrayBuffer>): Promise<string>
}

/**
 * Moves a stream's old batches into segments, and deletes segments that nothing refers to. What is sealed is stored,
 * read back and compared before the stream's object lets go of it, and that it does in the transaction that notes the
 * segment. So a failure at any step leaves the batches where they were; the next run makes the same object under the
 * same key, which carries its hash.
 */
export class Sealer {
  readonly #parts: SealerParts

  constructor(parts: SealerParts) {
    this.#parts = parts
  }

  /** Resolves when nothing is left to do. Rejects when the store failed; what is left is done by another run. */
  async run(): Promise<void> {
    const { seals, store } = this.#parts
    for (let draft = seals.draft(); draft !== undefined; draft = seals.draft()) await this.#seal(draft)
    for (const prefix of seals.garbage()) {
      await store.deleteAll(prefix)
      seals.collected(prefix)
    }
  }

  async #seal(draft: Draft): Promise<void> {
    const { seals, store, digest } = this.#parts
    const object = encodeSegment(draft.body, draft.lengths)
    const sha256 = await digest(object)
    const key = `${draft.prefix}${String(draft.from.position).padStart(16, "0")}-${sha256.slice(0, 16)}`
    await store.put(key, object, sha256)
    const stored = await store.get(key)
    if (stored === undefined || (await digest(stored)) !== sha256) {
      throw new Error(`The segment ${key} does not read as it was stored.`)
    }
    const { from, next, bytesTo, at, body } = draft
    seals.commit(draft, { key, from, next, bytes: body.length, bytesTo, at, sha256 })
  }
}
