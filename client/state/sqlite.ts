import { type SqlDatabase, SqlFailure, type SqlStatement } from "../../shared/sql.ts"
import { WasmMemory } from "./wasm-memory.ts"
import { startSqlite, type WasmSource } from "./wasm-module.ts"
import { WasmStatement } from "./wasm-statement.ts"

const READ_WRITE_CREATE_MEMORY = 0x2 | 0x4 | 0x80
const DOUBLE_QUOTED_STRINGS = [1013, 1014] as const // SQLITE_DBCONFIG_DQS_DML and _DDL
const OFF = 0
const OUT_OF_MEMORY = 7

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

  constructor(memory: WasmMemory) {
    this.#memory = memory
  }

  /** A new, empty database in memory. */
  open(): SqlDatabase {
    const { api } = this.#memory
    const handle = this.#memory.withText(":memory:", (name) =>
      this.#memory.pointerFrom((room) => void api.sqlite3_open_v2(name, room, READ_WRITE_CREATE_MEMORY, 0)),
    )
    if (handle === 0) throw new SqlFailure(OUT_OF_MEMORY, "out of memory")
    for (const option of DOUBLE_QUOTED_STRINGS) api.sqlite3__wasm_db_config_ip(handle, option, OFF, 0)
    const database = new WasmDatabase(this.#memory, handle)
    database.exec("PRAGMA temp_store = MEMORY") // there are no files to sort in
    return database
  }
}

class WasmDatabase implements SqlDatabase {
  readonly #memory: WasmMemory
  #handle: number

  constructor(memory: WasmMemory, handle: number) {
    this.#memory = memory
    this.#handle = handle
  }

  exec(sql: string): void {
    this.#memory.withText(sql, (pointer) =>
      this.#check(this.#memory.api.sqlite3_exec(this.#handle, pointer, 0, 0, 0)),
    )
  }

  prepare(sql: string): SqlStatement {
    const { api } = this.#memory
    const handle = this.#memory.withText(sql, (pointer, length) =>
      this.#memory.pointerFrom((room) =>
        this.#check(api.sqlite3_prepare_v2(this.#handle, pointer, length, room, 0)),
      ),
    )
    if (handle === 0) throw new SqlFailure(1, "there is no statement in this text")
    return new WasmStatement(this.#memory, this.#handle, handle)
  }

  atomically<T>(work: () => T): T {
    this.exec("SAVEPOINT attempt")
    try {
      const result = work()
      this.exec("RELEASE attempt")
      return result
    } catch (cause) {
      this.exec("ROLLBACK TO attempt; RELEASE attempt")
      throw cause
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
