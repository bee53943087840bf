import type { EventId, ProducerId, StreamPath } from "../../shared/ids.ts"
import { isAfter, type Offset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxEntry, type OutboxKey } from "../../shared/outbox.ts"
import { nameDevice } from "./device-name.ts"
import { condemn, keepEntries } from "./losses.ts"
import { recordOf, type StoredEntry, type StoredPage, type StreamRecord } from "./records.ts"
import { type RejectedEntry, Rejections, rejectIn } from "./rejections.ts"
import {
  type Durability,
  Exists,
  type ReadTransaction,
  type Storage,
  type WriteTransaction,
} from "./storage.ts"
import { Replaced, type StorageHealth } from "./storage-health.ts"
import { beginTerm, Deposed, holdTerm, type Term } from "./terms.ts"
import { goBack, hasPassed, LAST_OFFSET, type WayBack } from "./way-back.ts"

/** What one transaction of the leader changes. `page` ends at the record's head. */
export type LogChange = {
  readonly page: StoredPage | undefined
  readonly confirmed: readonly OutboxKey[]
  /** What leaves the outbox for the edge has refused it. */
  readonly rejected: readonly RejectedEntry[]
  readonly record: StreamRecord
}

/** Nothing is known of the size of a stream's pages before some were read. */
const PAGES_FIRST_READ = 4

/** Characters of messages that one read aims at. Enough to fold for some ten milliseconds. */
const READ_LENGTH = 2 * 1024 * 1024

/** Records that one read may bring, however small. */
const PAGES_READ_MAX = 2_000

/**
 * This device's log on disk. Each method that changes the log is one transaction.
 *
 * After every transaction, for each stream:
 *   1. an event is in the outbox, in the pages or among the refused ones, never in two of them;
 *   2. the pages join without gap or overlap from START to the record's head;
 *   3. the batch in flight has entries in the outbox, all of them unless a copy of this device has appended some too,
 *      and its number was never given to others.
 */
export class DeviceLog {
  readonly #storage: Storage
  /** What the edge has refused, until the app has dealt with it. */
  readonly rejections: Rejections
  /** Claimed last, on the database that is there now. */
  #term: Term | undefined

  /** @param storage One that is checked: the log believes what it reads. */
  constructor(storage: Storage) {
    this.#storage = storage
    this.rejections = new Rejections(storage)
    storage.health.onChange(({ kind }) => {
      if (kind === "deleted") this.#term = undefined
    })
  }

  get health(): StorageHealth {
    return this.#storage.health
  }

