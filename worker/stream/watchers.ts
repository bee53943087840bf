import { type Listener, Telling } from "../telling.ts"
import { type StreamHost, textIn } from "./stream-host.ts"

export type WatchersParts = Pick<StreamHost, "exec"> & {
  listener(name: string): Listener
}

/*
 * Who wants to know when a stream has something new: the folds of views, by the names of their objects, in the table
 * `watchers`. It is made for the first of them and stays when the stream goes, since there may be another one of its
 * path, which they watch as well. `path` is the stream's, as the watcher calls it.
 */
const TABLE = "CREATE TABLE IF NOT EXISTS watchers (name TEXT PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID"

/** Tells whoever watches a stream that it has changed. */
export class Watchers {
  readonly #parts: WatchersParts
  readonly #telling: Telling
  /** Who has asked to be told since the call began that tells them. Their answer to it is older than that. */
  readonly #asked = new Set<string>()
  /** Path of the stream by watcher, once it was read. */
  #known: Map<string, string> | undefined

  constructor(parts: WatchersParts) {
    this.#parts = parts
    this.#telling = new Telling({
      listener: parts.listener,
      from: (name) => {
        this.#asked.delete(name)
        return this.#all().get(name) ?? ""
      },
      left: (name) => this.#drop(name),
    })
  }

  /** Repeatable. */
  add(name: string, path: string): void {
    this.#asked.add(name)
    if (this.#all().get(name) === path) return
    this.#run(TABLE)
    this.#run("INSERT OR REPLACE INTO watchers (name, path) VALUES (?, ?)", name, path)
    this.#all().set(name, path)
  }

  tell(): void {
    this.#telling.tell(this.#all().keys())
  }

  #drop(name: string): void {
    if (this.#asked.has(name) || !this.#all().delete(name)) return
    this.#run("DELETE FROM watchers WHERE name = ?", name)
  }

  #all(): Map<string, string> {
    this.#known ??= new Map(this.#stored())
    return this.#known
  }

  #stored(): [string, string][] {
    if (this.#run("SELECT 1 FROM sqlite_master WHERE name = 'watchers'").length === 0) return []
    return this.#run("SELECT name, path FROM watchers").map((row) => [textIn(row.name), textIn(row.path)])
  }

  #run(sql: string, ...values: string[]) {
    return [...this.#parts.exec(sql, ...values)] // a host may wait until it is read
  }
}
