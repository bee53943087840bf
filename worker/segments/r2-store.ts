import type { SegmentStore } from "./sealer.ts"

/** R2 as a store of segments. It compares the hash itself before it takes an object. */
export class R2Store implements SegmentStore {
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
