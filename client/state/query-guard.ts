import { assert } from "../../shared/assert.ts"
import {
  type Authorizer,
  type QueryBounds,
  type QueryPhase,
  QueryStopped,
  SQL_NOT_AUTHORIZED,
  SqlFailure,
} from "../../shared/sql.ts"
import { addCallback } from "./wasm-callback.ts"
import type { WasmMemory } from "./wasm-memory.ts"

const OK = 0
const DENY = 1
const INTERRUPT = 1
const AUTHORIZER_PARAMETERS = 6
/** Steps of a program between two looks at clock and memory: some microseconds. Each may take a value of 2 MB. */
const STEPS_BETWEEN_LOOKS = 100
const VALUE_LENGTH = 0 // SQLITE_LIMIT_LENGTH
const MEMORY_USED = 0 // SQLITE_STATUS_MEMORY_USED

type Watch = {
  readonly authorizer: Authorizer
  readonly phase: QueryPhase
  readonly until: number
  readonly bounds: Pick<QueryBounds, "ms" | "memoryBytesMax">
  readonly memoryBytesUpTo: number
  /** What was refused, or the bound that was reached. */
  outcome: SqlFailure | QueryStopped | undefined
}

/**
 * Stands between SQLite and the queries that users write. A database that it guards asks it about every statement that
 * is compiled; it answers yes to all but those that are compiled within `watch`. It is never taken off: SQLite compiles
 * all statements anew when its authorizer changes.
 */
export class QueryGuard {
  readonly #memory: WasmMemory
  readonly #authorizer: number
  readonly #progress: number
  /** For what SQLite answers through pointers. Its own, since this is asked in the middle of a run. */
  readonly #room: number
  #watch: Watch | undefined

  constructor(memory: WasmMemory) {
    const { api } = memory
    this.#memory = memory
    this.#room = memory.allocate(8)
    this.#authorizer = addCallback(api.__indirect_function_table, AUTHORIZER_PARAMETERS, (...asked) =>
      this.#authorize(...asked),
    )
    this.#progress = addCallback(api.__indirect_function_table, 1, () => this.#look())
  }

  guard(database: number): void {
    this.#memory.api.sqlite3_set_authorizer(database, this.#authorizer, 0)
  }

  /**
   * Does something with SQLite on behalf of a user's query.
   *
   * @throws SqlFailure with the words of the refusal; QueryStopped when it comes to a bound.
   */
  watch<T>(
    database: number,
    authorizer: Authorizer,
    phase: QueryPhase,
    bounds: Pick<QueryBounds, "ms" | "valueBytesMax" | "memoryBytesMax">,
    work: () => T,
  ): T {
    const { api } = this.#memory
    assert(this.#watch === undefined, "one query is compiled or run at a time")
    const until = performance.now() + bounds.ms
    const memoryBytesUpTo = this.#memoryUsed() + bounds.memoryBytesMax
    const watch: Watch = { authorizer, phase, until, bounds, memoryBytesUpTo, outcome: undefined }
    const lengthMax = api.sqlite3_limit(database, VALUE_LENGTH, bounds.valueBytesMax)
    this.#watch = watch
    api.sqlite3_progress_handler(database, STEPS_BETWEEN_LOOKS, this.#progress, 0)
    try {
      return work()
    } catch (cause) {
      if (cause instanceof SqlFailure && watch.outcome !== undefined) throw watch.outcome
      throw cause
    } finally {
      api.sqlite3_progress_handler(database, 0, 0, 0)
      api.sqlite3_limit(database, VALUE_LENGTH, lengthMax)
      this.#watch = undefined
    }
  }

  #authorize(...[, action = 0, first = 0, second = 0, database = 0]: number[]): number {
    const watch = this.#watch
    if (watch === undefined) return OK
    const words = watch.authorizer(watch.phase, {
      action,
      first: this.#name(first),
      second: this.#name(second),
      database: this.#name(database),
    })
    if (words === undefined) return OK
    watch.outcome ??= new SqlFailure(SQL_NOT_AUTHORIZED, words)
    return DENY
  }

  #look(): number {
    const watch = this.#watch
    if (watch === undefined) return OK
    const { ms, memoryBytesMax } = watch.bounds
    if (performance.now() > watch.until) {
      watch.outcome ??= new QueryStopped("time", `at most ${ms} ms; it takes longer`)
      return INTERRUPT
    }
    if (this.#memoryUsed() <= watch.memoryBytesUpTo) return OK
    watch.outcome ??= new QueryStopped("size", `at most ${memoryBytesMax} bytes of memory; it needs more`)
    return INTERRUPT
  }

  #memoryUsed(): number {
    this.#memory.api.sqlite3_status(MEMORY_USED, this.#room, this.#room + 4, 0) // now, and at the most so far
    return this.#memory.readNumber(this.#room)
  }

  #name(pointer: number): string | undefined {
    return pointer === 0 ? undefined : this.#memory.readName(pointer)
  }
}
