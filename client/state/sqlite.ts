import { AnswerMeter } from "../../shared/answer-meter.ts"
import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import { type Authorizer, SqlFailure, type SqlQuery, withSavepoint } from "../../shared/sql.ts"
import type { LocalDatabase } from "../host.ts"
import { QueryGuard } from "./query-guard.ts"
import { WasmMemory } from "./wasm-memory.ts"
import { startSqlite, type WasmSource } from "./wasm-module.ts"
import { WasmStatement } from "./wasm-statement.ts"

const READ_WRITE_CREATE_MEMORY = 0x2 | 0x4 | 0x80
const DOUBLE_QUOTED_STRINGS = [1013, 1014] as const // SQLITE_DBCONFIG_DQS_DML and _DDL
const OFF = 0
const LENGTH = 0 // SQLITE_LIMIT_LENGTH
const PATTERN_LENGTH = 8 // SQLITE_LIMIT_LIKE_PATTERN_LENGTH
const OUT_OF_MEMORY = 7
const FREE_ON_CLOSE = 1 // SQLITE_DESERIALIZE_FREEONCLOSE
const RESIZABLE = 2 // SQLITE_DESERIALIZE_RESIZEABLE
const NO_COPY = 1 // SQLITE_SERIALIZE_NOCOPY

let standard: Promise<Sqlite> | undefined

/**
 * Starts SQLite. Callers that name no source share one, started by the first of them.
 *
 * @param source Where `sqlite3.wasm` comes from. By default the file of the installed package: a bundler sees
 * the `new URL` below and serves it.
 */
export function loadSqlite(source?: WasmSource): Promise<Sqlite> {
  if (source !== undefined) return start(source)
  standard ??= start(new URL("@sqlite.org/sqlite-wasm/sqlite3.wasm", import.meta.url)).catch(
    (cause: unknown) => {
      standard = undefined // the network may be there next time
      throw cause
    },
  )
  return standard
}

async function start(source: WasmSource): Promise<Sqlite> {
  return new Sqlite(new WasmMemory(await startSqlite(source)))
}

/** A running SQLite. Its databases share its memory, so a view rebuilt beside another needs no second one. */
export class Sqlite {
  readonly #memory: WasmMemory
  readonly #guard: QueryGuard

  constructor(memory: WasmMemory) {
    this.#memory = memory
    this.#guard = new QueryGuard(memory)
  }

  /** A database in memory: empty, or as its `image` was. @throws SqlFailure when the image is none. */
  open(image?: Uint8Array<ArrayBuffer>): LocalDatabase {
    const { api } = this.#memory
    const handle = this.#memory.withText(":memory:", (name) =>
      this.#memory.pointerFrom((room) => void api.sqlite3_open_v2(name, room, READ_WRITE_CREATE_MEMORY, 0)),
    )
    if (handle === 0) throw new SqlFailure(OUT_OF_MEMORY, "out of memory")
    for (const option of DOUBLE_QUOTED_STRINGS) api.sqlite3__wasm_db_config_ip(handle, option, OFF, 0)
    api.sqlite3_limit(handle, LENGTH, VIEW_LIMITS.sqlValueBytesMax)
    api.sqlite3_limit(handle, PATTERN_LENGTH, VIEW_LIMITS.sqlPatternBytesMax)
    const database = new WasmDatabase(this.#memory, this.#guard, handle)
    database.exec("PRAGMA temp_store = MEMORY") // there are no files to sort in
    if (image !== undefined) database.load(image)
    this.#guard.guard(handle)
    return database
  }
}

class WasmDatabase implements LocalDatabase {
  readonly #memory: WasmMemory
  readonly #guard: QueryGuard
  #handle: number

  constructor(memory: WasmMemory, guard: QueryGuard, handle: number) {
    this.#memory = memory
    this.#guard = guard
    this.#handle = handle
  }

  exec(sql: string): void {
    this.#memory.withText(sql, (pointer) =>
      this.#check(this.#memory.api.sqlite3_exec(this.#handle, pointer, 0, 0, 0)),
    )
  }

  prepare(sql: string): WasmStatement {
    const { api } = this.#memory
    const handle = this.#memory.withText(sql, (pointer, length) =>
      this.#memory.pointerFrom((room) =>
        this.#check(api.sqlite3_prepare_v2(this.#handle, pointer, length, room, 0)),
      ),
    )
    if (handle === 0) throw new SqlFailure(1, "there is no statement in this text")
    return new WasmStatement(this.#memory, this.#handle, handle)
  }

  prepareQuery(sql: string, authorizer: Authorizer, ms: number): SqlQuery {
    const bounds = {
      ms,
      valueBytesMax: VIEW_LIMITS.sqlValueBytesMax,
      memoryBytesMax: VIEW_LIMITS.deviceQueryMemoryBytesMax,
    }
    const guard = this.#guard
    const database = this.#handle
    const statement = guard.watch(database, authorizer, "compiling", bounds, () => this.prepare(sql))
    return {
      columns: statement.columns,
      all: (values, within) =>
        guard.watch(database, authorizer, "running", within, () =>
          statement.all(values, new AnswerMeter(within)),
        ),
      finalize: () => statement.finalize(),
    }
  }

  atomically<T>(work: () => T): T {
    return withSavepoint(this, work)
  }

  /** What it was made from becomes SQLite's own memory, which grows with it. */
  load(image: Uint8Array<ArrayBuffer>): void {
    const { api } = this.#memory
    const bytes = BigInt(image.length)
    const copy = this.#memory.copyOf(image)
    const code = this.#memory.withText("main", (schema) =>
      api.sqlite3_deserialize(this.#handle, schema, copy, bytes, bytes, FREE_ON_CLOSE | RESIZABLE),
    )
    if (code !== 0) this.close() // it has freed the copy
    this.#check(code)
    this.exec("PRAGMA journal_mode = MEMORY") // as above
  }

  image(): Uint8Array<ArrayBuffer> {
    const { api } = this.#memory
    const read = (flags: number) =>
      this.#memory.withText("main", (schema) =>
        this.#memory.measured((size) => api.sqlite3_serialize(this.#handle, schema, size, flags)),
      )
    const own = read(NO_COPY) // there is one if it was loaded
    if (own.pointer !== 0) return this.#memory.readBlob(own.pointer, own.length)
    const copy = read(0)
    if (copy.pointer === 0) throw new SqlFailure(OUT_OF_MEMORY, "out of memory")
    try {
      return this.#memory.readBlob(copy.pointer, copy.length)
    } finally {
      api.sqlite3_free(copy.pointer)
    }
  }

  /** Statements that are still open keep the memory until they are finalized: SQLite closes then. */
  close(): void {
    if (this.#handle !== 0) this.#memory.api.sqlite3_close_v2(this.#handle)
    this.#handle = 0
  }

  #check(code: number): void {
    if (code === 0) return
    throw new SqlFailure(code & 0xff, this.#memory.readName(this.#memory.api.sqlite3_errmsg(this.#handle)))
  }
}
