import type { EventId, StreamPath } from "../../shared/ids.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"
import { condemn } from "./losses.ts"
import { recordOf } from "./records.ts"
import { Rejections } from "./rejections.ts"
import type { Durability, Storage, WriteTransaction } from "./storage.ts"
import { Replaced, type StorageHealth } from "./storage-health.ts"

/** What a page does to this device's log on disk: it appends, and may delete everything. */
export class AppendLog {
  readonly #storage: Storage
  /** What the edge has refused, until the app has dealt with it. */
  readonly rejections: Rejections

  /** @param storage One that is checked: the log believes what it reads. */
  constructor(storage: Storage) {
    this.#storage = storage
    this.rejections = new Rejections(storage)
  }

  get health(): StorageHealth {
    return this.#storage.health
  }

  /**
   * Stores what the app appended in one turn. The requests have left this thread when it returns; the promise resolves
   * with the keys when the entries are flushed, or when they are written, as `durability` says.
   *
   * It touches the outbox alone: browsers drop a transaction that still waits for another when its page ends, so there
   * should be little to wait for.
   */
  async append(
    stream: StreamPath,
    entries: readonly Omit<OutboxEntry, "key">[],
    durability: Durability,
  ): Promise<OutboxKey[]> {
    let keys: Promise<number>[] = []
    const add = (tx: WriteTransaction) => {
      keys = entries.map((entry) => tx.add(recordOf(stream, entry)))
    }
    try {
      await this.#storage.write(durability, add, ["outbox"])
    } catch (reason) {
      if (!(reason instanceof Replaced)) throw reason
      await this.#storage.write(durability, add, ["outbox"]) // what is new may stand in any database
    }
    return (await Promise.all(keys)) as OutboxKey[] // the disk's keys are what the brand means
  }

  /**
   * Flushes what was written relaxed before: a small strict transaction does, since every backend of IndexedDB writes
   * one journal per database and a flush of its end is one of all before. LevelDB syncs its log, which holds the
   * earlier writes (https://github.com/google/leveldb/blob/main/doc/index.md, "Synchronous Writes"); SQLite in WAL mode
   * syncs the WAL, which holds the earlier commits (https://sqlite.org/pragma.html#pragma_synchronous).
   */
  flush(): Promise<void> {
    return this.#storage.write("strict", (tx) => tx.put("meta", { name: "flush" }), ["meta"])
  }

  /** As `rejections.replace`. */
  replace(stream: StreamPath, entry: Omit<OutboxEntry, "key">, replaced: EventId): Promise<OutboxKey> {
    return this.rejections.replace(stream, entry, replaced)
  }

  /**
   * Says on the disk that all of it is to be deleted.
   *
   * @throws HeadwaterError `pending` when it holds events that the edge does not have; not when `force` is set.
   */
  condemn(force: boolean): Promise<void> {
    return this.#storage.write("strict", (tx) => condemn(tx, force), ["outbox", "rejected", "meta"])
  }

  close(): void {
    this.#storage.close()
  }
}
