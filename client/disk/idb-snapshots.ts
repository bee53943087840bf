import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb"
import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import { browserClock, type Clock } from "../clock.ts"
import { bytesSum } from "./bytes-sum.ts"
import { deleteIdb } from "./idb-deletion.ts"
import type { Snapshot, SnapshotPlace, Snapshots } from "./snapshots.ts"

/*
 * A database of its own, beside the log's:
 *
 *   places  id  where a snapshot stands, and the sum of its bytes
 *   images  id  its bytes
 *
 * It can be deleted as a whole while it is in use, and is, when the log needs the room: `freeSnapshots`. Transactions
 * of some megabytes in here hold up none of the log's.
 */

interface Schema extends DBSchema {
  places: { key: string; value: SnapshotPlace & { id: string; savedAt: number; sum: string } }
  images: { key: string; value: { id: string; bytes: Uint8Array<ArrayBuffer> } }
}

/** Snapshots of views that nobody has opened lately: the oldest go. */
const KEPT_MAX = 16

/** The name of the database that has the snapshots of the views of a log. */
export function snapshotsName(log: string): string {
  return `${log}:state`
}

/** Whether a database of this name has the snapshots of some log. */
export function isSnapshots(name: string): boolean {
  return name.startsWith("headwater:") && name.endsWith(":state")
}

/** Opens the snapshots of a log when they are first asked for. Once they were deleted under it, it keeps no more. */
export function openIdbSnapshots(log: string, clock: Clock = browserClock): Snapshots {
  return new IdbSnapshots(snapshotsName(log), clock)
}

/** Deletes all snapshots of a log, in all tabs. Resolves when their room is free, or nobody can tell. */
export async function freeSnapshots(log: string, clock: Clock = browserClock): Promise<void> {
  await deleteIdb(snapshotsName(log), clock).catch(() => {}) // somebody holds it: then there is no more room
}

class IdbSnapshots implements Snapshots {
  readonly #name: string
  readonly #clock: Clock
  #opened: Promise<IDBPDatabase<Schema> | undefined> | undefined

  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  place(id: string): Promise<SnapshotPlace | undefined> {
    return this.#try((db) => db.get("places", id))
  }

  load(id: string): Promise<Snapshot | undefined> {
    return this.#try(async (db) => {
      const tx = db.transaction(["places", "images"])
      const found = Promise.all([tx.objectStore("places").get(id), tx.objectStore("images").get(id), tx.done])
      tx.commit()
      const [place, image] = await found
      if (place === undefined || image === undefined || bytesSum(image.bytes) !== place.sum) return undefined
      return { ...place, bytes: image.bytes }
    })
  }

  async save(id: string, { bytes, heads, halts, messages }: Snapshot): Promise<void> {
    const place = { id, heads, halts, messages, savedAt: this.#clock.now(), sum: bytesSum(bytes) }
    await this.#write((places, images) => [places.put(place), images.put({ id, bytes })])
    const all = (await this.#try((db) => db.getAll("places"))) ?? []
    all.sort((left, right) => right.savedAt - left.savedAt)
    for (const old of all.slice(KEPT_MAX)) await this.drop(old.id)
  }

  async drop(id: string): Promise<void> {
    await this.#write((places, images) => [places.delete(id), images.delete(id)])
  }

  close(): void {
    const opened = this.#opened
    this.#opened = Promise.resolve(undefined)
    void opened?.then((db) => db?.close())
  }

  /** Nothing is awaited in between, so that no transaction stays open when this thread is stopped. */
  async #write(
    request: (places: Writable<"places">, images: Writable<"images">) => Promise<unknown>[],
  ): Promise<void> {
    await this.#try(async (db) => {
      const tx = db.transaction(["places", "images"], "readwrite", { durability: "relaxed" })
      const requests = request(tx.objectStore("places"), tx.objectStore("images"))
      tx.commit()
      await Promise.all([...requests, tx.done])
    })
  }

  /**
   * What fails is not worth an error (see the port), and what another tab holds up is not waited for. A connection that
   * fails is not tried again.
   */
  async #try<T>(act: (db: IDBPDatabase<Schema>) => Promise<T>): Promise<T | undefined> {
    this.#opened ??= this.#open().catch(() => undefined)
    try {
      return await this.#inTime(this.#opened.then((db) => (db === undefined ? undefined : act(db))))
    } catch (reason) {
      if (!(reason instanceof DOMException)) throw reason
      if (reason.name !== "AbortError" && reason.name !== "QuotaExceededError") this.close()
      return undefined
    }
  }

  #inTime<T>(asked: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const stopTimer = this.#clock.after(VIEW_LIMITS.snapshotMsMax, () => resolve(undefined))
      asked.then(resolve, reject).finally(stopTimer)
    })
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    return openDB<Schema>(this.#name, 1, {
      upgrade(db) {
        db.createObjectStore("places", { keyPath: "id" })
        db.createObjectStore("images", { keyPath: "id" })
      },
      blocking: () => this.close(),
      terminated: () => this.close(),
    })
  }
}

type Writable<Name extends "places" | "images"> = IDBPObjectStore<
  Schema,
  ("places" | "images")[],
  Name,
  "readwrite"
>
