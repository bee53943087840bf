import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { isAfter, type Offset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxEntry, type OutboxKey } from "../../shared/outbox.ts"
import { AppendLog } from "./append-log.ts"
import { nameDevice } from "./device-name.ts"
import { keepEntries } from "./losses.ts"
import type { StoredEntry, StoredPage, StreamRecord } from "./records.ts"
import { type RejectedEntry, rejectIn } from "./rejections.ts"
import {
  type Durability,
  Exists,
  type ReadTransaction,
  type Storage,
  type WriteTransaction,
} from "./storage.ts"
import { beginTerm, Deposed, holdTerm, type Term } from "./terms.ts"
import { fillAbsent, goAhead, type Standing, standing } from "./way-ahead.ts"
import { goBack, hasPassed, LAST_OFFSET, type WayBack } from "./way-back.ts"

/** What one transaction of the leader changes. `page` ends at the record's head. */
export type LogChange = {
  readonly page: StoredPage | undefined
  readonly confirmed: readonly OutboxKey[]
  /** What leaves the outbox for the edge has refused it. */
  readonly rejected: readonly RejectedEntry[]
  readonly record: StreamRecord
}

/** Nothing is known of the size of a stream's pages before one was read: it may have megabytes. */
const PAGES_FIRST_READ = 1

/** Characters of messages that one read aims at. Enough to fold for some ten milliseconds. */
const READ_LENGTH = 2 * 1024 * 1024

/** Records that one read may bring, however small. */
const PAGES_READ_MAX = 2_000

/**
 * This device's log on disk. Each method that changes the log is one transaction.
 *
 * After every transaction, for each stream:
 *   1. an event is in the outbox, in the pages or among the refused ones, never in two of them;
 *   2. the pages join without gap or overlap from START to the record's head, absent ones among them;
 *   3. the batch in flight has entries in the outbox, all of them unless a copy of this device has appended some too,
 *      and its number was never given to others.
 */
export class DeviceLog extends AppendLog {
  readonly #storage: Storage
  /** Claimed last, on the database that is there now. */
  #term: Term | undefined

  /** @param storage One that is checked: the log believes what it reads. */
  constructor(storage: Storage) {
    super(storage)
    this.#storage = storage
    storage.health.onChange(({ kind }) => {
      if (kind === "deleted") this.#term = undefined
    })
  }

  /** This device's name as a producer: made once, kept as long as the database. */
  device(newId: () => string): Promise<ProducerId> {
    return nameDevice(this.#storage, newId)
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

  /** Whether the log goes on from a place that some tab had come to: as far as can be said where it is absent. */
  async goesOnFrom(stream: StreamPath, place: Offset): Promise<boolean> {
    if (place === START) return true
    const page = await this.pageBehind(stream, place)
    return page?.absent ? !isAfter(page.from, place) : this.passed(stream, place)
  }

  /** Goes back to an earlier place, and ends the term of whoever leads. False when the log has moved on meanwhile. */
  goBack(stream: StreamPath, way: WayBack): Promise<boolean> {
    return goBack(this.#storage, stream, way)
  }

  /**
   * Lets logs go on from later places, and ends the term of whoever leads: what lies between is absent then. Answers
   * which streams did; undefined, and nothing is changed, when one of them cannot.
   */
  goAhead(places: ReadonlyMap<StreamPath, Offset>, device: ProducerId): Promise<StreamPath[] | undefined> {
    return goAhead(this.#storage, places, device)
  }

  /** How far a log goes, and up to where parts of it are absent. */
  standing(stream: StreamPath): Promise<Standing> {
    return standing(this.#storage, stream)
  }

  /** Puts what an absent page begins with in its place. False when it is not absent there any more. */
  fillAbsent(absent: StoredPage, page: PageText): Promise<boolean> {
    return fillAbsent(this.#storage, absent, page)
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
}
