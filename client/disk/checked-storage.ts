import { HeadwaterError } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Host } from "../host.ts"
import { isSound, withSum } from "./record-checks.ts"
import { type Damage, repairIn } from "./repair.ts"
import type {
  Durability,
  KeyRange,
  ReadTransaction,
  Storage,
  StorageKey,
  StoreName,
  WriteTransaction,
} from "./storage.ts"
import type { StorageHealth } from "./storage-health.ts"

/** Passes after which a disk is given up that shows other damage each time it is read. */
const PASSES_MAX = 10

/**
 * A storage whose readers meet sound records only. What is found to be damaged is repaired in a transaction of its own,
 * and then the reader reads again; a write that has read damage is undone first.
 */
export class CheckedStorage implements Storage {
  readonly #storage: Storage
  readonly #host: Pick<Host, "now" | "newId">
  readonly #onRepaired = new Set<(streams: readonly StreamPath[]) => void>()

  /** @param host For the records of what was found to be damaged. */
  constructor(storage: Storage, host: Pick<Host, "now" | "newId">) {
    this.#storage = storage
    this.#host = host
  }

  /** Calls with the streams of which less was found than had been stored. What is left of them is whole. */
  onRepaired(listener: (streams: readonly StreamPath[]) => void): void {
    this.#onRepaired.add(listener)
  }

  get health(): StorageHealth {
    return this.#storage.health
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>, stores?: readonly StoreName[]): Promise<T> {
    return this.#sound((found) => this.#storage.read((tx) => body(new CheckedRead(tx, found)), stores))
  }

  write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores?: readonly StoreName[],
  ): Promise<T> {
    return this.#sound((found) => {
      const checked = (tx: WriteTransaction) => {
        const running = body(new CheckedWrite(tx, found))
        return running instanceof Promise ? running.then((result) => unless(found, result)) : running
      }
      return this.#storage.write(durability, checked, stores)
    })
  }

  close(): void {
    this.#storage.close()
  }

  /** Afterwards nothing of these damages is met again. */
  async #repair(damages: readonly Damage[]): Promise<void> {
    const parts = { now: this.#host.now(), fresh: this.#host.newId() as ProducerId } // made here, for this
    const touched = await this.#storage.write("strict", (tx) => repairIn(tx, damages, parts))
    for (const listener of this.#onRepaired) listener(touched as StreamPath[]) // as their records say
  }

  /** `act` begins in this turn. */
  async #sound<T>(act: (found: Damage[]) => Promise<T>): Promise<T> {
    for (let passes = 0; passes < PASSES_MAX; passes++) {
      const found: Damage[] = []
      try {
        const result = await act(found)
        if (found.length === 0) return result
      } catch (reason) {
        if (found.length === 0) throw reason
      }
      await this.#repair(found)
    }
    throw damaged()
  }
}

/** What damage has been read into is not to be written. */
function unless<T>(found: readonly Damage[], result: T): T {
  if (found.length > 0) throw damaged()
  return result
}

function damaged(): HeadwaterError {
  return new HeadwaterError("damaged", "What this device has stored cannot be read.")
}

class CheckedRead implements ReadTransaction {
  readonly #tx: ReadTransaction
  readonly #found: Damage[]

  constructor(tx: ReadTransaction, found: Damage[]) {
    this.#tx = tx
    this.#found = found
  }

  async get(store: StoreName, key: StorageKey): Promise<unknown> {
    const raw = await this.#tx.get(store, key)
    if (raw === undefined || isSound(store, raw)) return raw
    this.#found.push({ store, raw })
    return undefined
  }

  async getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]> {
    const records = await this.#tx.getAll(store, range, limit)
    const damages = store === "pages" ? unjoined(records) : records.filter((raw) => !isSound(store, raw))
    for (const raw of damages) this.#found.push({ store, raw })
    return records
  }
}

class CheckedWrite extends CheckedRead implements WriteTransaction {
  readonly #tx: WriteTransaction

  constructor(tx: WriteTransaction, found: Damage[]) {
    super(tx, found)
    this.#tx = tx
  }

  add(record: object): Promise<number> {
    return this.#tx.add(withSum("outbox", record))
  }

  insert(store: StoreName, record: object): void {
    this.#tx.insert(store, withSum(store, record))
  }

  put(store: StoreName, record: object): void {
    this.#tx.put(store, withSum(store, record))
  }

  delete(store: StoreName, key: StorageKey): void {
    this.#tx.delete(store, key)
  }
}

/** Pages that are damaged, or do not begin where the page before them ends. */
function unjoined(records: readonly unknown[]): unknown[] {
  let before: { readonly stream: string; readonly next: string } | undefined
  return records.filter((raw) => {
    if (!isSound("pages", raw)) return true
    const page = raw as { stream: string; from: string; next: string } // it is sound
    const isJoined = before?.stream !== page.stream || before.next === page.from
    before = page
    return !isJoined
  })
}
