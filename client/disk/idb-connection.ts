import { deleteDB, type IDBPDatabase, openDB } from "idb"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Clock } from "../clock.ts"
import { SCHEMA_VERSION, type Signs, signsOf, upgrade } from "./idb-schema.ts"
import { NoStorage } from "./storage.ts"
import { Health, outdated, Replaced } from "./storage-health.ts"
import { withinBound } from "./within-bound.ts"

/** One open connection, and what the database says of itself. */
export type Handle = Signs & { readonly db: IDBPDatabase }

/**
 * The connection of one thread to its database. Browsers end connections: when their storage process fails, when site
 * data is cleared, when another tab deletes the database or brings a newer schema. A handle that was lost stays lost;
 * here another one is opened, and whether it leads to the same database is looked at.
 */
export class IdbConnection {
  readonly health = new Health("disk")
  readonly #name: string
  readonly #clock: Clock
  #handle: Handle | undefined
  #opening: Promise<Handle> | undefined
  /** Which database the handles so far led to, and how many were deleted before it. */
  #past: { readonly made: unknown; readonly deletions: number } = { made: undefined, deletions: 0 }
  /** Ends when it is known why a database is to be deleted. */
  #leaving: Promise<void> = Promise.resolve()

  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  /** The open handle, if there is one: then requests can leave in this turn. @throws as `opened`. */
  get handle(): Handle | undefined {
    this.health.check()
    return this.#handle
  }

  /**
   * Opens a handle; all who ask meanwhile get the same.
   *
   * @throws HeadwaterError `storage-unavailable` when the browser refuses or does not answer, or when the database was
   * deleted and nobody has called `renew`; NoStorage when it gives none at all; `outdated`.
   */
  opened(): Promise<Handle> {
    if (this.#opening !== undefined) return this.#opening
    const opening = this.#open().finally(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    this.#opening = opening
    return opening
  }

  /** A handle has failed. The next operation opens another. */
  drop(handle: Handle, reason: string): void {
    if (this.#handle !== handle) return
    this.#handle = undefined
    handle.db.close()
    this.health.tell({ kind: "lost", reason })
  }

  /** What was asked of it completes. */
  close(): void {
    this.#handle?.db.close()
    this.#handle = undefined
    this.health.tell({ kind: "closed" })
  }

  async #open(): Promise<Handle> {
    const { deletions } = this.#past
    await this.#leaving
    this.health.check()
    const handle = await this.#tryToOpen()
    if (this.#past.made !== undefined && handle.made !== this.#past.made) this.#deleted(false)
    try {
      this.health.check() // it may have been closed meanwhile
      if (deletions !== this.#past.deletions) throw new Replaced() // whoever asked, asked of another one
    } catch (reason) {
      handle.db.close()
      throw reason
    }
    this.#past = { made: handle.made, deletions }
    this.#handle = handle
    if (this.health.state.kind === "lost") this.health.tell({ kind: "open" })
    return handle
  }

  async #tryToOpen(): Promise<Handle> {
    for (let tries = 1, waitMs: number = COMMON_LIMITS.storageRetryMsMin; ; tries++, waitMs *= 2) {
      try {
        return await this.#openInTime()
      } catch (cause) {
        if (isNamed(cause, "VersionError")) this.health.tell({ kind: "outdated" })
        this.health.check()
        if (!isNamed(cause, ...PASSING) || tries === COMMON_LIMITS.storageTriesMax) throw openError(cause)
      }
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
    }
  }

  async #openInTime(): Promise<Handle> {
    const opening = this.#openOnce()
    try {
      return await withinBound(opening, this.#clock, "IndexedDB did not open")
    } catch (cause) {
      opening.then(
        ({ db }) => db.close(), // a late success must not hold the database
        () => {},
      )
      throw cause
    }
  }

  /** What somebody has begun to clear is cleared first. */
  async #openOnce(): Promise<Handle> {
    const handle = await this.#openAny()
    if (!handle.isCondemned) return handle
    handle.db.close()
    await deleteDB(this.#name)
    return this.#openAny()
  }

  async #openAny(): Promise<Handle> {
    const making = { id: crypto.randomUUID(), now: this.#clock.now() }
    const db = await openDB(this.#name, SCHEMA_VERSION, {
      upgrade: (db, from, _to, tx) => upgrade(db, from, tx, making),
    })
    const isTheOne = () => this.#handle?.db === db
    db.onversionchange = ({ newVersion }) => {
      if (isTheOne()) this.#leave(newVersion)
      else db.close() // as soon as it has opened
    }
    db.onclose = () => {
      if (this.#handle !== undefined && isTheOne()) this.drop(this.#handle, "The browser has closed it.")
    }
    try {
      return { db, ...(await signsOf(db)) }
    } catch (cause) {
      db.close()
      throw cause
    }
  }

  /** A deletion or a newer schema waits for this connection to end. What has left for the database completes. */
  #leave(newVersion: number | null): void {
    const db = this.#handle?.db
    this.#handle = undefined
    if (newVersion === null && db !== undefined) {
      this.#leaving = isCleared(db).then((cleared) => this.#deleted(cleared))
    }
    db?.close()
    if (newVersion !== null) this.health.tell({ kind: "outdated" })
  }

  /** Whoever waits for it is refused, and whoever asks next, in this very turn, gets another one. */
  #deleted(cleared: boolean): void {
    this.#past = { made: undefined, deletions: this.#past.deletions + 1 }
    this.#opening = undefined
    this.health.tell({ kind: cleared ? "cleared" : "deleted" })
  }
}

/** What another try may not meet again. */
const PASSING = [
  "UnknownError",
  "AbortError",
  "TimeoutError",
  "InvalidStateError",
  "TransactionInactiveError",
]

export function isNamed(cause: unknown, ...names: readonly string[]): boolean {
  return cause instanceof DOMException && names.includes(cause.name)
}

/** Whoever clears a database on purpose says so in it before it goes. */
async function isCleared(db: IDBPDatabase): Promise<boolean> {
  try {
    return (await signsOf(db)).isCondemned
  } catch {
    return false // the connection ended first: then it is as if nobody had said anything
  }
}

function openError(cause: unknown): unknown {
  if (cause instanceof HeadwaterError) return cause
  if (isNamed(cause, "VersionError")) return outdated(cause)
  if (isNamed(cause, "SecurityError", "InvalidStateError", "NotSupportedError") || cause instanceof TypeError)
    return new NoStorage(cause)
  if (cause instanceof ReferenceError) return new NoStorage(cause) // there is no indexedDB
  if (!(cause instanceof DOMException)) return cause
  const message = `IndexedDB did not open: ${cause.name}: ${cause.message}`
  return new HeadwaterError("storage-unavailable", message, { cause })
}
