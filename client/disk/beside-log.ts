import type { StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { EntryKind, EntryTexts } from "../port.ts"
import type { StoredEntry, StreamRecord } from "./records.ts"
import type { ReadTransaction, Storage } from "./storage.ts"

/** Entries that one read of them may bring: one can be as large as a batch. */
const ENTRIES_READ_MAX = 64

/** How far a consumer has got. */
type Cursor = { readonly stream: StreamPath; readonly name: string; readonly offset: Offset }

/** What the disk has beside a stream's log, for those who read or move it. Each method is one transaction. */
export class BesideLog {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** How far the log of a stream goes. */
  async head(stream: StreamPath): Promise<Offset> {
    return (await this.#storage.read((tx) => recordIn(tx, stream), ["streams"]))?.head ?? START
  }

  /** How far the log of a stream goes, and the texts of all entries that are not in it: those of one moment. */
  async outside(stream: StreamPath): Promise<{ head: Offset; texts: string[] }> {
    const read = (tx: ReadTransaction) =>
      Promise.all([recordIn(tx, stream), entriesIn(tx, "outbox", 0), entriesIn(tx, "rejected", 0)])
    const [record, waiting, rejected] = await this.#storage.read(read, ["streams", "outbox", "rejected"])
    return { head: record?.head ?? START, texts: textsOf(stream, [...waiting, ...rejected]) }
  }

  /** Some entries of a stream that are not in its log, behind a key, in the order of appending. */
  async entriesBehind(stream: StreamPath, kind: EntryKind, after: OutboxKey): Promise<EntryTexts> {
    const store = kind === "pending" ? "outbox" : "rejected"
    const read = (tx: ReadTransaction) => entriesIn(tx, store, after, ENTRIES_READ_MAX)
    const entries = await this.#storage.read(read, [store])
    return { texts: textsOf(stream, entries), upTo: entries.at(-1)?.key }
  }

  /** Where a consumer of this name has got to. */
  async cursor(stream: StreamPath, name: string): Promise<Offset | undefined> {
    const read = (tx: ReadTransaction) => tx.get("cursors", [stream, name]) as Promise<Cursor | undefined> // see below
    return (await this.#storage.read(read, ["cursors"]))?.offset
  }

  /** `relaxed`: after a power cut the consumer is some steps back, as it may be after any crash. */
  moveCursor(stream: StreamPath, name: string, offset: Offset): Promise<void> {
    const cursor: Cursor = { stream, name, offset }
    return this.#storage.write("relaxed", (tx) => tx.put("cursors", cursor), ["cursors"])
  }
}

function recordIn(tx: ReadTransaction, stream: StreamPath): Promise<StreamRecord | undefined> {
  return tx.get("streams", stream) as Promise<StreamRecord | undefined> // the log writes these
}

function entriesIn(
  tx: ReadTransaction,
  store: "outbox" | "rejected",
  after: number,
  limit?: number,
): Promise<StoredEntry[]> {
  return tx.getAll(store, { after }, limit) as Promise<StoredEntry[]> // a refused one was of the outbox
}

function textsOf(stream: StreamPath, entries: readonly StoredEntry[]): string[] {
  return entries.filter((entry) => entry.stream === stream).map(({ text }) => text)
}
