import type { Bounds } from "../../shared/limits.ts"
import { coversPath } from "../../shared/path-pattern.ts"
import { type SqlRow, type SqlValue, textIn, wholeIn } from "../stream/stream-host.ts"
import { type Listener, Telling } from "../telling.ts"

/*
 *   streams    key path, rising seq   the streams that are there, in the order in which they were told of; `seq` is
 *                                     never given twice, so whoever knows all up to one asks for those behind it
 *   watchers   key name               who wants to know of new streams that one of their `patterns` covers
 *
 * Streams tell of themselves until they are heard, some time after they were made; so what is here is true of what was
 * a moment ago. A stream that is told of late, after it is gone, is found missing by whoever asks for it.
 */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS streams (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL
  )`,
  "CREATE TABLE IF NOT EXISTS watchers (name TEXT PRIMARY KEY, patterns TEXT NOT NULL) WITHOUT ROWID",
]

export type DirectoryParts = {
  readonly bounds: Pick<Bounds, "directoryPageMax">
  exec(sql: string, ...values: SqlValue[]): Iterable<SqlRow>
  listener(name: string): Listener
}

/** Part of a list of paths in order of their code units as UTF-8; `next` is where the rest begins, if there is one. */
export type DirectoryPage = { readonly paths: readonly string[]; readonly next: string | undefined }

/** Streams of some patterns, in the order in which they came; `seq` is where the rest begins. */
export type DirectoryNews = {
  readonly paths: readonly string[]
  readonly seq: number
  readonly isAll: boolean
}

/** Which streams an edge has. */
export class Directory {
  readonly #parts: DirectoryParts
  readonly #telling: Telling
  #patterns: Map<string, readonly string[]> | undefined

  constructor(parts: DirectoryParts) {
    this.#parts = parts
    this.#telling = new Telling({
      from: () => "",
      listener: parts.listener,
      left: (name) => this.unwatch(name),
    })
    for (const table of TABLES) this.#run(table)
  }

  /** A stream is there. Repeatable; an older generation than the one that is known changes nothing. */
  there(path: string, generation: number): void {
    const [known] = this.#run("SELECT generation FROM streams WHERE path = ?", path)
    if (known !== undefined && wholeIn(known.generation) >= generation) return
    this.#run("DELETE FROM streams WHERE path = ?", path)
    this.#run("INSERT INTO streams (path, generation) VALUES (?, ?)", path, generation)
    const interested = [...this.#watchers()].filter(([, patterns]) => isCovered(patterns, path))
    this.#telling.tell(interested.map(([name]) => name))
  }

  /** That stream is gone. Repeatable. */
  gone(path: string, generation: number): void {
    this.#run("DELETE FROM streams WHERE path = ? AND generation <= ?", path, generation)
  }

  /** Streams whose paths begin with `prefix`, from `from` on. */
  list(prefix: string, from = prefix): DirectoryPage {
    const { directoryPageMax } = this.#parts.bounds
    const rows = this.#run(
      "SELECT path FROM streams WHERE path >= ? ORDER BY path LIMIT ?",
      from < prefix ? prefix : from,
      directoryPageMax + 1,
    )
    const paths = rows.map((row) => textIn(row.path)).filter((path) => path.startsWith(prefix))
    const isFull = paths.length > directoryPageMax
    return { paths: paths.slice(0, directoryPageMax), next: isFull ? paths.at(-1) : undefined }
  }

  /** Streams that came behind `seq`, 0 being before all, and that a pattern covers. */
  since(seq: number, patterns: readonly string[]): DirectoryNews {
    const { directoryPageMax } = this.#parts.bounds
    const rows = this.#run(
      "SELECT seq, path FROM streams WHERE seq > ? ORDER BY seq LIMIT ?",
      seq,
      directoryPageMax,
    )
    const last = rows.at(-1)
    return {
      paths: rows.map((row) => textIn(row.path)).filter((path) => isCovered(patterns, path)),
      seq: last === undefined ? seq : wholeIn(last.seq),
      isAll: rows.length < directoryPageMax,
    }
  }

  /** From now on, whoever has this name is told of new streams that a pattern covers. Repeatable. */
  watch(name: string, patterns: readonly string[]): void {
    this.#run("INSERT OR REPLACE INTO watchers VALUES (?, ?)", name, JSON.stringify(patterns))
    this.#watchers().set(name, patterns)
  }

  /** Repeatable. */
  unwatch(name: string): void {
    this.#run("DELETE FROM watchers WHERE name = ?", name)
    this.#watchers().delete(name)
  }

  #watchers(): Map<string, readonly string[]> {
    this.#patterns ??= new Map(
      this.#run("SELECT name, patterns FROM watchers").map((row) => [
        textIn(row.name),
        JSON.parse(textIn(row.patterns)) as string[], // was a list when it was stored
      ]),
    )
    return this.#patterns
  }

  #run(sql: string, ...values: SqlValue[]): SqlRow[] {
    return [...this.#parts.exec(sql, ...values)]
  }
}

function isCovered(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => coversPath(pattern, path))
}
