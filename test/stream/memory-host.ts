import { DatabaseSync, type SQLInputValue } from "node:sqlite"
import { decodeEdgeFrame, type EdgeFrame, type FrameBody } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { type Bounds, LIMITS } from "../../shared/limits.ts"
import { ANYONE, type Caller } from "../../worker/access/caller.ts"
import type { ForkRecord } from "../../worker/stream/fork-record.ts"
import type { Reader, SqlRow, SqlValue, StreamHost } from "../../worker/stream/stream-host.ts"

/** A stream's host in memory, with a clock that a test turns. */
export class MemoryHost implements StreamHost {
  readonly #database = new DatabaseSync(":memory:")
  readonly open = new Set<MemoryReader>()
  name = "memory"
  bounds: Bounds = LIMITS
  seals = true
  time = 1_800_000_000_000
  alarm: number | undefined
  /** Statements whose rows were not taken to the end: they would keep the write-ahead log from being shortened. */
  openStatements = 0
  onLetGo: (fork: ForkRecord) => void = () => undefined

  now(): Millis {
    return this.time as Millis
  }

  *exec(sql: string, ...values: SqlValue[]): Generator<SqlRow> {
    this.openStatements++
    yield* this.#database.prepare(sql).iterate(...(values as SQLInputValue[])) as Iterable<SqlRow> // plain values
    this.openStatements--
  }

  transact<T>(work: () => T): T {
    this.#database.exec("BEGIN")
    try {
      const result = work()
      this.#database.exec("COMMIT")
      return result
    } catch (error) {
      this.#database.exec("ROLLBACK")
      throw error
    }
  }

  readers(): Iterable<Reader> {
    return [...this.open]
  }

  wakeAt(at: Millis): void {
    this.alarm = at
  }

  changed(): void {}

  letGo(fork: ForkRecord): void {
    this.onLetGo(fork)
  }

  /** A new socket, not yet sent anything. */
  socket(caller: Caller = ANYONE): MemoryReader {
    const reader = new MemoryReader(caller, () => this.open.delete(reader))
    this.open.add(reader)
    return reader
  }
}

/** The client's end of a socket, which remembers all it was told. */
export class MemoryReader implements Reader {
  readonly caller: Caller
  readonly frames: EdgeFrame[] = []
  closed: { readonly code: number } | undefined
  readonly #leave: () => void

  constructor(caller: Caller, leave: () => void) {
    this.caller = caller
    this.#leave = leave
  }

  send(data: FrameBody): void {
    const frame = decodeEdgeFrame(data)
    if (!frame.ok) throw new Error(frame.reason)
    if (this.closed === undefined) this.frames.push(frame.value)
  }

  close(code: number): void {
    this.closed ??= { code }
    this.#leave()
  }
}
