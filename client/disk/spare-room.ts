import { HeadwaterError } from "../../shared/errors.ts"
import type { Durability, ReadTransaction, Storage, StoreName, WriteTransaction } from "./storage.ts"
import type { StorageHealth } from "./storage-health.ts"

/**
 * A storage that gives up what can be made anew when there is no room for a write, and then tries once more. What a
 * user has appended is worth any number of snapshots.
 */
export class StorageWithSpareRoom implements Storage {
  readonly #storage: Storage
  readonly #free: () => Promise<void>
  #writes = 0

  /** @param free Gives up what can be spared. Resolves when the room is there, or when nobody can tell. */
  constructor(storage: Storage, free: () => Promise<void>) {
    this.#storage = storage
    this.#free = free
  }

  get health(): StorageHealth {
    return this.#storage.health
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>, stores?: readonly StoreName[]): Promise<T> {
    return this.#storage.read(body, stores)
  }

  /** The first try leaves in this turn. There is no other if something was written since: that would come before it. */
  async write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores?: readonly StoreName[],
  ): Promise<T> {
    const turn = ++this.#writes
    try {
      return await this.#storage.write(durability, body, stores)
    } catch (reason) {
      if (!(reason instanceof HeadwaterError && reason.code === "storage-full")) throw reason
      await this.#free()
      if (turn !== this.#writes) throw reason
      return await this.#storage.write(durability, body, stores)
    }
  }

  close(): void {
    this.#storage.close()
  }
}