  /** This device's name as a producer: made once, kept as long as the database. */
  device(newId: () => string): Promise<ProducerId> {
    return nameDevice(this.#storage, newId)
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

  /**
   * Stores entries of a disk that was lost, unless they are here already. An entry is known by its text, which has the
   * ids of its events. Undefined, and nothing is stored, when the log goes on behind `head`: it may hold them.
   */
  keep(
    stream: StreamPath,
    head: Offset,
    entries: readonly Omit<OutboxEntry, "key">[],
  ): Promise<OutboxKey[] | undefined> {
    const keep = (tx: WriteTransaction) => keepEntries(tx, stream, head, entries)
    return this.#storage.write("strict", keep, ["outbox", "rejected", "streams"])
  }

  /** As `rejections.replace`. */
  replace(stream: StreamPath, entry: Omit<OutboxEntry, "key">, replaced: EventId): Promise<OutboxKey> {
    return this.rejections.replace(stream, entry, replaced)
  }

  /** Makes the caller the leader: from now on nothing is taken from an earlier one. */
  async claim(): Promise<Term> {
    this.#term = await beginTerm(this.#storage)
    return this.#term
  }

  /**
   * Writes what the leader has learnt and decided about a stream: the next page of its log, the end of the outbox
   * entries that it confirms or the edge has refused, the new head, and the number of the batch that is sent next.
   * Together, so that a crash can neither show an event twice nor hide it, nor give its number to other bytes.
   *
   * `strict` when the record holds a newly frozen batch. Else `relaxed`: after a power cut the page can be read again
   * and the entries sent again, since both are kept or lost as one.
   *
   * @throws Deposed when another tab leads.
   */
  async save(term: Term, durability: Durability, change: LogChange): Promise<void> {
    const always = ["pages", "streams", "meta"] as const
    const isPending = change.confirmed.length > 0 || change.rejected.length > 0
    const stores = isPending ? (["outbox", "rejected", ...always] as const) : always
    const write = (tx: WriteTransaction) => {
      if (term !== this.#term) throw new Deposed(`Term ${term} was claimed on a database that is gone.`)
      holdTerm(tx, term)
      if (change.page !== undefined) tx.put("pages", change.page)
      for (const key of change.confirmed) tx.delete("outbox", key)
      for (const entry of change.rejected) rejectIn(tx, entry)
      tx.put("streams", change.record)
    }
    try {
      await this.#storage.write(durability, write, stores)
    } catch (reason) {
      throw reason instanceof Exists ? new Deposed(`Another tab has led since term ${term}.`) : reason
    }
  }

  /**
   * What other tabs, or an earlier life of this one, have stored: the record, and the outbox behind a key. A stream of
   * which nothing was stored yet is first produced in the device's name.
   */
  async open(
    stream: StreamPath,
    after: OutboxKey,
    device: ProducerId,
  ): Promise<{ record: StreamRecord; entries: StoredEntry[] }> {
    return this.#storage.read(
      async (tx) => {
        const [record, entries] = await Promise.all([
          tx.get("streams", stream) as Promise<StreamRecord | undefined>, // `save` writes these
          tx.getAll("outbox", { after }) as Promise<StoredEntry[]>, // `append` writes these
        ])
        return {
          record: record ?? { stream, head: START, ...firstPosition(device) },
          entries: entries.filter((entry) => entry.stream === stream),
        }
      },
      ["streams", "outbox"],
    )
  }

  /**
   * The pages that begin at or behind one offset and end at or before another, in order, some megabytes at a time:
   * a page can be one event or a whole answer of the edge.
   */
  async *pages(stream: StreamPath, span: { after: Offset; upTo: Offset }): AsyncGenerator<StoredPage[]> {
    let limit = PAGES_FIRST_READ
    for (let { after } = span; isAfter(span.upTo, after); ) {
      const range = { after: [stream, after], upTo: [stream, span.upTo] }
      const read = (tx: ReadTransaction) => tx.getAll("pages", range, limit) as Promise<StoredPage[]> // see `save`
      const pages = await this.#storage.read(read, ["pages"])
      const last = pages.at(-1)
      if (last === undefined) return
      yield pages
      after = last.next
      const length = pages.reduce((sum, page) => sum + page.text.length, 1)
      limit = Math.min(PAGES_READ_MAX, Math.ceil((pages.length * READ_LENGTH) / length))
    }
  }

  /** The first page that ends behind a place, if the log goes on there. */
  async pageBehind(stream: StreamPath, place: Offset): Promise<StoredPage | undefined> {
    const range = { after: [stream, place], upTo: [stream, LAST_OFFSET] }
    const read = (tx: ReadTransaction) => tx.getAll("pages", range, 1) as Promise<StoredPage[]> // see `save`
    return (await this.#storage.read(read, ["pages"]))[0]
  }

  /** The streams of which this device has something. */
  async streams(): Promise<StreamPath[]> {
    const read = (tx: ReadTransaction) =>
      Promise.all([
        tx.getAll("streams", {}) as Promise<StreamRecord[]>, // see `save`
        tx.getAll("outbox", {}) as Promise<StoredEntry[]>, // see `append`
      ])
    const records = await this.#storage.read(read, ["streams", "outbox"])
    return [...new Set(records.flat().map(({ stream }) => stream))]
  }

  /** Whether the stored log of a stream has passed a place. */
  passed(stream: StreamPath, place: Offset): Promise<boolean> {
    return this.#storage.read((tx) => hasPassed(tx, stream, place), ["pages"])
  }

  /** Goes back to an earlier place, and ends the term of whoever leads. False when the log has moved on meanwhile. */
  goBack(stream: StreamPath, way: WayBack): Promise<boolean> {
    return goBack(this.#storage, stream, way)
  }

  /** The streams of which something behind a key waits for the edge, and the last key there is. */
  async owing(after: OutboxKey): Promise<{ streams: StreamPath[]; upTo: OutboxKey }> {
    const read = (tx: ReadTransaction) => tx.getAll("outbox", { after }) as Promise<StoredEntry[]> // see `append`
    const entries = await this.#storage.read(read, ["outbox"])
    return {
      streams: [...new Set(entries.map((entry) => entry.stream))],
      upTo: entries.at(-1)?.key ?? after,
    }
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
