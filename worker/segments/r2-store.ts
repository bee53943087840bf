import type { RowStore } from "../view/snapshot-writer.ts"
import type { SegmentStore } from "./sealer.ts"

/** R2 deletes so many objects at once. */
const KEYS_MAX = 1_000

/** R2 as a store of segments, and of the rows of views. It compares the hash itself before it takes an object. */
export class R2Store implements SegmentStore, RowStore {
  readonly #bucket: R2Bucket

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket
  }

  async put(key: string, object: Uint8Array<ArrayBuffer>, sha256: string): Promise<void> {
    await this.#bucket.put(key, object, { sha256 })
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const object = await this.#bucket.get(key)
    return object === null ? undefined : new Uint8Array(await object.arrayBuffer())
  }

  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = []
    let cursor: string | undefined
    do {
      const listed = await this.#bucket.list({ prefix, ...(cursor !== undefined && { cursor }) })
      keys.push(...listed.objects.map(({ key }) => key))
      cursor = listed.truncated ? listed.cursor : undefined
    } while (cursor !== undefined)
    return keys
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += KEYS_MAX)
      await this.#bucket.delete(keys.slice(at, at + KEYS_MAX))
  }

  async deleteAll(prefix: string): Promise<void> {
    for (;;) {
      const { objects, truncated } = await this.#bucket.list({ prefix })
      if (objects.length > 0) await this.#bucket.delete(objects.map(({ key }) => key))
      if (!truncated) return
    }
  }
}

/** SHA-256 in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
