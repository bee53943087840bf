import {
  type Durability,
  type ReadTransaction,
  STORES,
  type Storage,
  type StoreName,
  type WriteTransaction,
} from "../../client/disk/storage.ts"
import { Health } from "../../client/disk/storage-health.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Disk, Owner } from "./disk.ts"
import type { DiskTransaction } from "./disk-transaction.ts"

/** One thread's way to its device's database. It treats transactions as the browser's does. */
export class DiskStorage implements Storage {
  readonly health = new Health("disk")
  readonly #disk: Disk
  readonly #owner: Owner
  #isClosed = false

  constructor(disk: Disk, owner: Owner) {
    this.#disk = disk
    this.#owner = owner
  }

  async read<T>(
    body: (tx: ReadTransaction) => Promise<T>,
    stores: readonly StoreName[] = STORES,
  ): Promise<T> {
    const tx = this.#begin("read", "relaxed", stores)
    const running = body(tx)
    over(tx)
    tx.commit()
    const [result] = await Promise.all([running, tx.done])
    return result
  }

  async write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores: readonly StoreName[] = STORES,
  ): Promise<T> {
    const tx = this.#begin("write", durability, stores)
    try {
      const running = body(tx)
      const result = running instanceof Promise ? await running : running
      over(tx)
      tx.commit()
      await tx.done
      return result
    } catch (cause) {
      over(tx)
      tx.abort(cause)
      throw cause
    }
  }

  close(): void {
    this.#isClosed = true
  }

  #begin(kind: "read" | "write", durability: Durability, stores: readonly StoreName[]): DiskTransaction {
    if (this.#isClosed)
      throw new HeadwaterError("storage-unavailable", "The connection to the database is closed.")
    return this.#disk.begin({ owner: this.#owner, kind, durability, stores })
  }
}

function over(tx: DiskTransaction): void {
  tx.isBodyOver = true
}
