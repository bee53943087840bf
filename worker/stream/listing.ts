import type { Millis } from "../../shared/ids.ts"
import { type StreamHost, textIn } from "./stream-host.ts"

/** The edge's directory of streams, as a stream tells it of itself. */
export interface DirectoryPeer {
  there(path: string, generation: number): Promise<void>
  gone(path: string, generation: number): Promise<void>
}

export type ListingParts = Pick<StreamHost, "exec" | "now" | "wakeAt" | "bounds"> & {
  readonly directory: DirectoryPeer
  /** The stream's path, if the platform says so. */
  path(): string | undefined
  /** Of the stream that is there; undefined when there is none. */
  generation(): number | undefined
  failed(error: unknown): void
}

/*
 * What the directory knows of this stream: `listed` is the generation that it has been told of, NULL for none. The row
 * is written before it is told, so that the path is known to whoever wakes up; whatever differs from what is true is
 * told, until the directory has taken it. So a stream that was there before there was a directory is told of as well.
 */
const TABLE =
  "CREATE TABLE IF NOT EXISTS listing (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), path TEXT, listed INTEGER)"

type Row = { readonly path: string; readonly listed: number | undefined }

/** Sees to it that the directory knows whether this stream is there. */
export class Listing {
  readonly #parts: ListingParts
  #row: Row | "none" | undefined

  constructor(parts: ListingParts) {
    this.#parts = parts
  }

  /** Asks to be woken if the directory has something to be told. */
  look(): void {
    const { now, wakeAt } = this.#parts
    if (this.#isDue()) wakeAt(now())
  }

  /** Tells the directory what it does not know. Does not reject: what fails is tried again. */
  async tell(): Promise<void> {
    const { directory, generation, failed, now, wakeAt, bounds } = this.#parts
    while (this.#isDue()) {
      const { path, listed } = this.#row as Row // it is due, so there is one
      const current = generation()
      try {
        if (current !== undefined) await directory.there(path, current)
        else if (listed !== undefined) await directory.gone(path, listed)
      } catch (error) {
        failed(error)
        return wakeAt((now() + bounds.upkeepRetryMs) as Millis) // a time plus a duration
      }
      this.#write({ path, listed: current })
    }
  }

  #isDue(): boolean {
    const current = this.#parts.generation()
    const row = this.#read()
    if (row !== "none") return row.listed !== current
    const path = this.#parts.path()
    if (current === undefined || path === undefined) return false
    this.#run(TABLE)
    this.#write({ path, listed: undefined })
    return true
  }

  #read(): Row | "none" {
    if (this.#row !== undefined) return this.#row
    const isThere = this.#run("SELECT 1 FROM sqlite_master WHERE name = 'listing'").length > 0
    const [row] = isThere ? this.#run("SELECT path, listed FROM listing") : []
    const listed = typeof row?.listed === "number" ? row.listed : undefined
    this.#row = row === undefined ? "none" : { path: textIn(row.path), listed }
    return this.#row
  }

  #write(row: Row): void {
    const { path, listed } = row
    this.#run("INSERT OR REPLACE INTO listing VALUES (1, ?, ?)", path, listed ?? null)
    this.#row = row
  }

  #run(sql: string, ...values: (string | number | null)[]) {
    return [...this.#parts.exec(sql, ...values)] // a host may wait until it is read
  }
}
