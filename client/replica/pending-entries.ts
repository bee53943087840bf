import { type Load, NOTHING, plus } from "../../shared/backlog.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { StoredEntry } from "../disk/records.ts"
import { NO_KEY } from "../disk/records.ts"
import { foundEntry, idOf, inOrder, type PendingEntry } from "./pending-entry.ts"

/**
 * The entries of one stream that wait for the edge: in the order of keys, those without one last, in the order of
 * appending. The page tells of an entry, the disk and the edge's log may tell of the same before or after, and each
 * stands here once.
 */
export class PendingEntries {
  #entries: PendingEntry[] = []
  #load = NOTHING
  /** Everything on the disk up to here has been merged. */
  #mergedTo = NO_KEY
  /** Keys above `#mergedTo` that the disk gave to entries of this tab: they are known, confirmed or not. */
  readonly #own = new Set<OutboxKey>()
  /** The first events of the entries that the disk has shown: this tab may have yet to show them as its own. */
  readonly #seen = new Set<unknown>()
  /** Entries that are pending no more, or never were since the disk had shown them. */
  readonly #gone = new WeakSet<PendingEntry>()
  /** Entries without a key when all that the disk had said was forgotten: it may have lost them to a page by then. */
  readonly #doubted = new Set<PendingEntry>()

  get all(): readonly PendingEntry[] {
    return this.#entries
  }

  get load(): Load {
    return this.#load
  }

  get mergedTo(): OutboxKey {
    return this.#mergedTo
  }

  isGone(entry: PendingEntry): boolean {
    return this.#gone.has(entry)
  }

  /** Those that the disk has answered for, and of which it has still to be asked whether it has them. */
  get doubted(): PendingEntry[] {
    return [...this.#doubted].filter(({ key }) => key !== undefined)
  }

  /** The disk was asked about entries that were in doubt. Answers those that it lacks: they are over. */
  settle(doubted: readonly PendingEntry[], stored: readonly StoredEntry[]): PendingEntry[] {
    const kept = new Set<unknown>(stored.map(({ key }) => key))
    for (const entry of doubted) this.#doubted.delete(entry)
    const over = doubted.filter((entry) => !kept.has(entry.key) && !this.#gone.has(entry))
    this.remove(over)
    return over
  }

  isSeen(entry: PendingEntry): boolean {
    return this.#seen.has(idOf(entry))
  }

  /** Puts entries behind all others. */
  push(entries: readonly PendingEntry[]): void {
    this.#entries.push(...entries)
    this.#load = entries.reduce(withEntry, this.#load)
  }

  /** Passes over those that the disk has shown. Answers the others, which it has not. */
  unseen(entries: readonly PendingEntry[]): PendingEntry[] {
    for (const entry of entries) if (this.isSeen(entry)) this.#gone.add(entry)
    return entries.filter((entry) => !this.isSeen(entry))
  }

  /** The disk has given entries their keys. Answers those that it has shown, and lost to a page, before. */
  keyed(entries: readonly PendingEntry[], keys: readonly OutboxKey[]): PendingEntry[] {
    return entries.filter((entry, i) => {
      const key = keys[i] ?? NO_KEY
      if (key > this.#mergedTo) this.#own.add(key)
      const isLate = entry.key === undefined && key <= this.#mergedTo && !this.#gone.has(entry)
      entry.key = key
      return isLate
    })
  }

  remove(entries: readonly PendingEntry[]): void {
    if (entries.length === 0) return
    for (const entry of entries) {
      this.#gone.add(entry)
      this.#doubted.delete(entry)
      this.#seen.delete(idOf(entry))
    }
    this.#become(this.#entries.filter((entry) => !this.#gone.has(entry)))
  }

  /**
   * Learns from what the disk holds behind `mergedTo`: the keys of entries that stand here without. Answers those that
   * do not stand here, none that `isOver` says is over.
   */
  unknown(stored: readonly StoredEntry[], isOver: (entry: StoredEntry) => boolean): PendingEntry[] {
    const unkeyed = new Map(this.#unkeyed().map((entry) => [idOf(entry), entry]))
    const fresh: PendingEntry[] = []
    for (const entry of stored) {
      if (entry.key <= this.#mergedTo || this.#own.has(entry.key) || isOver(entry)) continue
      const found = foundEntry(entry)
      const shown = unkeyed.get(idOf(found))
      if (shown === undefined) fresh.push(found)
      else shown.key = entry.key
    }
    this.#merged(stored)
    for (const entry of fresh) this.#seen.add(idOf(entry))
    return fresh
  }

  /** Whether these would stand behind all others. */
  areLast([first]: readonly PendingEntry[]): boolean {
    const last = this.#entries.at(-1)
    return first === undefined || last === undefined || inOrder(last, first) < 0
  }

  /** Puts entries where their keys say. */
  insert(entries: readonly PendingEntry[]): void {
    this.#become([...this.#entries, ...entries].sort(inOrder))
  }

  /**
   * Forgets what the disk has said: what waits for it stays, and what it has stored since its entries were `asked` for.
   * Answers those of the others that `stored` lacks.
   */
  restart(stored: readonly StoredEntry[], asked: ReadonlySet<unknown>): PendingEntry[] {
    const kept = new Set<unknown>(stored.map(({ key }) => key))
    const missing = this.#entries.filter(({ key }) => key !== undefined && !kept.has(key))
    const gone = missing.filter(({ key }) => asked.has(key))
    const late = missing.filter(({ key }) => !asked.has(key))
    for (const entry of gone) this.#gone.add(entry)
    this.#become([...late, ...this.#unkeyed()])
    for (const entry of this.#entries) this.#doubted.add(entry)
    this.#mergedTo = NO_KEY
    this.#own.clear()
    for (const { key } of late) if (key !== undefined) this.#own.add(key)
    this.#seen.clear()
    return gone
  }

  /** Those that the disk has not answered for. They stand last. */
  #unkeyed(): PendingEntry[] {
    let from = this.#entries.length
    while (from > 0 && this.#entries[from - 1]?.key === undefined) from--
    return this.#entries.slice(from)
  }

  #merged(stored: readonly StoredEntry[]): void {
    const last = stored.at(-1)?.key ?? NO_KEY
    if (last > this.#mergedTo) this.#mergedTo = last // looks may come back in another order than they went out
    for (const key of this.#own) if (key <= this.#mergedTo) this.#own.delete(key)
  }

  #become(entries: PendingEntry[]): void {
    this.#entries = entries
    this.#load = entries.reduce(withEntry, NOTHING)
  }
}

function withEntry(load: Load, { count, bytes }: PendingEntry): Load {
  return plus(load, { events: count, bytes })
}
