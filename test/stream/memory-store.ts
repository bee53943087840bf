import type { SegmentStore } from "../../worker/segments/sealer.ts"

/** A store that fails when it is told to: before it does what it is asked, or after. */
export class MemoryStore implements SegmentStore {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>()
  fails: (call: string, isDone: boolean) => boolean = () => false

  put(key: string, object: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#do("put", () => void this.objects.set(key, object.slice()))
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#do("get", () => this.objects.get(key)?.slice())
  }

  deleteAll(prefix: string): Promise<void> {
    return this.#do("delete", () => {
      for (const key of this.objects.keys()) if (key.startsWith(prefix)) this.objects.delete(key)
    })
  }

  async #do<T>(call: string, work: () => T): Promise<T> {
    if (this.fails(call, false)) throw new Error(`${call} failed`)
    const result = work()
    if (this.fails(call, true)) throw new Error(`${call} failed, and was done`)
    return result
  }
}
