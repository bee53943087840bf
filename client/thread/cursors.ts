import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { ReadTransaction, Storage } from "./storage.ts"

/** How far a consumer has got. */
type Cursor = { readonly stream: StreamPath; readonly name: string; readonly offset: Offset }

/** The durable cursors of all streams. Each method is one transaction. */
export class Cursors {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Where a consumer of this name has got to. */
  async get(stream: StreamPath, name: string): Promise<Offset | undefined> {
    const read = (tx: ReadTransaction) => tx.get("cursors", [stream, name]) as Promise<Cursor | undefined> // see below
    return (await this.#storage.read(read, ["cursors"]))?.offset
  }

  /** `relaxed`: after a power cut the consumer is some steps back, as it may be after any crash. */
  move(stream: StreamPath, name: string, offset: Offset): Promise<void> {
    const cursor: Cursor = { stream, name, offset }
    return this.#storage.write("relaxed", (tx) => tx.put("cursors", cursor), ["cursors"])
  }
}
